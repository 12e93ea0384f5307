/** Whose session it is: the peer's address or the one that a trusted peer's PROXY header claims (semantics.md 10). */
import { AddressRanges, ipAddressOf } from '../core/address-ranges.js';

/** Peers remembered with whether they are trusted; a scan from many addresses must not grow this without bound. */
const PEER_MEMORY = 4096;

/** First words of an IPv4-mapped address: ::ffff:0:0. */
const MAPPED_WORD = 0xffff;

/** The four words of an address as events of the session engine have them; all 0 for a UNIX socket. */
export interface AddressWords {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
}

/** The peers of one listener whose PROXY header is believed. Thread: worker. */
export class TrustedPeers {
  readonly #trusted: AddressRanges;
  readonly #memory = new Map<string, boolean>();

  /** @param trustedProxies CIDR ranges or single addresses, validated by the configuration */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = new AddressRanges(trustedProxies);
  }

  /**
   * May this peer say who its client is? The peer of a UNIX socket may: it has no address that could be listed, and the
   * permissions of the socket's file have let it in.
   */
  isTrusted(peer: AddressWords): boolean {
    if (isUnix(peer)) return true;
    const text = addressText(peer);
    const known = this.#memory.get(text);
    if (known !== undefined) return known;
    const isIncluded = this.#trusted.includes(ipAddressOf(bytesOf(peer)));
    if (this.#memory.size >= PEER_MEMORY) this.#memory.clear();
    this.#memory.set(text, isIncluded);
    return isIncluded;
  }
}

/** For people: IPv4 dotted, IPv6 without brackets, 'unix' for a UNIX socket. */
export function addressText(address: AddressWords): string {
  if (isUnix(address)) return 'unix';
  const { word0, word1, word2, word3 } = address;
  if (word0 === 0 && word1 === 0 && word2 === MAPPED_WORD)
    return `${word3 >>> 24}.${(word3 >>> 16) & 255}.${(word3 >>> 8) & 255}.${word3 & 255}`;
  return ipAddressOf(bytesOf(address)).toString();
}

function isUnix({ word0, word1, word2, word3 }: AddressWords): boolean {
  return (word0 | word1 | word2 | word3) === 0;
}

function bytesOf({ word0, word1, word2, word3 }: AddressWords): number[] {
  return [word0, word1, word2, word3].flatMap((word) => [
    word >>> 24,
    (word >>> 16) & 255,
    (word >>> 8) & 255,
    word & 255,
  ]);
}
