/** Keeps the stream of live figures open: reads it, notices when it falls silent, and comes back after a pause. */
import { type AdminClient, AdminFailure } from './admin-client.js';
import { EventStreamReader, type StreamEvent } from './event-stream.js';
import { pauseMs, type StreamState } from './stream-status.js';

/** Figures come each second: after this much silence what is shown is not live any more. */
export const SILENCE_MS = 4_000;
/** After so much silence the connection is given up: it may be dead without anybody having said so. */
const GIVE_UP_MS = 10_000;

const UNAUTHORIZED = 401;

/** Who hears of the stream. */
export interface StreamListener {
  /** A connection has begun: all entries of the timeline that are kept come again. */
  onConnected(): void;
  onState(state: StreamState): void;
  onEvent(event: StreamEvent): void;
}

/** Opens GET /api/v1/live again and again until the page is closed. */
export class LiveStream {
  readonly #client: AdminClient;
  readonly #listener: StreamListener;
  #failures = 0;
  #lastHeardAt = 0;
  #wake: (() => void) | null = null;
  #state: StreamState = { kind: 'connecting' };

  constructor(client: AdminClient, listener: StreamListener) {
    this.#client = client;
    this.#listener = listener;
    // A laptop that wakes up, or a network that is back: no reason to wait for the end of a pause.
    globalThis.addEventListener('online', () => this.retryNow());
  }

  /** Runs for ever. */
  async run(): Promise<never> {
    this.#lastHeardAt = Date.now();
    for (;;) await this.#once();
  }

  /** Ends a pause. */
  retryNow(): void {
    this.#wake?.();
  }

  async #once(): Promise<void> {
    try {
      await this.#attempt();
      await this.#pause('the connection has ended');
    } catch (error) {
      if (error instanceof AdminFailure && error.status === UNAUTHORIZED) await this.#waitForToken();
      else await this.#pause(error instanceof AdminFailure ? error.message : 'the connection broke off');
    }
  }

  /** From the beginning of an attempt to its end; pauses are not watched. */
  async #attempt(): Promise<void> {
    const given = new AbortController();
    const begunAt = Date.now();
    const watch = setInterval(() => this.#watch(given, begunAt), 500);
    try {
      const body = await this.#client.stream('/api/v1/live', given.signal);
      this.#listener.onConnected();
      await this.#read(body);
    } finally {
      clearInterval(watch);
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
    const events = new EventStreamReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of events.push(value)) {
        if (event.name === 'figures') {
          this.#lastHeardAt = Date.now();
          this.#failures = 0;
          this.#become({ kind: 'live' });
        }
        this.#listener.onEvent(event);
      }
    }
  }

  #watch(given: AbortController, begunAt: number): void {
    const now = Date.now();
    if (this.#state.kind === 'live' && now - this.#lastHeardAt > SILENCE_MS) {
      this.#become({ kind: 'silent', since: this.#lastHeardAt });
    }
    if (now - Math.max(this.#lastHeardAt, begunAt) > GIVE_UP_MS) given.abort();
  }

  async #pause(reason: string): Promise<void> {
    this.#failures += 1;
    const forMs = pauseMs(this.#failures);
    this.#become({ kind: 'lost', since: this.#lastHeardAt, retryAt: Date.now() + forMs, reason });
    await this.#sleep(forMs);
  }

  async #waitForToken(): Promise<void> {
    this.#become({ kind: 'unauthorized' });
    await this.#sleep(null);
    this.#become({ kind: 'connecting' });
  }

  #sleep(forMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = forMs === null ? undefined : setTimeout(resolve, forMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #become(state: StreamState): void {
    this.#state = state;
    this.#listener.onState(state);
  }
}
