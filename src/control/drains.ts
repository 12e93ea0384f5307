/** What a drain of an endpoint comes to: a state machine over the requests and sessions in flight there and the time. Pure. */

/** Looks in a row that must find nothing in flight: a worker may just be claiming by what it saw before the drain. */
const QUIET_LOOKS = 2;
/** What does not end when it is cut is cut again after this: a worker whose loop stood still may not have heard. */
const CUT_AGAIN_MS = 1_000;

/** One drain; times on the shared clock in ms. */
export interface Drain {
  readonly since: number;
  /** null: it waits for ever. */
  readonly timeoutMs: number | null;
  readonly inFlightAtStart: number;
  readonly phase:
    | { readonly kind: 'waiting'; readonly quietLooks: number }
    /** Its time is over; the rest was last cut then. */
    | { readonly kind: 'cutting'; readonly cutAt: number }
    | { readonly kind: 'drained' };
}

/** What has to be done after a step. `cut`: end what is in flight. */
export type DrainEffect = 'tell-drained' | 'tell-timeout' | 'cut';

/** @param inFlight on the endpoint, over all workers */
export function beginDrain(inFlight: number, timeoutMs: number | null, nowMs: number): Drain {
  return { since: nowMs, timeoutMs, inFlightAtStart: inFlight, phase: { kind: 'waiting', quietLooks: 0 } };
}

/** Another time to finish, from the begin of the drain on. A rest that is being cut stays so. */
export function withTimeout(drain: Drain, timeoutMs: number | null): Drain {
  return { ...drain, timeoutMs };
}

/** When its time is over; null: never. */
export function endsAt({ since, timeoutMs }: Drain): number | null {
  return timeoutMs === null ? null : since + timeoutMs;
}

/** One look. */
export function stepDrain(
  drain: Drain,
  inFlight: number,
  nowMs: number,
): { readonly drain: Drain; readonly effects: readonly DrainEffect[] } {
  const { phase } = drain;
  const become = (next: Drain['phase'], ...effects: DrainEffect[]): ReturnType<typeof stepDrain> => ({
    drain: { ...drain, phase: next },
    effects,
  });
  switch (phase.kind) {
    case 'drained':
      return { drain, effects: [] };
    case 'cutting':
      if (inFlight === 0) return become({ kind: 'drained' }, 'tell-drained');
      if (nowMs - phase.cutAt < CUT_AGAIN_MS) return { drain, effects: [] };
      return become({ kind: 'cutting', cutAt: nowMs }, 'cut');
    case 'waiting': {
      const quietLooks = inFlight === 0 ? phase.quietLooks + 1 : 0;
      if (quietLooks >= QUIET_LOOKS) return become({ kind: 'drained' }, 'tell-drained');
      const isOver = nowMs >= (endsAt(drain) ?? Number.POSITIVE_INFINITY);
      if (isOver && inFlight > 0) return become({ kind: 'cutting', cutAt: nowMs }, 'tell-timeout', 'cut');
      return become({ kind: 'waiting', quietLooks });
    }
  }
}
