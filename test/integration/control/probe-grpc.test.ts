/** Probes of kind grpc against real gRPC servers (@grpc/grpc-js), and against what only looks like one. */

import { createServer as createHttp2Endpoint, type ServerHttp2Stream } from 'node:http2';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { HealthCheckPlan } from '../../../src/config/plan.js';
import { probe as probeOnce } from '../../../src/control/health/probe.js';
import { ProbeEndpoints } from '../../harness/probe-endpoints.js';
import { endpointPlan, PLAIN_CHECK } from '../../unit/control/plans.js';

const endpoints = new ProbeEndpoints();
afterEach(() => endpoints.close());

const check: HealthCheckPlan = {
  ...PLAIN_CHECK,
  intervalMs: 9_000,
  unhealthyIntervalMs: 9_000,
  timeoutMs: 5_000,
  healthyAfter: 1,
  unhealthyAfter: 1,
  kind: 'grpc',
  service: '',
  host: null,
  headers: {},
};

async function probe(address: string, own: HealthCheckPlan = check) {
  const endpoint = endpointPlan('a.test', 443, 0);
  const { elapsedMs: _, ...result } = await probeOnce(endpoint, [address], own, new AbortController().signal);
  return result;
}

type Answer = (service: Buffer) => Buffer | { readonly code: number; readonly details: string };

/** A gRPC server with a health service, or without one. */
async function grpcServer(answer: Answer | null, credentials = ServerCredentials.createInsecure()): Promise<string> {
  const server = new Server();
  const definition = {
    check: {
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  };
  if (answer !== null)
    server.addService(definition, {
      check: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        const said = answer(call.request);
        if (Buffer.isBuffer(said)) done(null, said);
        else done(said);
      },
    });
  endpoints.atEnd(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  return `127.0.0.1:${port}`;
}

const serving = Buffer.of(0x08, 1);
const notServing = Buffer.of(0x08, 2);

describe('a grpc probe of a gRPC server', () => {
  it('is good where the endpoint serves', async () => {
    const seen: Buffer[] = [];
    const address = await grpcServer((service) => {
      seen.push(service);
      return serving;
    });
    expect(await probe(address)).toEqual({ succeeded: true });
    expect(seen).toEqual([Buffer.alloc(0)]);
  });

  it('asks for the service', async () => {
    const address = await grpcServer((request) =>
      request.toString() === '\n\u0009shop.Cart' ? serving : { code: status.NOT_FOUND, details: 'unknown' },
    );
    expect(await probe(address, { ...check, service: 'shop.Cart' })).toEqual({ succeeded: true });
    expect(await probe(address, { ...check, service: 'a.B' })).toEqual({
      succeeded: false,
      reason: 'its health service knows no service "a.B" (grpc-status 5, NOT_FOUND)',
    });
  });

  it.each([
    [notServing, 'it is NOT_SERVING'],
    [Buffer.of(0x08, 0), 'it is UNKNOWN'],
    [Buffer.of(0x08, 0x80), 'its message is no HealthCheckResponse'],
    [{ code: status.UNAVAILABLE, details: 'going down' }, 'it answered with grpc-status 14: going down'],
  ])('is bad where it answers %o', async (answer, reason) => {
    expect(await probe(await grpcServer(() => answer))).toEqual({ succeeded: false, reason });
  });

  it('says where there is no health service', async () => {
    expect(await probe(await grpcServer(null))).toEqual({
      succeeded: false,
      reason: 'it does not implement grpc.health.v1.Health (grpc-status 12, UNIMPLEMENTED)',
    });
  });

  it('is made over TLS where the upstream has it', async () => {
    const certificate = endpoints.certificate('a.test');
    const pair = { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.cert) };
    const address = await grpcServer(() => serving, ServerCredentials.createSsl(null, [pair]));
    expect(await probe(address, { ...check, tls: endpoints.believing(certificate) })).toEqual({ succeeded: true });
    expect(await probe(address)).toMatchObject({ succeeded: false });
  });
});

describe('a grpc probe of something else', () => {
  const answering = (answer: (stream: ServerHttp2Stream) => void): Promise<string> =>
    endpoints.listening(
      createHttp2Endpoint().on('stream', (stream) => {
        stream.on('error', () => {});
        answer(stream);
      }),
    );
  const grpc = { ':status': 200, 'content-type': 'application/grpc' };

  it.each<[string, (stream: ServerHttp2Stream) => void, string]>([
    [
      '404',
      (stream) => stream.respond({ ':status': 404 }, { endStream: true }),
      'it answered with status 404, not as gRPC does',
    ],
    [
      'a page',
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' });
        stream.end('<p>');
      },
      'it answered with the content type "text/html", not as gRPC does',
    ],
    [
      'no status',
      (stream) => {
        stream.respond(grpc);
        stream.end(Buffer.of(0, 0, 0, 0, 2, 8, 1));
      },
      'its answer ended without a grpc-status',
    ],
    [
      'an endless message',
      (stream) => {
        stream.respond(grpc);
        stream.write(Buffer.alloc(10_000));
      },
      'its message is too long for a HealthCheckResponse',
    ],
    [
      'a cut answer',
      (stream) => {
        stream.respond(grpc);
        stream.write(Buffer.of(0), () => stream.destroy(new Error('cut')));
      },
      'ERR_HTTP2_STREAM_ERROR: Stream closed with error code NGHTTP2_INTERNAL_ERROR',
    ],
  ])('says what is wrong: %s', async (_, answer, reason) => {
    expect(await probe(await answering(answer))).toEqual({ succeeded: false, reason });
  });

  it('ends when no answer comes', async () => {
    const address = await answering(() => {});
    expect(await probe(address, { ...check, timeoutMs: 150 })).toEqual({
      succeeded: false,
      reason: 'no answer within 150 ms',
    });
  });
});
