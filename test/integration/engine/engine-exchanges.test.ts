/** Exchanges through the built addon: bytes on the wire on one side, events on the other. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CHUNKED_BODY,
  type Engine,
  EngineError,
  EventFlag,
  EventType,
  MAX_EXCHANGES,
  NO_BODY,
  SendFlag,
  SendResult,
} from '../../../src/engine/engine.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until } from '../../harness/wire.js';
import { GET, PATIENT, type RecordingEngine, startEngine } from './recording-engine.js';

let endpoint: RequestEndpoint;
let client: RecordingEngine;

beforeEach(async () => {
  endpoint = await startRequestEndpoint();
  client = startEngine();
  client.engine.openPool(0, [`127.0.0.1:${endpoint.port}`], PATIENT);
});

afterEach(async () => {
  client.engine.close();
  client.engine.close();
  await endpoint.close();
});

describe('engine', () => {
  it('sends the head it is given, framing and an empty line, and nothing else', async () => {
    client.send(1, 0, 0, NO_BODY, 'GET /caf\u00e9?q=\u{1f600} HTTP/1.1\r\nhost: a\r\nx: \u20ac\r\n');
    await client.untilEnd(1);
    expect(Buffer.from(endpoint.last.head, 'latin1').toString()).toBe(
      'GET /caf\u00e9?q=\u{1f600} HTTP/1.1\r\nhost: a\r\nx: \u20ac\r\n\r\n',
    );
  });

  it('reports a response as one event', async () => {
    endpoint.answerWith(ok('hello', ['X-A: 1', 'Date: x', 'Connection: keep-alive']));
    client.send(1);
    const event = await client.untilEnd(1);
    expect(client.events).toHaveLength(1);
    expect(event).toMatchObject({
      type: EventType.HEAD,
      status: 200,
      head: '200 OK\r\nX-A: 1',
      contentLength: 5,
    });
    expect(event.body.toString()).toBe('hello');
    expect(event.flags).toBe(EventFlag.LAST | EventFlag.LENGTH_KNOWN);
    expect(event.elapsedUs).toBeGreaterThan(0);
  });

  it('reuses a connection', async () => {
    client.send(1);
    await client.untilEnd(1);
    client.send(2);
    expect((await client.untilEnd(2)).flags & EventFlag.REUSED).toBe(EventFlag.REUSED);
    expect(client.engine.stats()).toMatchObject({
      connects: 1,
      reuses: 1,
      connections: 1,
      idleConnections: 1,
      exchanges: 0,
    });
    expect(endpoint.requests.map((request) => request.connection)).toEqual([0, 0]);
  });

  it('sends bodies of known and unknown length from ArrayBuffer, Uint8Array and Buffer', async () => {
    client.send(1, 0, 0, 6, 'POST / HTTP/1.1\r\nhost: a\r\n');
    client.engine.write(1, new TextEncoder().encode('abc').buffer as ArrayBuffer, false);
    client.engine.write(1, Buffer.from('xdefx').subarray(1, 4), true);
    await client.untilEnd(1);
    expect(endpoint.last.head).toContain('content-length: 6\r\n\r\n');
    expect(endpoint.last.body.toString()).toBe('abcdef');
    client.send(2, 0, 0, CHUNKED_BODY, 'POST / HTTP/1.1\r\nhost: a\r\n');
    client.engine.write(2, new Uint8Array([120, 121]), false);
    client.engine.write(2, new ArrayBuffer(0), true);
    await client.untilEnd(2);
    expect(endpoint.last.isChunked).toBe(true);
    expect(endpoint.last.body.toString()).toBe('xy');
  });

  it('notices that an idle connection was closed before it takes it again', async () => {
    client.send(1);
    await client.untilEnd(1);
    for (const socket of endpoint.connections) socket.destroy();
    await until('the connection is gone', () => client.engine.stats().connections === 0);
    client.send(2);
    expect((await client.untilEnd(2)).type).toBe(EventType.HEAD);
  });

  it('sends an idempotent request once more when its reused connection dies', async () => {
    client.send(1);
    await client.untilEnd(1);
    endpoint.answerWith((request) => {
      if (request.connection > 0) return ok('again');
      request.socket.destroy();
      return undefined;
    });
    client.send(2, 0, SendFlag.IDEMPOTENT);
    expect((await client.untilEnd(2)).body.toString()).toBe('again');
    expect(client.engine.stats().replays).toBe(1);
  });

  it('reports a refused connect with the next batch and sends the request elsewhere', async () => {
    const gone = await startEndpoint(() => {});
    await gone.close();
    client.engine.openPool(1, [`127.0.0.1:${gone.port}`], PATIENT);
    client.send(1, 1, 0, 2, 'POST / HTTP/1.1\r\nhost: a\r\n');
    client.engine.write(1, Buffer.from('ok'), true);
    const failed = await client.untilEnd(1);
    expect(failed).toMatchObject({
      type: EventType.FAILED,
      status: EngineError.CONNECT_REFUSED,
      flags: EventFlag.RETRYABLE,
      errno: 111,
    });
    client.events.length = 0;
    expect(client.engine.resend(1, 0)).toBe(SendResult.OK);
    await client.untilEnd(1);
    expect(endpoint.last.body.toString()).toBe('ok');
  });

  it('connects over IPv6 and UNIX sockets', async () => {
    const path = `/tmp/sluice-engine-test-${process.pid}.sock`;
    const servers = [
      { at: { host: '::1', port: 0 }, name: (port: number) => `[::1]:${port}` },
      { at: { path }, name: () => `unix:${path}` },
    ];
    for (const [slot, { at, name }] of servers.entries()) {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end(ok('here')));
      }).listen(at);
      await once(server, 'listening');
      const address = server.address();
      client.engine.openPool(10 + slot, [name(typeof address === 'object' ? (address?.port ?? 0) : 0)], PATIENT);
      client.send(10 + slot, 10 + slot);
      expect((await client.untilEnd(10 + slot)).body.toString()).toBe('here');
      server.close();
    }
  });

  it('carries as many exchanges at once as it is asked to', async () => {
    const held: (() => void)[] = [];
    endpoint.answerWith((request) => {
      held.push(() => request.socket.write(ok(request.target)));
      return undefined;
    });
    const count = 500;
    for (let id = 0; id < count; id++)
      client.send(MAX_EXCHANGES - 1 - id, 0, 0, NO_BODY, `GET /${id} HTTP/1.1\r\nhost: a\r\n`);
    await until('all have arrived', () => held.length === count);
    expect(client.engine.stats()).toMatchObject({ exchanges: count, connections: count });
    for (const answer of held) answer();
    for (let id = 0; id < count; id++) {
      expect((await client.untilEnd(MAX_EXCHANGES - 1 - id)).body.toString()).toBe(`/${id}`);
    }
    expect(client.engine.stats()).toMatchObject({
      exchanges: 0,
      idleConnections: PATIENT.maxIdle,
      connections: PATIENT.maxIdle,
    });
  });
});

describe('engine inside onBatch', () => {
  it('takes the next request', async () => {
    let left = 20;
    client.onEvent = () => {
      if (--left > 0) client.send(1);
    };
    client.send(1);
    await until('all are answered', () => left === 0);
    expect(client.engine.stats().connects).toBe(1);
  });

  it('withdraws events of an exchange that is released', async () => {
    const pending: (() => void)[] = [];
    endpoint.answerWith((request) => {
      pending.push(() => request.socket.write(ok()));
      return undefined;
    });
    for (let id = 0; id < 8; id++) client.send(id);
    await until('all have arrived', () => pending.length === 8);
    client.onEvent = (event) => {
      for (let id = 0; id < 8; id++) if (id !== event.exchange) client.engine.release(id);
    };
    for (const answer of pending) answer();
    await until('an event', () => client.events.length > 0);
    await until('nothing is open', () => client.engine.stats().exchanges === 0);
    expect(client.events).toHaveLength(1);
  });

  it('reports failures of a nested send with a later batch', async () => {
    client.engine.openPool(1, ['unix:/tmp/sluice-no-such.sock'], PATIENT);
    let depth = 0;
    client.onEvent = (event) => {
      expect(++depth).toBe(1);
      if (event.exchange < 5) client.send(event.exchange + 1, 1);
      depth--;
    };
    client.send(1, 1);
    expect(client.batches).toBe(0);
    for (const id of [1, 2, 3, 4, 5]) expect((await client.untilEnd(id)).errno).toBe(2);
    expect(client.batches).toBe(5);
  });

  it('may be closed', async () => {
    client.onEvent = () => client.engine.close();
    client.send(1);
    await until('it is closed', () => client.events.length === 1 && client.engine.stats().connections === 0);
    expect(client.engine.send(1, 0, GET, 0, NO_BODY, 0)).toBe(SendResult.NO_POOL);
  });
});

/** The engine as JavaScript without types sees it. */
type Untyped = Record<keyof Engine, (...given: unknown[]) => unknown>;

describe('engine, called wrongly', () => {
  it.each<[string, (engine: Untyped) => unknown, RegExp]>([
    [
      'an exchange out of range',
      (engine) => engine.send(MAX_EXCHANGES, 0, GET, 0, NO_BODY, 0),
      /exchange must be a whole number from 0 to 131071/,
    ],
    ...[Number.NaN, Number.POSITIVE_INFINITY, 1.9, -1].map((given): [string, (engine: Untyped) => unknown, RegExp] => [
      `the exchange ${given}`,
      (engine) => engine.send(given, 0, GET, 0, NO_BODY, 0),
      /exchange must be a whole number/,
    ]),
    ['a fraction of a body', (engine) => engine.send(0, 0, GET, 0, 1.5, 0), /bodyBytes must be a whole number/],
    ['a body length of NaN', (engine) => engine.send(0, 0, GET, 0, Number.NaN, 0), /bodyBytes must be a whole number/],
    [
      'a deadline of Infinity',
      (engine) => engine.send(0, 0, GET, 0, NO_BODY, Number.POSITIVE_INFINITY),
      /exchangeTimeoutMs must be a whole number/,
    ],
    ['flags of NaN', (engine) => engine.send(0, 0, GET, Number.NaN, NO_BODY, 0), /flags must be a whole number/],
    ['an exchange that is no number', (engine) => engine.release('1'), /exchange must be/],
    [
      'a slot out of range',
      (engine) => engine.send(0, 70_000, GET, 0, NO_BODY, 0),
      /slot must be a whole number from 0 to 65535/,
    ],
    ['a head that is no string', (engine) => engine.send(0, 0, 5, 0, NO_BODY, 0), /head must be a string/],
    ['a body length below CHUNKED_BODY', (engine) => engine.send(0, 0, GET, 0, -3, 0), /bodyBytes must be/],
    [
      'a chunk that holds no bytes',
      (engine) => engine.write(0, 'text', false),
      /chunk must be an ArrayBuffer or a Uint8Array/,
    ],
    [
      'an address that is none',
      (engine) => engine.openPool(5, ['localhost:80'], PATIENT),
      /not an address: 'localhost:80'/,
    ],
    ['no address', (engine) => engine.openPool(5, [], PATIENT), /at least one address/],
    [
      'a missing setting',
      (engine) => engine.openPool(5, ['127.0.0.1:1'], { ...PATIENT, maxIdle: undefined }),
      /maxIdle must be/,
    ],
    [
      'a setting of zero',
      (engine) => engine.openPool(5, ['127.0.0.1:1'], { ...PATIENT, idleTimeoutMs: 0 }),
      /idleTimeoutMs must be/,
    ],
    ['a slot that has a pool', (engine) => engine.openPool(0, ['127.0.0.1:1'], PATIENT), /the slot has a pool/],
    ['addresses for no pool', (engine) => engine.setAddresses(6, ['127.0.0.1:1']), /no pool is open/],
    ['a resend of nothing', (engine) => engine.resend(6, 0), /did not fail with RETRYABLE/],
    [
      'a setting that throws',
      (engine) =>
        engine.openPool(5, ['127.0.0.1:1'], {
          get connectTimeoutMs() {
            throw new Error('thrown by a getter');
          },
        }),
      /thrown by a getter/,
    ],
  ])('refuses %s with a sentence', (_, call, sentence) => {
    expect(() => call(client.engine as unknown as Untyped)).toThrow(sentence);
  });

  it('refuses an exchange that is still in use', () => {
    client.send(1);
    expect(() => client.send(1)).toThrow(/still in use/);
  });

  it('refuses a body that is longer than announced', () => {
    client.send(1, 0, 0, 3);
    expect(() => client.engine.write(1, Buffer.from('four'), true)).toThrow(/more bytes than the length/);
  });

  it('answers a bad or too large head with a result', () => {
    expect(client.engine.send(1, 0, 'GET / HTTP/1.1\r\nx: a\nb: c\r\n', 0, NO_BODY, 0)).toBe(SendResult.BAD_HEAD);
    const long = (bytes: number) => `GET / HTTP/1.1\r\nx: ${'y'.repeat(bytes - 21)}\r\n`;
    expect(client.engine.send(1, 0, long(65_537), 0, NO_BODY, 0)).toBe(SendResult.HEAD_TOO_LARGE);
    expect(client.engine.send(1, 0, long(10_000_000), 0, NO_BODY, 0)).toBe(SendResult.HEAD_TOO_LARGE);
    expect(client.engine.send(1, 0, `GET / HTTP/1.1\r\nx: ${'\u20ac'.repeat(30_000)}\r\n`, 0, NO_BODY, 0)).toBe(
      SendResult.HEAD_TOO_LARGE,
    );
    expect(client.engine.send(1, 0, long(65_536), 0, NO_BODY, 0)).toBe(SendResult.OK);
  });
});
