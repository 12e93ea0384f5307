/** A site in Chromium over HTTP/2 through sluice: a page with its pictures, uploads, large answers, streamed ones, and WebSockets over the same connection. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { hasChromium, launchBrowser } from '../harness/browser.js';
import { CertificateFiles } from '../harness/certificate-files.js';
import { makeCertificate } from '../harness/certificate-maker.js';
import { badLines, configFor, type ProxyProcess, startProxy } from '../harness/proxy-process.js';
import { until } from '../harness/wire.js';

const PICTURES = 24;
const LARGE_BYTES = 8_000_000;
const UPLOAD_BYTES = 3_000_000;
const EVENTS = 3;

const PAGE = `<!doctype html><title>site</title><link rel="icon" href="data:,">
${Array.from({ length: PICTURES }, (_, at) => `<img alt="" src="/picture/${at}">`).join('')}`;
const PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><rect width="2" height="2"/></svg>';

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { url = '/' } = request;
  if (url === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
  if (url.startsWith('/picture/')) return void response.setHeader('content-type', 'image/svg+xml').end(PICTURE);
  if (url === '/large') return void response.end(Buffer.alloc(LARGE_BYTES, 'y'));
  if (url === '/upload') {
    let bytes = 0;
    request.on('data', (piece: Buffer) => (bytes += piece.length));
    return void request.on('end', () => response.end(String(bytes)));
  }
  if (url === '/events') {
    response.setHeader('content-type', 'text/event-stream');
    for (let at = 0; at < EVENTS; at++) response.write(`data: ${at}\n\n`);
    return; // stays open: what has come must be seen before the end
  }
  response.statusCode = 404;
  response.end();
}

describe.skipIf(!hasChromium())('a site in Chromium', () => {
  const files = new CertificateFiles();
  const accessLog = join(files.directory, 'access.log');
  let endpoint: Server;
  let webSockets: WebSocketServer;
  let proxy: ProxyProcess;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  /** What the access log says of exchanges that have ended. */
  const told = (): Record<string, unknown>[] =>
    readFileSync(accessLog, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(async () => {
    endpoint = createServer(answer);
    webSockets = new WebSocketServer({ server: endpoint, path: '/echo' });
    webSockets.on('connection', (socket) =>
      socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary })),
    );
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const { port } = endpoint.address() as AddressInfo;
    proxy = await startProxy(
      configFor([port], {
        workers: 1,
        frontend: 'native',
        listener: { tls: { certificates: [files.write('localhost', makeCertificate({ name: 'localhost' }))] } },
        accessLog: { file: accessLog, format: 'json', fields: ['method', 'path', 'protocol', 'status'] },
      }),
    );
    browser = (await launchBrowser()) as Browser;
    page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(`https://localhost:${proxy.port}/`);
  });

  afterAll(async () => {
    await browser?.close();
    await proxy?.stop();
    webSockets?.close();
    endpoint?.closeAllConnections();
    endpoint?.close();
    files.close();
  });

  it('comes with all its pictures over h2', async () => {
    const seen = await page.evaluate(() => ({
      page: (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol,
      pictures: performance
        .getEntriesByType('resource')
        .map((each) => (each as PerformanceResourceTiming).nextHopProtocol),
      drawn: [...document.images].filter(({ naturalWidth }) => naturalWidth === 2).length,
    }));
    expect(seen).toEqual({ page: 'h2', pictures: Array<string>(PICTURES).fill('h2'), drawn: PICTURES });
  });

  it('fetches large answers and uploads', async () => {
    const sizes = await page.evaluate(async (uploadBytes) => {
      const large = fetch('/large').then(async (response) => (await response.arrayBuffer()).byteLength);
      const body = new Uint8Array(uploadBytes);
      const upload = fetch('/upload', { method: 'POST', body }).then(async (response) => Number(await response.text()));
      return Promise.all([large, upload]);
    }, UPLOAD_BYTES);
    expect(sizes).toEqual([LARGE_BYTES, UPLOAD_BYTES]);
  });

  it('sees events as they come, and goes on after it has left them', async () => {
    const seen = await page.evaluate(
      (count) =>
        new Promise<string[]>((resolve) => {
          const source = new EventSource('/events');
          const data: string[] = [];
          source.onmessage = (event) => {
            data.push(String(event.data));
            if (data.length < count) return;
            source.close();
            resolve(data);
          };
        }),
      EVENTS,
    );
    expect(seen).toEqual(['0', '1', '2']);
    expect(await page.evaluate(async () => (await fetch('/picture/0')).status)).toBe(200);
  });

  it('talks over a WebSocket in a stream of its connection', async () => {
    const heard = await page.evaluate(
      () =>
        new Promise<(string | number)[]>((resolve, reject) => {
          const socket = new WebSocket(`wss://${location.host}/echo`);
          const large = 'x'.repeat(200_000);
          const messages: (string | number)[] = [];
          socket.onerror = () => reject(new Error('the WebSocket failed'));
          socket.onopen = () => {
            socket.send('hello');
            socket.send(large);
          };
          socket.onmessage = ({ data }) => {
            messages.push(data === large ? large.length : String(data));
            if (messages.length === 2) socket.close(1000, 'done');
          };
          socket.onclose = ({ code }) => resolve([...messages, code]);
        }),
    );
    expect(heard).toEqual(['hello', 200_000, 1000]);
    await until('the line of the WebSocket', () => told().some(({ path }) => path === '/echo'));
    expect(told().find(({ path }) => path === '/echo')).toMatchObject({ protocol: 'HTTP/2.0' });
  });

  it('leaves nothing to complain about', () => {
    expect(complaints).toEqual([]);
    expect(badLines(proxy.log)).toEqual([]);
  });
});
