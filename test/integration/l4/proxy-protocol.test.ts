/** PROXY headers on the way in: read where configured, believed where the peer is trusted, and nothing else passes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  PROXY_SIGNATURE,
  ProxyCommand,
  ProxyFamily,
  ProxyTlv,
  proxyAddresses,
  proxyHeaderV2,
  type ReadProxyHeader,
  readProxyHeader,
  tlv,
} from '../../harness/proxy-header.js';
import type { ProxyProcess } from '../../harness/proxy-process.js';
import { echo, type SessionEndpoint, startSessionEndpoint } from '../../harness/session-endpoint.js';
import { sessionFailures, startSessionProxy, untilFailed, untilNoSessions } from '../../harness/session-proxy.js';
import { SocketPeer } from '../../harness/socket-peer.js';

/** The vector of semantics 10: 192.0.2.1:51234 to 198.51.100.7:443. */
const VECTOR = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c6336407c82201bb', 'hex');
const LINE = 'PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\r\n';
const ADDRESSES = proxyAddresses('192.0.2.1', '198.51.100.7', 51234, 443);
const SIX = Buffer.from('20010db8000000000000000000000001', 'hex');
const SIX_OTHER = Buffer.from('20010db8000000000000000000000002', 'hex');

/** Says what it has got, header and all, once the client has ended. */
let endpoint: SessionEndpoint;
let trusting: ProxyProcess;
let suspicious: ProxyProcess;

beforeAll(async () => {
  endpoint = await startSessionEndpoint(echo);
  const start = (trustedProxies: string[]): Promise<ProxyProcess> =>
    startSessionProxy([endpoint.port], {
      listener: { proxyProtocol: true, trustedProxies, timeouts: { preface: '5s' } },
      upstream: { proxyProtocol: 'v2' },
    });
  trusting = await start(['127.0.0.1/32']);
  suspicious = await start(['192.0.2.0/24']);
});

afterAll(async () => {
  await trusting?.stop();
  await suspicious?.stop();
  await endpoint?.close();
});

/** What came back from the endpoint: the header that sluice wrote, and what was behind it. */
interface Outcome {
  readonly header: ReadProxyHeader;
  readonly rest: string;
  /** Port of the client's real address. */
  readonly localPort: number;
}

async function outcomeOf(proxy: ProxyProcess, pieces: readonly (string | Buffer)[]): Promise<Outcome> {
  const client = await SocketPeer.open(proxy.port);
  const localPort = client.socket.localPort as number;
  try {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      client.send(piece);
    }
    client.end();
    const ending = await client.ended();
    if (ending === 'reset') throw new Error('reset');
    const header = readProxyHeader(client.received);
    return { header, rest: client.text.slice(header.bytes), localPort };
  } finally {
    client.close();
  }
}

const CLAIMED = { kind: 'TCP4', source: '192.0.2.1', sourcePort: 51234 };

describe('a PROXY header of a trusted peer', () => {
  it.each([
    ['of version 1', LINE, CLAIMED],
    ['of version 2', VECTOR, CLAIMED],
    ['with TLVs', proxyHeaderV2(Buffer.concat([ADDRESSES, tlv(ProxyTlv.NOOP, 'xx'), tlv(0xe0, 'own')])), CLAIMED],
    [
      'with much behind the addresses',
      proxyHeaderV2(Buffer.concat([ADDRESSES, tlv(0xe1, Buffer.alloc(3_000))])),
      CLAIMED,
    ],
    [
      'of version 2 with IPv6 addresses',
      proxyHeaderV2(proxyAddresses(SIX, SIX_OTHER, 51234, 443), { family: ProxyFamily.TCP6 }),
      { kind: 'TCP6', source: SIX.toString('hex'), sourcePort: 51234 },
    ],
    [
      'of version 1 with IPv6 addresses',
      'PROXY TCP6 2001:db8::1 2001:db8::2 51234 443\r\n',
      { kind: 'TCP6', source: SIX.toString('hex'), sourcePort: 51234 },
    ],
  ])('%s names the client to the endpoint, and is taken off', async (_what, header, claimed) => {
    const outcome = await outcomeOf(trusting, [Buffer.concat([Buffer.from(header), Buffer.from('the message')])]);
    expect(outcome.header).toMatchObject(claimed);
    expect(outcome.rest).toBe('the message');
  });

  it.each([
    ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
    ['UNKNOWN with something behind it', 'PROXY UNKNOWN ffff::1 what ever 1 2\r\n'],
    ['LOCAL', proxyHeaderV2(Buffer.alloc(0), { command: ProxyCommand.LOCAL, family: ProxyFamily.UNSPEC })],
    ['LOCAL with addresses', proxyHeaderV2(ADDRESSES, { command: ProxyCommand.LOCAL })],
    ['of no family', proxyHeaderV2(Buffer.from('whatever'), { family: ProxyFamily.UNSPEC })],
    ['of UNIX sockets', proxyHeaderV2(Buffer.alloc(216), { family: ProxyFamily.UNIX })],
  ])('%s leaves the address of the connection', async (_what, header) => {
    const outcome = await outcomeOf(trusting, [Buffer.concat([Buffer.from(header), Buffer.from('the message')])]);
    expect(outcome.header).toMatchObject({ kind: 'TCP4', source: '127.0.0.1', sourcePort: outcome.localPort });
    expect(outcome.rest).toBe('the message');
  });

  it.each([
    ['1', Buffer.from(LINE)],
    ['2', VECTOR],
    ['2 with TLVs', proxyHeaderV2(Buffer.concat([ADDRESSES, tlv(ProxyTlv.UNIQUE_ID, 'request 17')]))],
  ])('of version %s may be split at every byte', async (_version, header) => {
    const splits = Array.from({ length: header.length }, (_, index) => index + 1);
    const outcomes = await Promise.all(
      splits.map((at) =>
        outcomeOf(trusting, [header.subarray(0, at), `${header.subarray(at).toString('latin1')}rest`]),
      ),
    );
    for (const outcome of outcomes) {
      expect(outcome.header).toMatchObject(CLAIMED);
      expect(outcome.rest).toBe('rest');
    }
  });

  it.each([
    ['1', Buffer.from(LINE)],
    ['2', VECTOR],
  ])('of version %s may come byte by byte, with nothing behind it', async (_version, header) => {
    const outcome = await outcomeOf(
      trusting,
      Array.from(header, (byte) => Buffer.of(byte)),
    );
    expect(outcome.header).toMatchObject(CLAIMED);
    expect(outcome.rest).toBe('');
  });

  it('passes its unique id on', async () => {
    const header = proxyHeaderV2(Buffer.concat([ADDRESSES, tlv(ProxyTlv.UNIQUE_ID, 'request 17')]));
    const outcome = await outcomeOf(trusting, [header, 'x']);
    expect(outcome.header.tlvs.get(ProxyTlv.UNIQUE_ID)?.toString()).toBe('request 17');
  });

  it('is not looked for a second time', async () => {
    const outcome = await outcomeOf(trusting, [`${LINE}${LINE}`]);
    expect(outcome.rest).toBe(LINE);
  });
});

describe('a PROXY header of a peer that is not trusted', () => {
  it.each([
    ['1', LINE],
    ['2', VECTOR],
  ])('of version %s is taken off and not believed', async (_version, header) => {
    const outcome = await outcomeOf(suspicious, [Buffer.concat([Buffer.from(header), Buffer.from('message')])]);
    expect(outcome.header).toMatchObject({ kind: 'TCP4', source: '127.0.0.1', sourcePort: outcome.localPort });
    expect(outcome.rest).toBe('message');
  });

  it('does not pass on its unique id', async () => {
    const header = proxyHeaderV2(Buffer.concat([ADDRESSES, tlv(ProxyTlv.UNIQUE_ID, 'forged')]));
    const outcome = await outcomeOf(suspicious, [header, 'x']);
    expect(outcome.header.tlvs.get(ProxyTlv.UNIQUE_ID)?.toString()).not.toBe('forged');
  });
});

describe('a connection that does not begin with a PROXY header', () => {
  const crc = tlv(ProxyTlv.CRC32C, Buffer.from('00000001', 'hex'));
  const withByte = (at: number, value: number): Buffer => {
    const header = Buffer.from(VECTOR);
    header.writeUInt8(value, at);
    return header;
  };

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['the wrong case', LINE.toLowerCase()],
    ['no port', 'PROXY TCP4 192.0.2.1 198.51.100.7 51234\r\n'],
    ['a port that is too large', 'PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n'],
    ['a port with a leading zero', 'PROXY TCP4 192.0.2.1 198.51.100.7 051234 443\r\n'],
    ['an address that is none', 'PROXY TCP4 192.0.2.256 198.51.100.7 51234 443\r\n'],
    ['an IPv6 address as TCP4', 'PROXY TCP4 2001:db8::1 2001:db8::2 51234 443\r\n'],
    ['two spaces', 'PROXY  TCP4 192.0.2.1 198.51.100.7 51234 443\r\n'],
    ['something behind the port', 'PROXY TCP4 192.0.2.1 198.51.100.7 51234 443 \r\n'],
    ['a bare line feed', 'PROXY TCP4 192.0.2.1 198.51.100.7 51234 443\n'],
    ['a line of more than 107 bytes', `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`],
    ['a family that does not exist', 'PROXY TCP5 192.0.2.1 198.51.100.7 51234 443\r\n'],
    ['a signature with a wrong byte', withByte(11, 0x0b)],
    ['version 1 in binary', withByte(12, 0x11)],
    ['version 3', withByte(12, 0x31)],
    ['an unknown command', withByte(12, 0x22)],
    ['an unknown family', withByte(13, 0x41)],
    ['a length that is too short for the addresses', withByte(15, 11)],
    ['a length of 64 KiB', Buffer.concat([PROXY_SIGNATURE, Buffer.from('2111ffff', 'hex'), Buffer.alloc(5_000)])],
    ['a TLV that is longer than the header', proxyHeaderV2(Buffer.concat([ADDRESSES, Buffer.from('e00005ff', 'hex')]))],
    ['half a TLV', proxyHeaderV2(Buffer.concat([ADDRESSES, Buffer.from('e0', 'hex')]))],
    ['a wrong checksum', proxyHeaderV2(Buffer.concat([ADDRESSES, crc]))],
  ])('but with %s is reset at once, and no endpoint sees it', async (_what, bytes) => {
    const seen = endpoint.peers.length;
    const before = (await sessionFailures(trusting))['SLUICE_BAD_PROXY_HEADER'] ?? 0;
    const client = await SocketPeer.open(trusting.port);
    client.send(bytes);
    expect(await client.ended(3_000)).toBe('reset');
    await untilFailed(trusting, 'SLUICE_BAD_PROXY_HEADER', before + 1);
    expect(client.receivedBytes).toBe(0);
    expect(endpoint.peers).toHaveLength(seen);
    client.close();
  });

  it('but ends in the middle of one is closed', async () => {
    const seen = endpoint.peers.length;
    for (const bytes of ['', 'PROXY TCP4 192.0.2.1', VECTOR.subarray(0, 20)]) {
      const client = await SocketPeer.open(trusting.port);
      if (bytes.length > 0) client.send(bytes);
      client.end();
      await client.ended(3_000);
      client.close();
    }
    expect(endpoint.peers).toHaveLength(seen);
    await untilNoSessions(trusting);
  });
});

describe('a listener that is not configured for it', () => {
  it('passes a PROXY header through as bytes of the client', async () => {
    const proxy = await startSessionProxy([endpoint.port], { listener: { trustedProxies: [] } });
    const client = await SocketPeer.open(proxy.port);
    client.send(LINE);
    await client.gets(LINE);
    client.close();
    await proxy.stop();
  });
});
