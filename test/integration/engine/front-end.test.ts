/** The front end in one thread: requests over real sockets through a real engine, decisions, and answers of TypeScript. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FrontEndListenerSettings } from '../../../src/engine/front-end.js';
import {
  BodyKind,
  ClientEnd,
  Decision,
  FIRST_FRONT_END_EXCHANGE,
  FrontEndEventType,
  FrontEndFlag,
  Method,
  NO_POOL,
  NO_ROUTE,
  UNKNOWN_HOST,
} from '../../../src/engine/front-end-event.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf, valuesOf } from '../../harness/http-message.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';
import { WireClient } from '../../harness/wire-client.js';
import { PATIENT } from './recording-engine.js';
import { type RecordingFrontEnd, startFrontEnd, VIA_NAME } from './recording-front-end.js';
import { LISTENING, openLoopback } from './recording-session-engine.js';

const started = endAfterEach();
const GET = 'GET /some/path?x=1 HTTP/1.1\r\nHost: shop.example\r\nAccept: text/plain\r\n\r\n';

/** A front end whose slot 0 is an endpoint of the test. */
async function startPair(
  settings: Partial<FrontEndListenerSettings> = {},
): Promise<RecordingFrontEnd & { readonly endpoint: RequestEndpoint }> {
  const endpoint = await started(startRequestEndpoint());
  const recording = startFrontEnd(endpoint.port, settings);
  await started(recording);
  return Object.assign(recording, { endpoint });
}

const openClient = (port: number) => started(WireClient.open(port));

describe('front end', () => {
  it('takes a request to the slot that was decided on, and its answer to the client', async () => {
    const recording = await startPair();
    const { endpoint } = recording;
    recording.client.engine.openPool(7, [`127.0.0.1:${endpoint.port}`], PATIENT);
    recording.decide = () => 7;
    const client = await openClient(recording.port);
    client.send(GET);
    const response = await client.response();
    expect(response.startLine).toBe('HTTP/1.1 200 OK');
    expect(response.body.toString()).toBe('ok');
    const finished = await recording.untilFinished();

    expect(recording.events.map(({ type }) => type)).toEqual([
      FrontEndEventType.OPENED,
      FrontEndEventType.REQUEST,
      FrontEndEventType.PROGRESS,
    ]);
    const [opened, request] = recording.events;
    expect(opened).toMatchObject({ listener: 0, peerPort: client.socket.localPort });
    expect(request).toMatchObject({
      number: FIRST_FRONT_END_EXCHANGE,
      connection: opened?.number,
      method: Method.GET,
      route: UNKNOWN_HOST,
      target: '/some/path?x=1',
      pathLength: '/some/path'.length,
      host: 'shop.example',
      bodyKind: BodyKind.NONE,
      maxForwards: -1,
      fault: 0,
      flags: 0,
    });
    expect(finished).toMatchObject({
      number: FIRST_FRONT_END_EXCHANGE,
      flags: FrontEndFlag.FIRST_BYTE | FrontEndFlag.ENDPOINT_DONE | FrontEndFlag.FINISHED,
      status: 200,
      reason: ClientEnd.DELIVERED,
      fromClientLow: GET.length,
      toClientLow: response.head.length + 2,
    });
    expect(endpoint.last).toMatchObject({ method: 'GET', target: '/some/path?x=1' });
    expect(valuesOf(endpoint.last, 'host')).toEqual(['shop.example']);
    expect(valuesOf(endpoint.last, 'via')).toEqual([`1.1 ${VIA_NAME}`]);
    expect(valuesOf(endpoint.last, 'x-request-id')).toEqual(['0123456789abcdef0123456700000000']);
    expect(recording.frontEnd.stats()).toMatchObject({
      connections: 1,
      idleConnections: 1,
      exchanges: 0,
      accepted: 1,
      requests: 1,
      bytesFromClients: GET.length,
    });
  });

  it('remembers the table of a Host, and finds the route by itself from then on', async () => {
    const hostTables = [{ paths: ['/api', '/some'], routes: [3, 5] }];
    const recording = await startPair({ hostTables });
    const client = await openClient(recording.port);
    for (const target of ['/x', '/some/path', '/api', '/apix']) {
      client.send(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`);
      await client.response();
    }
    const routes = recording.ofType(FrontEndEventType.REQUEST).map(({ route }) => route);
    expect(routes).toEqual([UNKNOWN_HOST, 5, 3, NO_ROUTE]);
  });

  it('keeps a request whose decision is put off', async () => {
    const recording = await startPair();
    recording.decide = () => Decision.LATER;
    const client = await openClient(recording.port);
    client.send(GET);
    const { number } = await recording.untilType(FrontEndEventType.REQUEST);
    await new Promise((resolve) => setImmediate(resolve));
    expect(recording.frontEnd.header(number, 'ACCEPT')).toBe('text/plain');
    recording.frontEnd.setHeader(number, 'X-Late', 'yes');
    expect(recording.endpoint.requests).toHaveLength(0);
    expect(recording.frontEnd.decide(number, 0, 0, 0)).toBe(true);
    expect(statusOf(await client.response())).toBe(200);
    expect(valuesOf(recording.endpoint.last, 'x-late')).toEqual(['yes']);
    await recording.untilFinished();
    expect(recording.frontEnd.decide(number, 0, 0, 0)).toBe(false);
  });

  it('answers by itself, within the batch and later', async () => {
    const recording = await startPair();
    recording.decide = ({ number, target }) => {
      if (target === '/later') return Decision.LATER;
      recording.frontEnd.answer(number, '403 Forbidden\r\nx-why: \u00e4', 'nö', false);
      return Decision.SETTLED;
    };
    const client = await openClient(recording.port);
    client.send(GET);
    const now = await client.response();
    expect(now.startLine).toBe('HTTP/1.1 403 Forbidden');
    expect(valuesOf(now, 'x-why')).toEqual(['\u00e4']);
    expect(valuesOf(now, 'content-length')).toEqual(['3']);
    expect(valuesOf(now, 'date')).toHaveLength(1);
    expect(now.body.toString()).toBe('nö');
    client.send(GET.replace('/some/path?x=1', '/later'));
    const { number } = await recording.untilType(FrontEndEventType.REQUEST, 2);
    recording.frontEnd.answer(number, '503 Service Unavailable', '', true);
    const later = await client.response();
    expect(statusOf(later)).toBe(503);
    expect(valuesOf(later, 'connection')).toEqual(['close']);
    expect(await client.ended()).toBe('closed');
    expect(await recording.untilFinished(2)).toMatchObject({ flags: FrontEndFlag.FINISHED, status: 503 });
    expect(recording.endpoint.requests).toHaveLength(0);
  });

  it('gives an answer in place of an endpoint that keeps silent', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith(() => undefined);
    const client = await openClient(recording.port);
    client.send(GET);
    await until('the endpoint has the request', () => recording.endpoint.requests.length === 1);
    const { number } = await recording.untilType(FrontEndEventType.REQUEST);
    recording.frontEnd.answer(number, '504 Gateway Timeout', 'late', false);
    recording.frontEnd.answer(number, '500 Internal Server Error', 'twice', false);
    expect(statusOf(await client.response())).toBe(504);
    expect(client.rest).toBe('');
    await until('the attempt has ended', () => recording.client.engine.stats().exchanges === 0);
  });

  it('breaks a response off so that nobody can take it for complete', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
    const client = await openClient(recording.port);
    client.send(GET);
    await client.has('the beginning', (rest) => rest.endsWith('begun'));
    const { number } = await recording.untilType(FrontEndEventType.REQUEST);
    recording.frontEnd.breakOff(number);
    recording.frontEnd.breakOff(number);
    // In order, so that the client keeps what it has; the length says that it is not all.
    expect(await client.ended()).toBe('closed');
    expect(client.rest).toMatch(/content-length: 100\r\n[\s\S]*begun$/i);
    expect(await recording.untilFinished()).toMatchObject({ reason: ClientEnd.BROKEN_OFF, status: 200 });
    expect(recording.client.engine.stats().connections).toBe(0);
  });

  it('tells and changes headers within the batch', async () => {
    const recording = await startPair();
    const heard: (string | null)[] = [];
    recording.decide = ({ number }) => {
      const { frontEnd } = recording;
      for (const name of ['cookie', 'X-Two', 'host', 'x-none']) heard.push(frontEnd.header(number, name));
      frontEnd.setHeader(number, 'Cookie', null);
      frontEnd.setHeader(number, 'x-two', 'new \u00fc');
      frontEnd.setHeader(number, 'X-New', '');
      for (const name of ['cookie', 'x-two']) heard.push(frontEnd.header(number, name));
      heard.push(frontEnd.describe(number));
      return 0;
    };
    const client = await openClient(recording.port);
    client.send('PURGE /p HTTP/1.1\r\nHost: h\r\nCookie: a=\u00e4\r\nX-Two: 1\r\nx-two: 2\r\n\r\n');
    await client.response();
    expect(heard).toEqual([
      ...['a=\u00e4', '1, 2', null, null],
      ...[null, 'new \u00fc'],
      'PURGE\n/p\nh\n0123456789abcdef0123456700000000',
    ]);
    expect(recording.ofType(FrontEndEventType.REQUEST)[0]?.method).toBe(Method.OTHER);
    expect(valuesOf(recording.endpoint.last, 'cookie')).toEqual([]);
    expect(valuesOf(recording.endpoint.last, 'x-two')).toEqual(['new \u00fc']);
    expect(valuesOf(recording.endpoint.last, 'x-new')).toEqual(['']);
  });

  it('tells of a failed attempt and sends the request elsewhere', async () => {
    const endpoint = await started(startRequestEndpoint());
    const recording = startFrontEnd();
    await started(recording);
    recording.client.engine.openPool(1, [`127.0.0.1:${endpoint.port}`], PATIENT);
    recording.decide = ({ type }) => (type === FrontEndEventType.REQUEST ? 0 : 1);
    const client = await openClient(recording.port);
    client.send(GET);
    expect(statusOf(await client.response())).toBe(200);
    const failed = recording.ofType(FrontEndEventType.ATTEMPT_FAILED);
    expect(failed).toMatchObject([{ reason: NO_POOL, flags: FrontEndFlag.RETRYABLE }]);
  });

  it('ends an attempt when its time is over', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith(() => undefined);
    recording.decide = ({ number, type }) => {
      if (type === FrontEndEventType.REQUEST) return Decision.LATER;
      recording.frontEnd.answer(number, '504 Gateway Timeout', '', false);
      return Decision.SETTLED;
    };
    const client = await openClient(recording.port);
    client.send(GET);
    const { number } = await recording.untilType(FrontEndEventType.REQUEST);
    recording.frontEnd.decide(number, 0, 50, 0);
    expect(statusOf(await client.response())).toBe(504);
  });

  it('relays a connection that was switched, and tells of its end', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nwelcome',
    );
    const client = await openClient(recording.port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    await client.has('the tunnel', (rest) => rest.endsWith('\r\n\r\nwelcome'));
    expect(recording.ofType(FrontEndEventType.REQUEST)[0]?.flags).toBe(FrontEndFlag.UPGRADE);
    expect(recording.frontEnd.stats()).toMatchObject({ tunnels: 1, exchanges: 1 });
    expect(recording.client.engine.stats()).toMatchObject({ exchanges: 0, connections: 0 });
    const [socket] = recording.endpoint.connections;
    const heard = once(socket as never, 'data');
    client.send('hello');
    expect(String((await heard)[0])).toBe('hello');
    socket?.destroy();
    client.socket.end();
    expect(await recording.untilFinished()).toMatchObject({ status: 101, reason: ClientEnd.DELIVERED });
    expect(recording.frontEnd.stats()).toMatchObject({ tunnels: 0, exchanges: 0 });
  });

  it('runs ticks and promises when a batch ends', async () => {
    const recording = await startPair();
    const order: string[] = [];
    recording.onEvent = ({ type }) => {
      const batch = recording.batches;
      order.push(`batch ${type}`);
      process.nextTick(() => order.push(`tick ${recording.batches - batch}`));
      Promise.resolve().then(() => order.push(`promise ${recording.batches - batch}`));
    };
    const client = await openClient(recording.port);
    client.send(GET);
    await client.response();
    await until('ticks have run', () => order.length >= 9);
    expect(order).toEqual(['1', '2', '3'].flatMap((type) => [`batch ${type}`, 'tick 0', 'promise 0']));
  });

  it('drains: idle connections close, others after their response', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith(() => undefined);
    const idle = await openClient(recording.port);
    const busy = await openClient(recording.port);
    await recording.untilType(FrontEndEventType.OPENED, 2);
    busy.send(GET);
    await until('the endpoint has the request', () => recording.endpoint.requests.length === 1);
    recording.frontEnd.drain();
    recording.frontEnd.drain();
    expect(await idle.ended()).toBe('closed');
    recording.endpoint.last.socket.write(ok());
    const response = await busy.response();
    expect(valuesOf(response, 'connection')).toEqual(['close']);
    expect(await busy.ended()).toBe('closed');
    await recording.untilType(FrontEndEventType.CLOSED, 2);
    expect(recording.frontEnd.stats().connections).toBe(0);
  });

  it('accepts no more than its bound, and again when connections have ended', async () => {
    const endpoint = await started(startRequestEndpoint());
    const recording = startFrontEnd(endpoint.port, {}, 2);
    await started(recording);
    const clients = await Promise.all([1, 2].map(() => openClient(recording.port)));
    await recording.untilType(FrontEndEventType.OPENED, 2);
    const third = await openClient(recording.port);
    third.send(GET);
    await until('the bound is told', () => recording.shortages.length > 0);
    expect(recording.frontEnd.stats().connections).toBe(2);
    for (const client of clients) client.close();
    expect(statusOf(await third.response())).toBe(200);
    expect(recording.shortages).toEqual([constants.errno.EMFILE, 0]);
  });

  it("takes connections from the primary's acceptor through its mailbox", async () => {
    const recording = await startPair();
    const { Acceptor } = loadEngine();
    const acceptor = await started(new Acceptor({ onShortage: () => {} }));
    const socket = await started(openLoopback());
    acceptor.listen(0, socket.descriptor);
    acceptor.addWorker(recording.frontEnd.mailbox);
    const client = await openClient(socket.port);
    client.send(GET);
    expect(statusOf(await client.response())).toBe(200);
    expect(acceptor.stats().open).toEqual([1]);
    client.close();
    await recording.untilType(FrontEndEventType.CLOSED);
    await until('its end is counted', () => acceptor.stats().open[0] === 0);
  });

  it('listens on a UNIX socket, whose peers have no address', async () => {
    const recording = await startPair();
    const path = join(tmpdir(), `sluice-front-end-${process.pid}`);
    recording.frontEnd.listen(0, { path, mode: 0o600 }, LISTENING);
    const socket = connect({ path });
    await started({ close: () => socket.destroy() });
    socket.write(GET);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const [opened] = recording.events;
    expect(opened).toMatchObject({ peer0: 0, peer1: 0, peer2: 0, peer3: 0, peerPort: 0 });
    recording.frontEnd.stopListening();
    expect(existsSync(path)).toBe(false);
  });

  it('stops accepting and goes on with its connections', async () => {
    const recording = await startPair();
    const client = await openClient(recording.port);
    await recording.untilType(FrontEndEventType.OPENED);
    recording.frontEnd.stopListening();
    recording.frontEnd.stopListening();
    client.send(GET);
    expect(statusOf(await client.response())).toBe(200);
  });

  it('says nothing any more once it is closed, and may be closed again', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith(() => undefined);
    const clients = [await openClient(recording.port), await openClient(recording.port)];
    clients[0]?.send(GET);
    await until('the endpoint has the request', () => recording.endpoint.requests.length === 1);
    await recording.untilType(FrontEndEventType.OPENED, 2);
    const seen = recording.events.length;
    recording.frontEnd.close();
    recording.frontEnd.close();
    // One waits for an answer, the other one for nothing.
    expect(await clients[0]?.ended()).toBe('reset');
    expect(await clients[1]?.ended()).toBe('closed');
    expect(recording.events).toHaveLength(seen);
    expect(recording.frontEnd.stats()).toMatchObject({ connections: 0, exchanges: 0, queued: 0, heldBytes: 0 });
    expect(recording.client.engine.stats()).toMatchObject({ exchanges: 0, connections: 0 });
  });

  it('may be closed after its engine, and within a batch', async () => {
    const recording = await startPair();
    recording.endpoint.answerWith(() => undefined);
    const client = await openClient(recording.port);
    client.send(GET);
    await until('the endpoint has the request', () => recording.endpoint.requests.length === 1);
    recording.client.engine.close();
    const other = await openClient(recording.port);
    recording.decide = () => {
      recording.frontEnd.close();
      return 0;
    };
    other.send(GET);
    expect(await client.ended()).toBe('reset');
    expect(await other.ended()).toBe('reset');
  });
});
