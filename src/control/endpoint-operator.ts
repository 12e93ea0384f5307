/** Carries out what the operator wants of single endpoints while the proxy runs: enabled, draining or disabled, and their weight. */
import type { Board } from '../board/board.js';
import type { EndpointPlan, UpstreamPlan } from '../config/plan.js';
import type { Clock } from '../core/clock.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { Logger } from '../observability/logger.js';
import { beginDrain, type Drain, type DrainEffect, stepDrain, withTimeout } from './drains.js';

/** Pause between two looks at what is in flight on endpoints that drain. */
const LOOK_INTERVAL_MS = 100;

/** `draining`: no new work, the old finishes, in its time if it has one. `disabled`: no new work, and nobody waits for the old. */
export type OperatorState = 'enabled' | 'draining' | 'disabled';

/** What the operator wants to be different; what is absent stays. */
export interface EndpointChange {
  readonly state?: OperatorState;
  /** 0 .. MOST_WEIGHT; 0: takes no new work. */
  readonly weight?: number;
  /** Of a drain, from its begin on, in ms, above 0; null: for ever. Needs an endpoint that drains, or begins to. */
  readonly drainTimeoutMs?: number | null;
}

/** What it needs from outside. */
export interface EndpointOperatorOptions {
  readonly board: Pick<Board, 'control' | 'load'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Tells all workers to end what is in flight on an endpoint. */
  readonly cut: (endpoint: EndpointPlan) => void;
}

interface Draining {
  readonly upstream: UpstreamPlan;
  readonly endpoint: EndpointPlan;
  drain: Drain;
}

/** Thread: primary. */
export class EndpointOperator {
  readonly #options: EndpointOperatorOptions;
  /** By slot. */
  readonly #draining = new Map<number, Draining>();
  #cancelLook: Cancel | null = null;

  constructor(options: EndpointOperatorOptions) {
    this.#options = options;
  }

  /**
   * Does what the operator wants.
   *
   * @returns false where the change has a time for a drain, and there is none: nothing is changed then
   */
  change(upstream: UpstreamPlan, endpoint: EndpointPlan, change: EndpointChange): boolean {
    const { slot } = endpoint;
    const drains = change.state === 'draining' || (change.state === undefined && this.#draining.has(slot));
    if (change.drainTimeoutMs !== undefined && !drains) return false;
    // The weight ahead of the state: an endpoint that comes back is met with its new weight.
    if (change.weight !== undefined) this.#setWeight(upstream, endpoint, change.weight);
    if (change.state !== undefined) this.#setState(upstream, endpoint, change.state, change.drainTimeoutMs ?? null);
    const draining = this.#draining.get(slot);
    if (draining !== undefined && change.drainTimeoutMs !== undefined) {
      draining.drain = withTimeout(draining.drain, change.drainTimeoutMs);
    }
    this.#scheduleLook();
    return true;
  }

  /** Takes the upstreams of another plan: drains of endpoints that stay go on, those of endpoints that have left are over. */
  replace(upstreams: readonly UpstreamPlan[]): void {
    for (const [slot, draining] of this.#draining) {
      const { generation } = draining.endpoint;
      const upstream = upstreams.find((each) => each.endpoints.some((other) => isAt(other, slot, generation)));
      const endpoint = upstream?.endpoints.find((other) => isAt(other, slot, generation));
      if (upstream === undefined || endpoint === undefined) this.#draining.delete(slot);
      else this.#draining.set(slot, { upstream, endpoint, drain: draining.drain });
    }
  }

  /** The drain of an endpoint that the operator drains; null: he does not. */
  drainOf(slot: number): Drain | null {
    return this.#draining.get(slot)?.drain ?? null;
  }

  /** Looks no more; endpoints stay as they are. Idempotent. */
  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
    this.#draining.clear();
  }

  #setWeight(upstream: UpstreamPlan, endpoint: EndpointPlan, weight: number): void {
    const { board, logger } = this.#options;
    const before = board.control.baseWeight(endpoint.slot);
    if (before === weight) return;
    board.control.setWeight(endpoint.slot, weight);
    logger.info(
      { event: 'endpoint-weight', upstream: upstream.name, endpoint: endpoint.name, weight },
      `endpoint ${endpoint.name} of ${upstream.name} has the weight ${weight} now, not ${before}`,
    );
  }

  #setState(upstream: UpstreamPlan, endpoint: EndpointPlan, state: OperatorState, timeoutMs: number | null): void {
    const { control } = this.#options.board;
    const { slot } = endpoint;
    const { isEnabled } = control.state(slot);
    const wasDraining = this.#draining.has(slot);
    // The order: at no moment in between may the endpoint take work that takes none before or after.
    if (state === 'disabled') {
      control.setEnabled(slot, false);
      control.setDraining(slot, false);
    } else {
      control.setDraining(slot, state === 'draining');
      control.setEnabled(slot, true);
    }
    if (state === 'draining') {
      if (!wasDraining) this.#beginDrain(upstream, endpoint, timeoutMs);
      return;
    }
    this.#draining.delete(slot);
    if (wasDraining || isEnabled !== (state === 'enabled')) this.#tellState(upstream, endpoint, state);
  }

  #beginDrain(upstream: UpstreamPlan, endpoint: EndpointPlan, timeoutMs: number | null): void {
    const { board, clock, logger } = this.#options;
    const inFlight = board.load.inflight(endpoint.slot);
    this.#draining.set(endpoint.slot, { upstream, endpoint, drain: beginDrain(inFlight, timeoutMs, clock.nowMs()) });
    const patience = timeoutMs === null ? '' : ` within ${timeoutMs / 1000} s`;
    logger.info(
      { event: 'endpoint-draining', upstream: upstream.name, endpoint: endpoint.name, inFlight, timeoutMs },
      `endpoint ${endpoint.name} of ${upstream.name} gets no new work and finishes the ${inFlight} in flight${patience}`,
    );
  }

  #tellState(upstream: UpstreamPlan, endpoint: EndpointPlan, state: 'enabled' | 'disabled'): void {
    const facts = { upstream: upstream.name, endpoint: endpoint.name };
    const name = `endpoint ${endpoint.name} of ${upstream.name}`;
    const { logger } = this.#options;
    if (state === 'enabled') logger.info({ event: 'endpoint-enabled', ...facts }, `${name} takes work again`);
    else logger.info({ event: 'endpoint-disabled', ...facts }, `${name} takes no work any more`);
  }

  #scheduleLook(): void {
    const isWatched = [...this.#draining.values()].some(({ drain }) => drain.phase.kind !== 'drained');
    if (!isWatched || this.#cancelLook !== null) return;
    this.#cancelLook = this.#options.timers.after(LOOK_INTERVAL_MS, () => {
      this.#cancelLook = null;
      for (const draining of this.#draining.values()) this.#look(draining);
      this.#scheduleLook();
    });
  }

  #look(draining: Draining): void {
    const { board, clock } = this.#options;
    const inFlight = board.load.inflight(draining.endpoint.slot);
    const { drain, effects } = stepDrain(draining.drain, inFlight, clock.nowMs());
    draining.drain = drain;
    for (const effect of effects) this.#carryOut(draining, effect, inFlight);
  }

  #carryOut({ upstream, endpoint, drain }: Draining, effect: DrainEffect, inFlight: number): void {
    const { clock, logger, cut } = this.#options;
    const facts = { upstream: upstream.name, endpoint: endpoint.name };
    const name = `endpoint ${endpoint.name} of ${upstream.name}`;
    switch (effect) {
      case 'cut':
        cut(endpoint);
        return;
      case 'tell-drained':
        logger.info(
          { event: 'endpoint-drained', ...facts, tookMs: Math.round(clock.nowMs() - drain.since) },
          `nothing is in flight on ${name} any more: it can be stopped`,
        );
        return;
      case 'tell-timeout':
        logger.warn(
          { event: 'drain-timeout', ...facts, inFlight, timeoutMs: drain.timeoutMs },
          `the time of ${name} to drain is over: the ${inFlight} in flight are cut`,
        );
        return;
    }
  }
}

function isAt(endpoint: EndpointPlan, slot: number, generation: number): boolean {
  return endpoint.slot === slot && endpoint.generation === generation;
}
