/** What clients do over HTTP/2 that costs work and brings nothing: each has a limit, ends with what the RFC says, and is counted for its listener. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Changes } from '../../conformance/harness/changes.js';
import { SETTINGS, sentBy } from '../../conformance/http2/harness/frame-notation.js';
import { Http2Client } from '../../conformance/http2/harness/http2-client.js';
import { type Samples, scrape, sumOf } from '../../harness/metric-samples.js';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, type RequestEndpoint, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const PATIENCE_MS = 5_000;
/** Longer than the interval in which workers tell figures of their sessions. */
const REST_MS = 1_200;

/** Small limits, so that little has to be sent. */
const HTTP2 = {
  clearText: true,
  streams: 4,
  resets: { burst: 5, perSecond: 1 },
  continuations: 3,
  controlFrames: { burst: 20, perSecond: 1 },
  ackTimeout: '1s',
};
const LARGE_BYTES = 2_000_000;

let endpoint: RequestEndpoint;
let proxy: ProxyProcess;
const ports = new Map<string, number>();

beforeAll(async () => {
  endpoint = await startRequestEndpoint(({ target }) => {
    if (target === '/held') return undefined;
    return target === '/large' ? ok('x'.repeat(LARGE_BYTES)) : ok();
  });
  const listener = (name: string) => ({
    name,
    bind: '127.0.0.1:0',
    frontend: 'native',
    http2: HTTP2,
    limits: { headBytes: '2KiB', targetBytes: '1KiB' },
    timeouts: { writeStall: '1s', requestHead: '1s' },
    routes: [{ upstream: 'app' }],
  });
  proxy = await startProxy({
    workers: 1,
    log: { level: 'debug' },
    listeners: [listener('tried'), listener('other')],
    upstreams: { app: { endpoints: [{ address: `127.0.0.1:${endpoint.port}` }] } },
  });
  await proxy.lineWhere(({ event }) => event === 'ready');
  for (const line of proxy.log)
    if (line.event === 'listening') ports.set(String(line['listener']), Number(line['port']));
});

afterAll(async () => {
  await proxy.stop();
  await endpoint.close();
});

/** A client that has sent its preface and these steps, in the notation of the conformance suite. */
async function clientThatSends(steps: readonly string[], isAcknowledging = true) {
  const changes = new Changes();
  const client = await Http2Client.open(ports.get('tried') as number, false, changes, isAcknowledging);
  const send = (more: readonly string[]): void => client.send(more.flatMap((step) => sentBy(step, false)));
  send(['preface', 'SETTINGS 0', ...steps]);
  const when = async (what: string, fact: () => boolean): Promise<void> => {
    if (!(await changes.until(fact, PATIENCE_MS))) throw new Error(`in vain: ${what}`);
  };
  return { client, send, when };
}

/** How much a sample has grown by since `before`, once it has grown. */
async function growthOf(before: Samples, name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  let growth = 0;
  await until(`${name} has grown`, async () => {
    growth = sumOf(await scrape(proxy), name, { listener: 'tried', ...labels }) - sumOf(before, name, labels);
    return growth > 0;
  });
  expect(sumOf(await scrape(proxy), name, { listener: 'other', ...labels })).toBe(0);
  return growth;
}

/** Figures of sessions come in intervals: what an earlier test did may be on its way still. @returns figures in which it has come */
async function rested(name: string): Promise<Samples> {
  let last = await scrape(proxy);
  let sinceMs = performance.now();
  await until(`${name} rests`, async () => {
    const now = await scrape(proxy);
    if (sumOf(now, name) !== sumOf(last, name)) sinceMs = performance.now();
    last = now;
    return performance.now() - sinceMs > REST_MS;
  });
  return last;
}

const get = (path: string): string => `[:method: GET] @scheme [:path: ${path}] [:authority: a.test]`;

/** Attempts under way. */
async function openAtEndpoints(): Promise<number> {
  return sumOf(await scrape(proxy), 'sluice_endpoint_in_flight');
}

describe('the limits of HTTP/2 with clients', () => {
  it.each<{ what: string; kind: string; steps: readonly string[] }>([
    {
      what: 'rapid resets (CVE-2023-44487)',
      kind: 'resets',
      steps: ['each 1-19 HEADERS $ +EH +ES @get && RST_STREAM $ CANCEL'],
    },
    {
      what: 'resets that it makes the proxy send (CVE-2025-8671)',
      kind: 'resets',
      steps: ['each 1-19 HEADERS $ +EH @post && WINDOW_UPDATE $ u32:2147483647'],
    },
    { what: 'streams beyond their number, again and again', kind: 'resets', steps: ['each 1-99 HEADERS $ +EH @post'] },
    { what: 'HEADERS without a field', kind: 'resets', steps: ['each 1-19 HEADERS $ +EH +ES'] },
    {
      what: 'CONTINUATION without an end (CVE-2024-27316)',
      kind: 'continuations',
      steps: ['HEADERS 1 @get', 'repeat 4 CONTINUATION 1 [x-a: b]'],
    },
    {
      what: 'CONTINUATION without a byte',
      kind: 'continuations',
      steps: ['HEADERS 1 @get', 'repeat 4 CONTINUATION 1'],
    },
    { what: 'SETTINGS (CVE-2019-9515)', kind: 'settings', steps: ['repeat 30 SETTINGS 0'] },
    { what: 'PING (CVE-2019-9512)', kind: 'pings', steps: ['repeat 30 PING 0 a:8'] },
    { what: 'PRIORITY (CVE-2019-9513)', kind: 'priorities', steps: ['repeat 30 PRIORITY 1 u32:3 u8:1'] },
    {
      what: 'updates of the connection’s window by single bytes',
      kind: 'window-updates',
      steps: ['repeat 30 WINDOW_UPDATE 0 u32:1'],
    },
    {
      what: 'updates of a stream’s window by single bytes',
      kind: 'window-updates',
      steps: ['HEADERS 1 +EH @post', 'repeat 30 WINDOW_UPDATE 1 u32:1'],
    },
    {
      what: 'DATA without a byte (CVE-2019-9518)',
      kind: 'empty-data',
      steps: ['HEADERS 1 +EH @post', 'repeat 30 DATA 1'],
    },
    {
      what: 'DATA of padding alone',
      kind: 'empty-data',
      steps: ['HEADERS 1 +EH @post', 'repeat 30 DATA 1 +PADDED u8:3 z:3'],
    },
    {
      what: 'small heads that unpack to large ones',
      kind: 'headers',
      steps: ['HEADERS 1 +EH +ES @get x4003 "x-a" x7f811e "{z*3968}"', 'HEADERS 3 +EH +ES @get xbe*60'],
    },
  ])('end the connection for $what', async ({ kind, steps }) => {
    const before = await scrape(proxy);
    const { client, when } = await clientThatSends(steps);
    await when('the end', () => client.isOver);
    client.close(); // or it lingers
    expect([client.goaway, client.breaches]).toEqual(['ENHANCE_YOUR_CALM', []]);
    expect(await growthOf(before, 'sluice_http2_floods_total', { kind })).toBe(1);
    expect(sumOf(await scrape(proxy), 'sluice_http2_floods_total')).toBe(
      sumOf(before, 'sluice_http2_floods_total') + 1,
    );
  });

  it('end the connection for windows that are opened by single bytes, each with a byte of an answer (CVE-2019-9511)', async () => {
    const before = await scrape(proxy);
    const { client, send, when } = await clientThatSends([
      'SETTINGS 0 INITIAL_WINDOW_SIZE=0',
      `HEADERS 1 +EH +ES ${get('/large')}`,
    ]);
    await when('the head', () => client.streams.get(1)?.status === 200);
    for (let bytes = 1; !client.isOver && bytes < 100; bytes++) {
      send(['WINDOW_UPDATE 1 u32:1']);
      await when('a byte, or the end', () => client.isOver || client.streams.get(1)?.body.length === bytes);
    }
    client.close();
    expect(client.goaway).toBe('ENHANCE_YOUR_CALM');
    expect(await growthOf(before, 'sluice_http2_floods_total', { kind: 'window-updates' })).toBe(1);
  });

  it('refuse streams beyond their number, and keep the connection', async () => {
    const before = await rested('sluice_http2_refused_streams_total');
    const { client, send, when } = await clientThatSends([`each 1-11 HEADERS $ +EH +ES ${get('/held')}`]);
    await when('refusals', () => [9, 11].every((id) => client.streams.get(id)?.reset === 'REFUSED_STREAM'));
    expect(client.settings.get(SETTINGS['MAX_CONCURRENT_STREAMS'] as number)).toBe(HTTP2.streams);
    send(['RST_STREAM 1 CANCEL', 'HEADERS 13 +EH +ES @get']);
    await when('an answer', () => client.isFinished(13));
    expect([client.streams.get(13)?.status, client.ending, client.breaches]).toEqual([200, 'open', []]);
    expect(await growthOf(before, 'sluice_http2_refused_streams_total')).toBe(2);
    client.close();
  });

  it('answer heads that are too large with 431, and keep the connection', async () => {
    const before = await scrape(proxy);
    const { client, when } = await clientThatSends([
      'HEADERS 1 +EH +ES @get [x-a: {a*3000}]',
      `HEADERS 3 +EH +ES @get ${'[x-a: {a*60}] '.repeat(40)}`,
      'HEADERS 5 +EH +ES @get',
    ]);
    await when('answers', () => [1, 3, 5].every((id) => client.isFinished(id)));
    expect([1, 3, 5].map((id) => client.streams.get(id)?.status)).toEqual([431, 431, 200]);
    expect(client.settings.get(SETTINGS['MAX_HEADER_LIST_SIZE'] as number)).toBe(2_048);
    expect(await growthOf(before, 'sluice_errors_total', { code: 'SLUICE_HEAD_TOO_LARGE' })).toBe(2);
    expect(await growthOf(before, 'sluice_http2_streams_total')).toBe(3);
    client.close();
  });

  it.each<{ what: string; steps: readonly string[]; isAcknowledging: boolean; code: string }>([
    { what: 'does not acknowledge SETTINGS', steps: [], isAcknowledging: false, code: 'SETTINGS_TIMEOUT' },
    { what: 'does not end a head', steps: ['HEADERS 1 @get'], isAcknowledging: true, code: 'PROTOCOL_ERROR' },
  ])('end the connection of a client that $what in time', async ({ steps, isAcknowledging, code }) => {
    const before = await scrape(proxy);
    const { client, when } = await clientThatSends(steps, isAcknowledging);
    await when('the end', () => client.isOver);
    client.close(); // or it lingers
    expect([client.goaway, client.breaches]).toEqual([code, []]);
    expect(await growthOf(before, 'sluice_http2_errors_total')).toBe(1);
  });

  it('end exchanges whose answer the client never lets come, and serve the rest of its connection', async () => {
    const before = await scrape(proxy);
    const large = ['SETTINGS 0 INITIAL_WINDOW_SIZE=0', `each 1-7 HEADERS $ +EH +ES ${get('/large')}`];
    const { client, send, when } = await clientThatSends(large);
    await when('resets', () => [1, 3, 5, 7].every((id) => client.streams.get(id)?.reset === 'CANCEL'));
    send(['SETTINGS 0 INITIAL_WINDOW_SIZE=65535', 'HEADERS 9 +EH +ES @get']);
    await when('an answer', () => client.isFinished(9));
    expect([client.streams.get(9)?.status, client.ending, client.breaches]).toEqual([200, 'open', []]);
    expect(await growthOf(before, 'sluice_errors_total', { code: 'SLUICE_CLIENT_STALLED' })).toBe(4);
    await until('endpoints are left', async () => (await openAtEndpoints()) === 0);
    client.close();
  });

  it('end the connection of a client that reads nothing of its socket', async () => {
    const before = await scrape(proxy);
    const { client, when } = await clientThatSends([
      'SETTINGS 0 INITIAL_WINDOW_SIZE=2147483647',
      'WINDOW_UPDATE 0 u32:2000000000',
      `each 1-7 HEADERS $ +EH +ES ${get('/large')}`,
    ]);
    await when('the begin of an answer', () => client.streams.get(1)?.status === 200);
    client.socket.pause();
    expect(await growthOf(before, 'sluice_errors_total', { code: 'SLUICE_CLIENT_STALLED' })).toBeGreaterThan(0);
    client.socket.resume();
    await when('the end', () => client.isOver);
    client.close(); // or it lingers
    await until('endpoints are left', async () => (await openAtEndpoints()) === 0);
  });
});
