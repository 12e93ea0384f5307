/** Checks what the settings of one l4 listener mean together: its target, its routes, its socket, and whom it believes. */
import type { ListenAddress } from './address.js';
import { ROUTE_SNI, SOCKET_MODE } from './defaults.js';
import { type Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import type { Path } from './problem.js';
import { formatFileMode } from './schema/field.js';

type Section = Readonly<Record<string, unknown>>;

/** Checks the plain values of one listener. Values that the schema refuses are passed over. @param address null: malformed */
export function checkL4Listener(
  listener: Section,
  address: ListenAddress | null,
  path: Path,
  findings: Findings,
): void {
  checkTarget(listener, path, findings);
  checkRoutes(listOf(listener.routes), [...path, 'routes'], findings);
  if (address === null) return;
  checkSocket(listener, address, path, findings);
  checkTrust(listener, address, path, findings);
}

/** Either `upstream` or `routes`. */
function checkTarget(listener: Section, path: Path, findings: Findings): void {
  const own = [...path, 'upstream'];
  const { upstream, routes } = listener;
  if (upstream === undefined && routes === undefined) {
    findings.report(
      own,
      undefined,
      'is missing: it must be the name of an upstream',
      'or write routes, which tell TLS clients apart by server name and ALPN',
    );
  } else if (upstream !== undefined && routes !== undefined) {
    const name = typeof upstream === 'string' ? upstream : '…';
    findings.report(
      own,
      upstream,
      'stands beside routes, and only one of the two may',
      `for all other connections add a route without match: { upstream: ${name} }`,
    );
  }
}

/** A server name with an ALPN protocol may stand in one route only: in a second one it would never be taken. */
function checkRoutes(routes: readonly unknown[], path: Path, findings: Findings): void {
  const taken = new Map<string, Path>();
  for (const [index, route] of routes.entries()) {
    if (!isSection(route)) continue;
    const match = isSection(route.match) ? route.match : {};
    const sni = match.sni ?? ROUTE_SNI;
    if (typeof sni !== 'string') continue;
    const own = [...path, index];
    if (listOf(match.alpn).length === 0) {
      const sentence =
        sni === ROUTE_SNI
          ? 'matches every connection, as another route does'
          : `matches the server name ${sni}, which is what another route matches`;
      findings.claim(taken, sni.toLowerCase(), own, sentence, 'remove one of the two: it would never be taken');
    }
    for (const [at, protocol] of listOf(match.alpn).entries()) {
      if (typeof protocol !== 'string') continue;
      findings.claim(
        taken,
        `${sni.toLowerCase()} ${protocol}`,
        [...own, 'match', 'alpn', at],
        `is ${protocol} for the server name ${sni}, which is taken already`,
        'name each protocol of a server name once',
      );
    }
  }
}

function checkSocket(listener: Section, address: ListenAddress, path: Path, findings: Findings): void {
  if (address.kind === 'unix' && listener.accept === 'reuseport') {
    findings.report(
      [...path, 'accept'],
      listener.accept,
      'is reuseport, but a UNIX socket cannot be shared by several acceptors',
      'write accept: primary, which is the default',
    );
  }
  // The default stands in every printed configuration, where it harms nobody.
  if (listener.socketMode === undefined || listener.socketMode === formatFileMode(SOCKET_MODE)) return;
  if (address.kind === 'unix' && address.path.startsWith('/')) return;
  findings.report(
    [...path, 'socketMode'],
    listener.socketMode,
    address.kind === 'unix'
      ? 'has nothing to hold for: an abstract socket has no file'
      : 'has nothing to hold for: this listener has no UNIX socket',
    address.kind === 'unix' ? 'remove it, or write bind: unix:/path' : 'remove it',
  );
}

/**
 * A header of every connection that is believed from none would put all clients behind one address: limits of a client would hit
 * all of them together, and endpoints would be told the proxy's address. No configuration can want that, hence no mere warning.
 * Over a UNIX socket the file's permissions say who is believed.
 */
function checkTrust(listener: Section, address: ListenAddress, path: Path, findings: Findings): void {
  const { proxyProtocol, trustedProxies = [] } = listener;
  if (proxyProtocol !== true || address.kind === 'unix') return;
  if (!Array.isArray(trustedProxies) || trustedProxies.length > 0) return;
  findings.report(
    [...path, 'proxyProtocol'],
    proxyProtocol,
    'is true, but there are no trustedProxies, so nobody would be believed',
    'name the addresses of the proxies in front: trustedProxies: [ 10.0.0.0/8 ]',
  );
}
