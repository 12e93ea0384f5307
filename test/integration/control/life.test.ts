/** The life of a running sluice: readiness, crashes of workers, draining, signals. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SluiceProcess, startEndpoint, type TestEndpoint, until } from './sluice-process.js';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing.close();
});

function track<T extends { close(): unknown }>(thing: T): T {
  open.push(thing);
  return thing;
}

/** An endpoint that answers when the test lets it. */
async function heldEndpoint(): Promise<{ endpoint: TestEndpoint; held: () => number; answer: () => void }> {
  const waiting: (() => void)[] = [];
  const endpoint = track(
    await startEndpoint((_request, response) => void waiting.push(() => response.end('late but whole'))),
  );
  return { endpoint, held: () => waiting.length, answer: () => waiting.splice(0).forEach((end) => void end()) };
}

const words = (endpoint: TestEndpoint, ...others: string[]): string[] => [
  ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--upstream', endpoint.address],
  ...others,
];

async function start(endpoint: TestEndpoint, ...others: string[]): Promise<SluiceProcess> {
  const sluice = track(SluiceProcess.command(...words(endpoint, ...others)));
  await sluice.event('ready');
  return sluice;
}

/** A request on a connection of its own that the client would keep; never rejects. */
function request(url: string): Promise<{ status: number; body: string; connection: string | undefined } | Error> {
  return new Promise((resolve) => {
    const agent = new Agent({ keepAlive: true });
    const end = (result: Awaited<ReturnType<typeof request>>): void => {
      agent.destroy();
      resolve(result);
    };
    const sent = get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () =>
        end({ status: response.statusCode ?? 0, body, connection: response.headers.connection }),
      );
      response.on('error', end);
    });
    sent.on('error', end);
  });
}

/** Clients that ask again and again, each on a connection of its own for each request. */
function startLoad(url: string): { answered: () => number; close: () => Promise<void> } {
  let isOver = false;
  let answered = 0;
  const ask = async (): Promise<void> => {
    while (!isOver) {
      const response = await request(url);
      if (!(response instanceof Error)) answered++;
    }
  };
  const clients = Array.from({ length: 20 }, ask);
  return {
    answered: () => answered,
    close: async () => {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

async function json(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('a running sluice', () => {
  it('tells its state through the admin API', async () => {
    const endpoint = track(await startEndpoint((_request, response) => void response.end('hello')));
    const sluice = await start(endpoint, '--workers', '2');
    const admin = await sluice.adminUrl();
    for (let sent = 0; sent < 5; sent++)
      expect(await request(await sluice.url())).toMatchObject({ status: 200, body: 'hello' });

    expect(await json(`${admin}/readyz`)).toEqual({ status: 200, body: { status: 'ready' } });
    const status = await until('the end of all exchanges', async () => {
      const { body } = await json(`${admin}/api/v1/status`);
      return (body.totals as { openExchanges: number }).openExchanges === 0 ? body : undefined;
    });
    expect(status).toMatchObject({
      readiness: 'ready',
      pid: sluice.child.pid,
      totals: { requests: 5, attempts: 5, failures: 0, openExchanges: 0 },
    });
    expect(status.workers).toHaveLength(2);
    expect(`http://127.0.0.1:${(status.listeners as { port: number }[])[0]?.port}`).toBe(await sluice.url());

    const { body: upstreams } = await json(`${admin}/api/v1/upstreams`);
    const [upstream] = upstreams.upstreams as { name: string }[];
    expect(upstream).toMatchObject({ endpoints: 1, eligibleEndpoints: 1, balance: 'round-robin' });
    const { body: endpoints } = await json(`${admin}/api/v1/upstreams/${upstream?.name}/endpoints`);
    expect(endpoints.endpoints).toEqual([
      expect.objectContaining({
        address: endpoint.address,
        healthy: true,
        inFlight: 0,
        requests: 5,
        failures: 0,
        share: 1,
      }),
    ]);
  });

  it('refuses requests to the admin API with the Host of a stranger', async () => {
    const endpoint = track(await startEndpoint((_request, response) => void response.end()));
    const sluice = await start(endpoint);
    const admin = await sluice.adminUrl();
    const status = await new Promise((resolve, reject) => {
      get(`${admin}/healthz`, { headers: { host: 'evil.test' }, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(403);
  });

  it('finishes what is in flight on SIGTERM, is not ready meanwhile, takes nothing new, and exits 0', async () => {
    const { endpoint, held, answer } = await heldEndpoint();
    const sluice = await start(endpoint);
    const [url, admin] = [await sluice.url(), await sluice.adminUrl()];
    const response = request(url);
    await until('the request at the endpoint', () => (held() === 1 ? true : undefined));
    sluice.signal('SIGTERM');
    await until('no readiness', async () => ((await json(`${admin}/readyz`)).status === 503 ? true : undefined));
    await until('a refused connection', async () => ((await request(url)) instanceof Error ? true : undefined));
    answer();
    expect(await response).toMatchObject({ status: 200, body: 'late but whole', connection: 'close' });
    expect(await sluice.exit()).toBe(0);
  });

  it('exits 0 at the shutdown timeout and says how many exchanges it cut', async () => {
    const { endpoint, held } = await heldEndpoint();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    const file = join(folder, 'sluice.yaml');
    writeFileSync(
      file,
      `listeners: [{ name: web, bind: "127.0.0.1:0", routes: [{ upstream: api }] }]
upstreams: { api: { endpoints: [{ address: "${endpoint.address}" }] } }
shutdownTimeout: 200ms
admin: off
`,
    );
    const sluice = track(SluiceProcess.command('-c', file));
    const response = request(await sluice.url());
    await until('the request at the endpoint', () => (held() === 1 ? true : undefined));
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(0);
    rmSync(folder, { recursive: true });
    expect(await response).toBeInstanceOf(Error);
    expect(sluice.logged().find(({ event }) => event === 'shutdown-timeout')).toMatchObject({
      level: 'warn',
      exchanges: 1,
    });
  });

  it('exits at once on a second signal, with 128 and its number', async () => {
    const { endpoint, held } = await heldEndpoint();
    const sluice = await start(endpoint);
    void request(await sluice.url());
    await until('the request at the endpoint', () => (held() === 1 ? true : undefined));
    sluice.signal('SIGINT');
    await sluice.event('signal');
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(143);
  });

  it('says on SIGHUP that flags alone cannot be read again, and goes on', async () => {
    const endpoint = track(await startEndpoint((_request, response) => void response.end('hello')));
    const sluice = await start(endpoint);
    sluice.signal('SIGHUP');
    await sluice.event('reload-failed');
    expect(await request(await sluice.url())).toMatchObject({ status: 200 });
  });

  it('restarts a crashed worker, gives back what it held, and goes on serving', async () => {
    const { endpoint, held, answer } = await heldEndpoint();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    const crashFile = join(folder, 'crash');
    const environment = { CRASH_FILE: crashFile };
    const sluice = track(
      SluiceProcess.withEntry('crashable-worker.mjs', environment, ...words(endpoint, '--workers', '1')),
    );
    const [url, admin] = [await sluice.url(), await sluice.adminUrl()];
    const inFlight = async (): Promise<unknown> => {
      const { body } = await json(`${admin}/api/v1/upstreams/default/endpoints`);
      return (body.endpoints as { inFlight: number }[])[0]?.inFlight;
    };
    const cut = request(url);
    await until('the request at the endpoint', () => (held() === 1 ? true : undefined));
    expect(await inFlight()).toBe(1);

    writeFileSync(crashFile, '0 timer');
    await sluice.event('worker-serving');
    rmSync(folder, { recursive: true });
    expect(await cut).toBeInstanceOf(Error);
    expect(await inFlight()).toBe(0);
    const crashes = sluice.logged().filter(({ event }) => event === 'worker-error');
    expect(crashes).toHaveLength(1);
    expect(JSON.stringify(crashes[0]?.err)).toContain('crashable-worker.mjs');

    answer(); // what the crash left behind
    const next = request(url);
    await until('the next request at the endpoint', () => (held() === 1 ? true : undefined));
    answer();
    expect(await next).toMatchObject({ status: 200, body: 'late but whole' });
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(0);
  });

  it.each(['timer', 'handler', 'batch'])('survives crashes of workers under load (in a %s)', async (place) => {
    const endpoint = track(await startEndpoint((_request, response) => void response.end('hello')));
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    const crashFile = join(folder, 'crash');
    const others = words(endpoint, '--workers', '2');
    const sluice = track(SluiceProcess.withEntry('crashable-worker.mjs', { CRASH_FILE: crashFile }, ...others));
    const [url, admin] = [await sluice.url(), await sluice.adminUrl()];
    const load = track(startLoad(url));
    for (const worker of [0, 1]) {
      const before = load.answered();
      await until('traffic', () => (load.answered() > before + 50 ? true : undefined));
      writeFileSync(crashFile, `${worker} ${place}`);
      await sluice.event('worker-serving', (record) => record.worker === worker);
    }
    await load.close();
    rmSync(folder, { recursive: true });

    expect(sluice.logged().filter(({ event }) => event === 'worker-error')).toHaveLength(2);
    expect(await json(`${admin}/readyz`)).toMatchObject({ status: 200 });
    await until('nothing in flight', async () => {
      const { body } = await json(`${admin}/api/v1/upstreams/default/endpoints`);
      return (body.endpoints as { inFlight: number }[]).every(({ inFlight }) => inFlight === 0) ? true : undefined;
    });
    expect(await request(url)).toMatchObject({ status: 200 });
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(0);
  });

  it('exits at once on a second signal under load, too', async () => {
    const { endpoint } = await heldEndpoint();
    const sluice = await start(endpoint, '--workers', '2');
    const load = track(startLoad(await sluice.url()));
    await until('load', async () => {
      const { body } = await json(`${await sluice.adminUrl()}/api/v1/status`);
      return (body.totals as { openExchanges: number }).openExchanges > 10 ? true : undefined;
    });
    sluice.signal('SIGTERM');
    await sluice.event('signal');
    sluice.signal('SIGTERM');
    expect(await sluice.exit()).toBe(143);
    await load.close();
  });

  it('takes an endpoint that fails its health check out, and back in when it answers again', async () => {
    let isSick = false;
    const endpoint = track(
      await startEndpoint((_request, response) => {
        response.statusCode = isSick ? 500 : 200;
        response.end();
      }),
    );
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    const file = join(folder, 'sluice.yaml');
    writeFileSync(
      file,
      `listeners: [{ name: web, bind: "127.0.0.1:0", routes: [{ upstream: api }] }]
upstreams:
  api:
    endpoints: [{ address: "${endpoint.address}" }]
    healthCheck: { path: /health, interval: 500ms, timeout: 500ms, healthyAfter: 1, unhealthyAfter: 2 }
    panicThreshold: off
admin: { bind: "127.0.0.1:0" }
`,
    );
    const sluice = track(SluiceProcess.command('-c', file));
    const url = await sluice.url();
    rmSync(folder, { recursive: true });
    isSick = true;
    await sluice.event('endpoint-unhealthy');
    await until('503', async () => {
      const response = await request(url);
      return !(response instanceof Error) && response.status === 503 ? true : undefined;
    });
    isSick = false;
    await sluice.event('endpoint-healthy');
    await until('200', async () => {
      const response = await request(url);
      return !(response instanceof Error) && response.status === 200 ? true : undefined;
    });
  });
});
