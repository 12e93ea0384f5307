/** Peers by their address bytes. */
import { describe, expect, it } from 'vitest';
import { PeerTable } from '../../../src/l7/client-address.js';

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
