/** Addresses of peers as events of the engine have them, and which peers may say who their client is (semantics.md 10). */
import { AddressRanges, ipAddressOf } from '../core/address-ranges.js';

/** Peers remembered with whether they are trusted; a scan from many addresses must not grow this without bound. */
const PEER_MEMORY = 4096;

/** First words of an IPv4-mapped address: ::ffff:0:0. */
const MAPPED_WORD = 0xffff;

/** The four words of an address of an IPv6 address in network order (IPv4 as ::ffff:a.b.c.d); all 0 for a UNIX socket. */
export interface AddressWords {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
}

/** The peers of one listener whose PROXY header and forwarded fields are believed. Thread: worker. */
export class TrustedPeers {
  readonly #trusted: AddressRanges;
  readonly #isEmpty: boolean;
  /** By the last word. */
  readonly #v4 = new Map<number, boolean>();
  /** By the text. */
  readonly #v6 = new Map<string, boolean>();

  /** @param trustedProxies CIDR ranges or single addresses, validated by the configuration */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = new AddressRanges(trustedProxies);
    this.#isEmpty = trustedProxies.length === 0;
  }

  /**
   * May this peer say who its client is? The peer of a UNIX socket may: it has no address that could be listed, and the
   * permissions of the socket's file have let it in. HOT for peers of IPv4 that have come before.
   */
  isTrusted(peer: AddressWords): boolean {
    if (isUnix(peer)) return true;
    if (this.#isEmpty) return false;
    return isMapped(peer) ? this.#lookUp(this.#v4, peer.word3, peer) : this.#lookUp(this.#v6, addressText(peer), peer);
  }

  #lookUp<K>(memory: Map<K, boolean>, key: K, peer: AddressWords): boolean {
    const known = memory.get(key);
    if (known !== undefined) return known;
    const isIncluded = this.#trusted.includes(ipAddressOf(bytesOf(peer)));
    if (memory.size >= PEER_MEMORY) memory.clear();
    memory.set(key, isIncluded);
    return isIncluded;
  }
}

/** For people: IPv4 dotted, IPv6 without brackets, 'unix' for a UNIX socket. */
export function addressText(address: AddressWords): string {
  if (isUnix(address)) return 'unix';
  const { word3 } = address;
  if (isMapped(address)) return `${word3 >>> 24}.${(word3 >>> 16) & 255}.${(word3 >>> 8) & 255}.${word3 & 255}`;
  return ipv6Text(bytesOf(address));
}

/** As addressText. @param bytes 4 (IPv4) or 16 (IPv6) bytes in network order */
export function addressTextOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = [0, 4, 8, 12].map((at) =>
    bytes.slice(at, at + 4).reduce((word, byte) => (word << 8) | byte, 0),
  );
  return addressText({ word0, word1, word2, word3 });
}

/**
 * RFC 5952 section 4, hexadecimal throughout, as the engine spells it (native/src/frontend/client_address.cc): the text is the key of
 * balancers that hash, and must be the same with every front end.
 */
function ipv6Text(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, group) => bytes.slice(2 * group, 2 * group + 2));
  const texts = groups.map(([high = 0, low = 0]) => ((high << 8) | low).toString(16));
  let longest = { begin: 0, length: 1 };
  for (let begin = 0; begin < texts.length; begin++) {
    let length = 0;
    while (texts[begin + length] === '0') length++;
    if (length > longest.length) longest = { begin, length };
  }
  if (longest.length === 1) return texts.join(':');
  const behind = longest.begin + longest.length;
  return `${texts.slice(0, longest.begin).join(':')}::${texts.slice(behind).join(':')}`;
}

/** Is it the peer of a UNIX socket, which has no address? */
export function isUnix({ word0, word1, word2, word3 }: AddressWords): boolean {
  return (word0 | word1 | word2 | word3) === 0;
}

function isMapped({ word0, word1, word2 }: AddressWords): boolean {
  return word0 === 0 && word1 === 0 && word2 === MAPPED_WORD;
}

function bytesOf({ word0, word1, word2, word3 }: AddressWords): number[] {
  return [word0, word1, word2, word3].flatMap((word) => [
    word >>> 24,
    (word >>> 16) & 255,
    (word >>> 8) & 255,
    word & 255,
  ]);
}
