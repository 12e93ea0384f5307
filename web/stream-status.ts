/** How the stream of figures does, in words that are never more hopeful than the truth. Pure. */
import { clockText, durationText } from './format.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Where the stream is. `since` and `retryAt` in ms since 1970. */
export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'silent'; readonly since: number }
  | { readonly kind: 'lost'; readonly since: number; readonly retryAt: number; readonly reason: string }
  /** A token is needed, or this one is wrong; nothing is tried until retryNow(). */
  | { readonly kind: 'unauthorized' };

/** Pause before the next attempt, in ms; `failures` in a row so far, from 1. Pure. */
export function pauseMs(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
}

/** What the page says of the stream. */
export interface StreamStatus {
  readonly text: string;
  readonly tone: 'good' | 'warn' | 'bad';
  /** Are the figures on the page not those of now? */
  readonly isStale: boolean;
}

/**
 * @param pausedAt when somebody paused the page, ms since 1970; null: nobody did
 * @param now      ms since 1970
 */
export function streamStatus(state: StreamState, pausedAt: number | null, now: number): StreamStatus {
  switch (state.kind) {
    case 'connecting':
      return { text: 'Connecting …', tone: 'warn', isStale: true };
    case 'unauthorized':
      return { text: 'Needs the token', tone: 'bad', isStale: true };
    case 'silent':
      return { text: `No figures since ${clockText(state.since)}`, tone: 'bad', isStale: true };
    case 'lost': {
      const waitMs = state.retryAt - now;
      const next = waitMs > 0 ? `next try in ${durationText(waitMs + 999)}` : 'trying again';
      return { text: `Disconnected since ${clockText(state.since)}, ${next}`, tone: 'bad', isStale: true };
    }
    case 'live':
      if (pausedAt === null) return { text: 'Live', tone: 'good', isStale: false };
      return { text: `Paused at ${clockText(pausedAt)}`, tone: 'warn', isStale: false };
  }
}
