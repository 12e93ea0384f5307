/** How probes end, in the words that all kinds of them share. */
import type { HealthCheckPlan } from '../../config/plan.js';

/** How one attempt at one address ended; `reason` is one short sentence for the log. */
export type AttemptResult =
  | { readonly succeeded: true }
  | {
      readonly succeeded: false;
      readonly reason: string;
      /** It could not be made for want of descriptors: it says nothing of the endpoint. */
      readonly isOurs?: true;
    };

/** How a probe ended. */
export type ProbeResult = AttemptResult & {
  /** From its begin to its result. */
  readonly elapsedMs: number;
};

/** Where to connect, in the words of node:net and node:http. */
export type ConnectTarget = { readonly host: string; readonly port: number } | { readonly path: string };

export const SUCCEEDED: AttemptResult = { succeeded: true };

/** It did not come to an end in its time. */
export function timedOut(check: Pick<HealthCheckPlan, 'timeoutMs'>): AttemptResult {
  return { succeeded: false, reason: `no answer within ${check.timeoutMs} ms` };
}

/** Descriptors have run out (socket(2)), which no endpoint is to blame for; the engines see it so, too. */
const SHORTAGES: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE']);

/** The connection failed. */
export function failed(error: NodeJS.ErrnoException): AttemptResult {
  const reason = error.code === undefined ? error.message : `${error.code}: ${error.message}`;
  return SHORTAGES.has(error.code) ? { succeeded: false, reason, isOurs: true } : { succeeded: false, reason };
}

/** A good result that counts as a bad one because it took longer than `slowerThan`. */
export function heldAgainstSlowness(
  result: AttemptResult,
  elapsedMs: number,
  { slowerThanMs }: Pick<HealthCheckPlan, 'slowerThanMs'>,
): AttemptResult {
  if (!result.succeeded || slowerThanMs === null || elapsedMs <= slowerThanMs) return result;
  return {
    succeeded: false,
    reason: `its answer was good but took ${Math.round(elapsedMs)} ms, longer than slowerThan (${slowerThanMs} ms) allows`,
  };
}
