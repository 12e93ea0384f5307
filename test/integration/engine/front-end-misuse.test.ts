/** What a caller of the front end may do wrong, and what it is told. */
import { describe, expect, it } from 'vitest';
import type { FrontEnd } from '../../../src/engine/front-end.js';
import {
  FIRST_FRONT_END_EXCHANGE,
  FRONT_END_EVENT_STRIDE,
  FrontEndEventType,
} from '../../../src/engine/front-end-event.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { statusOf } from '../../harness/http-message.js';
import { startRequestEndpoint } from '../../harness/request-endpoint.js';
import { WireClient } from '../../harness/wire-client.js';
import { startEngine } from './recording-engine.js';
import { PATIENT_FRONT_END, REQUEST_ID_PREFIX, startFrontEnd, VIA_NAME } from './recording-front-end.js';
import { codeOf, LISTENING, messageOf } from './recording-session-engine.js';

const started = endAfterEach();
const { FrontEnd: FrontEndClass, SessionEngine } = loadEngine();

describe('options of a front end', () => {
  const open = startEngine();
  const { engine } = open;
  const good = {
    engine,
    events: new Int32Array(FRONT_END_EVENT_STRIDE * 16),
    arena: new Uint8Array(512 * 1024),
    onBatch: () => {},
    onShortage: () => {},
    viaName: VIA_NAME,
    requestIdPrefix: REQUEST_ID_PREFIX,
  };
  const sessionEngine = new SessionEngine({
    events: new Int32Array(32 * 16),
    arena: new Uint8Array(64 * 1024),
    onBatch: () => {},
    onShortage: () => {},
  });

  it.each<[string, unknown, RegExp]>([
    ['no options', undefined, /FrontEnd: options are missing/],
    ['events of another type', { ...good, events: good.arena }, /FrontEnd: events must be an Int32Array/],
    ['too few events', { ...good, events: new Int32Array(480) }, /room for at least 16 events/],
    ['a small arena', { ...good, arena: new Uint8Array(65_536) }, /at least 524288 bytes/],
    ['no onBatch', { ...good, onBatch: undefined }, /FrontEnd: onBatch must be a function/],
    ['no onShortage', { ...good, onShortage: undefined }, /FrontEnd: onShortage must be a function/],
    ['a bound of none', { ...good, maxConnections: 0 }, /FrontEnd: maxConnections must be a whole number from 1/],
    ['no engine', { ...good, engine: undefined }, /FrontEnd: engine must be an Engine/],
    ['a plain object as engine', { ...good, engine: {} }, /FrontEnd: engine must be an Engine/],
    ['the engine of sessions', { ...good, engine: sessionEngine }, /FrontEnd: engine must be an Engine/],
    [
      'an object with the prototype of an engine',
      { ...good, engine: Object.create(Object.getPrototypeOf(engine)) },
      /FrontEnd: engine must be an Engine/,
    ],
    ['words of another type', { ...good, keyWords: new Uint8Array(8) }, /keyWords must be an Int32Array of two words/],
    ['too few words', { ...good, keyWords: new Int32Array(1) }, /keyWords must be an Int32Array of two words/],
    ['no name', { ...good, viaName: undefined }, /FrontEnd: viaName must be a string/],
    ['a name that is no token', { ...good, viaName: 'a b' }, /FrontEnd: viaName must be a token/],
    ['an empty name', { ...good, viaName: '' }, /FrontEnd: viaName must be a token/],
    ['a short prefix', { ...good, requestIdPrefix: 'abc' }, /requestIdPrefix must be 24 hexadecimal digits/],
    ['a prefix of other letters', { ...good, requestIdPrefix: 'x'.repeat(24) }, /must be 24 hexadecimal digits/],
  ])('are refused with %s', (_, options, sentence) => {
    expect(messageOf(() => new FrontEndClass(options as never))).toMatch(sentence);
  });

  it('are refused with an engine that is closed', () => {
    const closed = startEngine();
    closed.engine.close();
    expect(messageOf(() => new FrontEndClass({ ...good, engine: closed.engine }))).toBe(
      'FrontEnd: the engine is closed',
    );
    engine.close();
    sessionEngine.close();
  });
});

describe('arguments of a front end', () => {
  const X = FIRST_FRONT_END_EXCHANGE;
  const opens = (changed: object) => (frontEnd: FrontEnd) =>
    frontEnd.openListener(0, { ...PATIENT_FRONT_END, ...changed });

  it.each<[string, (frontEnd: FrontEnd) => unknown, RegExp]>([
    ['listener', (frontEnd) => frontEnd.openListener(-1, PATIENT_FRONT_END), /listener must be .* from 0 to 65535/],
    ['settings', (frontEnd) => frontEnd.openListener(0, undefined as never), /settings must be an object/],
    ['scheme', opens({ scheme: 'ftp' }), /scheme must be 'http' or 'https', not 'ftp'/],
    ['head', opens({ headBytes: 70_000 }), /headBytes must be .* from 1 to 65536/],
    ['request line', opens({ headBytes: 100, targetBytes: 101 }), /targetBytes must not be above headBytes/],
    ['body', opens({ bodyBytes: -1 }), /bodyBytes must be .* from 0/],
    ['endless body', opens({ bodyBytes: Number.POSITIVE_INFINITY }), /bodyBytes must be .* from 0/],
    ['time', opens({ keepAliveTimeoutMs: 0 }), /keepAliveTimeoutMs must be .* from 1/],
    ['PROXY header', opens({ readsProxyHeader: 'yes' }), /readsProxyHeader must be a boolean/],
    ['http2', opens({ http2: 1 }), /http2 must be an object/],
    ['tables', opens({ hostTables: {} }), /hostTables must be an array/],
    ['table', opens({ hostTables: [1] }), /hostTables\[0\] must be an object/],
    ['lengths', opens({ hostTables: [{ paths: ['/'], routes: [] }] }), /two arrays of the same length/],
    ['path', opens({ hostTables: [{ paths: ['x'], routes: [0] }] }), /hostTables\[0\]\.paths\[0\] must begin with \//],
    ['route', opens({ hostTables: [{ paths: ['/'], routes: [-1] }] }), /hostTables\[0\]\.routes\[0\] must be/],
    ['address', (frontEnd) => frontEnd.listen(0, {} as never, LISTENING), /either host and port, or path and mode/],
    ['exchange', (frontEnd) => frontEnd.decide(5, 0, 0, 0), /exchange must be .* from 65536/],
    ['slot', (frontEnd) => frontEnd.decide(X, -1, 0, 0), /slot must be .* from 0 to 65535/],
    ['deadline', (frontEnd) => frontEnd.decide(X, 0, Number.NaN, 0), /exchangeTimeoutMs must be .* from 0/],
    ['head', (frontEnd) => frontEnd.answer(X, 404 as never, '', false), /answer: head must be a string/],
    ['head', (frontEnd) => frontEnd.answer(X, '404 \u010a', '', false), /answer: head must hold .* up to U\+00FF/],
    ['body', (frontEnd) => frontEnd.answer(X, '404 No', null as never, false), /answer: body must be a string/],
    ['mustClose', (frontEnd) => frontEnd.answer(X, '404 No', '', 1 as never), /answer: mustClose must be a boolean/],
    ['exchange', (frontEnd) => frontEnd.breakOff(0), /exchange must be/],
    ['name', (frontEnd) => frontEnd.header(X, 7 as never), /header: name must be a string/],
    ['name', (frontEnd) => frontEnd.setHeader(X, 'a b', 'c'), /setHeader: 'a b' cannot be changed/],
    ['framing', (frontEnd) => frontEnd.setHeader(X, 'Content-Length', '1'), /'Content-Length' cannot be changed/],
    ['hop', (frontEnd) => frontEnd.setHeader(X, 'connection', null), /'connection' cannot be changed/],
    ['line feed', (frontEnd) => frontEnd.setHeader(X, 'a', 'b\nc: d'), /setHeader: 'a' cannot be changed/],
    ['hidden line feed', (frontEnd) => frontEnd.setHeader(X, 'a', 'b\u010ac: d'), /value must hold .* U\+00FF/],
    ['value', (frontEnd) => frontEnd.setHeader(X, 'a', undefined as never), /setHeader: value must be a string/],
    ['kind of key', (frontEnd) => frontEnd.openKey(9, '', false), /openKey: kind must be .* from 0 to 8/],
    ['name of a key', (frontEnd) => frontEnd.openKey(2, '\u20ac', false), /openKey: name must hold .* U\+00FF/],
    ['sum of a key', (frontEnd) => frontEnd.openKey(2, 'a', 1 as never), /openKey: isCrc must be a boolean/],
    ['key', (frontEnd) => frontEnd.hashKey(X, frontEnd.openKey(5, '', false) + 1), /key must be .* from 0 to/],
    ['key of a text', (frontEnd) => frontEnd.keyText(X, -1), /key must be .* from 0 to/],
    ['place for a key', (frontEnd) => frontEnd.hashKey(X, frontEnd.openKey(5, '', false)), /made without keyWords/],
    ['added name', (frontEnd) => frontEnd.addResponseField(X, 'a b', 'c'), /addResponseField: 'a b' cannot be added/],
    ['added framing', (frontEnd) => frontEnd.addResponseField(X, 'Date', 'c'), /'Date' cannot be added/],
    ['added lines', (frontEnd) => frontEnd.addResponseField(X, 'a', 'b\r\nc: d'), /'a' cannot be added/],
    ['added value', (frontEnd) => frontEnd.addResponseField(X, 'a', 7 as never), /value must be a string/],
  ])('are refused where the %s is wrong', async (_, call, sentence) => {
    const recording = startFrontEnd();
    await started(recording);
    expect(messageOf(() => call(recording.frontEnd))).toMatch(sentence);
  });

  it('may name an exchange that is not open', async () => {
    const recording = startFrontEnd();
    await started(recording);
    const { frontEnd } = recording;
    expect(frontEnd.decide(X, 0, 0, 0)).toBe(false);
    frontEnd.answer(X, '404 Not Found', '', false);
    frontEnd.breakOff(X);
    frontEnd.setHeader(X, 'a', 'b');
    frontEnd.addResponseField(X, 'a', 'b');
    expect(frontEnd.header(X, 'a')).toBeNull();
    expect(frontEnd.describe(X)).toBe('');
  });

  it('are refused once it is closed, where they would begin something', async () => {
    const recording = startFrontEnd();
    await started(recording);
    const { frontEnd } = recording;
    frontEnd.close();
    expect(messageOf(() => frontEnd.openListener(0, PATIENT_FRONT_END))).toBe('openListener: the front end is closed');
    expect(messageOf(() => frontEnd.listen(0, { host: '127.0.0.1', port: 0 }, LISTENING))).toBe(
      'listen: the front end is closed',
    );
    frontEnd.stopListening();
    frontEnd.drain();
    expect(frontEnd.decide(X, 0, 0, 0)).toBe(false);
  });

  it('are refused where accepting was stopped, or the system refuses', async () => {
    const recording = startFrontEnd();
    await started(recording);
    const { frontEnd } = recording;
    expect(codeOf(() => frontEnd.listen(0, { descriptor: 999_999 }, LISTENING))).toBe('EBADF');
    frontEnd.stopListening();
    expect(messageOf(() => frontEnd.listen(0, { host: '127.0.0.1', port: 0 }, LISTENING))).toBe(
      'listen: accepting has been stopped for good',
    );
  });

  it('that are wrong within a batch leave the exchange to its decision', async () => {
    const endpoint = await started(startRequestEndpoint());
    const recording = startFrontEnd(endpoint.port);
    await started(recording);
    const sentences: string[] = [];
    recording.onEvent = ({ type, number }) => {
      if (type !== FrontEndEventType.REQUEST) return;
      sentences.push(messageOf(() => recording.frontEnd.setHeader(number, 'host', 'other')));
    };
    const client = await started(WireClient.open(recording.port));
    client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(statusOf(await client.response())).toBe(200);
    expect(sentences).toHaveLength(1);
    expect(sentences[0]).toMatch(/'host' cannot be changed/);
  });
});
