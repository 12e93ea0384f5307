/** Bytes through a session, in both directions and by each relay: what goes in comes out, and the end of each side is its own. */
import { describe, expect, it } from 'vitest';
import { endAfterEach } from '../../harness/end-after-each.js';
import { hashOf, PatternedBytes } from '../../harness/patterned-bytes.js';
import { echo, greetAs, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, startSessionProxy, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

const started = endAfterEach();

const RELAYS = ['adaptive', 'copy', 'splice'] as const;

describe.each(RELAYS)('a session relayed by %s', (relay) => {
  it('carries bytes to the endpoint and back, unchanged', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay } }));
    const client = await started(SocketPeer.open(proxy.port));
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    client.send(everyByte);
    await client.gets(everyByte.toString('latin1'));
    client.send('and again');
    await client.gets(`${everyByte.toString('latin1')}and again`);
    client.end();
    expect(await client.ended()).toBe('ended');
    await untilNoSessions(proxy);
    expect(await sessionFailures(proxy)).toEqual({});
  });

  it('lets the endpoint speak first', async () => {
    const endpoint = await started(startSessionEndpoint(greetAs('220 mail.test ready')));
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay } }));
    const client = await started(SocketPeer.open(proxy.port));
    await client.gets('220 mail.test ready\n');
    client.send('EHLO\n');
    await client.gets('220 mail.test ready\nEHLO\n');
  });

  it('passes the end of the client on, and the answer still arrives', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay } }));
    const client = await started(SocketPeer.open(proxy.port));
    client.send('question');
    client.end();
    const peer = await endpoint.peer(0);
    expect(await peer.ended()).toBe('ended');
    expect(peer.text).toBe('question');
    // Long enough for more than one turn of any relay, and for a splice.
    const answer = new PatternedBytes(3_000_000);
    await peer.sendAll(answer.pieces());
    expect(client.ending).toBe('open');
    peer.end();
    expect(await client.ended()).toBe('ended');
    expect(hashOf(client.received)).toBe(answer.hash());
    await untilNoSessions(proxy);
  });

  it('passes the end of the endpoint on, and the upload still arrives', async () => {
    const endpoint = await started(startSessionEndpoint((peer) => peer.send('enough')));
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    peer.end();
    expect(await client.ended()).toBe('ended');
    expect(client.text).toBe('enough');
    const upload = new PatternedBytes(3_000_000);
    await client.sendAll(upload.pieces());
    expect(peer.ending).toBe('open');
    client.end();
    expect(await peer.ended()).toBe('ended');
    expect(hashOf(peer.received)).toBe(upload.hash());
    await untilNoSessions(proxy);
  });

  it('delivers what was sent with the end, to the last byte, both ways at once', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay } }));
    for (const [index, bytes] of [1, 1_000, 65_536, 65_537, 400_000].entries()) {
      const client = await started(SocketPeer.open(proxy.port));
      const peer = await endpoint.peer(index);
      client.socket.end(Buffer.alloc(bytes, 'c'));
      peer.socket.end(Buffer.alloc(bytes, 'e'));
      expect(await client.ended()).toBe('ended');
      expect(await peer.ended()).toBe('ended');
      expect(client.received.equals(Buffer.alloc(bytes, 'e'))).toBe(true);
      expect(peer.received.equals(Buffer.alloc(bytes, 'c'))).toBe(true);
    }
    await untilNoSessions(proxy);
  });

  it('ends both sides with halfClose off as soon as one has, and delivers what was under way', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay, halfClose: false } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    const answer = new PatternedBytes(500_000);
    await peer.sendAll(answer.pieces());
    peer.end();
    expect(await client.ended()).toBe('ended');
    expect(hashOf(client.received)).toBe(answer.hash());
    // The client has not ended its side, and the endpoint is told the end all the same.
    await peer.ended();
    await untilNoSessions(proxy);
  });

  it('ends both sides with halfClose off when the client ends first', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { relay, halfClose: false } }));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    client.send('last words');
    client.end();
    expect(await peer.ended()).toBe('ended');
    expect(peer.text).toBe('last words');
    await client.ended();
    await untilNoSessions(proxy);
  });
});

describe('a session', () => {
  it('passes single bytes on at once, five hundred times there and back', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port]));
    const client = await started(SocketPeer.open(proxy.port));
    const startedAt = performance.now();
    for (let sent = 0; sent < 500; sent++) {
      client.send(Buffer.of(sent & 255));
      await client.when('the echo', () => client.receivedBytes === sent + 1);
    }
    expect([...client.received]).toEqual(Array.from({ length: 500 }, (_, sent) => sent & 255));
    // With Nagle's algorithm and delayed acknowledgements each way there would take 40 ms: 20 s and more.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('does not hold a message back until more comes', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port]));
    const client = await started(SocketPeer.open(proxy.port));
    const peer = await endpoint.peer(0);
    for (let round = 1; round <= 50; round++) {
      client.send('a');
      client.send('b');
      await peer.when('both', () => peer.receivedBytes === 2 * round);
    }
  });

  it('that opens and ends without a byte is ended on both sides', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port]));
    const client = await started(SocketPeer.open(proxy.port));
    client.end();
    expect(await (await endpoint.peer(0)).ended()).toBe('ended');
    expect(await client.ended()).toBe('ended');
    await untilNoSessions(proxy);
  });

  it('is one of many on the same listener, and each has its own bytes', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port]));
    const clients = await Promise.all(Array.from({ length: 100 }, () => started(SocketPeer.open(proxy.port))));
    for (const [index, client] of clients.entries()) client.send(`I am client ${index}, `.repeat(200));
    await Promise.all(clients.map((client, index) => client.gets(`I am client ${index}, `.repeat(200))));
    for (const client of clients) client.end();
    await Promise.all(clients.map((client) => client.ended()));
    await untilNoSessions(proxy);
  });
});

describe('the endpoint', () => {
  it('sees the connection of a client that sends nothing', async () => {
    const endpoint = await started(startSessionEndpoint());
    const proxy = await started(startSessionProxy([endpoint.port]));
    await started(SocketPeer.open(proxy.port));
    expect((await endpoint.peer(0)).ending).toBe('open');
  });
});

describe('an l4 listener with deferAccept', () => {
  it('opens a session only once the client has sent something', async () => {
    const endpoint = await started(startSessionEndpoint(echo));
    const proxy = await started(startSessionProxy([endpoint.port], { listener: { deferAccept: '10s' } }));
    const silent = await started(SocketPeer.open(proxy.port));
    const talker = await started(SocketPeer.open(proxy.port));
    talker.send('hello');
    await talker.gets('hello');
    expect(endpoint.peers).toHaveLength(1);
    silent.send('now');
    await silent.gets('now');
    expect(endpoint.peers).toHaveLength(2);
  });
});
