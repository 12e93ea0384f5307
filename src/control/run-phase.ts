/** The phases of the whole process, from start to exit, as a state machine: what a signal, an end or a deadline leads to. */
import { ExitCode } from './start-failure.js';

/** Signals that stop sluice. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

/** Where the process is. */
export type RunPhase =
  /** Not all workers accept yet. */
  | { readonly kind: 'starting' }
  | { readonly kind: 'ready' }
  /** Taking no new work, finishing the old. */
  | { readonly kind: 'draining' }
  /** Nothing more will happen but the exit with this code. */
  | { readonly kind: 'over'; readonly exitCode: number };

export type RunEvent =
  | { readonly kind: 'all-accept' }
  | { readonly kind: 'signal'; readonly signal: StopSignal }
  /** Every worker has finished and ended. */
  | { readonly kind: 'all-ended' }
  /** The shutdown timeout is over. */
  | { readonly kind: 'timeout' }
  /** The start failed, or every worker crashes again and again. */
  | { readonly kind: 'failed'; readonly exitCode: number };

/** What the primary has to do after a transition. */
export type RunEffect = 'announce-ready' | 'drain' | 'warn-cut' | 'end';

/** Exit codes of a second signal: 128 + its number, as shells report a process that a signal ended. */
const SECOND_SIGNAL_EXIT: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** What the process does next. Thread: primary. */
export function nextPhase(
  phase: RunPhase,
  event: RunEvent,
): { readonly phase: RunPhase; readonly effects: readonly RunEffect[] } {
  if (phase.kind === 'over') return { phase, effects: [] };
  switch (event.kind) {
    case 'all-accept':
      if (phase.kind !== 'starting') return { phase, effects: [] };
      return { phase: { kind: 'ready' }, effects: ['announce-ready'] };
    case 'signal':
      if (phase.kind === 'draining') return over(SECOND_SIGNAL_EXIT[event.signal], []);
      return { phase: { kind: 'draining' }, effects: ['drain'] };
    case 'all-ended':
      return over(ExitCode.OK, []);
    case 'timeout':
      // The operator asked for an end within this time and gets it: not a failure, but said loudly.
      return phase.kind === 'draining' ? over(ExitCode.OK, ['warn-cut']) : { phase, effects: [] };
    case 'failed':
      return over(event.exitCode, []);
  }
}

function over(exitCode: number, before: readonly RunEffect[]): ReturnType<typeof nextPhase> {
  return { phase: { kind: 'over', exitCode }, effects: [...before, 'end'] };
}
