/** Schema of a listener of mode l7: where it listens, what it speaks, what it tolerates, and its routes. */
import { z } from 'zod';
import {
  BODY_IDLE_TIMEOUT_MS,
  CLIENT_KEEP_ALIVE_MS,
  MODE,
  REQUEST_BODY_BYTES,
  REQUEST_HEAD_BYTES,
  REQUEST_HEAD_TIMEOUT_MS,
  REQUEST_HEADERS,
  TUNNEL_IDLE_TIMEOUT_MS,
} from '../defaults.js';
import { addressRange, bindAddress, choice, duration, section, size, wholeNumber } from './field.js';
import { routeSchema } from './l7-route.js';
import { FOREIGN_MODES, MODES } from './mode.js';
import { listenerName } from './name.js';

const HOUR_MS = 3_600_000;

/** Largest head that the engine has scratch space for (engine.ts, SendResult.HEAD_TOO_LARGE). */
const HEAD_BYTES_MAX = 64 * 1024;

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
  },
  'How long clients may take. The `uws` front end has fixed times of its own (10 s); these are for the native one.',
);

const limitsSchema = section(
  {
    headBytes: size({
      minBytes: 1024,
      maxBytes: HEAD_BYTES_MAX,
      description: 'Largest request head; larger ones are answered 431.',
    }).default(REQUEST_HEAD_BYTES),
    headers: wholeNumber({
      min: 1,
      max: 1000,
      description: 'Most header lines of a request; more are answered 431.',
    }).default(REQUEST_HEADERS),
    bodyBytes: size({
      minBytes: 0,
      maxBytes: 1024 ** 4,
      unlimited: true,
      description: 'Largest request body; larger ones are answered 413.',
    }).default(REQUEST_BODY_BYTES),
  },
  'How much clients may send.',
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
      names: ['uws'],
      later: ['native'],
      description: "What speaks the client's protocol: `uws` (uWebSockets.js).",
    }).default('uws'),
    accept: choice({
      names: ['primary', 'reuseport'],
      description:
        'Who accepts connections: the primary, which hands them to the workers in turn, or each worker for itself on a shared port (SO_REUSEPORT). The primary can where uWebSockets.js 20.56 or later loads (glibc 2.38); with an older one the workers share the port in both cases.',
    }).default('primary'),
    bind: bindAddress({
      description: 'Address to listen on. `:8080` is all IPv4 addresses; port 0 asks the system for a free one.',
    }),
    trustedProxies: z
      .array(addressRange({ description: 'A range of addresses.' }))
      .default([])
      .meta({ description: "Peers whose `X-Forwarded-*` and `X-Request-Id` are believed; all others' are replaced." }),
    timeouts: timeoutsSchema.prefault({}),
    limits: limitsSchema.prefault({}),
    routes: z
      .array(routeSchema)
      .min(1)
      .meta({ description: 'Where requests go; the most specific match wins, whatever the order.' }),
  },
  'A listener of mode `l7`: HTTP requests go to upstreams by host and path.',
);

export type L7Listener = z.output<typeof l7ListenerSchema>;
