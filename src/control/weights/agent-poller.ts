/** `weights: agent`: asks the agent beside every endpoint again and again, and tells what is new in its answers. */
import type { AgentState } from '../../board/endpoint-control-writer.js';
import type { EndpointPlan, UpstreamPlan } from '../../config/plan.js';
import type { Clock } from '../../core/clock.js';
import type { Cancel, Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import { type AgentAnswer, readAgentAnswer } from './agent-answer.js';
import { type AgentResponse, type AskAgent, agentTarget } from './agent-question.js';

/** What an agent has said so far. */
export interface AgentWord {
  /** Above 0. */
  readonly share: number;
  /** 0: it names none. */
  readonly cap: number;
  readonly admission: 'ready' | 'drain' | 'maint';
  readonly isDown: boolean;
  /** Its last percentage was 0: no new work, as in HAProxy, until it names another one. */
  readonly isAtZero: boolean;
}

/** What holds before an agent has said anything. */
export const NOTHING_SAID: AgentWord = { share: 1, cap: 0, admission: 'ready', isDown: false, isAtZero: false };

/** What is new in an answer; what is absent is as before. */
export interface AgentNews extends AgentState {
  readonly share?: number;
  readonly cap?: number;
}

/** What the poller needs from outside. */
export interface AgentPollerOptions {
  readonly ask: AskAgent;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Uniform in [0, 1). */
  readonly rng: () => number;
  /** Addresses known now; empty: the name is not resolved, and there is nobody to ask. */
  readonly addressesOf: (slot: number) => readonly string[];
  /** Called when an answer says something else than the ones before it: an operator's word in between so stays. */
  readonly publish: (upstream: UpstreamPlan, endpoint: EndpointPlan, news: AgentNews) => void;
  readonly logger: Logger;
}

/** Each pause differs from the interval by up to this part, as with health checks. */
const JITTER = 0.1;

/** Folds an answer into what was said before: what it does not mention stays. Pure. */
export function foldAnswer(before: AgentWord, { share, cap, admission, isDown }: AgentAnswer): AgentWord {
  return {
    share: share === null || share === 0 ? before.share : share,
    cap: cap ?? before.cap,
    admission: admission ?? before.admission,
    isDown: isDown ?? before.isDown,
    isAtZero: share === null ? before.isAtZero : share === 0,
  };
}

/** What is new between two words. Pure. @returns an empty object when nothing is */
export function newsBetween(before: AgentWord, after: AgentWord): AgentNews {
  return {
    ...(after.share === before.share ? {} : { share: after.share }),
    ...(after.cap === before.cap ? {} : { cap: after.cap }),
    ...(admissionOf(after) === admissionOf(before) ? {} : { admission: admissionOf(after) }),
    ...(after.isDown === before.isDown ? {} : { isDown: after.isDown }),
  };
}

function admissionOf({ admission, isAtZero }: AgentWord): AgentWord['admission'] {
  return admission === 'ready' && isAtZero ? 'drain' : admission;
}

/** Whom a question is for. */
interface Asked {
  readonly upstream: UpstreamPlan;
  readonly endpoint: EndpointPlan;
  readonly agent: { readonly port: number; readonly intervalMs: number; readonly timeoutMs: number };
}

/** An agent that does not answer, or not in words that are known, changes nothing. Thread: primary. */
export class AgentPoller {
  readonly #options: AgentPollerOptions;
  /** By slot, like the next two. */
  readonly #words = new Map<number, AgentWord>();
  readonly #cancels = new Map<number, Cancel>();
  /** What is wrong with an agent, said once in the log until it is right. */
  readonly #troubles = new Map<number, 'silent' | 'not understood'>();
  /** Grows with each start and close: answers to older questions have no effect. */
  #round = 0;

  constructor(options: AgentPollerOptions) {
    this.#options = options;
  }

  /**
   * Begins to ask, each agent first at a random point of its first interval; in place of whom it asked before. What endpoints of both plans
   * have said stays.
   *
   * @param joined slots whose endpoints were not in the plan before
   */
  start(upstreams: readonly UpstreamPlan[], joined: readonly number[] = []): void {
    this.close();
    for (const slot of joined) this.#forget(slot);
    const asked = upstreams.flatMap(endpointsToAsk);
    const slots = new Set(asked.map(({ endpoint }) => endpoint.slot));
    for (const slot of this.#words.keys()) if (!slots.has(slot)) this.#forget(slot);
    for (const each of asked) this.#schedule(each, this.#options.rng() * each.agent.intervalMs);
  }

  /** Asks no more; a question under way has no effect. Idempotent. */
  close(): void {
    this.#round += 1;
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  #forget(slot: number): void {
    this.#words.delete(slot);
    this.#troubles.delete(slot);
  }

  #schedule(asked: Asked, ms: number): void {
    const cancel = this.#options.timers.after(ms, () => void this.#ask(asked));
    this.#cancels.set(asked.endpoint.slot, cancel);
  }

  async #ask(asked: Asked): Promise<void> {
    const { addressesOf, rng } = this.#options;
    const round = this.#round;
    const addresses = addressesOf(asked.endpoint.slot);
    if (addresses.length > 0) {
      const response = await this.#firstAnswer(asked, addresses);
      if (round !== this.#round) return;
      this.#take(asked, response);
    }
    this.#schedule(asked, asked.agent.intervalMs * (1 + JITTER * (2 * rng() - 1)));
  }

  /** Asks at one address after the other; the timeout covers all of them. */
  async #firstAnswer({ agent }: Asked, addresses: readonly string[]): Promise<AgentResponse> {
    const { ask, clock } = this.#options;
    const deadlineAt = clock.nowMs() + agent.timeoutMs;
    let response: AgentResponse = { ok: false, reason: 'the endpoint has no address' };
    for (const address of addresses) {
      const leftMs = Math.round(deadlineAt - clock.nowMs());
      if (leftMs <= 0) break;
      response = await ask(agentTarget(address, agent.port), leftMs);
      if (response.ok) break;
    }
    return response;
  }

  #take(asked: Asked, response: AgentResponse): void {
    if (!response.ok) return this.#troubled(asked, 'silent', response.reason);
    const reading = readAgentAnswer(response.line);
    if (!reading.ok) return this.#troubled(asked, 'not understood', reading.reason);
    const { upstream, endpoint } = asked;
    if (this.#troubles.delete(endpoint.slot)) {
      this.#options.logger.info(
        { event: 'agent-answers', upstream: upstream.name, endpoint: endpoint.name },
        `the agent of ${endpoint.name} of ${upstream.name} answers again`,
      );
    }
    const before = this.#words.get(endpoint.slot) ?? NOTHING_SAID;
    const after = foldAnswer(before, reading.answer);
    this.#words.set(endpoint.slot, after);
    const news = newsBetween(before, after);
    if (Object.keys(news).length > 0) this.#options.publish(upstream, endpoint, news);
  }

  #troubled({ upstream, endpoint }: Asked, trouble: 'silent' | 'not understood', reason: string): void {
    if (this.#troubles.get(endpoint.slot) === trouble) return;
    this.#troubles.set(endpoint.slot, trouble);
    const facts = { upstream: upstream.name, endpoint: endpoint.name, reason };
    const agent = `the agent of ${endpoint.name} of ${upstream.name}`;
    if (trouble === 'silent') {
      this.#options.logger.warn(
        { event: 'agent-silent', ...facts },
        `${agent} does not answer (${reason}): what it said last still counts`,
      );
    } else {
      this.#options.logger.warn(
        { event: 'agent-not-understood', ...facts },
        `${agent} gave an answer that is not understood (${reason}): what it said before still counts; words are NN%, maxconn:N, ready, drain, maint, up, down, failed and stopped`,
      );
    }
  }
}

function endpointsToAsk(upstream: UpstreamPlan): Asked[] {
  const { weights } = upstream;
  return weights.kind === 'agent' ? upstream.endpoints.map((endpoint) => ({ upstream, endpoint, agent: weights })) : [];
}
