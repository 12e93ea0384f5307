/** One upstream in one worker: picks endpoints for exchanges and settles how their attempts went. */
import { NO_KEY } from '../balancing/balancer.js';
import type { EndpointLedger } from '../balancing/endpoint-ledger.js';
import { NONE_TRIED, TriedSet } from '../balancing/tried-set.js';
import { UpstreamPicker } from '../balancing/upstream-picker.js';
import type { WorkerBoard } from '../board/worker-board.js';
import type { UpstreamPlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Rng } from '../core/rng.js';
import { type Exchange, NO_ENDPOINT } from './exchange.js';

/** What all upstreams of a worker share. */
export interface UpstreamParts {
  readonly board: WorkerBoard;
  readonly ledger: EndpointLedger;
  readonly rng: Rng;
  readonly clock: Clock;
}

/** Thread: worker. Every method is HOT. */
export class UpstreamRuntime {
  readonly plan: UpstreamPlan;
  readonly #picker: UpstreamPicker;
  readonly #ledger: EndpointLedger;
  readonly #clock: Clock;
  readonly #board: WorkerBoard;

  constructor(plan: UpstreamPlan, parts: UpstreamParts) {
    this.plan = plan;
    this.#picker = new UpstreamPicker(plan, parts.board, parts.rng);
    this.#ledger = parts.ledger;
    this.#clock = parts.clock;
    this.#board = parts.board;
  }

  /**
   * Picks and claims an endpoint for the next attempt of an exchange, which becomes its `endpoint`.
   * @returns the endpoint's slot, or NO_ENDPOINT
   */
  pick(exchange: Exchange): number {
    const now = this.#clock.nowTick();
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
  settleFirstByte(exchange: Exchange, status: number, elapsedUs: number): void {
    this.#ledger.firstByte(exchange.id, status, elapsedUs, this.#clock.nowTick());
  }

  /** The attempt is over: gives the claim back. Nothing happens where none is held, so every way out may call it. */
  settleEnd(exchange: Exchange): void {
    if (exchange.endpoint === NO_ENDPOINT) return;
    exchange.endpoint = NO_ENDPOINT;
    this.#ledger.end(exchange.id, this.#clock.nowTick());
  }

  /** The attempt could not even begin on its endpoint, through no fault of it: another one is to be picked. */
  settleUnusable(exchange: Exchange): void {
    exchange.tried ??= new TriedSet();
    exchange.tried.add(exchange.endpoint);
    this.settleEnd(exchange);
  }

  /** The attempt failed: it counts against the endpoint if it was at fault, and is not made there again for this exchange. */
  settleFailure(exchange: Exchange, code: ErrorCode, elapsedUs: number): void {
    if (ERROR_CATALOG[code].fault === 'endpoint') this.#ledger.fail(exchange.id, elapsedUs, this.#clock.nowTick());
    this.settleUnusable(exchange);
  }

  /** The endpoint's name as the user wrote it; for logs. @param endpoint index in the plan */
  endpointName(endpoint: number): string {
    return this.plan.endpoints[endpoint]?.name ?? 'none';
  }
}
