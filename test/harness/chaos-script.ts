/** What one chaos session does on both of its sides: made by the client from its rng, sent as the session's first bytes. */
import type { Rng } from '../../src/core/rng.js';

/** How the client's side goes on and ends. */
export const CLIENT_WAYS = [
  /** Sends everything and its end (FIN), then reads to the endpoint's end. */
  'half-close',
  /** Reads the whole echo before it ends. */
  'wait',
  /** Resets the connection (RST) at some byte. */
  'reset',
  /** Closes at some byte, whatever lies unread. */
  'abrupt',
  /** Is gone before it has sent anything. */
  'silent',
] as const;
export type ClientWay = (typeof CLIENT_WAYS)[number];

/** How the endpoint's side goes on and ends. */
export const ENDPOINT_WAYS = [
  /** Sends everything back and ends when the client has. */
  'echo',
  /** Sends the first bytes back, then its end; reads on to the client's end. */
  'half-close',
  /** Resets the connection (RST) at some byte. */
  'reset',
  /** Closes at some byte, whatever lies unread. */
  'abrupt',
] as const;
export type EndpointWay = (typeof ENDPOINT_WAYS)[number];

export interface ChaosScript {
  readonly client: ClientWay;
  readonly endpoint: EndpointWay;
  /** Pauses now and then, so that the other side meets back-pressure. */
  readonly isClientSlow: boolean;
  readonly isEndpointSlow: boolean;
  /** Says what the body's bytes are. */
  readonly seed: number;
  /** Bytes that the client sends behind the script. */
  readonly bodyBytes: number;
  /** Client: bytes sent and received after which it breaks. */
  readonly clientBreakBytes: number;
  /** Endpoint: bytes received after which it breaks, or how many it sends back before its end; at most bodyBytes. */
  readonly endpointBreakBytes: number;
}

export const SCRIPT_BYTES = 24;

const MAGIC = 0x43_68_61_6f; // 'Chao'

/** One session in so many misbehaves on that side. */
const MISBEHAVES_ONE_IN = 2;
const SLOW_ONE_IN = 5;
/** Most sessions are small; one in so many may be as large as `maxBodyBytes`. */
const LARGE_ONE_IN = 6;
const SMALL_BODY_BYTES = 4096;

/** @param maxBodyBytes at most BODY_LIMIT_BYTES */
export function randomScript(rng: Rng, maxBodyBytes: number): ChaosScript {
  const bodyBytes = rng.below(
    (rng.below(LARGE_ONE_IN) === 0 ? maxBodyBytes : Math.min(SMALL_BODY_BYTES, maxBodyBytes)) + 1,
  );
  return {
    client: oneOf(rng, rng.below(MISBEHAVES_ONE_IN) === 0 ? CLIENT_WAYS : (['half-close', 'wait'] as const)),
    endpoint: rng.below(MISBEHAVES_ONE_IN) === 0 ? oneOf(rng, ENDPOINT_WAYS) : 'echo',
    isClientSlow: rng.below(SLOW_ONE_IN) === 0,
    isEndpointSlow: rng.below(SLOW_ONE_IN) === 0,
    seed: rng.nextBits(),
    bodyBytes,
    clientBreakBytes: rng.below(2 * bodyBytes + 1),
    endpointBreakBytes: rng.below(bodyBytes + 1),
  };
}

/** Does neither side break the session on purpose? Then every byte arrives, and both sides see an end, not a reset. */
export function isIntact({ client, endpoint }: ChaosScript): boolean {
  return (client === 'half-close' || client === 'wait') && (endpoint === 'echo' || endpoint === 'half-close');
}

/** Bytes that the client receives where nobody breaks the session. */
export function echoedBytes(script: ChaosScript): number {
  return script.endpoint === 'half-close' ? script.endpointBreakBytes : script.bodyBytes;
}

export function writeScript(script: ChaosScript): Buffer {
  const bytes = Buffer.alloc(SCRIPT_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt8(CLIENT_WAYS.indexOf(script.client), 4);
  bytes.writeUInt8(ENDPOINT_WAYS.indexOf(script.endpoint), 5);
  bytes.writeUInt8(Number(script.isClientSlow), 6);
  bytes.writeUInt8(Number(script.isEndpointSlow), 7);
  bytes.writeUInt32BE(script.seed, 8);
  bytes.writeUInt32BE(script.bodyBytes, 12);
  bytes.writeUInt32BE(script.clientBreakBytes, 16);
  bytes.writeUInt32BE(script.endpointBreakBytes, 20);
  return bytes;
}

/** @returns undefined where the bytes are no script */
export function readScript(bytes: Buffer): ChaosScript | undefined {
  if (bytes.length !== SCRIPT_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined;
  const client = CLIENT_WAYS[bytes.readUInt8(4)];
  const endpoint = ENDPOINT_WAYS[bytes.readUInt8(5)];
  if (client === undefined || endpoint === undefined) return undefined;
  return {
    client,
    endpoint,
    isClientSlow: bytes.readUInt8(6) === 1,
    isEndpointSlow: bytes.readUInt8(7) === 1,
    seed: bytes.readUInt32BE(8),
    bodyBytes: bytes.readUInt32BE(12),
    clientBreakBytes: bytes.readUInt32BE(16),
    endpointBreakBytes: bytes.readUInt32BE(20),
  };
}

/**
 * Sent where a side saw an end and should have seen a reset. libuv tells a reset as an end when bytes came with it (EPOLLHUP with a
 * partial read); writing tells them apart: it fails at once on a connection that was reset.
 */
export const PROBE = Buffer.from('?');

/** A line for people that says what a session was. */
export function scriptLine(script: ChaosScript): string {
  return `client ${script.client}${script.isClientSlow ? ' (slow)' : ''} at ${script.clientBreakBytes}, endpoint ${script.endpoint}${
    script.isEndpointSlow ? ' (slow)' : ''
  } at ${script.endpointBreakBytes}, body ${script.bodyBytes}, seed ${script.seed}`;
}

function oneOf<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.below(items.length)] as Item; // below() stays below the length
}
