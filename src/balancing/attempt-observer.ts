/** Who watches what attempts do to the endpoints of an upstream, and says which of them are left alone for it. */
import type { Tick } from '../core/tick.js';

/** What an observer says of an endpoint; bits, 0: nothing. Each makes it count as unhealthy where healthy endpoints are counted. */
export const Standing = {
  /** Left alone for a time; in panic it is picked like any other. */
  EJECTED: 1,
  /** Its time is over: probes only, in panic any number. */
  ON_TRIAL: 2,
  /** Nothing is sent, not even in panic. */
  BREAKER_OPEN: 4,
  /** Probes only, in panic as well. */
  HALF_OPEN: 8,
} as const;

/**
 * Outlier detection, breakers and the counts behind adaptive caps, for one upstream in one worker. An attempt is told of once by
 * `succeeded` or `failed`, and once more by `failed` where its response or session breaks off; one whose client left, or that was answered 429, is not
 * told of at all.
 *
 * Thread: worker. HOT: allocates nothing as long as nothing fails.
 *
 * @see UpstreamParts.observe
 */
export interface AttemptObserver {
  /**
   * An endpoint answered with a status that says it is well, or the connection of a session is there.
   *
   * @param endpoint  index in the plan
   * @param elapsedUs to the head of the response, or to the connection
   * @param measure   bits of attempt-measure.ts: AS_PROBE, IN_PANIC
   * @param startedAt when the attempt began
   */
  succeeded(endpoint: number, elapsedUs: number, measure: number, startedAt: Tick, now: Tick): void;
  /**
   * It did not: a failing status, or the attempt failed by its fault.
   *
   * @param status    of its response, or 0: no (valid) response came, or it broke off
   * @param isCounted this attempt has succeeded before: its response or session broke off
   */
  failed(endpoint: number, status: number, isCounted: boolean, measure: number, startedAt: Tick, now: Tick): void;
  /** What holds of an endpoint now: bits of Standing. Time moves it on by being asked. Cold: asked when a view is made. */
  standingOf(endpoint: number, now: Tick): number;
  /** When the standing that was last asked for changes by itself; NEVER: it does not. */
  readonly changesAt: Tick;
  /** Most probes at a time over all workers, for the standing that was last asked for. */
  readonly probes: number;
}
