/** Who the client is: the peer's address as text, and which forwarded fields of it are believed (semantics.md 10). */
import { AddressRanges, ipAddressOf, parseIpAddress } from '../core/address-ranges.js';
import { addressTextOf } from '../core/peer-address.js';

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
    return peerAt(addressTextOf(address.toByteArray()), this.#trusted.includes(address));
  }
}

/** A peer without an address. */
export const UNKNOWN_PEER = peerAt('unknown', false);

function remember<K, V>(memory: Map<K, V>, key: K, value: V, most = PEER_MEMORY): V {
  if (memory.size >= most) memory.clear();
  memory.set(key, value);
  return value;
}

/** Values of X-Forwarded-For remembered; longer ones than this are not. */
const FORWARDED_MEMORY = 4096;
const MOST_REMEMBERED_LENGTH = 256;

/** `a.b.c.d`, `a.b.c.d:port`, `[v6]`, `[v6]:port` or `v6`: what proxies write into X-Forwarded-For. */
const FORWARDED_ADDRESS = /^(?:([0-9.]+)(?::[0-9]{1,5})?|\[([0-9a-f:.]+)\](?::[0-9]{1,5})?|([0-9a-f:.]+))$/i;

/** Whom trusted peers of one listener name as their client. Thread: worker. */
export class ForwardedClients {
  readonly #trusted: AddressRanges;
  readonly #memory = new Map<string, string | null>();

  /** @param trustedProxies as in PeerTable */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = new AddressRanges(trustedProxies);
  }

  /**
   * The client by X-Forwarded-For of a trusted peer: the rightmost address that is no trusted proxy, since what stands left of it was
   * written by who is not believed; where all are trusted, the leftmost (nginx's real_ip_recursive). HOT for values that came before.
   *
   * @param value of all fields, joined by commas
   * @returns its address, spelled as Peer.address; null: no address stands at the right
   */
  clientIn(value: string): string | null {
    const known = this.#memory.get(value);
    if (known !== undefined) return known;
    const client = this.#find(value);
    return value.length > MOST_REMEMBERED_LENGTH ? client : remember(this.#memory, value, client, FORWARDED_MEMORY);
  }

  #find(value: string): string | null {
    let client: string | null = null;
    for (const element of value.split(',').reverse()) {
      const [, v4, bracketed, v6] = FORWARDED_ADDRESS.exec(element.trim()) ?? [];
      const address = parseIpAddress(v4 ?? bracketed ?? v6 ?? '');
      if (address === null) break;
      client = addressTextOf(address.toByteArray());
      if (!this.#trusted.includes(address)) break;
    }
    return client;
  }
}
