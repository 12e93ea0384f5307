/** Schema of a listener of mode l7: where it listens, what it speaks, what it tolerates, and its routes. */
import { z } from 'zod';
import {
  BODY_IDLE_TIMEOUT_MS,
  CLIENT_KEEP_ALIVE_MS,
  EXPLAIN,
  FRONT_END,
  MIN_BODY_RATE,
  MODE,
  REQUEST_BODY_BYTES,
  REQUEST_HEAD_BYTES,
  REQUEST_HEAD_TIMEOUT_MS,
  REQUEST_HEADERS,
  REQUEST_TARGET_BYTES,
  REQUESTS_PER_CONNECTION,
  TUNNEL_IDLE_TIMEOUT_MS,
  WRITE_STALL_TIMEOUT_MS,
} from '../defaults.js';
import {
  clientLimits,
  deferAccept,
  listenerAccessLog,
  prefaceTimeout,
  proxyProtocol,
  socketMode,
} from './accepting.js';
import { addressRange, choice, duration, listenAddress, section, size, wholeNumber } from './field.js';
import { FRONT_ENDS } from './front-end.js';
import { hsts } from './hsts.js';
import { listenerHttp2Schema } from './http2.js';
import { keepAlive } from './keep-alive.js';
import { routeSchema } from './l7-route.js';
import { FOREIGN_MODES, MODES } from './mode.js';
import { listenerName } from './name.js';
import { listenerTlsSchema } from './tls.js';

const HOUR_MS = 3_600_000;

/** Largest head that the engine has scratch space for (engine.ts, SendResult.HEAD_TOO_LARGE). */
const HEAD_BYTES_MAX = 64 * 1024;

/** What routes are, for the reference and for listeners that lack them. */
export const ROUTES_DESCRIPTION = 'Where requests go; the most specific match wins, whatever the order.';

const timeoutsSchema = section(
  {
    requestHead: duration({
      minMs: 100,
      maxMs: HOUR_MS,
      description: 'A request head must be complete after this, counted from its first byte.',
    }).default(REQUEST_HEAD_TIMEOUT_MS),
    bodyIdle: duration({ minMs: 100, maxMs: HOUR_MS, description: 'Longest silence inside a request body.' }).default(
      BODY_IDLE_TIMEOUT_MS,
    ),
    keepAlive: duration({
      minMs: 100,
      maxMs: 24 * HOUR_MS,
      description: 'An idle client connection is closed after this.',
    }).default(CLIENT_KEEP_ALIVE_MS),
    tunnelIdle: duration({
      minMs: 1_000,
      maxMs: 7 * 24 * HOUR_MS,
      description: 'Longest silence of an upgraded connection (WebSocket).',
    }).default(TUNNEL_IDLE_TIMEOUT_MS),
    writeStall: duration({
      minMs: 100,
      maxMs: 24 * HOUR_MS,
      description: 'A client that takes nothing of what lies ready for it is cut off after this. `native` only.',
    }).default(WRITE_STALL_TIMEOUT_MS),
    preface: prefaceTimeout(
      'The PROXY header (`proxyProtocol`) must be there after this, counted from accept. `native` only.',
    ),
  },
  'How long clients may take. The `uws` front end has fixed times of its own (10 s); these are for the native one.',
);

const { most, perClient, newPerClient } = clientLimits('connections');

const limitsSchema = section(
  {
    headBytes: size({
      minBytes: 1024,
      maxBytes: HEAD_BYTES_MAX,
      description: 'Largest request head; larger ones are answered 431.',
    }).default(REQUEST_HEAD_BYTES),
    targetBytes: size({
      minBytes: 64,
      maxBytes: HEAD_BYTES_MAX,
      description: 'Longest request line, at most `headBytes`; longer ones are answered 414. `native` only.',
    }).default(REQUEST_TARGET_BYTES),
    headers: wholeNumber({
      min: 1,
      max: 1000,
      description: 'Most header lines of a request; more are answered 431.',
    }).default(REQUEST_HEADERS),
    bodyBytes: size({
      minBytes: 0,
      maxBytes: 1024 ** 4,
      word: { text: 'unlimited', value: Number.POSITIVE_INFINITY },
      description: 'Largest request body; larger ones are answered 413.',
    }).default(REQUEST_BODY_BYTES),
    minBodyRate: size({
      minBytes: 1,
      maxBytes: 1024 ** 3,
      word: { text: 'off', value: 0 },
      description:
        'Bytes a second that a request body has to come with, on average, after its first 5 s; slower ones are answered 408. `native` only.',
    }).default(MIN_BODY_RATE),
    requestsPerConnection: wholeNumber({
      min: 1,
      max: 1_000_000_000,
      word: { text: 'unlimited', value: 0 },
      description: 'Requests after which a client connection is closed, in order. `native` only.',
    }).default(REQUESTS_PER_CONNECTION),
    connections: most,
    connectionsPerClient: perClient,
    newConnectionsPerClient: newPerClient,
  },
  'How much clients may send. The limits of connections hold over all workers, and are for the `native` front end only: a connection above one is closed with a reset.',
);

/** A listener of HTTP requests. */
export const l7ListenerSchema = section(
  {
    name: listenerName({ description: 'Name in logs, metrics and the admin API.' }),
    mode: choice({
      names: ['l7'],
      among: MODES,
      foreign: FOREIGN_MODES,
      description: '`l7`: HTTP requests are balanced.',
    }).default(MODE),
    frontend: choice({
      names: FRONT_ENDS,
      description:
        "What speaks the client's protocol: `native` (HTTP/1.1 in sluice's own engine) or `uws` (uWebSockets.js, with the limits of docs/frontend-uws.md).",
    }).default(FRONT_END),
    accept: choice({
      names: ['primary', 'reuseport'],
      description:
        'Who accepts connections: the primary, which hands each to the worker with the fewest open ones (`uws`: to the workers in turn), or each worker for itself on a shared port (SO_REUSEPORT). A UNIX socket cannot be shared. With `uws` the primary can where uWebSockets.js 20.56 or later loads (glibc 2.38); with an older one the workers share the port in both cases.',
    }).default('primary'),
    bind: listenAddress({
      description:
        'Address to listen on. `:8080` is all IPv4 addresses; port 0 asks the system for a free one. With `native` also `unix:/path`, a UNIX socket, or `unix:@name`, an abstract one.',
    }),
    socketMode: socketMode(),
    deferAccept: deferAccept(' `native` only.'),
    proxyProtocol: proxyProtocol(),
    trustedProxies: z
      .array(addressRange({ description: 'A range of addresses.' }))
      .default([])
      .meta({ description: "Peers whose `X-Forwarded-*` and `X-Request-Id` are believed; all others' are replaced." }),
    keepAlive: keepAlive({
      description: 'TCP keep-alive of client connections; `off` to have none. `native` only.',
    }),
    explain: choice({
      names: ['off', 'header'],
      description:
        '`header`: answers tell in `X-Sluice-Explain` why their endpoint was picked, with the names of endpoints: for debugging, not for the public.',
    }).default(EXPLAIN),
    accessLog: listenerAccessLog(),
    tls: listenerTlsSchema,
    http2: listenerHttp2Schema.prefault({}),
    redirectToHttps: wholeNumber({
      min: 1,
      max: 65_535,
      word: { text: 'off', value: 0 },
      description:
        'Every request is answered with 308 to the same URL with https and this port (443 is left out). Challenges of ACME are answered before. Not with `tls`.',
    }).default(0),
    hsts: hsts({
      description:
        'Answers say Strict-Transport-Security (RFC 6797), in place of what endpoints say: browsers come by TLS only for so long. Needs `tls`.',
    }).default(''),
    timeouts: timeoutsSchema.prefault({}),
    limits: limitsSchema.prefault({}),
    routes: z
      .array(routeSchema)
      .min(1)
      .meta({ description: `${ROUTES_DESCRIPTION} May be left out beside \`redirectToHttps\`.` })
      .optional(),
  },
  'A listener of mode `l7`: HTTP requests go to upstreams by host and path.',
);

export type L7Listener = z.output<typeof l7ListenerSchema>;
