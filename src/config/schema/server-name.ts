/** Schema of what a ClientHello offers, as routes of l4 listeners match it: server names and ALPN protocols. */
import { isIPv4, isIPv6 } from 'node:net';
import { type Field, text } from './field.js';

/** `*`, an exact name or `*.suffix`; no port, no address (RFC 6066 section 3: literal addresses are not permitted). */
const SERVER_NAME =
  /^(?:\*|(?=.{1,253}$)(?!(?:.*\.)?[0-9]+$)(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*)$/;

function serverNameHint(name: string): string | null {
  if (name === '') return 'write * for all names, or leave match out';
  if (name.includes('://')) return 'leave out the scheme';
  const host = name.replace(/^\[(.*)\]$/, '$1');
  if (isIPv4(host) || isIPv6(host))
    return 'clients that connect to an address send no server name: a route without match takes them';
  if (/:\d*$/.test(name)) return 'leave out the port: a server name has none';
  if (name.endsWith('.')) return 'leave out the dot at the end';
  if (name.includes('/')) return 'a server name has no path: TLS hides it';
  if (name.includes('*')) return 'a wildcard is a whole first label: *.example.com';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  if (/[^\u0000-\u007f]/.test(name)) return 'write international names in their ASCII form (xn--…)';
  return null;
}

/** A pattern of server names. */
export function serverName(rules: { description: string }): Field<string> {
  return text({
    pattern: SERVER_NAME,
    expected: 'a server name such as db.example.com, *.example.com or * for all',
    hint: serverNameHint,
    convert: (name) => name.toLowerCase(),
    form: 'server name, `*.suffix` or `*`',
    ...rules,
  });
}

/** The name of an ALPN protocol; case counts, as it does on the wire (RFC 7301 section 3.1). */
export function alpnProtocol(rules: { description: string }): Field<string> {
  return text({
    pattern: /^[!-~]{1,255}$/,
    expected: 'an ALPN protocol such as h2, http/1.1 or postgresql',
    hint: (name) => (/[\s,]/.test(name) ? 'write a list: [h2, http/1.1]' : null),
    form: 'ALPN protocol',
    ...rules,
  });
}
