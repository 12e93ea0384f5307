/** Keeps clients with their endpoints: what the pipeline asks of an upstream with affinity, before its first pick and before each attempt. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { KeySourcePlan } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';
import type { Tick } from '../core/tick.js';
import { EndpointCookies, KeyHomes } from '../policies/affinity.js';
import type { Exchange, ExchangeAffinity } from './exchange.js';
import { signText } from './signed-text.js';

const SET_COOKIE = 'set-cookie';
const COOKIE = 'cookie';

/** By a cookie; set whenever the endpoint is not the one that the client's cookie names. */
class CookieAffinity implements ExchangeAffinity {
  readonly #cookies: EndpointCookies;

  constructor(cookies: EndpointCookies) {
    this.#cookies = cookies;
  }

  preferredOf(exchange: Exchange): number {
    const cookies = exchange.header(COOKIE);
    return cookies === null ? NO_ENDPOINT : this.#cookies.endpointIn(cookies);
  }

  bind(exchange: Exchange): void {
    const { endpoint } = exchange;
    const binding = endpoint === exchange.preferred ? null : this.#cookies.bindingOf(endpoint);
    if (binding === null) return unbind(exchange);
    // Over attempts the field is that of the last one: of two with one name the later counts.
    exchange.addResponseField(SET_COOKIE, binding);
    exchange.isBinding = true;
  }
}

/** By a key of the request, whose home is the same in all workers; without it anybody may have the request. */
class KeyAffinity implements ExchangeAffinity {
  readonly #homes: KeyHomes;
  readonly #source: KeySourcePlan;

  constructor(homes: KeyHomes, source: KeySourcePlan) {
    this.#homes = homes;
    this.#source = source;
  }

  /** Leaves its hash in `exchange.key`: to be called before the balancer's own key is filled in. */
  preferredOf(exchange: Exchange, now: Tick): number {
    const { key, subset, upstream } = exchange;
    if (upstream === null || !exchange.hashKey(this.#source, NO_CRC)) return NO_ENDPOINT;
    return this.#homes.homeOf(key, subset, upstream.levelOf(exchange, now));
  }

  bind(): void {}
}

/** Hashes are xxHash64. */
const NO_CRC = false;

/** The response will not be the endpoint's: it binds the client to nobody. Cheap where it would not have. */
export function unbind(exchange: Exchange): void {
  if (!exchange.isBinding) return;
  exchange.addResponseField(SET_COOKIE, null);
  exchange.isBinding = false;
}

/** What an upstream has of affinity; null: nothing. */
export function affinityOf(plan: UpstreamPlan): ExchangeAffinity | null {
  const { affinity } = plan;
  if (affinity === null) return null;
  return affinity.kind === 'cookie'
    ? new CookieAffinity(new EndpointCookies(plan, affinity, signText))
    : new KeyAffinity(new KeyHomes(plan), affinity.key);
}
