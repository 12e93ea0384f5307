/** Ranges of IP addresses, as `trustedProxies` lists them: is an address in one of them? */
import ipaddr from 'ipaddr.js';

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Immutable. An IPv4-mapped IPv6 address counts as the IPv4 address that it holds. Thread: any. */
export class AddressRanges {
  readonly #ranges: readonly Range[];

  /** @param ranges CIDR ranges or single addresses, validated by the configuration */
  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.map((range) =>
      range.includes('/') ? ipaddr.parseCIDR(range) : wholeAddress(ipaddr.process(range)),
    );
  }

  /** Neither cheap nor free of allocation: callers remember the answer. */
  includes(address: IpAddress): boolean {
    return this.#ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  }
}

/** An address as ranges are compared with it. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** @param bytes 4 (IPv4) or 16 (IPv6) bytes in network order; IPv4-mapped ones give the IPv4 address */
export function ipAddressOf(bytes: Iterable<number>): IpAddress {
  const address = ipaddr.fromByteArray([...bytes]);
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** Reads dotted IPv4, or IPv6 without brackets. @returns null when it is neither */
export function parseIpAddress(text: string): IpAddress | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  return ipAddressOf(ipaddr.IPv6.parse(text).toByteArray());
}

function wholeAddress(address: IpAddress): Range {
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
