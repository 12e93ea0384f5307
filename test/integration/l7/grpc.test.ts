/** gRPC through one sluice, with the client and the server of @grpc/grpc-js: every kind of call, ends in trailers, deadlines, cancellation, large messages, many calls at once. */
import { once } from 'node:events';
import { ChannelCredentials, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CertificateFiles } from '../../harness/certificate-files.js';
import { makeCertificate } from '../../harness/certificate-maker.js';
import { DETAILS, GrpcClient, type GrpcEndpoint, startGrpcEndpoint } from '../../harness/grpc-endpoint.js';
import { scrape, sumOf } from '../../harness/metric-samples.js';
import { untilIdle } from '../../harness/proxy-counts.js';
import { badLines, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { until } from '../../harness/wire.js';

const MEGABYTE = 1024 * 1024;

const files = new CertificateFiles();
const certificate = makeCertificate({ name: 'grpc.test' });
let endpoint: GrpcEndpoint;
let proxy: ProxyProcess;

beforeAll(async () => {
  endpoint = await startGrpcEndpoint();
  const listener = { mode: 'l7', bind: '127.0.0.1:0', frontend: 'native', routes: [{ upstream: 'app' }] };
  proxy = await startProxy({
    workers: 1,
    listeners: [
      { ...listener, name: 'clear', http2: { clearText: true } },
      { ...listener, name: 'tls', tls: { certificates: [files.write('grpc', certificate)] } },
    ],
    upstreams: {
      app: {
        protocol: 'h2',
        endpoints: [{ address: `127.0.0.1:${endpoint.port}` }],
        healthCheck: 'off',
        outlier: 'off',
      },
    },
  });
  await proxy.lineWhere(({ event }) => event === 'ready');
});

afterAll(async () => {
  await proxy.stop();
  endpoint.close();
  files.close();
});

describe.each(['clear', 'tls'])('gRPC through the listener %s', (listener) => {
  let client: GrpcClient;

  beforeAll(async () => {
    const listening = await proxy.lineWhere((line) => line.event === 'listening' && line['listener'] === listener);
    client = new GrpcClient(
      `127.0.0.1:${listening['port']}`,
      listener === 'clear' ? credentials.createInsecure() : ChannelCredentials.createSsl(Buffer.from(certificate.cert)),
      { 'grpc.ssl_target_name_override': 'grpc.test', 'grpc.default_authority': 'grpc.test' },
    );
  });

  afterAll(() => client.close());

  afterEach(async () => {
    // Each call is over in the proxy and at the endpoint, whoever ended it.
    await untilIdle(proxy);
    expect(badLines(proxy.log)).toEqual([]);
  });

  it('carries a unary call, and metadata both ways', async () => {
    const metadata = new Metadata();
    metadata.set('x-mark', 'there and back');
    const { response, trailers } = await client.unary('echo', Buffer.from('hello'), { metadata });
    expect(response.toString()).toBe('hello');
    expect(trailers.get('x-mark')).toEqual(['there and back']);
  });

  it('carries an empty message', async () => {
    expect((await client.unary('echo', Buffer.alloc(0))).response).toHaveLength(0);
  });

  it('carries a stream of the server', async () => {
    const got: string[] = [];
    for await (const message of client.serverStream('count', Buffer.from('200'))) got.push(String(message));
    expect(got).toEqual(Array.from({ length: 200 }, (_, index) => String(index + 1)));
  });

  it('carries a stream without messages', async () => {
    const got: unknown[] = [];
    for await (const message of client.serverStream('count', Buffer.from('0'))) got.push(message);
    expect(got).toEqual([]);
  });

  it('carries a stream of the client', async () => {
    const messages = Array.from({ length: 200 }, (_, index) => Buffer.from(String(index)));
    expect(String(await client.clientStream('sum', messages))).toBe(String((200 * 199) / 2));
  });

  it('carries a conversation, each message as it comes', async () => {
    const call = client.bidirectional('chat');
    for (const word of ['one', 'two', 'three']) {
      call.write(Buffer.from(word));
      const [answer] = await once(call, 'data');
      expect(String(answer)).toBe(`re: ${word}`);
    }
    call.end();
    const [end] = await once(call, 'status');
    expect(end.code).toBe(status.OK);
  });

  it('passes an error with its message and its details on', async () => {
    const error = (await client.unary('refuse', Buffer.of(1)).catch((own: unknown) => own)) as ServiceError;
    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'größer als erlaubt' });
    expect(error.metadata.get('grpc-status-details-bin')).toEqual([DETAILS]);
  });

  it('ends a call at its deadline, also for the endpoint', async () => {
    const before = endpoint.cancelled.length;
    await expect(client.unary('hang', Buffer.of(1), { deadlineMs: 150 })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
    });
    await until('the endpoint sees it', () => endpoint.cancelled.length > before, 3_000);
    expect(endpoint.cancelled.at(-1)).toBe('/sluice.Test/Hang');
  });

  it('tells the endpoint that the client has cancelled a stream', async () => {
    const before = endpoint.cancelled.length;
    const call = client.serverStream('endless', Buffer.of(1));
    call.once('data', () => call.cancel());
    const [error] = await once(call, 'error');
    expect(error.code).toBe(status.CANCELLED);
    await until('the endpoint sees it', () => endpoint.cancelled.length > before, 3_000);
    expect(endpoint.cancelled.at(-1)).toBe('/sluice.Test/Endless');
    // The connection serves on.
    expect((await client.unary('echo', Buffer.from('on'))).response.toString()).toBe('on');
  });

  it('carries messages of 1 MB both ways', async () => {
    const message = Buffer.alloc(MEGABYTE, 'sluice');
    const answers = await Promise.all([1, 2, 3].map(() => client.unary('echo', message)));
    for (const { response } of answers) expect(response.equals(message)).toBe(true);
  });

  it('carries 50 calls at once, each with its own answer', async () => {
    const texts = Array.from({ length: 50 }, (_, index) => String(index).repeat(index + 1));
    const answers = await Promise.all(texts.map((text) => client.unary('echo', Buffer.from(text))));
    expect(answers.map(({ response }) => response.toString())).toEqual(texts);
  });

  it('counts how calls end', async () => {
    const counted = async (name: string): Promise<number> =>
      sumOf(await scrape(proxy), 'sluice_grpc_responses_total', { status: name });
    const [ok, refused] = [await counted('OK'), await counted('FAILED_PRECONDITION')];
    await client.unary('echo', Buffer.of(1));
    await client.unary('refuse', Buffer.of(1)).catch(() => {});
    await untilIdle(proxy);
    expect([await counted('OK'), await counted('FAILED_PRECONDITION')]).toEqual([ok + 1, refused + 1]);
  });
});
