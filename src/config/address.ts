/** Addresses as users write them: "host:port", "[v6]:port", ":port", "unix:/path", "unix:@name". Parsed once, here. */
import { isIPv4, isIPv6 } from 'node:net';
import { normalize } from 'node:path/posix';
import ipaddr from 'ipaddr.js';

/** Where an endpoint listens. `text` is what the user wrote: the endpoint's name. */
export type EndpointAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly text: string }
  | { readonly kind: 'unix'; readonly path: string; readonly text: string };

/** Where this process listens: an IP address without brackets, and a port (0: any free one). */
export interface BindAddress {
  readonly host: string;
  readonly port: number;
}

/** Where a listener listens: as BindAddress, or a UNIX socket; `path` is absolute, or '@name' for an abstract socket. */
export type ListenAddress = ({ readonly kind: 'tcp' } & BindAddress) | { readonly kind: 'unix'; readonly path: string };

/** What a parser of this folder answers; `hint` says how to mend the text, where that is known. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly expected: string; readonly hint: string | null };

const ENDPOINT_FORMS = 'an address such as 10.0.0.1:9001, api.internal:9001, [::1]:9001 or unix:/run/api.sock';
const BIND_FORMS = 'an address of this machine such as 127.0.0.1:8080, :8080 (all IPv4 addresses) or [::1]:8080';

const LISTEN_FORMS =
  'an address of this machine such as 127.0.0.1:8080, :8080 (all IPv4 addresses), [::1]:8080, unix:/run/db.sock or unix:@name';

/** The longest path that fits `sockaddr_un` with its closing NUL. */
const UNIX_PATH_MAX_BYTES = 107;
const PORT_MAX = 65_535;
/** Length of a whole host name, RFC 1035 section 2.3.4. */
const HOST_NAME_MAX = 253;
/** One label: letters, digits, hyphens inside, and the underscore, which container networks use. */
const HOST_LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

const failure = (expected: string, hint: string | null = null): Parsed<never> => ({ ok: false, expected, hint });

/**
 * Reads the address of an endpoint. Names are not resolved. Thread: any.
 *
 * @param text "host:port", "[v6]:port" or "unix:/path"; nothing around it
 */
export function parseEndpointAddress(text: string): Parsed<EndpointAddress> {
  if (text.startsWith('unix:')) return parseUnix(text);
  const split = splitHostPort(text, ENDPOINT_FORMS);
  if (!split.ok) return split;
  const { host, port } = split.value;
  if (host === '') return failure(ENDPOINT_FORMS, `name the host, e.g. 127.0.0.1:${port}`);
  if (port === 0)
    return failure('a port from 1 to 65535', 'port 0 stands for "any free port" and works for listeners only');
  if (host === '0.0.0.0' || host === '::') {
    return failure(
      'an address that can be connected to',
      `${host} means "all addresses" and works for listeners only; write 127.0.0.1:${port} for this machine`,
    );
  }
  return { ok: true, value: { kind: 'tcp', host, port, text } };
}

/**
 * Reads an address to listen on: an IP address, `localhost`, or nothing before the colon for all IPv4 addresses. Thread: any.
 *
 * @param text "host:port", "[v6]:port" or ":port"; nothing around it
 */
export function parseBindAddress(text: string): Parsed<BindAddress> {
  if (text.startsWith('unix:')) {
    return failure(BIND_FORMS, 'only listeners and endpoints may have a UNIX socket');
  }
  const split = splitHostPort(text, BIND_FORMS);
  if (!split.ok) return split;
  const { host, port } = split.value;
  if (host === '' || host === '*') return { ok: true, value: { host: '0.0.0.0', port } };
  if (host.toLowerCase() === 'localhost') return { ok: true, value: { host: '127.0.0.1', port } };
  if (isIPv4(host) || isIPv6(host)) return { ok: true, value: { host, port } };
  return failure(BIND_FORMS, 'a listener needs an IP address, not a name: which of its addresses would be meant?');
}

/**
 * Reads where a listener listens. Thread: any.
 *
 * @param text as for `parseBindAddress`, or "unix:/path", or "unix:@name" for an abstract socket; nothing around it
 */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/') && !path.startsWith('@')) {
      return failure(
        LISTEN_FORMS,
        'the path of a UNIX socket is absolute: unix:/run/db.sock; unix:@name is an abstract one',
      );
    }
    if (path === '@') return failure(LISTEN_FORMS, 'the name of the abstract socket is missing: unix:@name');
    if (path.endsWith('/')) return failure(LISTEN_FORMS, 'name the file of the socket, not its directory');
    const flaw = flawOfUnixPath(path, LISTEN_FORMS);
    return flaw ?? { ok: true, value: { kind: 'unix', path } };
  }
  const parsed = parseBindAddress(text);
  if (parsed.ok) return { ok: true, value: { kind: 'tcp', ...parsed.value } };
  return { ...parsed, expected: LISTEN_FORMS };
}

/** Writes an address the way `parseListenAddress` reads it. */
export function formatListenAddress(address: ListenAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : formatBindAddress(address);
}

/** May two listeners have these addresses at the same time? As `bindAddressesOverlap`; of UNIX sockets, all spellings of a path are one. */
export function listenAddressesOverlap(one: ListenAddress, other: ListenAddress): boolean {
  if (one.kind === 'tcp' && other.kind === 'tcp') return bindAddressesOverlap(one, other);
  if (one.kind === 'tcp' || other.kind === 'tcp') return false;
  return unixIdentity(one.path) === unixIdentity(other.path);
}

/** Writes a bind address the way `parseBindAddress` reads it. */
export function formatBindAddress(address: BindAddress): string {
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The same text for all spellings of one endpoint address: what two endpoints of an upstream may not share. */
export function endpointIdentity(address: EndpointAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : `${canonicalHost(address.host)}:${address.port}`;
}

/** May two listeners have these addresses at the same time? A wildcard address covers all others with its port. */
export function bindAddressesOverlap(one: BindAddress, other: BindAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [a, b] = [canonicalHost(one.host), canonicalHost(other.host)];
  if (a === b || a === '::' || b === '::') return true;
  const wildcardCovers = (wildcard: string, host: string) => wildcard === '0.0.0.0' && isIPv4(host);
  return wildcardCovers(a, b) || wildcardCovers(b, a);
}

/**
 * Is this host reachable from this machine only?
 *
 * @param host IP address without brackets, or a name: `localhost` alone is one of this machine
 */
export function isLoopback(host: string): boolean {
  if (isIPv4(host) || isIPv6(host)) return ipaddr.process(host).range() === 'loopback';
  return host.toLowerCase() === 'localhost';
}

/**
 * Reads a range of peer addresses: CIDR, or one address. Thread: any.
 *
 * @returns the range in CIDR form, e.g. "10.0.0.0/8", "192.0.2.1/32"
 */
export function parseAddressRange(text: string): Parsed<string> {
  const forms = 'a range of IP addresses such as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32';
  const [host = '', bits, ...rest] = text.split('/');
  if (rest.length > 0 || !(isIPv4(host) || isIPv6(host)) || host.includes('%')) return failure(forms);
  const address = ipaddr.parse(host);
  const width = address.kind() === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? width : /^(0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) : -1;
  if (prefix < 0 || prefix > width) return failure(forms, `the number behind the slash is from 0 to ${width} here`);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    return failure(forms, `write the IPv4 address itself: ${address.toIPv4Address().toString()}`);
  }
  const networkAddress =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${host}/${prefix}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${host}/${prefix}`);
  if (networkAddress.toNormalizedString() !== address.toNormalizedString()) {
    return failure(
      `a range whose address has no bits set behind its first ${prefix}`,
      `did you mean ${networkAddress.toString()}/${prefix}?`,
    );
  }
  return { ok: true, value: `${address.toString()}/${prefix}` };
}

function canonicalHost(host: string): string {
  return isIPv6(host) ? ipaddr.parse(host).toString() : host.toLowerCase().replace(/\.$/, '');
}

/** An abstract name is bytes without a meaning; a path may hold `//` and `..`. */
function unixIdentity(path: string): string {
  return path.startsWith('@') ? path : normalize(path);
}

function parseUnix(text: string): Parsed<EndpointAddress> {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/'))
    return failure(ENDPOINT_FORMS, 'the path of a UNIX socket is absolute: unix:/run/api.sock');
  const flaw = flawOfUnixPath(path, ENDPOINT_FORMS);
  return flaw ?? { ok: true, value: { kind: 'unix', path, text } };
}

/** @returns null for a path that the kernel takes. An abstract name's `@` stands for its leading NUL: the same limit */
function flawOfUnixPath(path: string, forms: string): Parsed<never> | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return failure(forms, 'the path holds a control character');
  if (Buffer.byteLength(path) <= UNIX_PATH_MAX_BYTES) return null;
  return failure(
    `a path of at most ${UNIX_PATH_MAX_BYTES} bytes`,
    'the kernel does not take longer paths for UNIX sockets',
  );
}

function splitHostPort(text: string, forms: string): Parsed<{ host: string; port: number }> {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text);
  if (scheme !== null) {
    const rest = text.slice(scheme[0].length).replace(/[/?#].*$/s, '');
    return failure(forms, rest === '' ? `leave out "${scheme[0]}"` : `leave out "${scheme[0]}": write ${rest}`);
  }
  if (isIPv6(text)) return failure(forms, `put IPv6 addresses in brackets and add a port: [${text}]:8080`);
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (parts === null) return failure(forms, hintForUnsplit(text));
  const [, bracketed, plain = '', digits = ''] = parts;
  if (!/^\d{1,5}$/.test(digits) || Number(digits) > PORT_MAX) {
    return failure(
      forms,
      digits === '' ? 'the port behind the colon is missing' : 'a port is a number from 0 to 65535',
    );
  }
  const port = Number(digits);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) return failure(forms, 'what stands in brackets must be an IPv6 address');
    return bracketed.includes('%')
      ? failure(forms, 'an address with a zone (%) is not supported')
      : { ok: true, value: { host: bracketed, port } };
  }
  return plain === '' || plain === '*' || isHostName(plain)
    ? { ok: true, value: { host: plain, port } }
    : failure(forms, hintForHost(plain));
}

function hintForUnsplit(text: string): string | null {
  if (/^\d{1,5}$/.test(text)) return `for a port alone write :${text}`;
  if (/^\[.*\]$/.test(text) || isHostName(text)) return `add a port: ${text}:8080`;
  if (text.split(':').length > 2 && !text.startsWith('[')) return 'put IPv6 addresses in brackets: [::1]:8080';
  return null;
}

function hintForHost(host: string): string {
  if (/^[\d.]+$/.test(host)) return `${host} is no IPv4 address: four numbers from 0 to 255`;
  if (/\s/.test(host)) return 'no spaces, please';
  return 'a host name has letters, digits, hyphens and dots only';
}

/** A dotted name whose last label is not a number, or an IPv4 address. */
function isHostName(host: string): boolean {
  if (isIPv4(host)) return true;
  const labels = host.replace(/\.$/, '').split('.');
  return (
    host.length <= HOST_NAME_MAX &&
    labels.every((label) => HOST_LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}
