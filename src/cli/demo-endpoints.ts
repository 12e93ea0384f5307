/** The three endpoints of the demo, of different speed, in a worker thread of their own so that they never hold up the primary. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** One endpoint of the demo: what it calls itself and how long it thinks. */
export interface DemoEndpoint {
  readonly name: string;
  readonly delayMs: number;
}

/** Far enough apart that a balancer which looks at time is seen to prefer the fast one. */
export const DEMO_ENDPOINTS: readonly DemoEndpoint[] = [
  { name: 'swift', delayMs: 2 },
  { name: 'steady', delayMs: 10 },
  { name: 'slow', delayMs: 40 },
];

/** The running endpoints. */
export interface DemoEndpoints {
  /** Addresses in the order of DEMO_ENDPOINTS. */
  readonly addresses: readonly string[];
  /** Ends the thread. Idempotent. */
  close(): Promise<void>;
}

/** What the thread is started with: marks it as one of ours. */
interface DemoSeed {
  readonly demoEndpoints: readonly DemoEndpoint[];
}

/** Starts the endpoints on free loopback ports. Rejects when their thread fails. Thread: primary. */
export async function startDemoEndpoints(endpoints: readonly DemoEndpoint[]): Promise<DemoEndpoints> {
  const seed: DemoSeed = { demoEndpoints: endpoints };
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: seed, name: 'sluice demo endpoints' });
  const ports = await new Promise<readonly number[]>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the thread of the demo endpoints ended before they listened')));
  });
  return {
    addresses: ports.map((port) => `127.0.0.1:${port}`),
    close: async () => {
      await thread.terminate();
    },
  };
}

/** Thread: the demo's own. */
async function serveEndpoints(endpoints: readonly DemoEndpoint[]): Promise<void> {
  const listening = await Promise.all(endpoints.map(serveEndpoint));
  parentPort?.postMessage(listening.map((endpoint) => (endpoint.address() as AddressInfo).port));
}

function serveEndpoint({ name, delayMs }: DemoEndpoint): Promise<Server> {
  const body = `Hello from ${name}, which takes ${delayMs} ms to answer.\n`;
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) };
  const endpoint = createServer((request, response) => {
    request.resume();
    setTimeout(() => {
      response.writeHead(200, headers);
      response.end(body);
    }, delayMs);
  });
  // Above what the proxy keeps an idle connection for, so that it is the proxy that closes and no request is lost to a race.
  endpoint.keepAliveTimeout = 60_000;
  return new Promise((resolve, reject) => {
    endpoint.once('error', reject);
    endpoint.listen({ host: '127.0.0.1', port: 0 }, () => resolve(endpoint));
  });
}

if (!isMainThread && typeof workerData === 'object' && workerData !== null && 'demoEndpoints' in workerData) {
  await serveEndpoints((workerData as DemoSeed).demoEndpoints);
}
