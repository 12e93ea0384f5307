/** Schema of a listener of mode l4: where it listens, how its sessions are relayed and limited, and its routes. */
import { z } from 'zod';
import { HALF_CLOSE, LINGER_TIMEOUT_MS, RELAY, ROUTE_SNI, SESSION_IDLE_TIMEOUT_MS } from '../defaults.js';
import type { RelayName } from '../plan.js';
import {
  clientLimits,
  deferAccept,
  listenerAccessLog,
  prefaceTimeout,
  proxyProtocol,
  socketMode,
} from './accepting.js';
import { addressRange, choice, duration, fact, listenAddress, section } from './field.js';
import { keepAlive } from './keep-alive.js';
import { FOREIGN_MODES, MODES } from './mode.js';
import { listenerName, upstreamName } from './name.js';
import { alpnProtocol, serverName } from './server-name.js';
import { listenerTlsSchema } from './tls.js';

const HOUR_MS = 3_600_000;

/** Ways to relay. */
export const RELAYS = ['adaptive', 'copy', 'splice'] as const satisfies readonly RelayName[];

const timeoutsSchema = section(
  {
    sessionIdle: duration({
      minMs: 100,
      maxMs: 7 * 24 * HOUR_MS,
      description: 'Longest silence in both directions; after it the session ends. Keep-alive probes do not count.',
    }).default(SESSION_IDLE_TIMEOUT_MS),
    linger: duration({
      minMs: 100,
      maxMs: 24 * HOUR_MS,
      description: 'Longest silence once one side has finished (`halfClose`).',
    }).default(LINGER_TIMEOUT_MS),
    preface: prefaceTimeout(
      'What is read before a session is routed (PROXY header, ClientHello) must be there after this, counted from accept.',
    ),
  },
  'How long sessions may be silent.',
);

const { most, perClient, newPerClient } = clientLimits('sessions');

const limitsSchema = section(
  { sessions: most, sessionsPerClient: perClient, newSessionsPerClient: newPerClient },
  'How many sessions there may be, over all workers; a connection above a limit is closed with a reset.',
);

/** One route of an l4 listener. */
export const l4RouteSchema = section(
  {
    match: section(
      {
        sni: serverName({
          description:
            'Server name of the ClientHello: an exact name, `*.suffix` for all names below it, or `*` for any, also for none. The most specific name wins.',
        }).default(ROUTE_SNI),
        alpn: z
          .array(alpnProtocol({ description: 'An ALPN protocol.' }))
          .default([])
          .meta({
            description:
              'ALPN protocols, of which the ClientHello must offer one; empty: any or none. Of routes with the same `sni`, one with `alpn` wins over one without; among those, the first.',
          }),
      },
      'What the ClientHello of a TLS connection must offer; nothing is decrypted. Without it: the default, which takes all other connections, those without TLS too.',
    ).prefault({}),
    upstream: upstreamName({ description: 'Name of the upstream that gets the sessions.' }),
  },
  'A route: what it matches, and where its sessions go. A connection that no route matches is closed with a reset.',
);

/** A listener of sessions. */
export const l4ListenerSchema = section(
  {
    name: listenerName({ description: 'Name in logs, metrics and the admin API.' }),
    mode: choice({
      names: ['l4'],
      among: MODES,
      foreign: FOREIGN_MODES,
      description: '`l4`: connections are balanced, whatever they carry.',
    }),
    accept: choice({
      names: ['primary', 'reuseport'],
      description:
        'Who accepts connections: the primary, which hands each to the worker with the fewest open ones, or each worker for itself on a shared port (SO_REUSEPORT), which spreads them by chance. A UNIX socket cannot be shared.',
    }).default('primary'),
    bind: listenAddress({
      description:
        'Address to listen on. `:5432` is all IPv4 addresses; port 0 asks the system for a free one. `unix:/path` is a UNIX socket, `unix:@name` an abstract one, whose name clients must not pad with NUL bytes (Node 20 does).',
    }),
    socketMode: socketMode(),
    upstream: upstreamName({
      description:
        'Name of the upstream that gets all sessions: short for `routes` with this one. Either this or `routes`.',
    }).optional(),
    routes: z
      .array(l4RouteSchema)
      .min(1)
      .meta({
        description:
          'Where sessions go by what a TLS client asks for; the most specific match wins, whatever the order. Either this or `upstream`.',
      })
      .optional(),
    relay: choice({
      names: RELAYS,
      leftOut: {
        sockmap: 'sockmap is left out: the kernel promises no back-pressure there (docs/adr/0008-no-sockmap-relay.md)',
      },
      description:
        'How bytes are moved. `copy`: through a buffer; cheapest for small messages. `splice`: through pipes of the kernel; cheapest for much data. `adaptive`: each where it is cheaper.',
    }).default(RELAY),
    halfClose: fact({
      description:
        'The end of one side is passed on and the other direction goes on. `false`: it ends the session, once everything was delivered.',
    }).default(HALF_CLOSE),
    deferAccept: deferAccept(' Only for protocols in which the client speaks first.'),
    proxyProtocol: proxyProtocol(),
    trustedProxies: z
      .array(addressRange({ description: 'A range of addresses.' }))
      .default([])
      .meta({ description: 'Peers whose PROXY header is believed. Needed by `proxyProtocol`.' }),
    keepAlive: keepAlive({ description: 'TCP keep-alive of client connections; `off` to have none.' }),
    accessLog: listenerAccessLog(),
    tls: listenerTlsSchema,
    timeouts: timeoutsSchema.prefault({}),
    limits: limitsSchema.prefault({}),
  },
  'A listener of mode `l4`: sessions go to upstreams, byte for byte, over TCP or UNIX sockets.',
);

export type L4Listener = z.output<typeof l4ListenerSchema>;

type L4Route = z.output<typeof l4RouteSchema>;

/** The routes of a listener, whichever way they are written: `upstream` is short for the default route alone. Pure. */
export function l4RoutesOf(listener: L4Listener): readonly L4Route[] {
  if (listener.upstream === undefined) return listener.routes ?? [];
  return [{ match: { sni: ROUTE_SNI, alpn: [] }, upstream: listener.upstream }];
}
