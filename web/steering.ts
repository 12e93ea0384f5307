/** What an operator can do to an endpoint: what it sends, and what will come of it, said before it is done. Pure. */
import type { LiveEndpoint, LiveUpstream } from '../src/observability/live-figures.js';
import { takesWork } from './conditions.js';
import { countOf, percentText } from './format.js';

/** What is wished of an endpoint. */
export type Wish =
  | { readonly kind: 'drain'; readonly timeout: string }
  | { readonly kind: 'enable' }
  | { readonly kind: 'disable' }
  | { readonly kind: 'weight'; readonly weight: string };

/** Body of PUT /api/v1/upstreams/{name}/endpoints/{address}. */
export interface EndpointChangeBody {
  readonly state?: 'enabled' | 'draining' | 'disabled';
  readonly weight?: number;
  readonly drainTimeout?: string | null;
}

/** What a wish comes to. */
export interface Prospect {
  /** null: it cannot be sent, for `problem`. */
  readonly body: EndpointChangeBody | null;
  readonly problem: string | null;
  /** Sentences, in order. */
  readonly consequences: readonly string[];
  /** null: nobody will be hurt. */
  readonly warning: string | null;
  /** What the button says. */
  readonly verb: string;
  /** Said when it is done. */
  readonly done: string;
}

/** Largest weight that the API takes. */
const MOST_WEIGHT = 65_535;

const DURATION = /^\d+(?:\.\d+)?(?:ms|s|m|h)$/;

/** Which wishes make sense of an endpoint as it is; the first is offered. */
export function wishesFor({ state }: LiveEndpoint): readonly Wish['kind'][] {
  if (state === 'enabled') return ['drain', 'disable', 'weight'];
  if (state === 'disabled') return ['enable', 'drain', 'weight'];
  return ['enable', 'disable', 'drain', 'weight'];
}

/** Says what a wish would do to an endpoint of an upstream as both are now. */
export function prospectOf(wish: Wish, endpoint: LiveEndpoint, upstream: LiveUpstream): Prospect {
  switch (wish.kind) {
    case 'drain':
      return drainProspect(wish.timeout.trim(), endpoint, upstream);
    case 'enable':
      return {
        body: { state: 'enabled' },
        problem: null,
        consequences: [`${endpoint.address} takes new work again, as far as its health allows.`],
        warning: null,
        verb: 'Enable',
        done: `${endpoint.address} is enabled`,
      };
    case 'disable':
      return {
        body: { state: 'disabled' },
        problem: null,
        consequences: [`${endpoint.address} gets no new work at once.`, inFlightSentence(endpoint)],
        warning: lossWarning(endpoint, upstream),
        verb: 'Disable',
        done: `${endpoint.address} is disabled`,
      };
    case 'weight':
      return weightProspect(wish.weight.trim(), endpoint, upstream);
  }
}

function drainProspect(timeout: string, endpoint: LiveEndpoint, upstream: LiveUpstream): Prospect {
  const isForEver = timeout === '';
  const isGood = isForEver || DURATION.test(timeout);
  return {
    body: isGood ? { state: 'draining', drainTimeout: isForEver ? null : timeout } : null,
    problem: isGood ? null : 'Write the time as 500ms, 30s, 5m or 1h, or leave it empty.',
    consequences: [
      `${endpoint.address} gets no new work at once.`,
      inFlightSentence(endpoint),
      ...(isForEver || !isGood ? [] : [`What is still in flight after ${timeout} is cut.`]),
    ],
    warning: lossWarning(endpoint, upstream),
    verb: 'Drain',
    done: `${endpoint.address} drains`,
  };
}

function weightProspect(text: string, endpoint: LiveEndpoint, upstream: LiveUpstream): Prospect {
  const weight = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  const isGood = weight <= MOST_WEIGHT;
  const changed = { ...endpoint, weight, effectiveWeight: weight };
  const others = upstream.endpoints.filter((other) => other !== endpoint && !other.backup && takesWork(other));
  const sum = others.reduce((all, { effectiveWeight }) => all + effectiveWeight, weight);
  const isCounted = isGood && takesWork(changed) && !endpoint.backup && sum > 0;
  return {
    body: isGood ? { weight } : null,
    problem: isGood ? null : `Write a whole number from 0 to ${MOST_WEIGHT}.`,
    consequences: isGood
      ? [
          `Its weight changes from ${endpoint.weight} to ${weight}.`,
          ...(isCounted ? [`By the weights it should then have ${percentText(weight / sum)} of the traffic.`] : []),
          ...(weight === 0 ? ['With weight 0 it gets no new work.'] : []),
        ]
      : [],
    warning: isGood && weight === 0 ? lossWarning(endpoint, upstream) : null,
    verb: 'Set weight',
    done: `${endpoint.address} has weight ${text}`,
  };
}

function inFlightSentence({ inFlight }: LiveEndpoint): string {
  if (inFlight === 0) return 'Nothing is in flight on it.';
  return `${countOf(inFlight, 'request or session', 'requests and sessions')} in flight on it may finish.`;
}

function lossWarning(endpoint: LiveEndpoint, upstream: LiveUpstream): string | null {
  if (!takesWork(endpoint)) return null;
  const others = upstream.endpoints.filter((other) => other !== endpoint && takesWork(other));
  if (others.length === 0) {
    return `It is the last endpoint of ${upstream.name} that takes work: requests will wait or fail until another one does.`;
  }
  if (!endpoint.backup && others.every(({ backup }) => backup)) {
    return `Only ${countOf(others.length, 'backup')} of ${upstream.name} will be left to take work.`;
  }
  return null;
}
