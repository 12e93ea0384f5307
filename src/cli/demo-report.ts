/** The live line of the demo: requests a second and each endpoint's share, from two looks at the counters. Pure. */

/** One look at the counters; the endpoints in a fixed order. */
export interface DemoLook {
  readonly atMs: number;
  readonly endpoints: readonly { readonly name: string; readonly requests: number; readonly inFlight: number }[];
}

/**
 * The line for the time between two looks.
 *
 * @returns e.g. '12345 requests/s | swift 78 % (12) | steady 17 % (3) | slow 5 % (1)', in brackets the requests in flight
 */
export function demoLine(before: DemoLook, after: DemoLook): string {
  const seconds = Math.max(after.atMs - before.atMs, 1) / 1000;
  const counts = after.endpoints.map((endpoint, index) => endpoint.requests - (before.endpoints[index]?.requests ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const parts = after.endpoints.map(({ name, inFlight }, index) => {
    const share = total === 0 ? '-' : String(Math.round((100 * (counts[index] ?? 0)) / total));
    return `${name} ${share} % (${inFlight})`;
  });
  return [`${Math.round(total / seconds)} requests/s`, ...parts].join(' | ');
}

/** Has anything moved between two looks? */
export function hasMoved(before: DemoLook, after: DemoLook): boolean {
  return after.endpoints.some((endpoint, index) => endpoint.requests !== before.endpoints[index]?.requests);
}
