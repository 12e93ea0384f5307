/** Attempts by their profiles, from JavaScript: requests that are sent again or twice, and responses that are asked about. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AttemptProfile } from '../../../src/engine/attempt-profile.js';
import {
  type Engine,
  EngineError,
  EventFlag,
  EventType,
  HEDGE_OFFSET,
  MAX_EXCHANGES,
  NO_BODY,
  SendResult,
} from '../../../src/engine/engine.js';
import { startEndpoint, until, type WireEndpoint } from '../../harness/wire.js';
import { GET, PATIENT, type RecordingEngine, startEngine } from './recording-engine.js';

const PROFILE: AttemptProfile = {
  connectTimeoutMs: 0,
  firstByteTimeoutMs: 0,
  idleTimeoutMs: 0,
  attemptTimeoutMs: 60,
  heldBodyBytes: 64,
  askedStatuses: [503],
};
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const BUSY = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy';

let client: RecordingEngine;
const endpoints: WireEndpoint[] = [];

/** An endpoint in the next slot that answers each request with this; undefined: never. */
async function endpointWith(answer?: string): Promise<void> {
  const endpoint = await startEndpoint((socket) => {
    socket.on('data', () => {
      if (answer !== undefined) socket.write(answer);
    });
  });
  client.engine.openPool(endpoints.length, [`127.0.0.1:${endpoint.port}`], PATIENT);
  endpoints.push(endpoint);
}

const send = (exchange: number) => client.engine.send(exchange, 0, GET, 0, NO_BODY, 0, 1);
const untilHead = (exchange: number) =>
  until('the head comes', () =>
    client.events.some((event) => event.exchange === exchange && event.type === EventType.HEAD),
  );

beforeEach(() => {
  client = startEngine();
  client.engine.openProfile(1, PROFILE);
});

afterEach(async () => {
  client.engine.close();
  await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()));
});

describe('engine, with profiles', () => {
  it('sends a request again that was sent and not answered in the time of its attempt', async () => {
    await endpointWith();
    await endpointWith(OK);
    expect(send(1)).toBe(SendResult.OK);
    const failed = await client.untilEnd(1);
    expect(failed.status).toBe(EngineError.ATTEMPT_TIMEOUT);
    expect(failed.flags).toBe(EventFlag.RETRYABLE | EventFlag.SENT);
    client.events.length = 0;
    expect(client.engine.resend(1, 1, 1)).toBe(SendResult.OK);
    expect((await client.untilEnd(1)).body.toString()).toBe('ok');
  });

  it('asks about a response and passes it on', async () => {
    await endpointWith(BUSY);
    send(1);
    await untilHead(1);
    expect(client.events[0]?.flags).toBe(EventFlag.ASKED | EventFlag.LAST | EventFlag.LENGTH_KNOWN);
    expect(client.engine.stats().exchanges).toBe(1);
    client.engine.pass(1);
    expect(client.engine.stats().exchanges).toBe(0);
  });

  it('asks about a response and tries elsewhere', async () => {
    await endpointWith(BUSY);
    await endpointWith(OK);
    send(1);
    client.onEvent = ({ status }) => {
      if (status === 503) expect(client.engine.resend(1, 1)).toBe(SendResult.OK);
    };
    await until('the second answer comes', () => client.bodyOf(1).toString() === 'busyok');
    expect(client.engine.stats().exchanges).toBe(0);
  });

  it('sends a request twice, and lets go of one', async () => {
    await endpointWith();
    await endpointWith(OK);
    send(1);
    expect(client.engine.duplicate(1, 1 + HEDGE_OFFSET, 1, 0, 1)).toBe(SendResult.OK);
    await client.untilEnd(1 + HEDGE_OFFSET);
    client.engine.release(1);
    expect(client.engine.stats().exchanges).toBe(0);
    expect(client.events.map(({ exchange }) => exchange)).toEqual([1 + HEDGE_OFFSET]);
  });

  it('duplicates nothing that is not there', () => {
    expect(client.engine.duplicate(1, 1 + HEDGE_OFFSET, 0, 0)).toBe(SendResult.NOT_WHOLE);
    expect(() => client.engine.pass(1)).not.toThrow();
  });
});

describe('profiles, given wrongly', () => {
  it.each<[string, (engine: Engine) => unknown, RegExp]>([
    ['the plain one', (engine) => engine.openProfile(0, PROFILE), /profile must be a whole number from 1 to 65535/],
    ['no settings', (engine) => engine.openProfile(1, null as never), /profile settings must be an object/],
    [
      'a time below zero',
      (engine) => engine.openProfile(1, { ...PROFILE, attemptTimeoutMs: -1 }),
      /attemptTimeoutMs must be a whole number from 0/,
    ],
    [
      'held bytes below -1',
      (engine) => engine.openProfile(1, { ...PROFILE, heldBodyBytes: -2 }),
      /heldBodyBytes must be a whole number from -1/,
    ],
    [
      'a status that is none of a response',
      (engine) => engine.openProfile(1, { ...PROFILE, askedStatuses: [101] }),
      /askedStatuses must be a whole number from 200 to 599/,
    ],
    [
      'no statuses',
      (engine) => engine.openProfile(1, { ...PROFILE, askedStatuses: undefined as never }),
      /askedStatuses must be an array/,
    ],
    [
      'one that is not open',
      (engine) => engine.send(1, 0, GET, 0, NO_BODY, 0, 2),
      /no profile is open under this number/,
    ],
    [
      'a number of no exchange',
      (engine) => engine.duplicate(1, HEDGE_OFFSET + MAX_EXCHANGES, 0, 0),
      /to must be a whole number from 0 to 262143/,
    ],
  ])('are refused: %s', (_, call, sentence) => {
    expect(() => call(client.engine)).toThrow(sentence);
  });
});
