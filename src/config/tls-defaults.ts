/** Defaults of TLS and HTTP/2. The others are in defaults.ts. */

/** Oldest version: Mozilla's intermediate profile (version 5.7), which all clients of the last ten years speak. */
export const TLS_MIN_VERSION = '1.2' as const;

/** TLS 1.2 cipher suites of that profile, without those of finite-field Diffie-Hellman, which cost more and which no client alone has. */
export const TLS_CIPHERS =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';

/** All suites of TLS 1.3 in that profile. */
export const TLS_CIPHER_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';

/** Curves of that profile. */
export const TLS_CURVES = 'X25519:prime256v1:secp384r1';

/** Certificates between a client's and its authority: OpenSSL's own 100 lets one handshake cost hundreds of signatures; nginx has 1. */
export const CLIENT_AUTH_DEPTH = 4;

/** Ticket keys are renewed twice a day, and read for as long again: a stolen key opens at most a day. RFC 8446 section 4.6.1 allows 7 days. */
export const TICKET_ROTATE_MS = 12 * 3_600_000;

/** Sessions without tickets are not kept: all clients of today have tickets; nginx keeps none either. */
export const SESSION_CACHE = 0;

/** A handshake must be complete after this: nginx has 60 s, HAProxy what `timeout client` says; three round trips of the worst links take 3 s. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Handshakes in progress in one worker: each holds some 42 KiB, measured with clients that stop in their hello; a processor ends some 3,000 a second. */
export const HANDSHAKES = 4_000;

/**
 * ... of one client address in one worker: half of them. Whole networks stand behind one address, and so does a balancer in front that
 * sends no PROXY header; with 500, a burst of 800 connections from there lost a third.
 */
export const HANDSHAKES_PER_CLIENT = 2_000;

/** Renewal with a third of the usual 90 days left, as Let's Encrypt asks for. */
export const ACME_RENEW_BEFORE_MS = 30 * 86_400_000;

/** Streams of a client's connection: RFC 9113 section 6.5.2 advises at least 100; nginx has 128, HAProxy and Envoy 100. */
export const HTTP2_STREAMS = 128;

/** Window of a stream: 64 KiB hold a request back at once; nginx has 64 KiB of preread. RFC 9113's own is one byte less. */
export const HTTP2_STREAM_WINDOW_BYTES = 65_536;

/** Window of a connection: all that one client makes a worker hold, 16 whole streams. */
export const HTTP2_CONNECTION_WINDOW_BYTES = 1024 * 1024;

/** Streams that a client may reset: browsers leave pages with at most all of their streams, many times in a row; nghttp2 has 1,000 and 33. */
export const HTTP2_RESETS = { burst: 1_000, perSecond: 33 } as const;

/** CONTINUATION frames of a header block: a head of 64 KiB in frames of 16 KiB has four; nghttp2 has 8. */
export const HTTP2_CONTINUATIONS = 8;

/** Frames that cost work and bring nothing: some for each stream is normal (WINDOW_UPDATE, PRIORITY), more is a flood. */
export const HTTP2_CONTROL_FRAMES = { burst: 10_000, perSecond: 1_000 } as const;

/** SETTINGS must be acknowledged after this. */
export const HTTP2_ACK_TIMEOUT_MS = 30_000;

/** Streams of one connection to an endpoint: most servers allow 100 to 128. */
export const ENDPOINT_HTTP2_STREAMS = 100;

/** Windows of what endpoints send; more than the product of bandwidth and round trip inside a data centre. */
export const ENDPOINT_STREAM_WINDOW_BYTES = 256 * 1024;

/**
 * Window of a connection to an endpoint: above all that its streams may hold for clients that do not read (100 of 256 KiB), so that these
 * never hold the others up.
 */
export const ENDPOINT_CONNECTION_WINDOW_BYTES = 32 * 1024 * 1024;

/** Endpoints are asked whether they are there after this silence with streams open; gRPC's own lowest allowed is 10 s, and servers refuse many pings. */
export const ENDPOINT_PING_MS = 30_000;

/** HTTP/1.1 to endpoints, as nginx, HAProxy and Envoy do unless told. */
export const ENDPOINT_PROTOCOL = 'h1' as const;
