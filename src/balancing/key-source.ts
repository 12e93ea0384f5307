/** Which balancers want a key of each request, and what it is made of. */
import { HASHING_BALANCERS, type KeySourcePlan, type PickingPlan } from '../config/picking-plan.js';
import type { Rng } from '../core/rng.js';
import type { PickKey } from './balancer.js';

/** What a key is made of: a source of the configuration, or the client's network, as ip-hash takes it. */
export type KeySource = KeySourcePlan | { readonly kind: 'client-network' };

/** First three octets of an IPv4 address, the whole of an IPv6 one: nginx's ip_hash (semantics.md 4). */
export const CLIENT_NETWORK: KeySource = { kind: 'client-network' };

/** How a balancer wants its keys. */
export interface KeyWish {
  /** null: it takes no key. */
  readonly source: KeySource | null;
  /** PickKey.hash is a CRC-32, as other implementations of ketama have it; else the low half of an xxHash64. */
  readonly isCrc: boolean;
}

/** What the balancer of an upstream wants. */
export function keyWishOf({ balance, hashKey }: Pick<PickingPlan, 'balance' | 'hashKey'>): KeyWish {
  if (!HASHING_BALANCERS.has(balance)) return { source: null, isCrc: false };
  return { source: balance === 'ip-hash' ? CLIENT_NETWORK : hashKey, isCrc: balance === 'ketama' };
}

/** Bits that one call of an Rng does not give: nextBits() has 31. */
const LOW_BITS = 1;

/** Fills in the hash of a request that does not have its key: spread over all endpoints, never all on one. HOT. */
export function fillRandomKey(key: PickKey, rng: Rng): void {
  key.hash = (rng.nextBits() << LOW_BITS) ^ rng.nextBits();
  key.hashHigh = (rng.nextBits() << LOW_BITS) ^ rng.nextBits();
}

/** What an address is worth as a key, as text. @param address as X-Forwarded-For spells it. @returns the text of its network */
export function networkOf(address: string): string {
  return address.includes(':') ? address : address.slice(0, address.lastIndexOf('.'));
}
