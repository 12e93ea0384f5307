/** What each condition of an endpoint means to whoever looks at the page: a word, how bad it is, and a shape. Pure. */
import type { EndpointCondition, LiveEndpoint } from '../src/observability/live-figures.js';

/** `rest`: on purpose, by the operator. */
export type Tone = 'good' | 'warn' | 'bad' | 'rest';

/** How a condition looks and reads. */
export interface ConditionLook {
  readonly word: string;
  readonly tone: Tone;
  /** A sentence without its subject. */
  readonly meaning: string;
  /** Path of its shape in a box of 16 x 16; shapes differ, so that no colour is needed to tell them. */
  readonly shape: string;
}

const CIRCLE = 'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2Z';
const RING = `${CIRCLE}M8 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 1 1 0-7Z`;

/** Most pressing first: the order in which endpoints are sorted by condition. */
export const CONDITIONS: Readonly<Record<EndpointCondition, ConditionLook>> = {
  unhealthy: {
    word: 'unhealthy',
    tone: 'bad',
    meaning: 'fails its health check',
    shape: 'M4 2 8 6l4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4Z',
  },
  broken: {
    word: 'circuit open',
    tone: 'bad',
    meaning: 'gets nothing while its breaker is open',
    shape: 'M2 2h5l-2 5h3l-4 7 1-5H2ZM11 2h3v12h-3Z',
  },
  ejected: {
    word: 'ejected',
    tone: 'bad',
    meaning: 'is left alone for a while for what it did to traffic',
    shape: 'M8 1.5 15 14H1Z',
  },
  unresolved: {
    word: 'unresolved',
    tone: 'bad',
    meaning: 'has a name without an address',
    shape: 'M2 6h5v4H2ZM9 6h5v4H9Z',
  },
  unknown: {
    word: 'not probed yet',
    tone: 'warn',
    meaning: 'waits for its first health check',
    shape: 'M2 2h12v12H2ZM5 5v6h6V5Z',
  },
  'on-trial': {
    word: 'on trial',
    tone: 'warn',
    meaning: 'gets a few requests at a time to find out whether it works',
    shape: 'M8 1.5 14.5 8 8 14.5 1.5 8Z',
  },
  'warming-up': {
    word: 'warming up',
    tone: 'good',
    meaning: 'gets more and more, until it has its whole weight',
    shape: 'M8 2a6 6 0 1 0 0 12ZM9.5 2.5A6 6 0 0 1 9.5 13.5Z',
  },
  draining: {
    word: 'draining',
    tone: 'rest',
    meaning: 'gets no new work and finishes what is in flight',
    shape: 'M6 1.5h4V8h4l-6 6.5L2 8h4Z',
  },
  drained: {
    word: 'drained',
    tone: 'rest',
    meaning: 'gets no new work, and nothing is in flight on it',
    shape: RING,
  },
  disabled: {
    word: 'disabled',
    tone: 'rest',
    meaning: 'gets no work, by the operator',
    shape: 'M2 6.5h12v3H2Z',
  },
  healthy: { word: 'healthy', tone: 'good', meaning: 'takes its share', shape: CIRCLE },
};

const ORDER = Object.keys(CONDITIONS);

/** Place in the order of urgency, 0 first. */
export function urgencyOf(condition: EndpointCondition): number {
  return ORDER.indexOf(condition);
}

/** May it get new work now? (A cap that is reached does not count: that passes in a moment.) */
export function takesWork({ condition, effectiveWeight }: LiveEndpoint): boolean {
  const isInService = condition === 'healthy' || condition === 'warming-up' || condition === 'on-trial';
  return isInService && effectiveWeight > 0;
}

/**
 * The part of traffic that each endpoint should have by the weights of those that take work.
 *
 * @returns in the order given; null: it should have nothing, as backups while others work
 */
export function expectedShares(endpoints: readonly LiveEndpoint[]): readonly (number | null)[] {
  const working = endpoints.filter(takesWork);
  const arePrimariesWorking = working.some(({ backup }) => !backup);
  const isCounted = (endpoint: LiveEndpoint): boolean =>
    takesWork(endpoint) && !(arePrimariesWorking && endpoint.backup);
  const sum = working.reduce((all, each) => all + (isCounted(each) ? each.effectiveWeight : 0), 0);
  return endpoints.map((endpoint) => (isCounted(endpoint) ? endpoint.effectiveWeight / sum : null));
}
