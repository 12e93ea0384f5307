/** One question to one agent, over real connections. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AgentTarget, agentTarget, askAgent } from '../../../../src/control/weights/agent-question.js';

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) server.close();
});

/** An agent that does something with each connection. */
async function agent(serve: (socket: Socket) => void): Promise<AgentTarget> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

describe('a question to an agent', () => {
  it.each([
    ['a line', (socket: Socket) => void socket.write('up 50%\r\nmore'), 'up 50%'],
    ['a line with a bare line feed', (socket: Socket) => void socket.write('up 50%\n'), 'up 50%'],
    ['no end of line but a close', (socket: Socket) => void socket.end('drain'), 'drain'],
    [
      'a line in pieces',
      (socket: Socket) => void socket.write('rea', () => setImmediate(() => socket.write('dy\n'))),
      'ready',
    ],
    ['an empty line', (socket: Socket) => void socket.write('\n'), ''],
  ])('takes %s', async (_name, serve, line) => {
    expect(await askAgent(await agent(serve), 5_000)).toEqual({ ok: true, line });
  });

  it.each([
    ['closes without a word', (socket: Socket) => void socket.end(), 5_000, /without a word/],
    ['resets', (socket: Socket) => void socket.resetAndDestroy(), 5_000, /ECONNRESET/],
    ['says too much', (socket: Socket) => void socket.write('x'.repeat(300)), 5_000, /no end of line in 256 bytes/],
    ['says too much in a line', (socket: Socket) => void socket.write(`${'x'.repeat(300)}\n`), 5_000, /no end of line/],
    ['is silent', () => {}, 30, /no answer within 30 ms/],
  ])('says why there is no answer when the agent %s', async (_name, serve, timeoutMs, reason) => {
    const target = await agent(serve);
    expect(await askAgent(target, timeoutMs)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('says why when nobody listens', async () => {
    const target = await agent(() => {});
    await new Promise((resolve) => servers.splice(0)[0]!.close(resolve));
    expect(await askAgent(target, 5_000)).toEqual({ ok: false, reason: 'ECONNREFUSED' });
  });

  it('closes its connection after the answer', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const target = await agent((socket) => {
      closed = once(socket, 'close');
      socket.resume();
      socket.write('up\n');
    });
    await askAgent(target, 5_000);
    await closed;
  });
});

describe('the agent of an endpoint', () => {
  it.each([
    ['10.0.0.7:8080', '10.0.0.7'],
    ['[fd00::7]:8080', 'fd00::7'],
    ['unix:/run/api.sock', '127.0.0.1'],
  ])('at %s is on the host %s', (address, host) => {
    expect(agentTarget(address, 9100)).toEqual({ host, port: 9100 });
  });
});
