/** Checks keys that are facts of clients' certificates: whether the listeners that use them learn such facts. */
import type { Findings } from './findings.js';
import { listOf } from './findings.js';
import { isSection } from './flags.js';
import type { Path } from './problem.js';
import { frontEndOf } from './schema/front-end.js';
import { isCertificateKey } from './schema/key-source.js';
import { modeOf } from './schema/mode.js';
import { valueAt } from './schema/walk.js';

type Section = Readonly<Record<string, unknown>>;

/**
 * Checks the plain values of all listeners and upstreams. A key of an upstream is refused where none of the listeners that lead there can
 * have it; where some can, the others get a warning.
 */
export function checkCertificateKeys(
  listeners: readonly unknown[],
  upstreams: Section | null,
  findings: Findings,
): void {
  const sections = listeners.filter(isSection);
  for (const [index, listener] of listeners.entries()) {
    if (!isSection(listener) || modeOf(listener) !== 'l7' || !servesRoutes(listener)) continue;
    const why = whyNoCertificates(listener);
    if (why === null) continue;
    for (const [at, route] of listOf(listener.routes).entries()) {
      const key = valueAt(route, ['splitKey']);
      if (valueAt(route, ['split']) === undefined || !isCertificateKey(key)) continue;
      findings.report(['listeners', index, 'routes', at, 'splitKey'], key, `is ${key}, but its listener ${why}`, HINT);
    }
  }
  for (const [name, upstream] of Object.entries(upstreams ?? {})) {
    const users = sections.filter((listener) => servesRoutes(listener) && upstreamNamesOf(listener).includes(name));
    const whys = users.map(whyNoCertificates);
    const [why] = whys;
    if (typeof why !== 'string' || whys.includes(null)) continue;
    for (const place of PLACES_OF_UPSTREAM) {
      const key = valueAt(upstream, place);
      if (!isCertificateKey(key)) continue;
      const whose = users.length === 1 ? 'its listener' : 'no listener that leads here learns it: the first one';
      findings.report(['upstreams', name, ...place], key, `is ${key}, but ${whose} ${why}`, HINT);
    }
  }
}

/** Where an upstream names a key. */
const PLACES_OF_UPSTREAM: readonly Path[] = [['hashKey'], ['affinity', 'key']];

const HINT = 'clientAuth: { ca: FILE } in the tls of the listener has clients show certificates; or write another key';

/** Why a listener never learns what its clients' certificates say; null: it does, or cannot be read. Pure. @param listener with or without defaults */
export function whyNoCertificates(listener: Section): string | null {
  const { tls } = listener;
  if (tls === undefined || tls === 'off') return 'has no tls';
  if (!isSection(tls)) return null;
  if (tls.clientAuth === undefined || tls.clientAuth === 'off') return 'asks for no certificates (tls.clientAuth)';
  if (modeOf(listener) === 'l7' && frontEndOf(listener) === 'uws')
    return 'has the uws front end, which does not tell what clients show';
  return null;
}

/** One that redirects every request sends none to an upstream. @param listener as it is written, or with `redirectToHttps` 0 for off */
export function servesRoutes({ redirectToHttps = 'off' }: Section): boolean {
  return redirectToHttps === 'off' || redirectToHttps === 0;
}

/** As upstreamsOf (schema/listener.ts), of values that nothing is known of. */
function upstreamNamesOf(listener: Section): readonly unknown[] {
  const routes = listOf(listener.routes).flatMap((route) => [
    valueAt(route, ['upstream']),
    ...listOf(valueAt(route, ['split'])).map((target) => valueAt(target, ['upstream'])),
    valueAt(route, ['fallback', 'upstream']),
  ]);
  return [listener.upstream, ...routes];
}
