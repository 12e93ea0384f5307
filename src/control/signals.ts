/** Subscribes to the signals that operators and service managers send. */
import type { Clock } from '../core/clock.js';
import type { StopSignal } from './run-phase.js';

/** What signals lead to. */
export interface SignalHandlers {
  /** SIGTERM, SIGINT. */
  stop(signal: StopSignal): void;
  /** SIGHUP. */
  reload(): void;
  /** SIGUSR1. */
  reopenFiles(): void;
}

/** What emits the signals: `process`, or a double. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * A Ctrl-C under `npm start` arrives twice: from the terminal, which signals the whole foreground group, and again from npm,
 * which passes its own on. Two SIGINT closer than this are one.
 */
const SAME_KEYSTROKE_MS = 300;

/** Handles signals until the returned function is called (idempotent). Thread: primary. */
export function handleSignals(source: SignalSource, clock: Clock, handlers: SignalHandlers): () => void {
  let interruptedAt = Number.NEGATIVE_INFINITY;
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGTERM', () => handlers.stop('SIGTERM')],
    [
      'SIGINT',
      () => {
        const nowMs = clock.nowMs();
        const isSameKeystroke = nowMs - interruptedAt < SAME_KEYSTROKE_MS;
        interruptedAt = nowMs;
        if (!isSameKeystroke) handlers.stop('SIGINT');
      },
    ],
    ['SIGHUP', () => handlers.reload()],
    // Node opens the port of its inspector on it, unless somebody listens.
    ['SIGUSR1', () => handlers.reopenFiles()],
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}
