/** The upstreams of one data plane, from one plan to the next: who stays the same keeps what it has learnt. */
import type { UpstreamPlan } from '../config/plan.js';
import { type UpstreamParts, UpstreamRuntime } from './upstream-runtime.js';

/** Thread: worker; one for each data plane. */
export class UpstreamRuntimes {
  readonly #parts: UpstreamParts;
  #all: readonly UpstreamRuntime[];

  /** @param plans Plan.upstreams */
  constructor(plans: readonly UpstreamPlan[], parts: UpstreamParts) {
    this.#parts = parts;
    this.#all = plans.map((plan) => new UpstreamRuntime(plan, parts));
  }

  /** By the indices of the plan that counts. UpstreamRuntime.plan may be of an earlier one, with another `index`. */
  get all(): readonly UpstreamRuntime[] {
    return this.#all;
  }

  /**
   * Goes by another plan: an upstream whose plan is the same keeps its runtime, any other one gets a new one, which becomes the
   * latest of its line.
   *
   * @param plans Plan.upstreams
   * @returns `all`
   */
  apply(plans: readonly UpstreamPlan[]): readonly UpstreamRuntime[] {
    const before = new Map(this.#all.map((runtime) => [runtime.plan.name, runtime]));
    this.#all = plans.map((plan) => {
      const former = before.get(plan.name);
      if (former !== undefined && isSame(former.plan, plan)) return former;
      const runtime = new UpstreamRuntime(plan, this.#parts);
      if (former !== undefined) {
        runtime.line = former.line;
        runtime.line.latest = runtime;
      }
      return runtime;
    });
    return this.#all;
  }
}

/** But for the place in the plan. Plans are compiled in one way, so that equal ones have their keys in the same order. */
function isSame(one: UpstreamPlan, other: UpstreamPlan): boolean {
  return textOf(one) === textOf(other);
}

function textOf(plan: UpstreamPlan): string {
  return JSON.stringify({ ...plan, index: 0 });
}
