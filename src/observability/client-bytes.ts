/** Counts the bytes that clients have sent and got, from an engine's running totals. */
import type { WorkerStripe } from '../board/worker-stripe.js';

/** Totals of an engine since its start. */
export interface ByteTotals {
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
}

/**
 * One for each engine of a worker. Bytes are counted for all connections together, each second: what a session or a download has moved
 * is known only when it ends, perhaps after hours. Thread: worker.
 */
export class ClientBytes {
  readonly #stripe: WorkerStripe;
  /** What the stripe has of the totals. */
  #fromClients = 0;
  #toClients = 0;

  constructor(stripe: WorkerStripe) {
    this.#stripe = stripe;
  }

  /** Adds to the stripe's counters what the totals have grown by since the last call. */
  count({ bytesFromClients, bytesToClients }: ByteTotals): void {
    this.#stripe.countBytesFromClient(bytesFromClients - this.#fromClients);
    this.#stripe.countBytesToClient(bytesToClients - this.#toClients);
    this.#fromClients = bytesFromClients;
    this.#toClients = bytesToClients;
  }
}
