/** What clients of HTTP/2 that do not read, and endpoints that do not, cost in memory: what is documented, however much is on its way. */
import { once } from 'node:events';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Changes } from '../../conformance/harness/changes.js';
import { sentBy } from '../../conformance/http2/harness/frame-notation.js';
import { Http2Client } from '../../conformance/http2/harness/http2-client.js';
import { endAfterEach } from '../../harness/end-after-each.js';
import { scrape, sumOf } from '../../harness/metric-samples.js';
import { forgetPeak, memoryBytes, peakMemoryBytes } from '../../harness/process-facts.js';
import { configFor, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startEndpoint, until } from '../../harness/wire.js';

const started = endAfterEach();

const STREAMS = 100;
const BODY_BYTES = 4_000_000;
/** Far more each than the socket to an endpoint takes for itself (tcp_wmem, tcp_rmem: some megabytes). */
const UPLOADS = 10;
const UPLOAD_BYTES = 20_000_000;
/** Of a stream: what is held of its body (64 KiB), what one read adds (64 KiB), and as much again for buffers that have grown. */
const BYTES_EACH = 256 * 1024;
/** Of everything else that happens in a process meanwhile. */
const OTHER_BYTES = 24 * 1024 * 1024;

async function proxyTo(port: number): Promise<ProxyProcess> {
  const listener = {
    http2: { clearText: true },
    timeouts: { writeStall: '1h', bodyIdle: '1h' },
    limits: { minBodyRate: 'off' },
  };
  return started(startProxy(configFor([port], { frontend: 'native', workers: 1, listener })));
}

/** Waits until the proxy moves nothing any more. */
async function stillness(count: () => number): Promise<void> {
  let before = -1;
  await until(
    'stillness',
    async () => {
      const now = count();
      const isStill = now > 0 && now === before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 100)); // two looks that far apart
      return isStill;
    },
    10_000,
  );
}

describe('a hundred streams of one connection', () => {
  it.each([
    ['whose windows stay closed', ['SETTINGS 0 INITIAL_WINDOW_SIZE=0'], false],
    [
      'whose client reads nothing',
      ['SETTINGS 0 INITIAL_WINDOW_SIZE=2147483647', 'WINDOW_UPDATE 0 u32:2000000000'],
      true,
    ],
  ] as const)(
    '%s cost what is documented, whatever their answers are',
    async (_what, settings, isDeaf) => {
      const answer = ok('x'.repeat(BODY_BYTES));
      const sent: Socket[] = [];
      const endpoint = await started(
        startRequestEndpoint(({ socket, target }) => {
          if (target === '/') return ok();
          sent.push(socket);
          return answer;
        }),
      );
      const proxy = await proxyTo(endpoint.port);
      const pid = proxy.child.pid as number;
      const changes = new Changes();
      const client = await Http2Client.open(proxy.port, false, changes, true);
      await started({ close: async () => client.close() });
      const send = (steps: readonly string[]): void => client.send(steps.flatMap((step) => sentBy(step, false)));
      send(['preface', ...settings, 'HEADERS 1 +EH +ES @get']);
      await changes.until(() => client.isFinished(1) || client.streams.get(1)?.status === 200, 5_000);
      forgetPeak(pid);
      const before = memoryBytes(pid);
      if (isDeaf) client.socket.pause();
      send([`each 3-${2 * STREAMS + 1} HEADERS $ +EH +ES [:method: GET] @scheme [:path: /large] [:authority: a.test]`]);
      await until('all are at the endpoint', () => sent.length === STREAMS);
      await stillness(
        () =>
          sent.reduce((sum, socket) => sum + socket.bytesWritten, 0) -
          sent.reduce((sum, socket) => sum + socket.writableLength, 0),
      );
      const grown = peakMemoryBytes(pid) - before;
      expect(grown).toBeLessThan(STREAMS * BYTES_EACH + OTHER_BYTES);
      // They wait, and none was given up; sockets may have taken a few whole answers.
      expect(sumOf(await scrape(proxy), 'sluice_endpoint_in_flight')).toBeGreaterThan(STREAMS - 10);
      client.close();
      await until('endpoints are left', async () => sumOf(await scrape(proxy), 'sluice_endpoint_in_flight') === 0);
    },
    30_000,
  );
});

describe('uploads over one connection', () => {
  it('cost what the windows let come where an endpoint takes no body', async () => {
    const endpoint = await started(startEndpoint((socket) => void socket.pause()));
    const proxy = await proxyTo(endpoint.port);
    const pid = proxy.child.pid as number;
    const session = http2.connect(`http://127.0.0.1:${proxy.port}`);
    session.on('error', () => {});
    await started({ close: async () => session.destroy() });
    await once(session, 'remoteSettings');
    forgetPeak(pid);
    const before = memoryBytes(pid);
    const body = Buffer.alloc(UPLOAD_BYTES, 'x');
    const streams = Array.from({ length: UPLOADS }, () => {
      const stream = session.request({ ':method': 'POST', ':path': '/' }, { endStream: false });
      stream.on('error', () => {});
      stream.write(body);
      return stream;
    });
    await stillness(() => session.socket.bytesWritten);
    expect(session.socket.bytesWritten).toBeLessThan((UPLOADS * UPLOAD_BYTES) / 2);
    expect(peakMemoryBytes(pid) - before).toBeLessThan(UPLOADS * BYTES_EACH + OTHER_BYTES);
    for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL);
    await until('endpoints are left', async () => sumOf(await scrape(proxy), 'sluice_endpoint_in_flight') === 0);
  }, 30_000);
});
