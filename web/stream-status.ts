/** How the stream of figures does, in words that are never more hopeful than the truth. Pure. */
import { clockText, durationText } from './format.js';
import type { StreamState } from './live-stream.js';

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
