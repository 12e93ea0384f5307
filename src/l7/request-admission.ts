/** Whether a request may be attempted at all: the policies that look at nothing but the request. */
import { admitSize, type RequestSize } from '../policies/request-limits.js';
import { admitPassage } from '../policies/request-passage.js';
import { ADMIT, type Verdict } from '../policies/verdict.js';
import type { Exchange } from './exchange.js';

/** Facts of a request that only `admit` looks at. */
export interface RequestFacts extends RequestSize {
  readonly hasLoop: boolean;
  /** Max-Forwards, or -1 without one. */
  readonly maxForwards: number;
}

/** The policies that can refuse a request, in their order. HOT. Thread: worker. */
export function admit(exchange: Exchange, facts: RequestFacts): Verdict {
  const passage = admitPassage(exchange.method, facts.hasLoop);
  return passage === ADMIT ? admitSize(exchange.listener.limits, facts) : passage;
}
