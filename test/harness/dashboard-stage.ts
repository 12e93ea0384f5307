/** An admin address of made-up figures for the dashboard's tests and pictures: the page itself is the real one. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { CertificateView } from '../../src/control/admin/certificate-view.js';
import { PAGE_SECURITY_POLICY, readFirstOf } from '../../src/control/admin/page.js';
import type { TimelineEntry } from '../../src/observability/live-figures.js';
import { FigureGenerator, generatedTimeline, type Scene } from './generated-figures.js';

/** Where scripts/page.mjs puts the page. */
const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** How the stage behaves. */
export interface StageOptions {
  readonly scene?: Scene;
  /** Seconds before now that are told to whoever connects. */
  readonly backlogS?: number;
  /** null: none is asked for. */
  readonly token?: string | null;
  /** Between figures; 0: only those that tell() is called for. */
  readonly intervalMs?: number;
}

/** What somebody asked the stage to do. */
export interface StageCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** A stage that listens. Always close it. */
export interface DashboardStage {
  readonly url: string;
  /** Writes, and questions of the explain form, in their order. */
  readonly calls: readonly StageCall[];
  /** Answers the next writes with this; null: as if all went well. */
  refusal: { readonly status: number; readonly body: object } | null;
  /** Sends one second to all who watch. @param moreMs how far the clock is ahead */
  tell(moreMs?: number): void;
  happen(entry: TimelineEntry): void;
  /** Ends all streams, and refuses new ones while `isAway`. */
  away(isAway: boolean): void;
  close(): Promise<void>;
}

/** The page has not been built: say so, instead of failing in ten strange ways. */
export function isPageBuilt(): boolean {
  return readFirstOf([PAGE_FOLDER]).has('/');
}

/** Starts a stage on a free port of 127.0.0.1. */
export async function startDashboardStage(options: StageOptions = {}): Promise<DashboardStage> {
  const { scene = 'calm', backlogS = 0, token = null, intervalMs = 0 } = options;
  const startedAt = Date.now();
  const generator = new FigureGenerator(scene, startedAt - backlogS * 1_000);
  const files = readFirstOf([PAGE_FOLDER]);
  const streams = new Set<ServerResponse>();
  const calls: StageCall[] = [];
  const entries = generatedTimeline(scene, startedAt);
  let isAway = false;
  const backlog = Array.from({ length: backlogS + 1 }, (_, index) =>
    generator.at(startedAt - (backlogS - index) * 1_000),
  );

  const openStream = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const entry of entries) response.write(eventText('happened', entry));
    for (const figures of backlog) response.write(eventText('figures', figures));
    streams.add(response);
    response.on('close', () => streams.delete(response));
  };

  const write = (call: StageCall, response: ServerResponse): void => {
    calls.push(call);
    if (stage.refusal !== null) return answer(response, stage.refusal.status, stage.refusal.body);
    const [, upstream, address] = /upstreams\/([^/]+)\/endpoints\/([^/]+)$/.exec(call.path) ?? [];
    if (upstream !== undefined && address !== undefined) {
      const key = `${decodeURIComponent(upstream)} ${decodeURIComponent(address)}`;
      generator.changes.set(key, { ...generator.changes.get(key), ...(call.body as object) });
      return answer(response, 200, {});
    }
    if (call.path === '/api/v1/reload') {
      generator.epoch += 1;
      return answer(response, 200, RELOADED(generator.epoch));
    }
    if (call.path === '/api/v1/explain') return answer(response, 200, EXPLAINED);
    answer(response, 404, { error: 'not-found', message: 'there is nothing at this path' });
  };

  const listener = createServer((request, response) => {
    const path = request.url ?? '';
    const file = files.get(path);
    if (file !== undefined) {
      const headers = { 'content-type': file.contentType, 'content-security-policy': PAGE_SECURITY_POLICY };
      return void response.writeHead(200, headers).end(file.body);
    }
    if (isAway) return void request.socket.destroy();
    if (token !== null && request.headers.authorization !== `Bearer ${token}`) {
      return answer(response, 401, { error: 'unauthorized', message: 'bring the token' });
    }
    if (path === '/api/v1/live') return openStream(response);
    if (path === '/api/v1/certificates')
      return answer(response, 200, { certificates: certificatesOf(scene, startedAt) });
    if (path === '/api/v1/config') return void response.end('listeners:\n  - name: web\n');
    if (request.method === 'GET') return answer(response, 404, { error: 'not-found', message: 'nothing here' });
    void bodyOf(request).then((body) => write({ method: request.method ?? '', path, body }, response));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const timer = intervalMs === 0 ? undefined : setInterval(() => stage.tell(), intervalMs);

  const stage: DashboardStage = {
    url: `http://127.0.0.1:${port}/`,
    calls,
    refusal: null,
    tell: (moreMs = 0) => {
      const text = eventText('figures', generator.at(Date.now() + moreMs));
      for (const stream of streams) stream.write(text);
    },
    happen: (entry) => {
      entries.push(entry);
      for (const stream of streams) stream.write(eventText('happened', entry));
    },
    away: (nowAway) => {
      isAway = nowAway;
      if (nowAway) for (const stream of streams) stream.destroy();
    },
    close: async () => {
      clearInterval(timer);
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      listener.closeAllConnections();
      await closed;
    },
  };
  return stage;
}

const DAY_MS = 86_400_000;

/** In trouble one ends soon, and one has ended; nothing is encrypted where nothing is. */
function certificatesOf(scene: Scene, nowMs: number): readonly CertificateView[] {
  if (scene === 'empty') return [];
  const certificate = (
    names: readonly string[],
    daysLeft: number,
    upstream: string | null = null,
  ): CertificateView => ({
    listener: upstream === null ? 'web' : null,
    upstream,
    names,
    issuer: 'CN=Example Authority',
    serial: '04D2',
    startsAt: new Date(nowMs - 60 * DAY_MS).toISOString(),
    endsAt: new Date(nowMs + (daysLeft + 0.5) * DAY_MS).toISOString(),
    fingerprint: Buffer.from(names.join()).toString('hex').padEnd(64, '0').slice(0, 64),
    keyType: 'ec',
    source: `/etc/sluice/${names[0]}.pem`,
  });
  if (scene !== 'trouble') return [certificate(['www.example.com', 'example.com'], 61)];
  return [
    certificate(['www.example.com', 'example.com'], 61),
    certificate(['api.example.com'], 12),
    certificate(['proxy.internal'], -3, 'pages'),
  ];
}

const NO_CHANGES = { added: 0, changed: 0, removed: 0 };
const RELOADED = (epoch: number): object => ({
  isUnchanged: false,
  epoch,
  listeners: NO_CHANGES,
  upstreams: { ...NO_CHANGES, changed: 1 },
  endpoints: { ...NO_CHANGES, added: 2 },
  needsRestart: ['workers'],
  warnings: [],
});

const CANDIDATE = { exclusion: null, group: 'level 0', weight: 1, inFlight: 3, cap: 100, score: 18.25 };
const EXPLAINED = {
  listener: 'web',
  worker: 0,
  route: { host: '*', path: '/api/' },
  policies: ['may be retried on 2 other endpoints', 'waits up to 5 s where every endpoint is full'],
  upstream: 'api',
  balance: 'least-time',
  endpoint: '10.0.0.1:9001',
  isDrawn: false,
  code: null,
  candidates: [
    { ...CANDIDATE, endpoint: '10.0.0.1:9001' },
    { ...CANDIDATE, endpoint: '10.0.0.3:9001', exclusion: 'ejected', score: null },
  ],
};

function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text) as unknown;
}
