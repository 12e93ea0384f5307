/** Peers by their address bytes. */
import { describe, expect, it } from 'vitest';
import { ForwardedClients, PeerTable } from '../../../src/l7/client-address.js';

const mapped = (...v4: number[]) => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...v4]);

describe('peer table', () => {
  const peers = new PeerTable(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);

  it.each<[number[] | Uint8Array, string, boolean]>([
    [[10, 1, 2, 3], '10.1.2.3', true],
    [[11, 1, 2, 3], '11.1.2.3', false],
    [[192, 0, 2, 7], '192.0.2.7', true],
    [[192, 0, 2, 8], '192.0.2.8', false],
    [[255, 255, 255, 255], '255.255.255.255', false],
    [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '2001:db8::1', true],
    [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], '::1', false],
    [mapped(10, 9, 9, 9), '10.9.9.9', true],
    [mapped(8, 8, 8, 8), '8.8.8.8', false],
  ])('knows %j as %s', (bytes, address, isTrusted) => {
    expect(peers.peerOf(Uint8Array.from(bytes))).toMatchObject({ address, isTrusted });
    expect(peers.peerOf(Uint8Array.from(bytes))).toBe(peers.peerOf(Uint8Array.from(bytes)));
  });

  it('trusts nobody it has no address of', () => {
    expect(peers.peerOf(new Uint8Array(0))).toMatchObject({ address: 'unknown', isTrusted: false });
  });
});

describe('the client that X-Forwarded-For names', () => {
  const clients = new ForwardedClients(['10.0.0.0/8', '2001:db8::/32']);

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    // What stands left of the first address that is not trusted, anybody may have written.
    ['1.1.1.1, 192.0.2.1', '192.0.2.1'],
    ['1.1.1.1, 192.0.2.1, 10.0.0.1,10.2.3.4', '192.0.2.1'],
    ['10.0.0.9, 10.0.0.1', '10.0.0.9'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:DB9:0::1]:80', '2001:db9::1'],
    ['[2001:db9::1]', '2001:db9::1'],
    ['2001:db9::1, 2001:db8::5', '2001:db9::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['unknown, 10.0.0.1', '10.0.0.1'],
    ['192.0.2.1, unknown', null],
    ['', null],
    ['_hidden', null],
    ['1.2.3', null],
    ['0x7f.1.1.1', null],
    ['192.0.2.1,', null],
  ])('in %j is %j', (value, client) => {
    expect(clients.clientIn(value)).toBe(client);
    expect(clients.clientIn(value)).toBe(client);
  });

  it('may be found in more values than are remembered', () => {
    for (let last = 0; last < 5_000; last++)
      expect(clients.clientIn(`192.0.${last >> 8}.${last & 255}`)).toBe(`192.0.${last >> 8}.${last & 255}`);
    expect(clients.clientIn(`${'1.1.1.1, '.repeat(60)}192.0.2.1`)).toBe('192.0.2.1');
  });
});
