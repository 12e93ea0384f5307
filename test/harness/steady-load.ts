/** Steady load on a proxy: so many requests a second over a few kept connections, and what was answered when. */
import { statusOf, valuesOf } from './http-message.js';
import { until } from './wire.js';
import { get, WireClient } from './wire-client.js';

/** An answer. */
export interface LoadAnswer {
  /** When its request was sent, and when all of the answer was there: performance.now() of the test. */
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly status: number;
  /** Of a StoryEndpoint: its name. */
  readonly body: string;
  readonly retryAfter: string | undefined;
}

export interface LoadOptions {
  readonly perSecond?: number;
  /** Connections, and the most requests at the same time. */
  readonly connections?: number;
}

/** On a machine that is too busy for it the load is lower, and what waits for a number of answers waits longer. */
const PER_SECOND = 300;
const CONNECTIONS = 12;
const DEADLINE_MS = 15_000;

/**
 * Each connection has one request on its way at most; one that is late does not catch up, so that a pause of the machine is not
 * followed by a burst. Always `close` it.
 */
export class SteadyLoad {
  /** In the order in which they came. */
  readonly answers: LoadAnswer[] = [];
  readonly #running: Promise<void>;
  #failure: unknown;
  #isEnding = false;

  private constructor(clients: readonly WireClient[], perSecond: number) {
    const periodMs = (1_000 * clients.length) / perSecond;
    const beganAtMs = performance.now();
    const loads = clients.map((client, index) =>
      this.#load(client, periodMs, beganAtMs + (periodMs * index) / clients.length).catch((error: unknown) => {
        this.#failure ??= error;
      }),
    );
    this.#running = Promise.all(loads).then(() => {});
  }

  static async start(
    port: number,
    { perSecond = PER_SECOND, connections = CONNECTIONS }: LoadOptions = {},
  ): Promise<SteadyLoad> {
    const clients = await Promise.all(Array.from({ length: connections }, () => WireClient.open(port)));
    return new SteadyLoad(clients, perSecond);
  }

  /**
   * Waits until a number of answers have come to requests that were sent at a moment or later.
   *
   * @returns those answers
   * @throws what broke a connection, at any time before
   */
  async from(atMs: number, count: number): Promise<readonly LoadAnswer[]> {
    const since = (): LoadAnswer[] => this.answers.filter(({ sentAtMs }) => sentAtMs >= atMs);
    await until(`${count} answers`, () => this.#failure !== undefined || since().length >= count, DEADLINE_MS);
    if (this.#failure !== undefined) throw this.#failure;
    return since().slice(0, count);
  }

  /** The same from now on. */
  next(count: number): Promise<readonly LoadAnswer[]> {
    return this.from(performance.now(), count);
  }

  /** Ends when all that was sent is answered. Idempotent. What broke a connection is told by who waits for answers. */
  close(): Promise<void> {
    this.#isEnding = true;
    return this.#running;
  }

  async #load(client: WireClient, periodMs: number, firstAtMs: number): Promise<void> {
    try {
      let dueAtMs = firstAtMs;
      while (!this.#isEnding) {
        const sentAtMs = performance.now();
        if (sentAtMs < dueAtMs) {
          await new Promise((resolve) => setTimeout(resolve, dueAtMs - sentAtMs));
          continue;
        }
        client.send(get('/'));
        const response = await client.response();
        const [retryAfter] = valuesOf(response, 'retry-after');
        const answeredAtMs = performance.now();
        const body = response.body.toString();
        this.answers.push({ sentAtMs, answeredAtMs, status: statusOf(response), body, retryAfter });
        dueAtMs = Math.max(dueAtMs + periodMs, answeredAtMs);
      }
    } finally {
      client.close();
    }
  }
}

/** Share of the answers, at least one, that came from an endpoint, 0 .. 1. */
export function shareOf(answers: readonly LoadAnswer[], { name }: { readonly name: string }): number {
  return answers.filter(({ body }) => body === name).length / answers.length;
}
