/** Bounds how often something may happen for one address, for requests to the admin API and for wrong tokens. */
import ipaddr from 'ipaddr.js';

/** What is allowed. */
export interface RateSettings {
  readonly perSecond: number;
  /** How many may come at once. */
  readonly burst: number;
}

/** Addresses that are remembered; beyond, the one that has been quiet the longest is forgotten. */
const MOST_ADDRESSES = 1_024;

/** GCRA: one point in time for each address, the one at which it would have used up nothing. Thread: primary. */
export class AddressRates {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  readonly #nowMs: () => number;
  /** By address, when its budget will be whole again; in the order of the last use. */
  readonly #wholeAt = new Map<string, number>();

  /** @param nowMs a clock that does not jump */
  constructor({ perSecond, burst }: RateSettings, nowMs: () => number) {
    this.#intervalMs = 1_000 / perSecond;
    this.#burstMs = burst * this.#intervalMs;
    this.#nowMs = nowMs;
  }

  /** Time until this address has budget for one more, in ms; 0: now. */
  waitMs(address: string): number {
    const usedMs = Math.max(0, (this.#wholeAt.get(address) ?? 0) - this.#nowMs());
    // Against rounding: a budget that has just been regained is not missed by a millionth of a millisecond.
    return Math.max(0, Math.ceil(usedMs + this.#intervalMs - this.#burstMs - 1e-6));
  }

  /** Uses up one. */
  use(address: string): void {
    const nowMs = this.#nowMs();
    const wholeAt = Math.max(this.#wholeAt.get(address) ?? 0, nowMs) + this.#intervalMs;
    this.#wholeAt.delete(address);
    this.#wholeAt.set(address, wholeAt);
    if (this.#wholeAt.size <= MOST_ADDRESSES) return;
    const [quietest] = this.#wholeAt.keys();
    if (quietest !== undefined) this.#wholeAt.delete(quietest);
  }
}

/** Groups of 16 bits of an IPv6 address that say whose it is: who has one address has the /64 around it. */
const NETWORK_GROUPS = 4;

/** What an address is known by. @param remoteAddress of a socket; undefined: it is closed already */
export function rateKey(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return '';
  const address = ipaddr.process(remoteAddress);
  return address instanceof ipaddr.IPv6 ? address.parts.slice(0, NETWORK_GROUPS).join(':') : address.toString();
}
