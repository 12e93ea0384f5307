/** The suite itself: it sees what is wrong, with a proxy that does nothing but copy bytes, and with streams that break the rules. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Candidate } from './candidates/candidate.js';
import { CASES, TOPICS } from './cases/all.js';
import { pieces } from './harness/changes.js';
import { MessageReader } from './harness/message-reader.js';
import { runSuite } from './harness/run-suite.js';

/** Copies bytes between each client and a connection of its own to the endpoint. */
const copying: Candidate = {
  name: 'copying',
  missing: () => '',
  start: async (endpointPorts) => {
    const sockets = new Set<Socket>();
    const servers = endpointPorts.map((port) =>
      createServer({ allowHalfOpen: true }, (client) => {
        const endpoint = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        for (const socket of [client, endpoint]) {
          sockets.add(socket);
          socket.on('error', () => {});
        }
        client.pipe(endpoint).pipe(client);
        client.on('close', () => endpoint.destroy());
        endpoint.on('close', () => client.destroy());
      }).listen(0, '127.0.0.1'),
    );
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const ports = servers.map((server) => (server.address() as AddressInfo).port);
    return {
      portOf: (lane, profile) => (profile === 'usual' ? ports[lane] : undefined),
      stop: async () => {
        for (const socket of sockets) socket.destroy();
        await Promise.all(servers.map((server) => once(server.close(), 'close')));
      },
    };
  },
};

describe('the cases', () => {
  it('are many, and each has a name of its own', () => {
    const names = CASES.map(({ name }) => name);
    expect(names.length).toBeGreaterThanOrEqual(150);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe('a proxy that copies bytes', () => {
  const seen = new Map<string, boolean>();

  beforeAll(async () => {
    const cases = [...(TOPICS['request line'] ?? []), ...(TOPICS['request smuggling'] ?? [])];
    const jobs = cases.map((testCase) => ({ testCase }));
    const verdicts = await runSuite(copying, jobs, { lanes: 24, patienceMs: 300 });
    for (const [index, { differences, isAllowed }] of verdicts.entries())
      seen.set(cases[index]?.name ?? '', differences.length === 0 || isAllowed);
  }, 60_000);

  it.each(['passes the smallest request on', 'keeps dot segments', 'passes the method PROPFIND on'])(
    'passes a case that asks for no more: %s',
    (name) => expect(seen.get(name)).toBe(true),
  );

  it.each([
    'refuses a blank in the target',
    'refuses NUL in the target',
    'refuses both framings, length first (CL.TE)',
    'refuses xchunked beside a length',
    'refuses two Transfer-Encodings',
    'does not read on behind a request that it refuses',
    'never gives the surplus of one answer to the next client',
  ])('fails a case that asks for more: %s', (name) => expect(seen.get(name)).toBe(false));
});

describe('the reader', () => {
  const read = (kind: 'request' | 'response', bytes: string, pieceBytes = bytes.length): MessageReader => {
    const reader = new MessageReader(kind);
    for (const piece of pieces(bytes, 0, { pieceBytes })) reader.push(piece);
    return reader;
  };

  it.each([1, 2, 3, 7, 1_000])('reads messages in pieces of %i bytes', (pieceBytes) => {
    const bytes =
      'POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nde\r\n1\r\nf\r\n0\r\nX-T: 1\r\n\r\nGET /c HTTP/1.1\r\n\r\nGE';
    const { messages, rest, fault } = read('request', bytes, pieceBytes);
    expect(fault).toBe('');
    expect(messages.map(({ startLine, body, isComplete }) => [startLine, body, isComplete])).toEqual([
      ['POST /a HTTP/1.1', 'abc', true],
      ['POST /b HTTP/1.1', 'def', true],
      ['GET /c HTTP/1.1', '', true],
    ]);
    expect(messages[1]?.trailers).toEqual([['X-T', '1']]);
    expect(rest).toBe('GE');
  });

  it.each([
    'GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    'GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n',
    'GET / HTTP/1.1\r\nX : 1\r\n\r\n',
    'GET / HTTP/1.1\r\nX: a\rb\r\n\r\n',
    'GET  / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n',
    'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ])('sees the fault in %j', (bytes) => {
    expect(read('request', bytes).fault).not.toBe('');
    expect(read('request', bytes, 1).fault).not.toBe('');
  });
});
