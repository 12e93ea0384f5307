/** One upstream in one worker: picks endpoints for exchanges and settles how their attempts went. */

import type { WorkerBoard } from '../board/worker-board.js';
import type { UpstreamPlan } from '../config/plan.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Rng } from '../core/rng.js';
import type { Tick } from '../core/tick.js';
import { NO_ENDPOINT, NO_KEY } from './balancer.js';
import type { EndpointLedger } from './endpoint-ledger.js';
import { NONE_TRIED, TriedSet } from './tried-set.js';
import { UpstreamPicker } from './upstream-picker.js';

/** What all upstreams of a worker share. */
export interface UpstreamParts {
  readonly board: WorkerBoard;
  readonly ledger: EndpointLedger;
  readonly rng: Rng;
}

/** What picking and settling read and change of an exchange. */
export interface Attempting {
  /** The engine's number of the exchange. */
  readonly id: number;
  /** Index in the upstream of the endpoint that is claimed, or NO_ENDPOINT. */
  endpoint: number;
  /** Made so far. */
  attempts: number;
  /** Endpoints whose attempts failed; null: none. */
  tried: TriedSet | null;
}

/** Thread: worker. Every method is HOT; `now` is the shared clock, read once for a batch of events or a request. */
export class UpstreamRuntime {
  readonly plan: UpstreamPlan;
  readonly #picker: UpstreamPicker;
  readonly #ledger: EndpointLedger;
  readonly #board: WorkerBoard;

  constructor(plan: UpstreamPlan, parts: UpstreamParts) {
    this.plan = plan;
    this.#picker = new UpstreamPicker(plan, parts.board, parts.rng);
    this.#ledger = parts.ledger;
    this.#board = parts.board;
  }

  /**
   * Picks and claims an endpoint for the next attempt of an exchange, which becomes its `endpoint`.
   * @returns the endpoint's slot, or NO_ENDPOINT
   */
  pick(exchange: Attempting, now: Tick): number {
    const isRetry = exchange.attempts > 0;
    const endpoint = this.#picker.pick(NO_KEY, exchange.tried ?? NONE_TRIED, now);
    if (endpoint === NO_ENDPOINT) return NO_ENDPOINT;
    const picked = this.#picker.view.endpoint(endpoint);
    this.#ledger.begin(exchange.id, picked, isRetry, now);
    if (isRetry) this.#board.stripe.countRetry();
    exchange.endpoint = endpoint;
    exchange.attempts++;
    return picked.slot;
  }

  /** The head of the response has come. */
  settleFirstByte(exchange: Attempting, status: number, elapsedUs: number, now: Tick): void {
    this.#ledger.firstByte(exchange.id, status, elapsedUs, now);
  }

  /** The attempt is over: gives the claim back. Nothing happens where none is held, so every way out may call it. */
  settleEnd(exchange: Attempting, now: Tick): void {
    if (exchange.endpoint === NO_ENDPOINT) return;
    exchange.endpoint = NO_ENDPOINT;
    this.#ledger.end(exchange.id, now);
  }

  /** The attempt could not even begin on its endpoint, through no fault of it: another one is to be picked. */
  settleUnusable(exchange: Attempting, now: Tick): void {
    exchange.tried ??= new TriedSet();
    exchange.tried.add(exchange.endpoint);
    this.settleEnd(exchange, now);
  }

  /** The attempt failed: it counts against the endpoint if it was at fault, and is not made there again for this exchange. */
  settleFailure(exchange: Attempting, code: ErrorCode, elapsedUs: number, now: Tick): void {
    if (ERROR_CATALOG[code].fault === 'endpoint') this.#ledger.fail(exchange.id, elapsedUs, now);
    this.settleUnusable(exchange, now);
  }

  /** The endpoint's name as the user wrote it; for logs. @param endpoint index in the plan */
  endpointName(endpoint: number): string {
    return this.plan.endpoints[endpoint]?.name ?? 'none';
  }
}
