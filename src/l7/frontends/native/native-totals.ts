/** Counts what the native front end has moved, what came over HTTP/2, and TLS handshakes, from its running totals. */
import type { FigureWriter } from '../../../board/figure-writer.js';
import type { WorkerStripe } from '../../../board/worker-stripe.js';
import type { FrontEnd } from '../../../engine/front-end.js';
import { ClientBytes } from '../../../observability/client-bytes.js';
import { ClientHandshakes, type ListenerWithTls } from '../../../observability/client-handshakes.js';

/** Where figures of listeners are written. */
export type TotalsFigures = Pick<FigureWriter, 'handshakes' | 'http2'>;

/** One for each front end. Thread: worker. */
export class NativeTotals {
  readonly #bytes: ClientBytes;
  readonly #handshakes: ClientHandshakes;
  readonly #stripe: WorkerStripe;
  readonly #figures: TotalsFigures;
  /** What the figures have of the streams of HTTP/2, by number of listener. */
  readonly #streams = new Map<number, readonly number[]>();

  constructor(stripe: WorkerStripe, figures: TotalsFigures) {
    this.#bytes = new ClientBytes(stripe);
    this.#handshakes = new ClientHandshakes(figures.handshakes);
    this.#stripe = stripe;
    this.#figures = figures;
  }

  /** Counts what these listeners have, too, from now on. */
  follow(listeners: readonly ListenerWithTls[]): void {
    this.#handshakes.follow(listeners);
    for (const { number } of listeners) if (!this.#streams.has(number)) this.#streams.set(number, [0, 0]);
  }

  /** Adds to the worker's counters and figures what the totals have grown by since the last call. */
  count(frontEnd: Pick<FrontEnd, 'stats' | 'handshakes' | 'http2Streams'>): void {
    const stats = frontEnd.stats();
    this.#handshakes.count(frontEnd);
    this.#bytes.count(stats);
    this.#stripe.setHttp2Connections(stats.http2Connections);
    for (const [listener, [begunBefore = 0, refusedBefore = 0]] of this.#streams) {
      const streams = frontEnd.http2Streams(listener);
      const [begun = 0, refused = 0] = streams;
      if (begun === begunBefore && refused === refusedBefore) continue;
      this.#figures.http2.streams(listener, begun - begunBefore, refused - refusedBefore);
      this.#streams.set(listener, streams);
    }
  }
}
