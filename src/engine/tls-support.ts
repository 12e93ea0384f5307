/** Says in one sentence what of TLS and HTTP/2 this Node lets the engine use. Pure. */
import type { TlsSupport } from './tls.js';

/** Functions of nghttp2 begin with it; all others that are missing are OpenSSL's. */
const HTTP2_PREFIX = 'nghttp2_';

/** Names of functions that this Node does not export, by what needs them. */
export function missingByUse({ missing }: TlsSupport): { tls: readonly string[]; http2: readonly string[] } {
  const isHttp2 = (name: string): boolean => name.startsWith(HTTP2_PREFIX);
  return { tls: missing.filter((name) => !isHttp2(name)), http2: missing.filter(isHttp2) };
}

/** @returns e.g. 'TLS OpenSSL 3.0.19, HTTP/2 nghttp2 1.61.0 (of this Node)'; what cannot be used is told with what is missing */
export function tlsSupportText(support: TlsSupport): string {
  const missing = missingByUse(support);
  const tls = support.tls ?? `cannot be used: ${lackText(missing.tls)}`;
  const http2 = support.http2 === null ? `cannot be used: ${lackText(missing.http2)}` : `nghttp2 ${support.http2}`;
  const isWhole = support.tls !== null && support.http2 !== null;
  return `TLS ${tls}${isWhole ? ', ' : '; '}HTTP/2 ${http2}${isWhole ? ' (of this Node)' : ''}`;
}

/** @param missing empty: the library is not there at all */
export function lackText(missing: readonly string[]): string {
  const [first, ...others] = missing;
  if (first === undefined) return 'this Node does not have the library';
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `this Node does not export ${first}${more}`;
}
