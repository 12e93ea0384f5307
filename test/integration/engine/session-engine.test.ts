/** The session engine in one thread: sessions over real sockets, decisions, and what a caller may do wrong. */
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadEngine } from '../../../src/engine/load-engine.js';
import {
  ConnectFailure,
  type ListeningSocket,
  REFUSE,
  SESSION_EVENT_STRIDE,
  SessionEnd,
  SessionEventType,
  SessionFlag,
} from '../../../src/engine/session-engine.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { SocketPeer } from '../../harness/socket-peer.js';
import { until } from '../../harness/wire.js';
import {
  codeOf,
  LISTENING,
  messageOf,
  openLoopback,
  PATIENT_ENDPOINT,
  PATIENT_LISTENER,
  peerHex,
  type RecordingSessionEngine,
  startSessionEngine,
} from './recording-session-engine.js';

const started = endAfterEach();

/** An engine that accepts for itself on a socket of the loopback address. */
async function startListening(maxSessions?: number): Promise<RecordingSessionEngine & { readonly port: number }> {
  const recording = startSessionEngine(maxSessions);
  await started(recording.engine);
  const socket = await started(openLoopback());
  recording.engine.listen(0, { descriptor: socket.descriptor }, LISTENING);
  return Object.assign(recording, { port: socket.port });
}

/** A port of the loopback address where nobody listens. */
function closedPort(): number {
  const socket = openLoopback();
  socket.close();
  return socket.port;
}

const openClient = (port: number) => started(SocketPeer.open(port));

/**
 * Connects to where the connection is reset or refused, and gives the code with which it ended. The engine shares this thread: its reset may
 * come before Node has seen that the connection was there.
 */
async function connectAndFail(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1').resume();
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return code;
}

describe('session engine', () => {
  it('relays between a client and the endpoint that was decided on', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const recording = await startListening();
    recording.engine.openEndpoint(7, [`127.0.0.1:${endpoint.port}`], PATIENT_ENDPOINT);
    recording.decide = () => 7;
    const client = await openClient(recording.port);
    const port = client.socket.localPort;
    client.send('hello');
    await client.gets('hello');
    client.end();
    expect(await client.ended()).toBe('ended');
    const ended = await recording.untilType(SessionEventType.ENDED);

    expect(recording.events.map(({ type }) => type)).toEqual([
      SessionEventType.OPENED,
      SessionEventType.CONNECTED,
      SessionEventType.ENDED,
    ]);
    const [opened] = recording.events;
    expect(opened && peerHex(opened)).toBe('00000000000000000000ffff7f000001');
    expect(opened?.peerPort).toBe(port);
    expect(ended).toMatchObject({ reason: SessionEnd.CLEAN, fromClientLow: 5, toClientLow: 5, listener: 0 });
    expect(ended.flags & SessionFlag.WAS_CONNECTED).toBeTruthy();
    expect(recording.engine.stats()).toMatchObject({ sessions: 0, opened: 1, bytesFromClients: 5, bytesToClients: 5 });
  });

  it('relays between UNIX sockets', async () => {
    const path = join(tmpdir(), `sluice-session-${process.pid}`);
    rmSync(path, { force: true });
    const endpoint = await started(startSessionEndpoint(echo, { path: `${path}-endpoint` }));
    const recording = startSessionEngine();
    await started(recording.engine);
    recording.engine.listen(0, { path, mode: 0o600 }, LISTENING);
    recording.engine.openEndpoint(0, [`unix:${path}-endpoint`], PATIENT_ENDPOINT);
    const client = await started(SocketPeer.open({ path }));
    client.send('hello');
    await client.gets('hello');
    const [opened] = recording.events;
    expect(opened && peerHex(opened)).toBe('0'.repeat(32));
    recording.engine.stopListening();
    expect(codeOf(() => rmSync(path))).toBe('ENOENT');
    expect(endpoint.peers).toHaveLength(1);
  });

  it('resets a client that is refused', async () => {
    const recording = await startListening();
    recording.decide = () => REFUSE;
    expect(await connectAndFail(recording.port)).toBe('ECONNRESET');
    const ended = await recording.untilType(SessionEventType.ENDED);
    expect(ended).toMatchObject({ reason: SessionEnd.REFUSED, flags: 0 });
  });

  it('asks again where an endpoint refuses, and the client sees only the next one', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const recording = await startListening();
    recording.engine.openEndpoint(0, [`127.0.0.1:${closedPort()}`], PATIENT_ENDPOINT);
    recording.engine.openEndpoint(1, [`127.0.0.1:${endpoint.port}`], PATIENT_ENDPOINT);
    recording.decide = ({ type }) => (type === SessionEventType.OPENED ? 0 : 1);
    const client = await openClient(recording.port);
    client.send('hello');
    await client.gets('hello');
    expect(recording.ofType(SessionEventType.CONNECT_FAILED)).toMatchObject([
      { reason: ConnectFailure.REFUSED, errno: constants.errno.ECONNREFUSED },
    ]);
    expect(client.ending).toBe('open');
  });

  it('has no address for a slot that is not open or was closed', async () => {
    const recording = await startListening();
    recording.engine.openEndpoint(3, ['127.0.0.1:1'], PATIENT_ENDPOINT);
    recording.engine.closeEndpoint(3);
    recording.engine.closeEndpoint(3);
    const decisions = [3, 4, REFUSE];
    recording.decide = () => decisions.shift() ?? REFUSE;
    expect(await connectAndFail(recording.port)).toBe('ECONNRESET');
    const failures = recording.ofType(SessionEventType.CONNECT_FAILED).map(({ reason }) => reason);
    expect(failures).toEqual([ConnectFailure.NO_ADDRESS, ConnectFailure.NO_ADDRESS]);
  });

  it('connects to new addresses once they are set', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const recording = await startListening();
    recording.engine.openEndpoint(0, [`127.0.0.1:${closedPort()}`], PATIENT_ENDPOINT);
    recording.engine.setAddresses(0, [`127.0.0.1:${endpoint.port}`]);
    const client = await openClient(recording.port);
    client.send('hello');
    await client.gets('hello');
  });

  it('resets both sides of a session that is closed', async () => {
    const endpoint = await started(startSessionEndpoint());
    const recording = await startListening();
    recording.engine.openEndpoint(0, [`127.0.0.1:${endpoint.port}`], PATIENT_ENDPOINT);
    const client = await openClient(recording.port);
    const { session } = await recording.untilType(SessionEventType.CONNECTED);
    recording.engine.closeSession(session);
    recording.engine.closeSession(session);
    expect(await client.ended()).toBe('reset');
    expect(await (await endpoint.peer(0)).ended()).toBe('reset');
    expect(await recording.untilType(SessionEventType.ENDED)).toMatchObject({ reason: SessionEnd.CLOSED });
    recording.engine.closeSession(session);
  });

  it('runs ticks and promises when a batch ends', async () => {
    const recording = await startListening();
    const order: string[] = [];
    recording.decide = () => REFUSE;
    recording.onEvent = ({ type }) => {
      const batch = recording.batches;
      order.push(`batch ${type}`);
      process.nextTick(() => order.push(`tick ${recording.batches - batch}`));
      Promise.resolve().then(() => order.push(`promise ${recording.batches - batch}`));
    };
    await connectAndFail(recording.port);
    await until('ticks have run', () => order.length >= 6);
    expect(order).toEqual(['batch 1', 'tick 0', 'promise 0', 'batch 4', 'tick 0', 'promise 0']);
  });

  it('stops accepting and goes on with its sessions', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const recording = startSessionEngine();
    await started(recording.engine);
    const address = { host: '127.0.0.1', port: closedPort() };
    recording.engine.listen(0, address, LISTENING);
    recording.engine.openEndpoint(0, [`127.0.0.1:${endpoint.port}`], PATIENT_ENDPOINT);
    const client = await openClient(address.port);
    await recording.untilType(SessionEventType.CONNECTED);
    recording.engine.stopListening();
    recording.engine.stopListening();
    expect(await connectAndFail(address.port)).toBe('ECONNREFUSED');
    client.send('still here');
    await client.gets('still here');
  });

  it('shares an address with another engine', async () => {
    const shared = { ...LISTENING, isShared: true };
    const reserved = await started(loadEngine().reserveAddress('127.0.0.1', 0));
    const engines = [startSessionEngine(), startSessionEngine()];
    for (const recording of engines) {
      await started(recording.engine);
      recording.decide = () => REFUSE;
      recording.engine.listen(0, { host: '127.0.0.1', port: reserved.port }, shared);
    }
    for (let index = 0; index < 64; index++) await connectAndFail(reserved.port);
    const opened = engines.map(({ ofType }) => ofType(SessionEventType.OPENED).length);
    expect(opened.reduce((sum, count) => sum + count)).toBe(64);
    // The kernel chooses by a hash of the addresses: a chance of 2^-63 for one side to get nothing.
    expect(Math.min(...opened)).toBeGreaterThan(0);
  });

  it('accepts no more than its bound, and again when sessions have ended', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const recording = await startListening(2);
    recording.engine.openEndpoint(0, [`127.0.0.1:${endpoint.port}`], PATIENT_ENDPOINT);
    const clients = await Promise.all([1, 2, 3].map(() => openClient(recording.port)));
    await until('the bound is told', () => recording.shortages.length > 0);
    expect(recording.shortages).toEqual([constants.errno.EMFILE]);
    expect(recording.engine.stats().sessions).toBe(2);
    for (const client of clients.slice(0, 2)) client.reset();
    clients[2]?.send('third');
    await clients[2]?.gets('third');
    expect(recording.shortages).toEqual([constants.errno.EMFILE, 0]);
  });

  it('says nothing any more once it is closed, and may be closed again', async () => {
    const endpoint = await started(startSessionEndpoint());
    const recording = await startListening();
    recording.engine.openEndpoint(0, [`127.0.0.1:${endpoint.port}`], PATIENT_ENDPOINT);
    const client = await openClient(recording.port);
    await recording.untilType(SessionEventType.CONNECTED);
    const seen = recording.events.length;
    recording.engine.close();
    recording.engine.close();
    expect(await client.ended()).toBe('reset');
    expect(await (await endpoint.peer(0)).ended()).toBe('reset');
    expect(recording.events).toHaveLength(seen);
    expect(recording.engine.stats()).toMatchObject({ sessions: 0, queued: 0, endpointConnections: 0, heldBytes: 0 });
    recording.engine.stopListening();
    recording.engine.closeSession(0);
    recording.engine.closeEndpoint(0);
    expect(messageOf(() => recording.engine.openListener(0, PATIENT_LISTENER))).toMatch(/engine is closed/);
    expect(messageOf(() => recording.engine.openEndpoint(1, ['127.0.0.1:1'], PATIENT_ENDPOINT))).toMatch(
      /engine is closed/,
    );
    expect(messageOf(() => recording.engine.listen(0, { host: '127.0.0.1', port: 0 }, LISTENING))).toMatch(
      /engine is closed/,
    );
  });

  it('may be closed from within a batch', async () => {
    const recording = await startListening();
    recording.onEvent = () => recording.engine.close();
    expect(await connectAndFail(recording.port)).toBe('ECONNRESET');
    expect(recording.events).toHaveLength(1);
  });

  it('may be closed when it is told of a shortage', async () => {
    const recording = await startListening(1);
    recording.shortages.push = (errno) => {
      recording.engine.close();
      return errno;
    };
    expect(await connectAndFail(recording.port)).toBe('ECONNRESET');
  });
});

describe('what a caller of the session engine may do wrong', () => {
  const { SessionEngine } = loadEngine();
  const events = new Int32Array(SESSION_EVENT_STRIDE * 16);
  const arena = new Uint8Array(64 * 1024);
  const [onBatch, onShortage] = [() => {}, () => {}];

  it.each<[string, unknown, RegExp]>([
    ['no options', undefined, /SessionEngine: options are missing/],
    ['events of another type', { events: arena, arena, onBatch, onShortage }, /events must be an Int32Array/],
    ['too few events', { events: new Int32Array(480), arena, onBatch, onShortage }, /room for at least 16 events/],
    ['a small arena', { events, arena: new Uint8Array(100), onBatch, onShortage }, /at least 65536 bytes/],
    ['no onBatch', { events, arena, onShortage }, /onBatch must be a function/],
    ['no onShortage', { events, arena, onBatch }, /SessionEngine: onShortage must be a function/],
    ['a bound of none', { events, arena, onBatch, onShortage, maxSessions: 0 }, /maxSessions must be a whole number/],
  ])('is told of %s', (_, options, sentence) => {
    expect(messageOf(() => new SessionEngine(options as never))).toMatch(sentence);
  });

  it.each<[string, (engine: RecordingSessionEngine['engine']) => unknown, RegExp]>([
    ['listener', (engine) => engine.openListener(65_536, PATIENT_LISTENER), /listener must be .* from 0 to 65535/],
    ['settings', (engine) => engine.openListener(0, undefined as never), /settings must be an object/],
    ['relay', (engine) => engine.openListener(0, { ...PATIENT_LISTENER, relay: 4 }), /relay must be .* from 0 to 2/],
    [
      'halfClose',
      (engine) => engine.openListener(0, { ...PATIENT_LISTENER, halfClose: 1 as never }),
      /halfClose must be a boolean/,
    ],
    [
      'timeout',
      (engine) => engine.openListener(0, { ...PATIENT_LISTENER, lingerTimeoutMs: 0 }),
      /lingerTimeoutMs must be .* from 1/,
    ],
    ['slot', (engine) => engine.openEndpoint(-1, ['127.0.0.1:1'], PATIENT_ENDPOINT), /slot must be .* from 0 to 65535/],
    ['addresses', (engine) => engine.openEndpoint(0, [], PATIENT_ENDPOINT), /at least one address/],
    ['address', (engine) => engine.openEndpoint(0, ['localhost:1'], PATIENT_ENDPOINT), /not an address: 'localhost:1'/],
    [
      'proxyHeader',
      (engine) => engine.openEndpoint(0, ['127.0.0.1:1'], { ...PATIENT_ENDPOINT, proxyHeader: 3 as never }),
      /proxyHeader must be/,
    ],
    [
      'keepAlive',
      (engine) =>
        engine.openEndpoint(0, ['127.0.0.1:1'], {
          ...PATIENT_ENDPOINT,
          keepAlive: { idleS: 40_000, intervalS: 1, probes: 1 },
        }),
      /keepAlive\.idleS must be .* from 0 to 32767/,
    ],
    [
      'probes',
      (engine) =>
        engine.openEndpoint(0, ['127.0.0.1:1'], {
          ...PATIENT_ENDPOINT,
          keepAlive: { idleS: 1, intervalS: 1, probes: 200 },
        }),
      /keepAlive\.probes must be .* from 1 to 127/,
    ],
    ['unknown slot', (engine) => engine.setAddresses(5, ['127.0.0.1:1']), /setAddresses: the slot is not open/],
    ['descriptor', (engine) => engine.listen(0, { descriptor: -1 }, LISTENING), /descriptor must be/],
    ['where to listen', (engine) => engine.listen(0, {} as never, LISTENING), /either host and port, or path and mode/],
    [
      'both ways to listen',
      (engine) => engine.listen(0, { host: '::', port: 1, path: '/x', mode: 0 }, LISTENING),
      /either host and port, or path and mode/,
    ],
    ['port', (engine) => engine.listen(0, { host: '::', port: 65_536 }, LISTENING), /port must be .* from 0 to 65535/],
    ['mode', (engine) => engine.listen(0, { path: '/x', mode: 0o1000 }, LISTENING), /mode must be .* from 0 to 511/],
    [
      'backlog',
      (engine) => engine.listen(0, { host: '::', port: 1 }, { ...LISTENING, backlog: 0 }),
      /backlog must be .* from 1/,
    ],
    [
      'sharing a path',
      (engine) => engine.listen(0, { path: '/x', mode: 0 }, { ...LISTENING, isShared: true }),
      /isShared is for TCP/,
    ],
    ['session', (engine) => engine.closeSession(1.5), /session must be a whole number/],
  ])('is told about the %s', async (_, call, sentence) => {
    const { engine } = startSessionEngine();
    await started(engine);
    expect(messageOf(() => call(engine))).toMatch(sentence);
  });

  it('may open a slot anew, and close listeners that are not there', async () => {
    const { engine } = startSessionEngine();
    await started(engine);
    for (const port of [1, 2]) engine.openEndpoint(0, [`127.0.0.1:${port}`], PATIENT_ENDPOINT);
    engine.closeListener(5);
    expect(messageOf(() => engine.closeListener(-1))).toMatch(/listener must be a whole number/);
  });

  it('is told what the system says of a socket', async () => {
    const { engine } = startSessionEngine();
    await started(engine);
    const taken: ListeningSocket = await started(openLoopback());
    const address = { host: '127.0.0.1', port: taken.port };
    expect(codeOf(() => engine.listen(0, address, LISTENING))).toBe('EADDRINUSE');
    expect(codeOf(() => engine.listen(0, address, { ...LISTENING, isShared: true }))).toBe('EADDRINUSE');
    expect(codeOf(() => engine.listen(0, { descriptor: 999_999 }, LISTENING))).toBe('EBADF');
    engine.stopListening();
    expect(messageOf(() => engine.listen(0, { descriptor: taken.descriptor }, LISTENING))).toBe(
      'listen: accepting has been stopped for good',
    );
  });
});
