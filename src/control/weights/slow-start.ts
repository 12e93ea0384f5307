/** Slow start: by which part the weight and the cap of an endpoint count while it warms up. */
import type { SlowStartPlan } from '../../config/picking-plan.js';
import type { EndpointPlan } from '../../config/plan.js';

/** Steps of one window: each moves a linear ramp by a hundredth, which is the grain of a weight of 1. */
const STEPS = 100;
/** Each step makes every worker rebuild what it knows of the upstream: not more often than this, however short the window. */
const LEAST_STEP_MS = 100;
/** Nobody sees a ramp move in longer steps than this, however long the window. */
const MOST_STEP_MS = 1_000;

/** Part of an endpoint's weight and cap, above 0, at most 1. */
export interface RampShare {
  readonly slot: number;
  readonly ramp: number;
}

/**
 * Envoy's ramp (semantics.md 5): max(least share, (elapsed / window) ^ (1 / aggression)), 1 behind the window. Pure.
 *
 * @param elapsedMs since the endpoint began, >= 0
 */
export function rampShare(elapsedMs: number, { windowMs, aggression, leastShare }: SlowStartPlan): number {
  if (elapsedMs >= windowMs) return 1;
  return Math.max(leastShare, (Math.max(elapsedMs, 0) / windowMs) ** (1 / aggression));
}

/** Pause between two steps of a ramp in ms. Pure. */
export function rampStepMs({ windowMs }: SlowStartPlan): number {
  return Math.min(Math.max(windowMs / STEPS, LEAST_STEP_MS), MOST_STEP_MS);
}

/**
 * The endpoints of one upstream that warm up. Time comes in, shares come out.
 *
 * Only proportions matter, and caps must not refuse what nobody else can take: where no endpoint beside them (of the same level, backups
 * for themselves) has its full share, all are divided by the largest one. So a lone endpoint that recovers takes everything at once, and of
 * several the later ones begin with a part of what the first one has by then. Thread: primary.
 */
export class SlowStart {
  readonly settings: SlowStartPlan;
  readonly #peers = new Map<number, readonly number[]>();
  readonly #startedAt = new Map<number, number>();

  /** @param before endpoints of the plan before that still warm up; those that are in this one go on */
  constructor(endpoints: readonly EndpointPlan[], settings: SlowStartPlan, before?: SlowStart) {
    this.settings = settings;
    for (const { slot, level, backup } of endpoints) {
      const peers = endpoints.filter((other) => other.level === level && other.backup === backup);
      this.#peers.set(
        slot,
        peers.map((peer) => peer.slot),
      );
      const startedAt = before === undefined ? undefined : before.#startedAt.get(slot);
      if (startedAt !== undefined) this.#startedAt.set(slot, startedAt);
    }
  }

  /** Another endpoint has the slot: it does not warm up unless it begins. */
  forget(slot: number): void {
    this.#startedAt.delete(slot);
  }

  /** Does any endpoint warm up? */
  get isRamping(): boolean {
    return this.#startedAt.size > 0;
  }

  /** Part of its way to full weight that an endpoint has behind it, before any division; null: it is not warming up. */
  progress(slot: number, nowMs: number): number | null {
    const startedAt = this.#startedAt.get(slot);
    return startedAt === undefined ? null : rampShare(nowMs - startedAt, this.settings);
  }

  /**
   * An endpoint takes work again, or for the first time.
   *
   * @param takesWork which of the others do
   * @returns its share from now on
   */
  begin(slot: number, nowMs: number, takesWork: (slot: number) => boolean): number {
    this.#startedAt.set(slot, nowMs);
    return this.#share(slot, nowMs, (other) => other === slot || takesWork(other));
  }

  /**
   * Shares of all endpoints that warm up; those whose window is over are among them for the last time, with 1.
   *
   * @param takesWork which endpoints do
   */
  step(nowMs: number, takesWork: (slot: number) => boolean): { shares: RampShare[]; ended: number[] } {
    const shares = [...this.#startedAt.keys()].map((slot) => ({ slot, ramp: this.#share(slot, nowMs, takesWork) }));
    const ended = [...this.#startedAt].flatMap(([slot, startedAt]) =>
      nowMs - startedAt >= this.settings.windowMs ? [slot] : [],
    );
    for (const slot of ended) this.#startedAt.delete(slot);
    return { shares, ended };
  }

  #share(slot: number, nowMs: number, takesWork: (slot: number) => boolean): number {
    const own = this.progress(slot, nowMs) ?? 1;
    const peers = (this.#peers.get(slot) ?? []).filter(takesWork);
    const most = Math.max(own, ...peers.map((peer) => this.progress(peer, nowMs) ?? 1));
    // An endpoint that takes no work now is measured against those that do; without any it keeps what the window gives it.
    return own / most;
  }
}
