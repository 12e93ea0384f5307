/** Warns of settings of listeners that are accepted but will not do what their author may expect. */
import { DEFER_ACCEPT_MS, PREFACE_TIMEOUT_MS, ROUTE_SNI } from './defaults.js';
import type { Machine } from './machine.js';
import { nearestName } from './nearest-name.js';
import type { Path } from './problem.js';
import { warnOfRouteResilience } from './resilience-warnings.js';
import { isDefaultKeepAlive } from './schema/keep-alive.js';
import { type L4Listener, l4RoutesOf } from './schema/l4-listener.js';
import type { L7Listener } from './schema/l7-listener.js';
import type { Listener } from './schema/listener.js';
import type { WarningCollector } from './warning-collector.js';

/** Largest head and most header lines that the uWebSockets.js binary takes from any client (measured with 20.30). */
const UWS_HEAD_BYTES = 4096;
const UWS_HEADERS = 48;

/**
 * ALPN protocols that clients of today offer, as they are registered with IANA ("TLS Application-Layer Protocol Negotiation (ALPN)
 * Protocol IDs"). Others are taken as they are; what is nearly one of these is most likely meant to be it.
 */
const KNOWN_PROTOCOLS: readonly string[] = [
  'http/1.0',
  'http/1.1',
  'h2',
  'imap',
  'pop3',
  'managesieve',
  'ftp',
  'xmpp-client',
  'xmpp-server',
  'acme-tls/1',
  'mqtt',
  'dot',
  'irc',
  'nntp',
  'sunrpc',
  'sip/2',
  'postgresql',
  'tds/8.0',
];

/** Warns of a listener of HTTP requests. */
export function warnOfL7Listener(
  listener: L7Listener,
  path: Path,
  machine: Machine,
  collector: WarningCollector,
): void {
  if (listener.frontend === 'uws') warnOfUws(listener, path, collector);
  else if (!listener.proxyProtocol) warnOfUnreadPreface(listener.timeouts, 'it is for proxyProtocol', path, collector);
  const { connectionsPerClient, newConnectionsPerClient } = listener.limits;
  warnOfAccepting(listener, { connectionsPerClient, newConnectionsPerClient }, path, machine, collector);
  warnOfRouteResilience(listener, path, collector);
  warnOfOpenTrust(listener, 'believes the forwarded headers of every client', path, collector);
}

function warnOfUws(listener: L7Listener, path: Path, collector: WarningCollector): void {
  for (const key of ['requestHead', 'bodyIdle', 'keepAlive'] as const) {
    const own = [...path, 'timeouts', key];
    if (!collector.isWritten(own)) continue;
    collector.warn(
      own,
      'has no effect with the uws front end: uWebSockets.js has a fixed time of about 10 s',
      'remove it, or write frontend: native',
    );
  }
  if (listener.limits.headBytes > UWS_HEAD_BYTES && collector.isWritten([...path, 'limits', 'headBytes'])) {
    collector.warn(
      [...path, 'limits', 'headBytes'],
      'is more than the uws front end takes',
      `uWebSockets.js closes connections whose head is over ${UWS_HEAD_BYTES} bytes and comes in several reads`,
    );
  }
  if (listener.limits.headers > UWS_HEADERS && collector.isWritten([...path, 'limits', 'headers'])) {
    collector.warn(
      [...path, 'limits', 'headers'],
      'is more than the uws front end takes',
      `uWebSockets.js takes ${UWS_HEADERS} header lines and closes the connection on more`,
    );
  }
  if (listener.accept === 'primary' && collector.isWritten([...path, 'accept'])) {
    collector.warn(
      [...path, 'accept'],
      'has no effect with the uws front end of this version: its workers share the port',
      'write reuseport, which says what happens, or frontend: native',
    );
  }
}

/** Warns of a listener of sessions. */
export function warnOfL4Listener(
  listener: L4Listener,
  path: Path,
  machine: Machine,
  collector: WarningCollector,
): void {
  warnOfTrust(listener, path, collector);
  warnOfAlpn(listener, path, collector);
  const routes = l4RoutesOf(listener);
  const readsPreface =
    listener.proxyProtocol || routes.some(({ match }) => match.sni !== ROUTE_SNI || match.alpn.length > 0);
  if (!readsPreface)
    warnOfUnreadPreface(listener.timeouts, 'it is for proxyProtocol, and for routes by sni and alpn', path, collector);
  const { sessionsPerClient, newSessionsPerClient } = listener.limits;
  warnOfAccepting(listener, { sessionsPerClient, newSessionsPerClient }, path, machine, collector);
}

/** @param purpose what would be read */
function warnOfUnreadPreface(
  timeouts: { readonly preface: number },
  purpose: string,
  path: Path,
  collector: WarningCollector,
): void {
  if (timeouts.preface === PREFACE_TIMEOUT_MS) return;
  const sentence = 'has no effect: nothing is read before the protocol of the client begins';
  collector.warn([...path, 'timeouts', 'preface'], sentence, purpose);
}

/** @param clientLimits the limits of one client, by their names in the file */
function warnOfAccepting(
  listener: Listener,
  clientLimits: Readonly<Record<string, ClientLimit>>,
  path: Path,
  machine: Machine,
  collector: WarningCollector,
): void {
  if (listener.bind.kind === 'unix') warnOfUnixSocket(listener, clientLimits, path, collector);
  else warnOfPort(listener.bind.port, [...path, 'bind'], machine, collector);
}

/** Warns of trustedProxies that name everybody. @param what that means */
function warnOfOpenTrust(
  { trustedProxies }: Pick<Listener, 'trustedProxies'>,
  what: string,
  path: Path,
  collector: WarningCollector,
): void {
  for (const [index, range] of trustedProxies.entries()) {
    if (range.endsWith('/0'))
      collector.warn([...path, 'trustedProxies', index], what, 'name the addresses of your proxies only');
  }
}

function warnOfTrust(listener: L4Listener, path: Path, collector: WarningCollector): void {
  const { trustedProxies, proxyProtocol, bind } = listener;
  const own = [...path, 'trustedProxies'];
  if (trustedProxies.length === 0) return;
  if (!proxyProtocol) {
    collector.warn(
      own,
      'has no effect: without proxyProtocol an l4 listener is told no addresses that it could believe',
      'add proxyProtocol: true where the proxies in front send the header, or remove it',
    );
    return;
  }
  if (bind.kind === 'unix') {
    collector.warn(
      own,
      'has no effect: who may connect to the UNIX socket is believed',
      'remove it; socketMode and the directory of the socket say who may connect',
    );
    return;
  }
  warnOfOpenTrust(listener, 'believes the PROXY header of every peer', path, collector);
}

function warnOfAlpn(listener: L4Listener, path: Path, collector: WarningCollector): void {
  for (const [index, { match }] of (listener.routes ?? []).entries()) {
    for (const [at, protocol] of match.alpn.entries()) {
      const nearest = KNOWN_PROTOCOLS.includes(protocol) ? null : nearestName(protocol, KNOWN_PROTOCOLS);
      if (nearest === null) continue;
      collector.warn(
        [...path, 'routes', index, 'match', 'alpn', at],
        `is ${protocol}, which is no registered protocol, but ${nearest} is`,
        'clients offer protocols by their exact registered name',
      );
    }
  }
}

/** A limit of one client: a number (0: none) or a rate. */
type ClientLimit = number | L4Listener['limits']['newSessionsPerClient'];

function warnOfUnixSocket(
  listener: Listener,
  clientLimits: Readonly<Record<string, ClientLimit>>,
  path: Path,
  collector: WarningCollector,
): void {
  const noTcp = 'has no effect on a UNIX socket: it is an option of TCP';
  if (listener.deferAccept !== DEFER_ACCEPT_MS) collector.warn([...path, 'deferAccept'], noTcp, 'remove it');
  if (!isDefaultKeepAlive(listener.keepAlive)) collector.warn([...path, 'keepAlive'], noTcp, 'remove it');
  if (listener.proxyProtocol) return;
  const whole = listener.mode === 'l4' ? 'sessions' : 'connections';
  for (const [key, limit] of Object.entries(clientLimits)) {
    if (limit === 0 || limit === 'unlimited') continue;
    collector.warn(
      [...path, 'limits', key],
      'has no effect on a UNIX socket: its clients have no address',
      `limits.${whole} holds for all together; with proxyProtocol clients have one`,
    );
  }
}

/** Warns of a port that this process may not listen on. */
export function warnOfPort(port: number, path: Path, machine: Machine, collector: WarningCollector): void {
  if (port === 0 || port >= machine.firstOpenPort) return;
  collector.warn(
    path,
    `uses port ${port}, which needs a privilege that this process does not have`,
    `use a port from ${machine.firstOpenPort} on, or give the process CAP_NET_BIND_SERVICE`,
  );
}
