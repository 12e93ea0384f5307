/** Who the client is: the peer's address as text, and which forwarded fields of it are believed (semantics.md 10). */
import { AddressRanges, ipAddressOf } from '../core/address-ranges.js';

/** What is known of one peer address; made once and kept, since the same peers come again and again. */
export interface Peer {
  /** The address as X-Forwarded-For spells it: IPv4 dotted, IPv6 without brackets, IPv4-mapped IPv6 as IPv4. */
  readonly address: string;
  /** In one of the listener's trustedProxies: its X-Forwarded-*, Forwarded, X-Real-IP and X-Request-Id are believed. */
  readonly isTrusted: boolean;
  /** What RequestHead wrote for the peer's latest request, to be used again while the host stays the same. */
  readonly written: { host: string; lines: string };
}

/** @param address as text, for X-Forwarded-For */
export function peerAt(address: string, isTrusted: boolean): Peer {
  return { address, isTrusted, written: { host: '', lines: '' } };
}

/** Peers remembered; a scan from many addresses must not grow this without bound. */
const PEER_MEMORY = 4096;

/** Peers of one listener. Thread: worker. */
export class PeerTable {
  readonly #trusted: AddressRanges;
  readonly #v4 = new Map<number, Peer>();
  readonly #v6 = new Map<string, Peer>();

  /** @param trustedProxies CIDR ranges or single addresses, validated by the configuration */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = new AddressRanges(trustedProxies);
  }

  /**
   * The peer with these address bytes. HOT.
   *
   * @param bytes 4 (IPv4) or 16 (IPv6) bytes in network order; anything else (a UNIX socket) is an unknown, untrusted peer
   */
  peerOf(bytes: Uint8Array): Peer {
    if (bytes.length === 4) {
      const key =
        ((bytes[0] as number) << 24) |
        ((bytes[1] as number) << 16) |
        ((bytes[2] as number) << 8) |
        (bytes[3] as number);
      const known = this.#v4.get(key);
      return known ?? remember(this.#v4, key, this.#makePeer(bytes));
    }
    if (bytes.length !== 16) return UNKNOWN_PEER;
    const key = String.fromCharCode(...bytes);
    return this.#v6.get(key) ?? remember(this.#v6, key, this.#makePeer(bytes));
  }

  #makePeer(bytes: Uint8Array): Peer {
    const address = ipAddressOf(bytes);
    return peerAt(address.toString(), this.#trusted.includes(address));
  }
}

const UNKNOWN_PEER = peerAt('unknown', false);

function remember<K>(memory: Map<K, Peer>, key: K, peer: Peer): Peer {
  if (memory.size >= PEER_MEMORY) memory.clear();
  memory.set(key, peer);
  return peer;
}
