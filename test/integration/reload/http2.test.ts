/** Requests over HTTP/2 while the configuration changes and while the process ends: none is lost but those that a GOAWAY gives back. */
import http2 from 'node:http2';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const SESSIONS = 4;
const STREAMS = 8;
const MANY = 200;

/** What a configuration has changed in its listener, per generation. */
const listenerOf = (generation: number) => ({
  http2: { clearText: true, streams: 100 + generation },
  limits: { headBytes: `${16 + generation}KiB` },
});

/**
 * Clients with prior knowledge: each connection has so many streams under way at any time; after GOAWAY another one is made, and what the
 * GOAWAY left out is asked for again there.
 */
class Load {
  answered = 0;
  /** Streams that were not answered although no GOAWAY had left them out. */
  readonly lost: string[] = [];
  /** Given back by GOAWAY, or refused: asked for again. */
  again = 0;
  goaways = 0;
  #isOver = false;
  readonly #sessions = new Set<http2.ClientHttp2Session>();

  constructor(readonly port: number) {
    for (let count = 0; count < SESSIONS; count++) this.#open();
  }

  /** No further requests. @returns when those under way have ended */
  async finish(): Promise<void> {
    this.#isOver = true;
    await until('the last answers', () => this.#sessions.size === 0, 8_000);
  }

  #open(): void {
    if (this.#isOver) return;
    const session = http2.connect(`http://127.0.0.1:${this.port}`);
    this.#sessions.add(session);
    let lastId = Number.POSITIVE_INFINITY;
    let under = 0;
    let isLeft = false;
    const end = (): void => {
      if (under > 0 || !(isLeft || this.#isOver)) return;
      this.#sessions.delete(session);
      session.destroy();
    };
    const ask = (): void => {
      if (this.#isOver || isLeft || session.closed || session.destroyed) return end();
      const stream = session.request({ ':path': '/' });
      under++;
      let status = 0;
      let body = '';
      stream.on('response', (headers) => (status = Number(headers[':status'])));
      stream.setEncoding('latin1').on('data', (piece: string) => (body += piece));
      stream.on('error', () => {});
      stream.on('close', () => {
        under--;
        const id = stream.id ?? Number.POSITIVE_INFINITY;
        if (status === 200 && body === 'answer') this.answered++;
        else if (id > lastId || stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) this.again++;
        else this.lost.push(`stream ${stream.id}: ${status} ${body} code ${stream.rstCode}, last id ${lastId}`);
        ask();
      });
    };
    session.on('error', () => {
      isLeft = true; // nobody listens any more, or the connection has ended; streams tell
      end();
    });
    session.on('goaway', (code, id) => {
      this.goaways++;
      lastId = id;
      if (code !== 0) this.lost.push(`GOAWAY with ${code}`);
      if (isLeft) return;
      isLeft = true;
      this.#open();
    });
    session.on('close', () => {
      isLeft = true;
      end();
    });
    session.on('connect', () => {
      for (let count = 0; count < STREAMS; count++) ask();
    });
  }
}

async function underLoad(): Promise<{ proxy: ProxyProcess; load: Load; config: (generation: number) => object }> {
  const endpoint = await started(startRequestEndpoint(ok('answer')));
  const config = (generation: number): object =>
    configFor([endpoint.port], { frontend: 'native', workers: 2, listener: listenerOf(generation) });
  const proxy = await started(startProxy(config(0)));
  await proxy.lineWhere(({ event }) => event === 'ready');
  const load = new Load(proxy.port);
  await until('load', () => load.answered > MANY);
  return { proxy, load, config };
}

describe('requests over HTTP/2', () => {
  it('are all answered while the settings of their listener change', async () => {
    const { proxy, load, config } = await underLoad();
    for (let generation = 1; generation <= 3; generation++) {
      const before = load.answered;
      proxy.reload(config(generation));
      await until('the reload', () => proxy.log.filter(({ event }) => event === 'reloaded').length === generation);
      await until('more answers', () => load.answered > before + MANY);
    }
    await load.finish();
    expect([load.lost, load.again]).toEqual([[], 0]);
  }, 20_000);

  it('are all answered while their listener goes, but those that its GOAWAY leaves out', async () => {
    const { proxy, load, config } = await underLoad();
    const next = config(0) as { listeners: object[] };
    proxy.reload({ ...next, listeners: next.listeners.map((listener) => ({ ...listener, name: 'another' })) });
    await until('GOAWAY to all', () => load.goaways >= SESSIONS);
    await load.finish();
    expect(load.lost).toEqual([]);
  }, 20_000);

  it('are all answered while the process ends, but those that its GOAWAY leaves out', async () => {
    const { proxy, load } = await underLoad();
    const stopped = proxy.stop('SIGTERM');
    await until('GOAWAY to all', () => load.goaways >= SESSIONS);
    await load.finish();
    expect(load.lost).toEqual([]);
    expect(await stopped).toBe(0);
  }, 20_000);
});
