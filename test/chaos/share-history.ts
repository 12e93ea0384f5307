/** What the proxy's own counters said of its endpoints, time and again: from it follows who had which share of the attempts, and when. */
import { endpointFacts } from '../harness/proxy-counts.js';
import type { ProxyProcess } from '../harness/proxy-process.js';

/** The counters at a moment. */
export interface ShareSample {
  /** Unix time in ms. */
  readonly atMs: number;
  /** Attempts since the start of the proxy, by endpoint. */
  readonly attempts: readonly number[];
}

const SAMPLE_EVERY_MS = 50;

/** Always `close` it. */
export class ShareHistory {
  readonly samples: ShareSample[] = [];
  readonly #running: Promise<void>;
  #isEnding = false;
  #failure: unknown;

  constructor(
    private readonly proxy: ProxyProcess,
    private readonly upstream: string,
  ) {
    this.#running = this.#sample().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** @throws Error where the proxy did not answer at any time before */
  async close(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #sample(): Promise<void> {
    while (!this.#isEnding) {
      const endpoints = await endpointFacts(this.proxy, this.upstream);
      // When they were read: after the question came, before the answer did.
      this.samples.push({ atMs: Date.now(), attempts: endpoints.map(({ requests }) => requests) });
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
    }
  }
}

/**
 * Share of the attempts that an endpoint got between two moments, by the samples next to them; undefined where there was no attempt.
 *
 * @param samples ascending
 * @param index   of the endpoint
 */
export function shareBetween(
  samples: readonly ShareSample[],
  index: number,
  fromMs: number,
  toMs: number,
): number | undefined {
  const first = samples.find(({ atMs }) => atMs >= fromMs) ?? samples.at(-1);
  const last = samples.findLast(({ atMs }) => atMs <= toMs);
  if (first === undefined || last === undefined) return undefined;
  const grown = last.attempts.map((count, at) => count - (first.attempts[at] ?? 0));
  const all = grown.reduce((sum, count) => sum + count, 0);
  return all <= 0 ? undefined : (grown[index] ?? 0) / all;
}
