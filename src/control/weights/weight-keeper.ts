/** Keeps the weights and caps that count up to date: slow start and the rules by which weights move, written to the board. */
import type { Board } from '../../board/board.js';
import type { EndpointShares, RampShares } from '../../board/endpoint-control-writer.js';
import { KEEPS_WEIGHTS } from '../../config/picking-plan.js';
import type { EndpointPlan, UpstreamPlan } from '../../config/plan.js';
import { invariant } from '../../core/invariant.js';
import type { Cancel } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import { type AgentNews, AgentPoller, type AgentPollerOptions } from './agent-poller.js';
import { type MovedShare, PerformanceShares, type ReadBoard, ReportedShares } from './moving-shares.js';
import { PERFORMANCE_PERIOD_MS } from './performance.js';
import { REPORTED } from './reported.js';
import { rampShare, rampStepMs, SlowStart } from './slow-start.js';

/** A share that moves by less (2 %, as a logarithm) is not published: every change makes all workers rebuild what they know. */
const LEAST_MOVE = 0.02;
/** The log tells of the moving weights of an upstream at the most once in this time, in ms. */
const LOG_PAUSE_MS = 10_000;

const FULL: RampShares = { weightRamp: 1, capRamp: 1 };

/** What the keeper needs from outside. */
export interface WeightKeeperOptions extends Omit<AgentPollerOptions, 'publish'> {
  readonly upstreams: readonly UpstreamPlan[];
  readonly board: ReadBoard & Pick<Board, 'control' | 'health'>;
}

/** Runs until `close`. Thread: primary. */
export class WeightKeeper {
  readonly #options: WeightKeeperOptions;
  readonly #logger: Logger;
  readonly #agents: AgentPoller;
  readonly #performance: PerformanceShares;
  readonly #reported: ReportedShares;
  #upstreams: readonly UpstreamPlan[] = [];
  /** By slot. */
  #upstreamOf = new Map<number, UpstreamPlan>();
  /** By name of the upstream, like the next two. */
  #slowStarts = new Map<string, SlowStart>();
  readonly #steps = new Map<string, Cancel>();
  readonly #loggedAt = new Map<string, number>();
  #cancelLook: Cancel = () => {};

  constructor(options: WeightKeeperOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#performance = new PerformanceShares(options.board, options.clock);
    this.#reported = new ReportedShares(options.board, options.clock);
    this.#agents = new AgentPoller({ ...options, publish: (...news) => this.#heardOf(...news) });
  }

  /** Begins. What the plan starts with has its full weight: everything is new then, and warms up together. */
  start(): void {
    this.#options.board.control.rampAtReturn((slot) => this.#begin(slot));
    this.replace(this.#options.upstreams, []);
  }

  /**
   * Takes the upstreams of another plan. Endpoints of both go on where they are; those that joined warm up; what no rule moves any more counts
   * in full.
   *
   * @param joined slots whose endpoints were not in the plan before
   */
  replace(upstreams: readonly UpstreamPlan[], joined: readonly number[]): void {
    const left = [...this.#upstreamOf.keys()].filter((slot) => !slotsOf(upstreams).includes(slot));
    for (const slot of [...joined, ...left]) this.#forget(slot);
    this.#cancelTimers();
    this.#upstreams = upstreams;
    this.#upstreamOf = new Map(upstreams.flatMap((each) => each.endpoints.map(({ slot }) => [slot, each] as const)));
    this.#slowStarts = this.#slowStartsFrom(this.#slowStarts);
    this.#settleUnmoved();
    this.#options.board.control.setShares(joined.map((slot) => ({ slot, ...this.#begin(slot) })));
    for (const upstream of upstreams) this.#scheduleStep(upstream);
    if (upstreams.some(isLookedAt)) this.#scheduleLook();
    this.#agents.start(upstreams, joined);
  }

  /** Moves nothing any more; endpoints that take work again have their full weight. Idempotent. */
  close(): void {
    this.#options.board.control.rampAtReturn();
    this.#cancelTimers();
    this.#agents.close();
  }

  /** How far an endpoint has warmed up, above 0, at most 1; null: it does not warm up. */
  rampProgress(slot: number): number | null {
    return this.#slowStartOf(slot)?.progress(slot, this.#options.clock.nowMs()) ?? null;
  }

  /**
   * An endpoint is ejected: from now on it counts as at the begin of a ramp, so that it has not its full weight at the moment at which a worker takes
   * it back, which the primary sees a little later.
   */
  ejected(slot: number): void {
    const upstream = this.#upstreamOf.get(slot);
    const slowStart = this.#slowStartOf(slot);
    if (upstream === undefined || slowStart === undefined) return;
    slowStart.forget(slot);
    this.#options.board.control.setShares([{ slot, ...rampsOf(upstream, rampShare(0, slowStart.settings)) }]);
  }

  /** It has been taken back, and warms up. */
  returned(slot: number): void {
    this.#options.board.control.setShares([{ slot, ...this.#begin(slot) }]);
  }

  #slowStartsFrom(before: ReadonlyMap<string, SlowStart>): Map<string, SlowStart> {
    return new Map(
      this.#upstreams.flatMap(({ name, endpoints, slowStart }) =>
        slowStart === null ? [] : [[name, new SlowStart(endpoints, slowStart, before.get(name))] as const],
      ),
    );
  }

  /** Endpoints that no rule of their upstream moves count in full, whatever one of a plan before had made of them. */
  #settleUnmoved(): void {
    const { control } = this.#options.board;
    for (const upstream of this.#upstreams) {
      const isMoved = isLookedAt(upstream) || upstream.weights.kind === 'agent';
      const shares = upstream.endpoints.map(({ slot }) => ({
        slot,
        ...(this.rampProgress(slot) === null ? FULL : {}),
        ...(isMoved ? {} : { moved: 1 }),
        ...(upstream.weights.kind === 'agent' ? {} : { agentCap: 0 }),
      }));
      control.setShares(shares);
      if (upstream.weights.kind === 'agent') continue;
      for (const { slot } of upstream.endpoints) control.setByAgent(slot, { admission: 'ready', isDown: false });
    }
  }

  #forget(slot: number): void {
    this.#slowStartOf(slot)?.forget(slot);
    this.#performance.forget(slot);
    this.#reported.forget(slot);
  }

  #cancelTimers(): void {
    this.#cancelLook();
    for (const cancel of this.#steps.values()) cancel();
    this.#steps.clear();
  }

  // --- slow start ---

  /** An endpoint takes work again, or joins. */
  #begin(slot: number): RampShares {
    const { clock } = this.#options;
    const upstream = this.#upstreamOf.get(slot);
    const slowStart = this.#slowStartOf(slot);
    if (upstream === undefined || slowStart === undefined) return FULL;
    const ramp = slowStart.begin(slot, clock.nowMs(), (other) => this.#takesWork(other));
    const endpoint = nameOf(upstream, slot);
    const { windowMs } = slowStart.settings;
    this.#logger.info(
      { event: 'slow-start-begun', upstream: upstream.name, endpoint, windowMs },
      `endpoint ${endpoint} of ${upstream.name} takes work and warms up for ${windowMs / 1000} s`,
    );
    this.#scheduleStep(upstream);
    return rampsOf(upstream, ramp);
  }

  #scheduleStep(upstream: UpstreamPlan): void {
    const slowStart = this.#slowStarts.get(upstream.name);
    if (slowStart?.isRamping !== true || this.#steps.has(upstream.name)) return;
    const cancel = this.#options.timers.after(rampStepMs(slowStart.settings), () => this.#step(upstream, slowStart));
    this.#steps.set(upstream.name, cancel);
  }

  #step(upstream: UpstreamPlan, slowStart: SlowStart): void {
    const { board, clock } = this.#options;
    this.#steps.delete(upstream.name);
    const { shares, ended } = slowStart.step(clock.nowMs(), (slot) => this.#takesWork(slot));
    board.control.setShares(shares.map(({ slot, ramp }) => ({ slot, ...rampsOf(upstream, ramp) })));
    for (const slot of ended) {
      const endpoint = nameOf(upstream, slot);
      this.#logger.debug(
        { event: 'slow-start-ended', upstream: upstream.name, endpoint },
        `endpoint ${endpoint} of ${upstream.name} has its full share`,
      );
    }
    this.#scheduleStep(upstream);
  }

  #takesWork(slot: number): boolean {
    const { control, health } = this.#options.board;
    const isOut = health.ejections.circuits.load(slot).phase !== 'closed';
    return control.takesWork(slot) && control.baseWeight(slot) > 0 && !isOut;
  }

  #slowStartOf(slot: number): SlowStart | undefined {
    const upstream = this.#upstreamOf.get(slot);
    return upstream === undefined ? undefined : this.#slowStarts.get(upstream.name);
  }

  // --- weights that move ---

  #scheduleLook(): void {
    // Both rules look once a second.
    const periodMs = Math.min(PERFORMANCE_PERIOD_MS, REPORTED.periodMs);
    this.#cancelLook = this.#options.timers.after(periodMs, () => this.#look());
  }

  #look(): void {
    for (const upstream of this.#upstreams.filter(isLookedAt)) {
      const { endpoints, weights } = upstream;
      const shares =
        weights.kind === 'performance'
          ? this.#performance.look(endpoints, (slot) => this.rampProgress(slot) !== null)
          : this.#reported.look(endpoints);
      this.#publish(
        upstream,
        shares.filter((share) => this.#isMove(share)),
      );
    }
    this.#scheduleLook();
  }

  #isMove({ slot, moved }: MovedShare): boolean {
    const before = this.#options.board.control.movedShare(slot);
    return Math.abs(Math.log(moved / before)) >= LEAST_MOVE || (moved === 1 && before !== 1);
  }

  /** Takes what an agent said. */
  #heardOf(upstream: UpstreamPlan, endpoint: EndpointPlan, news: AgentNews): void {
    const { slot } = endpoint;
    const { share, cap, admission, isDown } = news;
    // Weight and cap go ahead of the state: an endpoint that is ready again is met with the weight that it asks for.
    if (share !== undefined || cap !== undefined) {
      const change: EndpointShares = {
        slot,
        ...(share === undefined ? {} : { moved: share }),
        ...(cap === undefined ? {} : { agentCap: cap }),
      };
      this.#publish(upstream, [change]);
    }
    if (admission === undefined && isDown === undefined) return;
    this.#options.board.control.setByAgent(slot, news);
    const words = [admission, isDown === undefined ? undefined : isDown ? 'down' : 'up'].filter((word) => word);
    this.#logger.info(
      { event: 'agent-said', upstream: upstream.name, endpoint: endpoint.name, words },
      `the agent of ${endpoint.name} of ${upstream.name} says ${words.join(' and ')}`,
    );
  }

  #publish(upstream: UpstreamPlan, changes: readonly EndpointShares[]): void {
    if (changes.length === 0) return;
    const { board, clock } = this.#options;
    board.control.setShares(changes);
    const nowMs = clock.nowMs();
    if (nowMs - (this.#loggedAt.get(upstream.name) ?? Number.NEGATIVE_INFINITY) < LOG_PAUSE_MS) return;
    this.#loggedAt.set(upstream.name, nowMs);
    const weights = upstream.endpoints.map(({ name, slot }) => [name, board.control.state(slot).effectiveWeight]);
    this.#logger.debug(
      {
        event: 'weights-moved',
        upstream: upstream.name,
        by: upstream.weights.kind,
        weights: Object.fromEntries(weights),
      },
      `weights of ${upstream.name} move (${upstream.weights.kind})`,
    );
  }
}

/** Is the upstream one whose weights move by what is observed or reported? */
function isLookedAt({ balance, weights }: UpstreamPlan): boolean {
  return (weights.kind === 'performance' || weights.kind === 'reported') && !KEEPS_WEIGHTS.has(balance);
}

function rampsOf({ balance }: UpstreamPlan, ramp: number): RampShares {
  return { weightRamp: KEEPS_WEIGHTS.has(balance) ? 1 : ramp, capRamp: ramp };
}

function slotsOf(upstreams: readonly UpstreamPlan[]): number[] {
  return upstreams.flatMap(({ endpoints }) => endpoints.map(({ slot }) => slot));
}

function nameOf({ endpoints }: UpstreamPlan, slot: number): string {
  const endpoint = endpoints.find((each) => each.slot === slot);
  invariant(endpoint, 'a slot that warms up is one of its upstream');
  return endpoint.name;
}
