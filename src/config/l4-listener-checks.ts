/** Checks what the settings of one l4 listener mean together: its target, its routes, and how it accepts. */
import { checkAccepting } from './accepting-checks.js';
import type { ListenAddress } from './address.js';
import { ROUTE_SNI } from './defaults.js';
import { type Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import type { Path } from './problem.js';

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
  checkAccepting(listener, address, path, findings);
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
