/**
 * Reloads under load: no request fails, no session and no tunnel ends, and memory stays what it was. SLUICE_LONG=1: a thousand reloads with
 * a thousand tunnels and a thousand sessions.
 */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { FRONT_ENDS } from '../../harness/front-ends.js';
import { type HoldingClients, startHoldingClients } from '../../harness/holding-clients.js';
import { memoryBytes } from '../../harness/process-facts.js';
import { badLines, type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { STAGE_VARIANTS, type StagePlaces, type StagePorts, stageConfig } from '../../harness/reload-stage.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { startSessionEndpoint } from '../../harness/session-endpoint.js';
import type { SocketPeer } from '../../harness/socket-peer.js';
import { SteadyLoad } from '../../harness/steady-load.js';
import { startWebSocketEndpoint } from '../../harness/web-socket-peers.js';
import { until } from '../../harness/wire.js';

const started = endAfterEach();

const IS_LONG = process.env['SLUICE_LONG'] === '1';
const RELOADS = IS_LONG ? 1_000 : 24;
/** The heaps of all threads grow to their size with the garbage of plans: until then resident memory rises. */
const WARM_UP_RELOADS = IS_LONG ? 500 : 0;
const TUNNELS = IS_LONG ? 1_000 : 100;
const SESSIONS = IS_LONG ? 1_000 : 100;
/** Of resident memory, from the end of the warm-up on; a leak of 16 KiB a reload would be seen. */
const MOST_GROWTH_BYTES = 16 * 1024 * 1024;
const SAMPLE_EVERY = 50;

/** A handshake, a masked frame with one byte, and the bytes of its echo. */
const WEB_SOCKET = {
  greeting: [
    'GET /ws HTTP/1.1',
    'Host: proxy.test',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    '',
    '',
  ].join('\r\n'),
  text: Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0x21]),
  replyBytes: 3,
};

/** Sends back what comes, without a pipe for each connection. */
function answerEach({ socket }: SocketPeer): void {
  socket.on('data', (chunk) => socket.write(chunk)).on('end', () => socket.end());
}

async function startEndpoints(): Promise<StagePorts> {
  const three = <T extends { port: number; close(): Promise<void> }>(start: () => Promise<T>): Promise<number[]> =>
    Promise.all([0, 1, 2].map(async () => (await started(start())).port));
  return {
    http: await three(() => startRequestEndpoint(ok())),
    webSocket: await three(() => startWebSocketEndpoint({ echoes: true, isKept: false })),
    session: await three(() => startSessionEndpoint(answerEach, { isKept: false, backlog: 4_096 })),
  };
}

/** Speaks on all connections without a pause, until it is told to stop. */
function keepSpeaking(clients: HoldingClients): () => Promise<number> {
  let isEnding = false;
  let rounds = 0;
  const running = (async () => {
    while (!isEnding) {
      await clients.ping();
      rounds++;
    }
  })();
  return async () => {
    isEnding = true;
    await running;
    return rounds;
  };
}

function placesOf({ log }: ProxyProcess): StagePlaces {
  const portOf = (name: string): number =>
    Number(log.find((line) => line.event === 'listening' && line['listener'] === name)?.['port']);
  return { web: portOf('web'), tcp: portOf('tcp') };
}

describe.each(FRONT_ENDS)('reloads under load (%s)', (frontend) => {
  it('fail no request, end no tunnel and no session, and take no memory', {
    timeout: IS_LONG ? 1_800_000 : 60_000,
  }, async () => {
    const ports = await startEndpoints();
    const proxy = await started(startProxy(stageConfig(0, frontend, ports, { web: 0, tcp: 0 })));
    await proxy.lineWhere(({ event }) => event === 'ready');
    const places = placesOf(proxy);
    const pid = proxy.child.pid as number;
    const sessions = await started(startHoldingClients(places.tcp));
    const tunnels = await started(startHoldingClients(places.web, WEB_SOCKET));
    await sessions.open(SESSIONS);
    await tunnels.open(TUNNELS);
    await Promise.all([sessions.ping(), tunnels.ping()]);
    const load = await started(SteadyLoad.start(places.web));
    await load.next(20);
    const ends = [sessions, tunnels].map(keepSpeaking);

    let reloaded = 0;
    const reload = async (): Promise<void> => {
      reloaded++;
      proxy.reload(stageConfig(reloaded, frontend, ports, places));
      const isTold = () => proxy.log.filter(({ event }) => event === 'reloaded').length >= reloaded;
      await until(`reload ${reloaded}, among ${JSON.stringify(proxy.log.slice(-8))}`, isTold, 20_000);
    };
    while (reloaded < WARM_UP_RELOADS) await reload();
    const samples = [memoryBytes(pid)];
    while (reloaded < WARM_UP_RELOADS + RELOADS) {
      await reload();
      if (reloaded % SAMPLE_EVERY === 0) samples.push(memoryBytes(pid));
    }
    await load.next(20);
    const rounds = await Promise.all(ends.map((end) => end()));
    await load.close();

    console.info(
      `${reloaded} reloads (${frontend}): ${load.answers.length} answers, ${rounds[0]} rounds of ${SESSIONS} sessions, ` +
        `${rounds[1]} of ${TUNNELS} tunnels; MiB: ${samples.map((bytes) => (bytes / 1_048_576).toFixed(1)).join(' ')}`,
    );
    expect(await sessions.ping()).toMatchObject({ open: SESSIONS, lost: 0, losses: {} });
    expect(await tunnels.ping()).toMatchObject({ open: TUNNELS, lost: 0, losses: {} });
    expect(load.answers.filter(({ status, body }) => status !== 200 || body !== 'ok')).toEqual([]);
    expect(Math.min(...rounds)).toBeGreaterThan(2);
    if (IS_LONG) expect(Math.max(...samples.slice(-3)) - (samples[0] as number)).toBeLessThan(MOST_GROWTH_BYTES);
    expect(badLines(proxy.log)).toEqual([]);
    expect(proxy.log.filter(({ event }) => event === 'session-failed' || event === 'exchange-failed')).toEqual([]);
    expect(reloaded).toBeGreaterThan(STAGE_VARIANTS);
    await sessions.close();
    await tunnels.close();
    expect(await proxy.stop()).toBe(0);
  });
});
