/** UNIX sockets on both sides: listeners with a file or an abstract name, and endpoints. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { runProgram } from '../../harness/programs.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { echo, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const started = endAfterEach();

async function makeDirectory(): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), 'sluice-unix-'));
  await started({ close: () => rmSync(path, { recursive: true, force: true }) });
  return path;
}

async function startListening(bind: string, more: object = {}): Promise<ProxyProcess> {
  const endpoint = await started(startSessionEndpoint(echo));
  return started(startSessionProxy([endpoint.port], { listener: { bind, ...more } }));
}

async function echoed(path: string, text = 'over a UNIX socket'): Promise<void> {
  const client = await started(SocketPeer.open({ path }));
  client.send(text);
  await client.gets(text);
  client.end();
  expect(await client.ended()).toBe('ended');
}

describe('a listener on a UNIX socket', () => {
  it('relays sessions, and removes its file at the end', async () => {
    const path = join(await makeDirectory(), 'in.sock');
    const proxy = await startListening(`unix:${path}`);
    await echoed(path);
    await echoed(path, 'x'.repeat(500_000));
    await untilNoSessions(proxy);
    expect(await proxy.stop()).toBe(0);
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  it('has the permissions that the configuration gives it', async () => {
    const path = join(await makeDirectory(), 'in.sock');
    await startListening(`unix:${path}`, { socketMode: '0600' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('may have an abstract name', async () => {
    const name = `sluice-test-${process.pid}-${Math.floor(performance.now())}`;
    await startListening(`unix:@${name}`);
    // Node 20 fills abstract names up with zeros, which makes another name of it.
    const client = `
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.settimeout(10)
client.connect(chr(0) + sys.argv[1])
client.sendall(b'hello')
client.shutdown(socket.SHUT_WR)
print(client.makefile('rb').read().decode())`;
    expect(await runProgram('python3', ['-c', client, name], 15_000)).toBe('hello\n');
  });

  it('passes a broken connection of the endpoint on as one', async () => {
    const path = join(await makeDirectory(), 'in.sock');
    const endpoint = await started(startSessionEndpoint());
    await started(startSessionProxy([endpoint.port], { listener: { bind: `unix:${path}` } }));
    const client = await started(SocketPeer.open({ path }));
    client.send('hello');
    const peer = await endpoint.peer(0);
    await peer.gets('hello');
    peer.reset();
    // There is no reset on UNIX sockets; the kernel knows an end only, or ECONNRESET where bytes were unread.
    await client.ended();
  });

  it('takes the place of a file that a dead process left, and not of one that is used', async () => {
    const directory = await makeDirectory();
    const left = join(directory, 'left.sock');
    // A bound socket whose process has gone without removing it.
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(left, resolve));
    await expect(startListening(`unix:${left}`)).rejects.toThrow('SLUICE_ADDRESS_IN_USE');
    await new Promise((resolve) => holder.close(resolve));

    const other = join(directory, 'not-a-socket');
    writeFileSync(other, 'precious');
    await expect(startListening(`unix:${other}`)).rejects.toThrow('sluice ended with 2');
  });
});

describe('an endpoint on a UNIX socket', () => {
  it.each(['copy', 'splice', 'adaptive'])('gets sessions relayed by %s', async (relay) => {
    const path = join(await makeDirectory(), 'out.sock');
    await started(startSessionEndpoint(echo, { path }));
    const proxy = await started(startSessionProxy([{ address: `unix:${path}` }], { listener: { relay } }));
    const client = await started(SocketPeer.open(proxy.port));
    const text = 'there and back '.repeat(100_000);
    client.send(text);
    client.end();
    expect(await client.ended()).toBe('ended');
    expect(client.text).toBe(text);
    await untilNoSessions(proxy);
  });

  it('serves a listener on a UNIX socket', async () => {
    const directory = await makeDirectory();
    const [inside, outside] = [join(directory, 'in.sock'), join(directory, 'out.sock')];
    await started(startSessionEndpoint(echo, { path: outside }));
    await started(startSessionProxy([{ address: `unix:${outside}` }], { listener: { bind: `unix:${inside}` } }));
    await echoed(inside);
  });
});
