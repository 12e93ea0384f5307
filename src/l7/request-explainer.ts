/** Tells where a request would go now and why, without sending it: the steps of the pipeline, over tables that nothing is written to. */
import { NO_ENDPOINT, PickKey } from '../balancing/balancer.js';
import type { ExplainedGroup, PickExplanation } from '../balancing/explain.js';
import { NO_GROUP, reasonOf } from '../balancing/explain.js';
import { KeyHasher, type TextHashes } from '../balancing/key-hasher.js';
import type { KeySource } from '../balancing/key-source.js';
import { TrafficSplit } from '../balancing/traffic-split.js';
import type { Attempting, RehearsedPick, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { WorkerBoard } from '../board/worker-board.js';
import { NO_SUBSET, type TargetPlan } from '../config/picking-plan.js';
import type { L7ListenerPlan, Plan, RoutePlan, UpstreamPlan } from '../config/plan.js';
import { NO_FALLBACK } from '../config/resilience-plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import type { Tick } from '../core/tick.js';
import { EndpointCookies, KeyHomes } from '../policies/affinity.js';
import { movedByTime } from '../policies/circuit-breaker.js';
import { isReplaced } from '../policies/fallback.js';
import { admitPassage, isIdempotent } from '../policies/request-passage.js';
import { ADMIT } from '../policies/verdict.js';
import type { ExplainedCandidate, ExplainRequest, Explanation } from '../worker/explaining.js';
import { ImaginedRequest } from './imagined-request.js';
import { httpsUrlOf, NO_REDIRECT } from './listener-answers.js';
import { Router, routeFor } from './router.js';
import { signText } from './signed-text.js';

/** What the explainer looks at. */
export interface RequestExplainerParts {
  readonly plan: Plan;
  /** By the indices of the plan. */
  readonly upstreams: readonly UpstreamRuntime[];
  readonly board: Pick<WorkerBoard, 'health' | 'worker'>;
  readonly hashes: TextHashes;
  readonly now: Tick;
}

/** Reasons of picks that may go otherwise the next time, although nothing has changed. */
const DRAWN = new Set(['drawn-by-weight', 'lower-score-of-two-drawn']);

/**
 * Thread: worker. Cold.
 *
 * @returns null: there is no l7 listener of that name, or none at all
 */
export function explainRequest(request: ExplainRequest, parts: RequestExplainerParts): Explanation | null {
  const listener = listenerFor(request, parts.plan);
  return listener === null ? null : new RequestExplainer(request, listener, parts).explain();
}

/** That with the name; without one that at whose port the request would come in, or the first. */
function listenerFor({ listener: name, host }: ExplainRequest, { listeners }: Plan): L7ListenerPlan | null {
  const all = listeners.filter((listener) => listener.mode === 'l7');
  if (name !== null) return all.find((listener) => listener.name === name) ?? null;
  const port = Number(/:(\d+)$/.exec(host)?.[1] ?? HTTP_PORT);
  return all.find(({ bind }) => bind.kind === 'tcp' && bind.port === port) ?? all[0] ?? null;
}
const HTTP_PORT = 80;

/** One explanation in the making. */
class RequestExplainer {
  readonly #request: ExplainRequest;
  readonly #listener: L7ListenerPlan;
  readonly #parts: RequestExplainerParts;
  readonly #imagined: ImaginedRequest;
  readonly #policies: string[] = [];
  /** Something was drawn that a key would have decided. */
  #isRandom = false;

  constructor(request: ExplainRequest, listener: L7ListenerPlan, parts: RequestExplainerParts) {
    this.#request = request;
    this.#listener = listener;
    this.#parts = parts;
    this.#imagined = new ImaginedRequest(request, listener, new KeyHasher(parts.hashes));
  }

  explain(): Explanation {
    const { method, host } = this.#request;
    if (this.#listener.redirectPort !== NO_REDIRECT) return this.#redirected();
    const router = new Router(this.#listener.routes);
    const routes = host === '' ? router.tables[0] : router.routesOf(host);
    if (routes === null || routes === undefined) return this.#refused('SLUICE_BAD_HOST', null);
    const route = routeFor(routes, this.#imagined.path);
    if (route === undefined) return this.#refused('SLUICE_NO_ROUTE', null);
    const verdict = admitPassage(method, false);
    if (verdict !== ADMIT) return this.#refused(verdict, route);
    const { upstream, subset } = this.#lead(route);
    this.#tellTries(route, upstream.plan);
    if (this.#isBroken(route)) return this.#refused('SLUICE_BREAKER_OPEN', route);
    const attempting = this.#attempting(route, upstream, subset);
    return this.#picked(route, upstream, upstream.rehearse(attempting, this.#parts.now));
  }

  /** Its routes, if it has any, are not looked at. */
  #redirected(): Explanation {
    const { host, target } = this.#request;
    if (host === '') {
      this.#policies.push('redirectToHttps: nobody knows where to, without a host');
      return this.#refused('SLUICE_BAD_HOST', null);
    }
    const to = httpsUrlOf({ host, target }, this.#listener.redirectPort);
    this.#policies.push(`redirectToHttps: the listener answers by itself with a redirect to ${to}`);
    return this.#refused(null, null);
  }

  #lead(route: RoutePlan): { upstream: UpstreamRuntime; subset: number } {
    const { split } = route;
    if (split === null) return { upstream: this.#upstream(route.upstream), subset: route.subset };
    const key = new PickKey();
    const isKeyed = this.#imagined.hashKey(split.key, false, key);
    if (!isKeyed) {
      this.#upstream(route.upstream).fillRandomKey(key);
      this.#isRandom = true;
    }
    const target = new TrafficSplit(split, (each) => this.#nameOf(each)).targetOf(key);
    const total = split.targets.reduce((sum, { weight }) => sum + weight, 0);
    const share = `${Number(((100 * target.weight) / total).toPrecision(3))} %`;
    this.#policies.push(
      isKeyed
        ? `split: by ${sourceText(split.key)} this request goes to ${this.#nameOf(target)}, which gets ${share}`
        : `split: without ${sourceText(split.key)} it is drawn; ${this.#nameOf(target)} gets ${share}`,
    );
    return { upstream: this.#upstream(target.upstream), subset: target.subset };
  }

  #nameOf({ upstream, subset }: TargetPlan): string {
    const { name, subsets } = this.#upstream(upstream).plan;
    return subset === NO_SUBSET ? name : `${name} ${JSON.stringify(subsets[subset]?.labels)}`;
  }

  #upstream(index: number): UpstreamRuntime {
    return this.#parts.upstreams[index] as UpstreamRuntime; // the plan's
  }

  #isBroken({ breaker }: RoutePlan): boolean {
    if (breaker === null) return false;
    const { phase } = movedByTime(this.#parts.board.health.routes.circuits.load(breaker.record), this.#parts.now);
    this.#policies.push(`breaker of the route: ${phase}`);
    return phase === 'open';
  }

  /** What is done when the first attempt does not succeed. */
  #tellTries(route: RoutePlan, plan: UpstreamPlan): void {
    const { method } = this.#request;
    const retry = { ...plan.retry, ...route.retry };
    const isSafe = retry.nonIdempotent || isIdempotent(method) || this.#imagined.header('idempotency-key') !== null;
    if (route.exchangeTimeoutMs > 0) this.#policies.push(`deadline: ${route.exchangeTimeoutMs} ms over all attempts`);
    this.#policies.push(
      retry.attempts > 1
        ? `retries: at most ${retry.attempts} attempts, on ${[...retry.on, ...retry.statuses].join(', ')}${isSafe ? '' : `; a ${method} that was sent is not sent again`}`
        : 'retries: none',
    );
    const hedge = route.hedge === undefined ? plan.hedge : route.hedge;
    if (hedge !== null && isSafe)
      this.#policies.push(
        hedge.kind === 'delay'
          ? `hedging: a second attempt after ${hedge.afterMs} ms`
          : `hedging: a second attempt after the time that ${100 * hedge.quantile} % of recent answers took`,
      );
    if (route.fallback === null) return;
    const { upstream, response } = route.fallback;
    const steps = [
      ...(upstream === NO_FALLBACK ? [] : [`upstream ${this.#upstream(upstream).plan.name}`]),
      ...(response === null ? [] : [`a fixed response ${response.status}`]),
    ];
    this.#policies.push(`fallback: ${steps.join(', then ')}`);
  }

  #attempting(route: RoutePlan, upstream: UpstreamRuntime, subset: number): Attempting {
    const key = new PickKey();
    const attempting = { id: 0, endpoint: NO_ENDPOINT, subset, key, preferred: NO_ENDPOINT, attempts: 0, tried: null };
    const preferred = this.#preferred(upstream, attempting);
    const { source, isCrc } = upstream.keyWish;
    if (source !== null) {
      const isKeyed = this.#imagined.hashKey(source, isCrc, key);
      if (!isKeyed) {
        upstream.fillRandomKey(key);
        this.#isRandom = true;
      }
      this.#policies.push(
        `balancer: ${isKeyed ? 'hashes' : 'would hash'} ${sourceText(source)}${isKeyed ? '' : ', which the request does not have: it is drawn'}`,
      );
    }
    key.routeClass = this.#listener.routes.indexOf(route);
    return { ...attempting, preferred };
  }

  #preferred(upstream: UpstreamRuntime, attempting: Attempting): number {
    const { plan } = upstream;
    const { affinity } = plan;
    if (affinity === null) return NO_ENDPOINT;
    let preferred = NO_ENDPOINT;
    if (affinity.kind === 'cookie') {
      const cookies = this.#imagined.header('cookie');
      if (cookies !== null) preferred = new EndpointCookies(plan, affinity, signText).endpointIn(cookies);
    } else if (this.#imagined.hashKey(affinity.key, false, attempting.key)) {
      const level = upstream.levelOf(attempting, this.#parts.now);
      preferred = new KeyHomes(plan).homeOf(attempting.key, attempting.subset, level);
    }
    const by = affinity.kind === 'cookie' ? `the cookie ${affinity.name}` : sourceText(affinity.key);
    this.#policies.push(
      preferred === NO_ENDPOINT
        ? `affinity: ${by} does not bind it yet`
        : `affinity: by ${by} it belongs to ${upstream.endpointName(preferred)}`,
    );
    return preferred;
  }

  #picked(route: RoutePlan, upstream: UpstreamRuntime, { explanation, endpoint, why }: RehearsedPick): Explanation {
    const { plan } = upstream;
    const waits = why === 'SLUICE_ENDPOINTS_FULL' && plan.queue !== null;
    if (plan.queue !== null) {
      const queueMs = route.timeouts.queueMs ?? plan.timeouts.queueMs;
      this.#policies.push(`queue: ${waits ? 'it would wait, ' : 'when all are full it waits '}at most ${queueMs} ms`);
    }
    if (why !== null && route.fallback !== null && isReplaced(why))
      this.#policies.push('nobody can be picked: the fallback is taken');
    const reason = reasonOf(explanation, endpoint);
    if (endpoint !== NO_ENDPOINT) this.#policies.push(`pick: ${reason}`);
    const isDrawn = endpoint !== NO_ENDPOINT && (this.#isRandom || DRAWN.has(reason) || drawsLevel(explanation));
    return {
      ...this.#place(route),
      upstream: plan.name,
      balance: plan.balance,
      endpoint: endpoint === NO_ENDPOINT || isDrawn ? null : upstream.endpointName(endpoint),
      isDrawn,
      code: waits ? null : why,
      candidates: explanation.endpoints.map((each) => candidateOf(each, explanation.groups)),
    };
  }

  #refused(code: ErrorCode | null, route: RoutePlan | null): Explanation {
    const upstream = route === null ? null : this.#upstream(route.upstream).plan;
    return {
      ...this.#place(route),
      upstream: upstream?.name ?? null,
      balance: upstream?.balance ?? null,
      endpoint: null,
      isDrawn: false,
      code,
      candidates: [],
    };
  }

  #place(route: RoutePlan | null): Pick<Explanation, 'listener' | 'worker' | 'route' | 'policies'> {
    return {
      listener: this.#listener.name,
      worker: this.#parts.board.worker,
      route: route === null ? null : { host: route.host, path: route.path },
      policies: this.#policies,
    };
  }
}

/** Several levels have load, and where a pick begins is drawn, unless its balancer goes by a key. */
function drawsLevel({ groups, picksByKey }: PickExplanation): boolean {
  return !picksByKey && groups.filter(({ load }) => load > 0).length > 1;
}

function candidateOf(
  { name, exclusion, group, weight, inflight, cap, bound, score }: PickExplanation['endpoints'][number],
  groups: readonly ExplainedGroup[],
): ExplainedCandidate {
  return {
    endpoint: name,
    exclusion,
    group: group === NO_GROUP ? null : groups[group]?.isBackups === true ? 'backups' : `level ${group}`,
    weight,
    inFlight: inflight,
    cap: cap === 0 || (bound > 0 && bound < cap) ? bound : cap,
    score,
  };
}

function sourceText(source: KeySource): string {
  switch (source.kind) {
    case 'client-ip':
      return "the client's address";
    case 'client-network':
      return "the client's network";
    case 'path':
    case 'uri':
      return `the ${source.kind}`;
    case 'client-certificate':
      return `the ${source.name} of the client's certificate`;
    case 'query':
      return `the query parameter ${source.name}`;
    default:
      return `the ${source.kind} ${source.name}`;
  }
}
