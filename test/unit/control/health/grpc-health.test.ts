/** Tests of the messages of grpc.health.v1.Health/Check: vectors of the encoding, and what is none. */
import { describe, expect, it } from 'vitest';
import { healthAnswer, healthRequest } from '../../../../src/control/health/grpc-health.js';

const message = (...bytes: readonly number[]): Buffer => Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]);

describe('a health request', () => {
  it.each([
    ['', '0000000000'],
    ['a.B', '00000000050a03612e42'],
    ['x'.repeat(200), `00000000cb0ac801${'78'.repeat(200)}`],
  ])('names the service %j', (service, bytes) => {
    expect(healthRequest(service).toString('hex')).toBe(bytes);
  });
});

describe('a health answer', () => {
  it.each([
    [message(), 'UNKNOWN'],
    [message(0x08, 0), 'UNKNOWN'],
    [message(0x08, 1), 'SERVING'],
    [message(0x08, 2), 'NOT_SERVING'],
    [message(0x08, 3), 'SERVICE_UNKNOWN'],
    [message(0x08, 2, 0x08, 1), 'SERVING'],
    // Fields 2 to 5 of all wire types.
    [message(0x10, 0xff, 0x01, 0x1a, 2, 0x08, 2, 0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 1), 'SERVING'],
    [message(0x08, 0x81, 0x80, 0), 'SERVING'],
  ])('is read from %o', (bytes, status) => {
    expect(healthAnswer(bytes)).toEqual({ status });
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'it answered without a message'],
    ['half a prefix', Buffer.from([0, 0, 0]), 'it answered without a message'],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), 'its message is compressed, which nobody asked for'],
    ['a message that is cut', Buffer.from([0, 0, 0, 0, 2, 8]), 'its message is not as long as it says'],
    ['two messages', Buffer.concat([message(8, 1), message(8, 1)]), 'its message is not as long as it says'],
    ['a number that is cut', message(8, 0x80), 'its message is no HealthCheckResponse'],
    ['a text that is cut', message(0x12, 5, 1), 'its message is no HealthCheckResponse'],
    ['a group', message(0x0b), 'its message is no HealthCheckResponse'],
    ['field 0', message(0x00, 1), 'its message is no HealthCheckResponse'],
    ['a status of the future', message(8, 9), 'it is in the unknown status 9'],
  ])('is refused: %s', (_, bytes, reason) => {
    expect(healthAnswer(bytes)).toEqual({ reason });
  });
});
