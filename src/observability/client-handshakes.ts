/** Counts TLS handshakes with clients of listeners, from an engine's running totals. */
import type { HandshakeFigureWriter } from '../board/figure-writer.js';

/** Who has totals since its start, by the places of HANDSHAKE_ENDS. */
export interface HandshakeTotals {
  handshakes(listener: number): readonly number[];
}

/** A listener, as far as it matters here. */
export interface ListenerWithTls {
  readonly number: number;
  /** null: it has none. */
  readonly tls: object | null;
}

/** One for each engine of a worker. Thread: worker. */
export class ClientHandshakes {
  readonly #figures: HandshakeFigureWriter;
  /** What the figures have of the totals, by number of a listener that has TLS, or had it. */
  readonly #counted = new Map<number, readonly number[]>();

  constructor(figures: HandshakeFigureWriter) {
    this.#figures = figures;
  }

  /** Counts those of these listeners, too, from now on. */
  follow(listeners: readonly ListenerWithTls[]): void {
    for (const { number, tls } of listeners)
      if (tls !== null && !this.#counted.has(number)) this.#counted.set(number, []);
  }

  /** Adds to the figures what the totals have grown by since the last call. */
  count(totals: HandshakeTotals): void {
    for (const [listener, counted] of this.#counted) {
      const ends = totals.handshakes(listener);
      for (const [end, total] of ends.entries()) {
        const growth = total - (counted[end] ?? 0);
        if (growth > 0) this.#figures.ended(listener, end, growth);
      }
      this.#counted.set(listener, ends);
    }
  }
}
