/** Schema of HTTP/2: what clients may do, how endpoints are spoken to. */
import type { z } from 'zod';
import {
  ENDPOINT_CONNECTION_WINDOW_BYTES,
  ENDPOINT_HTTP2_STREAMS,
  ENDPOINT_PING_MS,
  ENDPOINT_STREAM_WINDOW_BYTES,
  HTTP2_ACK_TIMEOUT_MS,
  HTTP2_CONNECTION_WINDOW_BYTES,
  HTTP2_CONTINUATIONS,
  HTTP2_CONTROL_FRAMES,
  HTTP2_RESETS,
  HTTP2_STREAM_WINDOW_BYTES,
  HTTP2_STREAMS,
} from '../tls-defaults.js';
import { duration, fact, section, size, wholeNumber } from './field.js';

const HOUR_MS = 3_600_000;

/** A number at once, and one a second. */
function rate(things: string, description: string, defaults: { burst: number; perSecond: number }) {
  return section(
    {
      burst: wholeNumber({ min: 1, max: 1_000_000, description: `${things} at once.` }).default(defaults.burst),
      perSecond: wholeNumber({ min: 1, max: 1_000_000, description: `${things} a second, in the long run.` }).default(
        defaults.perSecond,
      ),
    },
    description,
  ).prefault({});
}

const windows = (stream: number, connection: number, whose: string, more = '') => ({
  streamWindow: size({
    minBytes: 1024,
    maxBytes: 16 * 1024 ** 2,
    description: `Bytes of a stream that ${whose} may send ahead.`,
  }).default(stream),
  connectionWindow: size({
    minBytes: 65_536,
    maxBytes: 1024 ** 3,
    description: `Bytes of a connection that ${whose} may send ahead.${more}`,
  }).default(connection),
});

/** HTTP/2 of an l7 listener. */
export const listenerHttp2Schema = section(
  {
    clearText: fact({
      description:
        'Connections without TLS may begin with HTTP/2 at once (h2c with prior knowledge). Where the client is not trusted, TLS with ALPN is the way.',
    }).default(false),
    streams: wholeNumber({
      min: 1,
      max: 10_000,
      description: 'Most streams of a connection at the same time; further ones are refused.',
    }).default(HTTP2_STREAMS),
    ...windows(HTTP2_STREAM_WINDOW_BYTES, HTTP2_CONNECTION_WINDOW_BYTES, 'clients'),
    resets: rate('Resets', 'Streams that a client may reset (rapid reset, CVE-2023-44487).', HTTP2_RESETS),
    continuations: wholeNumber({
      min: 1,
      max: 1_000,
      description: 'CONTINUATION frames of one head (CONTINUATION flood).',
    }).default(HTTP2_CONTINUATIONS),
    controlFrames: rate(
      'Frames',
      'Frames of a client that bring nothing: SETTINGS, PING, PRIORITY, empty DATA, WINDOW_UPDATE (floods of these).',
      HTTP2_CONTROL_FRAMES,
    ),
    ackTimeout: duration({
      minMs: 1_000,
      maxMs: HOUR_MS,
      off: true,
      description: 'SETTINGS must be acknowledged after this.',
    }).default(HTTP2_ACK_TIMEOUT_MS),
  },
  'HTTP/2 with clients, over TLS where `tls.alpn` has h2. A client that passes a limit loses its connection (GOAWAY). `native` only.',
);

/** HTTP/2 to endpoints. */
export const upstreamHttp2Schema = section(
  {
    streams: wholeNumber({
      min: 1,
      max: 10_000,
      description:
        'Most streams of a connection; the endpoint’s own limit counts, too. Above it another connection is made.',
    }).default(ENDPOINT_HTTP2_STREAMS),
    ...windows(
      ENDPOINT_STREAM_WINDOW_BYTES,
      ENDPOINT_CONNECTION_WINDOW_BYTES,
      'endpoints',
      ' Streams whose clients do not read keep their part of it: below `streams` times `streamWindow` they may hold others up, and another connection is made.',
    ),
    ping: duration({
      minMs: 1_000,
      maxMs: HOUR_MS,
      off: true,
      description:
        'A connection with open streams that has been silent for so long is asked (PING), and closed if it stays silent for as long again.',
    }).default(ENDPOINT_PING_MS),
  },
  'HTTP/2 to endpoints, with `protocol` h2 or auto.',
);

export type ListenerHttp2 = z.output<typeof listenerHttp2Schema>;
export type UpstreamHttp2 = z.output<typeof upstreamHttp2Schema>;
