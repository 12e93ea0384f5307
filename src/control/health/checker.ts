/** Active health checks: probes every endpoint of every upstream that asks for it, and publishes the judge's verdicts. */
import { isDeepStrictEqual } from 'node:util';
import type { EndpointPlan, HealthCheckPlan, UpstreamPlan } from '../../config/plan.js';
import type { Clock } from '../../core/clock.js';
import type { Cancel, Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import { firstJudgement, type Judgement, judge } from './judge.js';
import type { Probe } from './probe.js';
import type { ProbeResult } from './probe-result.js';

/** What the checker needs from outside. */
export interface HealthCheckerOptions {
  readonly upstreams: readonly UpstreamPlan[];
  readonly probe: Probe;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  /** Addresses known now; empty: the name is not resolved, and there is nothing to probe. */
  readonly addressesOf: (slot: number) => readonly string[];
  /** Called at the start for each endpoint that takes no work before its first probe. */
  readonly holdBack: (endpoint: EndpointPlan) => void;
  /** Called once for each change of a verdict. */
  readonly publish: (endpoint: EndpointPlan, isHealthy: boolean) => void;
  /**
   * Called for each good probe, after any change of the verdict: it speaks for the endpoint whatever traffic said before.
   *
   * @param beganAtMs of the probe, on the shared clock
   */
  readonly succeeded: (upstream: UpstreamPlan, endpoint: EndpointPlan, beganAtMs: number) => void;
  readonly logger: Logger;
}

/** What is known of an endpoint by its checks; times on the shared clock in ms. */
export interface CheckRecord {
  readonly verdict: Judgement['verdict'];
  /** null: it has not come back yet. */
  readonly lastProbe: {
    readonly at: number;
    readonly elapsedMs: number;
    /** Why it failed; null: it succeeded. */
    readonly reason: string | null;
  } | null;
  /** The last one that failed; null: none did. */
  readonly lastFailure: { readonly at: number; readonly reason: string } | null;
  /** When the verdict last changed; null: it is what the endpoint began with. */
  readonly changedAt: number | null;
}

/**
 * First probes of endpoints that get nothing before them are sent at once, but no more than this many in a step, so that those of a thousand
 * do not all connect in the same moment, nor look like an attack to whoever they share.
 */
const FIRST_PROBES_PER_STEP = 16;
const FIRST_PROBES_STEP_MS = 10;

interface Checked {
  upstream: UpstreamPlan;
  endpoint: EndpointPlan;
  readonly check: HealthCheckPlan;
  judgement: Judgement;
  record: CheckRecord;
  /** Of the next probe. */
  cancel: Cancel;
  /** Of the probe that is under way or was the last one. */
  giveUp: AbortController;
  isProbing: boolean;
  probes: number;
}

/** Runs until `close`: one timer or one probe for each endpoint at any time. Thread: primary. */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  /** By slot. */
  #checked: ReadonlyMap<number, Checked>;
  #isRunning = false;

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
    this.#checked = new Map(
      options.upstreams.flatMap(checkedOf).map((checked) => [checked.endpoint.slot, checked] as const),
    );
  }

  /**
   * Schedules the first probe of each endpoint: at a random point of its first interval where it takes work meanwhile, at once where it takes
   * none before.
   */
  start(): void {
    this.#isRunning = true;
    this.#begin([...this.#checked.values()]);
  }

  /**
   * Takes the upstreams of another plan. Checks that are the same go on; where they are others the verdict stays until they say something
   * else; and who was in service without a check stays there until its first one has failed.
   */
  replace(upstreams: readonly UpstreamPlan[], joined: readonly number[]): void {
    const former = new Map(this.#checked);
    const begun: Checked[] = [];
    this.#checked = new Map(
      upstreams.flatMap(checkedOf).map((fresh): readonly [number, Checked] => {
        const { slot } = fresh.endpoint;
        const isNew = joined.includes(slot);
        const before = isNew ? undefined : former.get(slot);
        if (before !== undefined && isDeepStrictEqual(before.check, fresh.check)) {
          former.delete(slot);
          before.upstream = fresh.upstream;
          before.endpoint = fresh.endpoint;
          return [slot, before];
        }
        const checked = isNew ? fresh : withVerdict(fresh, before);
        begun.push(checked);
        return [slot, checked];
      }),
    );
    for (const checked of former.values()) stop(checked);
    if (this.#isRunning) this.#begin(begun);
  }

  #begin(all: readonly Checked[]): void {
    let unknown = 0;
    for (const checked of all) {
      if (checked.judgement.verdict === 'unknown') {
        this.#options.holdBack(checked.endpoint);
        this.#schedule(checked, Math.floor(unknown / FIRST_PROBES_PER_STEP) * FIRST_PROBES_STEP_MS);
        unknown += 1;
      } else {
        this.#schedule(checked, this.#options.rng() * checked.check.intervalMs);
      }
    }
  }

  /**
   * An endpoint has other addresses than before: a probe of the former ones has no effect any more, and an endpoint that takes no work is
   * probed at once.
   */
  addressesChanged(slot: number): void {
    const checked = this.#checked.get(slot);
    if (checked === undefined || !this.#isRunning) return;
    const wasProbing = checked.isProbing;
    if (!wasProbing && checked.judgement.verdict === 'healthy') return;
    checked.giveUp.abort();
    checked.isProbing = false;
    checked.cancel();
    this.#schedule(checked, 0);
  }

  /** What the checks know of an endpoint; null: it has none. */
  recordOf(slot: number): CheckRecord | null {
    return this.#checked.get(slot)?.record ?? null;
  }

  /** Stops probing; a probe under way ends without effect. Idempotent. */
  close(): void {
    this.#isRunning = false;
    for (const checked of this.#checked.values()) stop(checked);
  }

  #schedule(checked: Checked, ms: number): void {
    checked.cancel = this.#options.timers.after(ms, () => void this.#round(checked));
  }

  async #round(checked: Checked): Promise<void> {
    const { addressesOf, probe, clock } = this.#options;
    const { endpoint, check } = checked;
    const addresses = addressesOf(endpoint.slot);
    const beganAt = clock.nowMs();
    if (addresses.length > 0) {
      const giveUp = new AbortController();
      checked.giveUp = giveUp;
      checked.isProbing = true;
      const result = await probe(endpoint, addresses, check, giveUp.signal);
      if (giveUp.signal.aborted || !this.#isRunning) return; // whoever gave it up has scheduled the next one
      checked.isProbing = false;
      checked.probes += 1;
      if (result.succeeded || result.isOurs !== true) this.#take(checked, result, beganAt);
    }
    this.#schedule(checked, Math.max(this.#pauseMs(checked) - (clock.nowMs() - beganAt), 0));
  }

  /** From the begin of one probe to the begin of the next. */
  #pauseMs({ check, judgement, probes }: Checked): number {
    const { rng } = this.#options;
    const intervalMs = judgement.verdict === 'unhealthy' ? check.unhealthyIntervalMs : check.intervalMs;
    // First probes that were all sent at the start must not meet again with each interval.
    if (probes === 1 && check.initial === 'unknown') return intervalMs * rng();
    return intervalMs * (1 + check.jitter * (2 * rng() - 1));
  }

  #take(checked: Checked, result: ProbeResult, beganAtMs: number): void {
    const { clock, publish, succeeded } = this.#options;
    const { upstream, endpoint, check, judgement: before, record } = checked;
    const after = judge(before, result.succeeded, check);
    const hasChanged = after.verdict !== before.verdict;
    const at = clock.nowMs();
    const reason = result.succeeded ? null : result.reason;
    checked.judgement = after;
    checked.record = {
      verdict: after.verdict,
      lastProbe: { at, elapsedMs: result.elapsedMs, reason },
      lastFailure: reason === null ? record.lastFailure : { at, reason },
      changedAt: hasChanged ? at : record.changedAt,
    };
    if (hasChanged) {
      publish(endpoint, result.succeeded);
      this.#tell(checked, before, reason);
    }
    if (result.succeeded) succeeded(upstream, endpoint, beganAtMs);
  }

  #tell({ upstream, endpoint }: Checked, before: Judgement, reason: string | null): void {
    const { logger } = this.#options;
    const facts = { upstream: upstream.name, endpoint: endpoint.name };
    const name = `endpoint ${endpoint.name} of ${upstream.name}`;
    if (reason === null) {
      const first = before.verdict === 'unknown';
      logger.info(
        { event: 'endpoint-healthy', ...facts },
        first ? `${name} is healthy by its first check` : `${name} is healthy again`,
      );
    } else {
      logger.warn({ event: 'endpoint-unhealthy', ...facts, reason }, `${name} is unhealthy: ${reason}`);
    }
  }
}

function stop({ cancel, giveUp }: Checked): void {
  cancel();
  giveUp.abort();
}

/** An endpoint that stays, with another check than before, or its first one. */
function withVerdict(fresh: Checked, before: Checked | undefined): Checked {
  if (before === undefined) {
    const judgement = firstJudgement({ ...fresh.check, initial: 'healthy' });
    return { ...fresh, judgement, record: { ...fresh.record, verdict: judgement.verdict } };
  }
  return { ...fresh, judgement: before.judgement, record: before.record };
}

function checkedOf(upstream: UpstreamPlan): Checked[] {
  const { endpoints, healthCheck: check } = upstream;
  if (check === null) return [];
  const judgement = firstJudgement(check);
  const record = { verdict: judgement.verdict, lastProbe: null, lastFailure: null, changedAt: null };
  return endpoints.map((endpoint) => ({
    upstream,
    endpoint,
    check,
    judgement,
    record,
    cancel: () => {},
    giveUp: new AbortController(),
    isProbing: false,
    probes: 0,
  }));
}
