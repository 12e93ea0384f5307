/** Warns of settings of TLS and HTTP/2 that are accepted but will not do what their author may expect. */
import { isDeepStrictEqual } from 'node:util';
import { ROUTE_SNI } from './defaults.js';
import type { Path } from './problem.js';
import { listenerHttp2Schema, upstreamHttp2Schema } from './schema/http2.js';
import { type L4Listener, l4RoutesOf } from './schema/l4-listener.js';
import type { L7Listener } from './schema/l7-listener.js';
import type { Listener } from './schema/listener.js';
import type { Upstream } from './schema/upstream.js';
import type { WarningCollector } from './warning-collector.js';

/** Warns of TLS of one listener. @param all listeners of the configuration, this one too */
export function warnOfListenerTls(
  listener: Listener,
  path: Path,
  all: readonly Listener[],
  collector: WarningCollector,
): void {
  const { tls } = listener;
  if (tls !== 'off' && tls.acme?.challenge === 'http-01' && !all.some(answersHttp)) {
    collector.warn(
      [...path, 'tls', 'acme', 'challenge'],
      'is http-01, but no l7 listener without tls is there to answer',
      'add one on port 80, e.g. with redirectToHttps: 443; or write tls-alpn-01',
    );
  }
  if (listener.mode === 'l4') warnOfProtocols(listener, path, collector);
  else warnOfHttp2(listener, path, collector);
}

/** Warns of TLS and HTTP/2 of one upstream. @param users listeners with a route to it */
export function warnOfUpstreamTls(
  upstream: Upstream,
  path: Path,
  users: readonly Listener[],
  collector: WarningCollector,
): void {
  const { tls, protocol, http2 } = upstream;
  if (tls !== 'off') {
    if (!tls.verify) {
      collector.warn(
        [...path, 'tls', 'verify'],
        'is false: whoever stands between sluice and the endpoints can read and change everything',
        'name the authority of the endpoints with ca, and their name with serverName where it is not the address',
      );
    }
    for (const listener of users.filter(passesTls)) {
      collector.warn(
        [...path, 'tls'],
        `wraps what the l4 listener ${listener.name} passes on in TLS once more: it routes by what TLS clients ask for, and does not decrypt`,
        `add tls to that listener, which ends the clients' TLS, or remove it here`,
      );
    }
  }
  const isForL7 = users.some(({ mode }) => mode === 'l7') || users.length === 0;
  const isOther = !isDeepStrictEqual(http2, upstreamHttp2Schema.parse({}));
  if (isForL7 && protocol === 'h1' && isOther)
    collector.warn([...path, 'http2'], 'has no effect: protocol is h1', 'write protocol: h2 or auto, or remove it');
}

/** Settings of an upstream that count for exchanges only, and whether they are others than the defaults. */
export function exchangeProtocolSettings({
  protocol,
  http2,
}: Pick<Upstream, 'protocol' | 'http2'>): readonly (readonly [path: Path, isChosen: boolean])[] {
  return [
    [['protocol'], protocol !== 'h1'],
    [['http2'], !isDeepStrictEqual(http2, upstreamHttp2Schema.parse({}))],
  ];
}

function answersHttp(listener: Listener): boolean {
  return listener.mode === 'l7' && listener.tls === 'off';
}

/** Does it look at a ClientHello and pass it on? */
function passesTls(listener: Listener): boolean {
  if (listener.mode !== 'l4' || listener.tls !== 'off') return false;
  return l4RoutesOf(listener).some(({ match }) => match.sni !== ROUTE_SNI || match.alpn.length > 0);
}

/** A listener that ends TLS agrees on a protocol of its own list: routes by others are never taken. */
function warnOfProtocols(listener: L4Listener, path: Path, collector: WarningCollector): void {
  const { tls } = listener;
  if (tls === 'off') return;
  const agreed = tls.alpn ?? [];
  for (const [index, { match }] of (listener.routes ?? []).entries()) {
    for (const [at, protocol] of match.alpn.entries()) {
      if (agreed.includes(protocol)) continue;
      collector.warn(
        [...path, 'routes', index, 'match', 'alpn', at],
        `is ${protocol}, which this listener agrees on with nobody: it is not in tls.alpn`,
        `add it there: alpn: [ ${[...agreed, protocol].join(', ')} ]`,
      );
    }
  }
}

function warnOfHttp2(listener: L7Listener, path: Path, collector: WarningCollector): void {
  if (listener.frontend === 'uws') return;
  const { tls, http2 } = listener;
  const isSpoken = http2.clearText || (tls !== 'off' && (tls.alpn?.includes('h2') ?? true));
  if (isSpoken || isDeepStrictEqual(http2, listenerHttp2Schema.parse({}))) return;
  collector.warn(
    [...path, 'http2'],
    'has no effect: no client can begin with HTTP/2 here',
    tls === 'off' ? 'add tls, or http2.clearText: true' : 'add h2 to tls.alpn',
  );
}
