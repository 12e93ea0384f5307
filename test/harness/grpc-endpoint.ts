/** A gRPC server whose methods do what their names say, over messages of plain bytes, and clients for it: for tests that need no .proto. */
import {
  type ChannelCredentials,
  Client,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';

/** A running gRPC endpoint. Always `close` it. */
export interface GrpcEndpoint {
  readonly port: number;
  /** Paths of calls that the client has given up, as the endpoint has seen it. */
  readonly cancelled: readonly string[];
  close(): void;
}

const same = (bytes: Buffer): Buffer => bytes;

const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

/** One method of each kind, and those that do not end well. */
const SERVICE = {
  echo: method('/sluice.Test/Echo', false, false),
  refuse: method('/sluice.Test/Refuse', false, false),
  hang: method('/sluice.Test/Hang', false, false),
  count: method('/sluice.Test/Count', false, true),
  endless: method('/sluice.Test/Endless', false, true),
  sum: method('/sluice.Test/Sum', true, false),
  chat: method('/sluice.Test/Chat', true, true),
} satisfies ServiceDefinition;

export type GrpcMethod = keyof typeof SERVICE;

/** Of `grpc-status-details-bin`, as the endpoint sends it where it refuses. */
export const DETAILS = Buffer.from([0x08, 0x05, 0x12, 0x00, 0xff]);

/** Starts it without TLS (h2c), on a free port of 127.0.0.1. */
export async function startGrpcEndpoint(): Promise<GrpcEndpoint> {
  const cancelled: string[] = [];
  const echo: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
    const trailers = new Metadata();
    for (const mark of call.metadata.get('x-mark')) trailers.set('x-mark', mark);
    answer(null, call.request, trailers);
  };
  const refuse: handleUnaryCall<Buffer, Buffer> = (_, answer) => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', DETAILS);
    answer({ code: status.FAILED_PRECONDITION, details: 'größer als erlaubt', metadata });
  };
  const hang: handleUnaryCall<Buffer, Buffer> = (call) => {
    call.on('cancelled', () => cancelled.push(call.getPath()));
  };
  const count: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const most = Number(call.request.toString());
    for (let number = 1; number <= most; number++) call.write(Buffer.from(String(number)));
    call.end();
  };
  const endless: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    call.on('cancelled', () => cancelled.push(call.getPath()));
    call.write(Buffer.from('first'));
  };
  const sum: handleClientStreamingCall<Buffer, Buffer> = (call, answer) => {
    let total = 0;
    call.on('data', (bytes: Buffer) => {
      total += Number(bytes.toString());
    });
    call.on('end', () => answer(null, Buffer.from(String(total))));
  };
  const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on('data', (bytes: Buffer) => call.write(Buffer.concat([Buffer.from('re: '), bytes])));
    call.on('end', () => call.end());
  };
  const server = new Server();
  server.addService(SERVICE, { echo, refuse, hang, count, endless, sum, chat });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { port, cancelled, close: () => server.forceShutdown() };
}

/** Calls the methods of a gRPC endpoint, through whatever stands in front of it. Always `close` it. */
export class GrpcClient {
  readonly #client: Client;

  constructor(address: string, credentials: ChannelCredentials, options: Record<string, string | number> = {}) {
    // A subchannel of its own, so that clients do not share connections between tests.
    this.#client = new Client(address, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options });
  }

  /** @returns the response, its metadata of the end, or rejects with the ServiceError */
  unary(
    name: GrpcMethod,
    request: Buffer,
    { deadlineMs = 5_000, metadata = new Metadata() } = {},
  ): Promise<{ readonly response: Buffer; readonly trailers: Metadata }> {
    return new Promise((resolve, reject) => {
      let response: Buffer | undefined;
      let failure: Error | null = null;
      const call = this.#client.makeUnaryRequest(
        SERVICE[name].path,
        same,
        same,
        request,
        metadata,
        { deadline: Date.now() + deadlineMs },
        (error, own) => {
          failure = error;
          response = own;
        },
      );
      call.on('status', (end) => {
        if (failure !== null || response === undefined) reject(failure ?? new Error(end.details));
        else resolve({ response, trailers: end.metadata });
      });
    });
  }

  serverStream(name: GrpcMethod, request: Buffer) {
    return this.#client.makeServerStreamRequest(SERVICE[name].path, same, same, request);
  }

  /** @returns the response to all of these messages */
  clientStream(name: GrpcMethod, messages: readonly Buffer[]): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest<Buffer, Buffer>(SERVICE[name].path, same, same, (error, own) =>
        error === null && own !== undefined ? resolve(own) : reject(error),
      );
      for (const message of messages) call.write(message);
      call.end();
    });
  }

  bidirectional(name: GrpcMethod) {
    return this.#client.makeBidiStreamRequest<Buffer, Buffer>(SERVICE[name].path, same, same);
  }

  close(): void {
    this.#client.close();
  }
}
