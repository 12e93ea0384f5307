/** The life of one worker as a state machine: starting, serving, waiting for its next start, draining, ended. No threads, no clock. */

/** Settings of the supervisor; all times in ms. */
export interface SupervisionSettings {
  /** A worker that does not accept within this time counts as crashed. */
  readonly readyWithinMs: number;
  /** Pause before the first restart; doubles with each further crash. */
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A worker that served for this long is healthy again: the next pause is the first one. */
  readonly healthyAfterMs: number;
  /** A crash before the worker served, or within this time of its serving, counts towards a crash loop. */
  readonly earlyCrashMs: number;
  /** More early crashes than this in a row are a crash loop. */
  readonly earlyCrashLimit: number;
}

/**
 * Why these: 100 ms is short enough that one crash costs a quarter of a second of one worker; 10 s keeps a crashing worker
 * from filling the log; five early crashes in a row (about 3 s) are no accident any more.
 */
export const SUPERVISION: SupervisionSettings = {
  readyWithinMs: 10_000,
  firstBackoffMs: 100,
  maxBackoffMs: 10_000,
  healthyAfterMs: 30_000,
  earlyCrashMs: 1_000,
  earlyCrashLimit: 5,
};

/** Where a worker is. All points in time are milliseconds of the shared clock. */
export type LifeState =
  /** The thread runs and has not reported that it accepts. */
  | { readonly kind: 'starting'; readonly deadlineAt: number }
  | { readonly kind: 'serving'; readonly servingAt: number }
  /** No thread; the next one is due at `restartAt`. */
  | { readonly kind: 'waiting'; readonly restartAt: number }
  /** The thread finishes what is in flight. */
  | { readonly kind: 'draining' }
  /** No thread, and none will follow. */
  | { readonly kind: 'ended' };

/** The state and the memory of earlier crashes. */
export interface WorkerLife {
  readonly state: LifeState;
  /** Threads started after the first one. */
  readonly restarts: number;
  /** The pause before the next restart. */
  readonly backoffMs: number;
  /** Early crashes in a row. */
  readonly earlyCrashes: number;
}

export type WorkerEvent =
  /** Its listeners accept. */
  | { readonly kind: 'accepts' }
  /** The thread is gone, for whatever reason. */
  | { readonly kind: 'exited' }
  /** Time has passed; look at the deadlines. */
  | { readonly kind: 'time' }
  /** Take no new work. */
  | { readonly kind: 'drain' };

/** What the supervisor has to do after a transition, in this order. */
export type WorkerEffect =
  /** Give back what the dead thread held on the board. Always before the next `spawn`. */
  | 'reclaim'
  | 'spawn'
  /** Tell the thread to drain. */
  | 'send-drain'
  /** End the thread; its `exited` follows. */
  | 'terminate';

/** The life of a worker whose first thread is being started. */
export function firstLife(nowMs: number, settings: SupervisionSettings): WorkerLife {
  return {
    state: { kind: 'starting', deadlineAt: nowMs + settings.readyWithinMs },
    restarts: 0,
    backoffMs: settings.firstBackoffMs,
    earlyCrashes: 0,
  };
}

/** What a worker's life becomes by an event. Thread: primary. */
export function transition(
  life: WorkerLife,
  event: WorkerEvent,
  nowMs: number,
  settings: SupervisionSettings,
): { readonly life: WorkerLife; readonly effects: readonly WorkerEffect[] } {
  const { state } = life;
  switch (event.kind) {
    case 'accepts':
      if (state.kind !== 'starting') return { life, effects: [] };
      return { life: { ...life, state: { kind: 'serving', servingAt: nowMs } }, effects: [] };
    case 'exited':
      return exited(life, nowMs, settings);
    case 'time':
      return timePassed(life, nowMs, settings);
    case 'drain':
      switch (state.kind) {
        case 'serving':
          return { life: { ...life, state: { kind: 'draining' } }, effects: ['send-drain'] };
        case 'starting': // nothing of a client's is in it yet
          return { life: { ...life, state: { kind: 'draining' } }, effects: ['terminate'] };
        case 'waiting':
          return { life: { ...life, state: { kind: 'ended' } }, effects: [] };
        case 'draining':
        case 'ended':
          return { life, effects: [] };
      }
  }
}

function exited(life: WorkerLife, nowMs: number, settings: SupervisionSettings): ReturnType<typeof transition> {
  const { state } = life;
  switch (state.kind) {
    case 'waiting':
    case 'ended':
      return { life, effects: [] };
    case 'draining':
      return { life: { ...life, state: { kind: 'ended' } }, effects: ['reclaim'] };
    case 'starting':
    case 'serving': {
      const servedMs = state.kind === 'serving' ? nowMs - state.servingAt : 0;
      const wasEarly = servedMs < settings.earlyCrashMs;
      const pauseMs = servedMs >= settings.healthyAfterMs ? settings.firstBackoffMs : life.backoffMs;
      return {
        life: {
          ...life,
          state: { kind: 'waiting', restartAt: nowMs + pauseMs },
          backoffMs: Math.min(pauseMs * 2, settings.maxBackoffMs),
          earlyCrashes: wasEarly ? life.earlyCrashes + 1 : 0,
        },
        effects: ['reclaim'],
      };
    }
  }
}

function timePassed(life: WorkerLife, nowMs: number, settings: SupervisionSettings): ReturnType<typeof transition> {
  const { state } = life;
  if (state.kind === 'starting' && nowMs >= state.deadlineAt) {
    // Infinity: terminated once; its exit comes as an event of its own.
    return {
      life: { ...life, state: { kind: 'starting', deadlineAt: Number.POSITIVE_INFINITY } },
      effects: ['terminate'],
    };
  }
  if (state.kind === 'waiting' && nowMs >= state.restartAt) {
    const starting: LifeState = { kind: 'starting', deadlineAt: nowMs + settings.readyWithinMs };
    return { life: { ...life, state: starting, restarts: life.restarts + 1 }, effects: ['spawn'] };
  }
  return { life, effects: [] };
}

/** When `time` is due next; Infinity: never. */
export function nextDeadlineAt(life: WorkerLife): number {
  if (life.state.kind === 'starting') return life.state.deadlineAt;
  if (life.state.kind === 'waiting') return life.state.restartAt;
  return Number.POSITIVE_INFINITY;
}

/** Has this worker crashed again and again right after its start? True from then on until it has served for a while and ended. */
export function hasCrashLooped(life: WorkerLife, settings: SupervisionSettings): boolean {
  return life.earlyCrashes > settings.earlyCrashLimit;
}

/** Has it, and does it not serve at this moment? */
export function isInCrashLoop(life: WorkerLife, settings: SupervisionSettings): boolean {
  return life.state.kind !== 'serving' && hasCrashLooped(life, settings);
}

/**
 * Is going on pointless? Before the first readiness one worker in a crash loop is enough: the configuration or the
 * installation is broken, and the operator is watching. Later, the workers that serve go on serving, and the process ends
 * only when every worker is in a crash loop: ending it earlier would cut the clients of the healthy ones.
 */
export function isHopeless(lives: readonly WorkerLife[], wasReady: boolean, settings: SupervisionSettings): boolean {
  return wasReady
    ? lives.every((life) => isInCrashLoop(life, settings))
    : lives.some((life) => isInCrashLoop(life, settings));
}
