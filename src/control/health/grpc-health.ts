/** The messages of grpc.health.v1.Health/Check, on the wire (grpc/grpc health checking protocol; Protocol Buffers encoding; gRPC over HTTP/2). */

/** Path of the call. */
export const HEALTH_CHECK_PATH = '/grpc.health.v1.Health/Check';

/** Names of ServingStatus, by number. */
const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type ServingStatus = (typeof SERVING_STATUSES)[number];

/** Tag of field 1: of HealthCheckRequest.service (length-delimited) and of HealthCheckResponse.status (varint). */
const SERVICE_TAG = 0x0a;
const STATUS_FIELD = 1;

/** In front of each message of gRPC: a byte that says whether it is compressed, and four of its length. */
const PREFIX_BYTES = 5;
/** An answer has two bytes; unknown fields may follow. */
const ANSWER_BYTES_MAX = 4096;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** A HealthCheckRequest with its prefix. @param service '': the endpoint as a whole */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG), varint(name.length), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/**
 * Reads a HealthCheckResponse with its prefix. A field that is not there has its default, UNKNOWN; unknown fields are passed over.
 *
 * @param bytes all of the answer's body
 * @returns the status, or a sentence that says why there is none
 */
export function healthAnswer(bytes: Buffer): { readonly status: ServingStatus } | { readonly reason: string } {
  if (bytes.length < PREFIX_BYTES) return { reason: 'it answered without a message' };
  if (bytes[0] !== 0) return { reason: 'its message is compressed, which nobody asked for' };
  const length = bytes.readUInt32BE(1);
  if (length > ANSWER_BYTES_MAX || bytes.length !== PREFIX_BYTES + length)
    return { reason: 'its message is not as long as it says' };
  const number = statusNumber(bytes.subarray(PREFIX_BYTES));
  if (number === null) return { reason: 'its message is no HealthCheckResponse' };
  const status = SERVING_STATUSES[number];
  return status === undefined ? { reason: `it is in the unknown status ${number}` } : { status };
}

/** @returns null where the bytes are no message */
function statusNumber(message: Buffer): number | null {
  let at = 0;
  let status = 0;
  const readVarint = (): number | null => {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) return null;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return null;
  };
  while (at < message.length) {
    const tag = readVarint();
    if (tag === null || tag < 8) return null;
    const type = tag % 8;
    if (type === VARINT) {
      const value = readVarint();
      if (value === null) return null;
      if (Math.floor(tag / 8) === STATUS_FIELD) status = value; // the last one counts
    } else if (type === LENGTH_DELIMITED) {
      const length = readVarint();
      if (length === null) return null;
      at += length;
    } else if (type === FIXED_64 || type === FIXED_32) at += type === FIXED_64 ? 8 : 4;
    else return null;
    if (at > message.length) return null;
  }
  return status;
}
