/** Every candidate besides sluice, by name. */
import { direct } from './direct.mjs';
import { haproxy, haproxyTcp, haproxyTcpCopy } from './haproxy.mjs';
import { nginx, nginxBare, nginxStream } from './nginx.mjs';
import { nodePeer } from './peer.mjs';

const PEERS = [
  nginx,
  nginxBare,
  nginxStream,
  haproxy,
  haproxyTcp,
  haproxyTcpCopy,
  nodePeer('http-proxy', 'http-proxy.mjs'),
  nodePeer('fast-proxy', 'fast-proxy.mjs'),
  nodePeer('fastify-http-proxy', 'fastify-http-proxy.mjs'),
  direct,
];

/** Names that --peers takes. */
export const PEER_NAMES = [...new Set(PEERS.map(({ name }) => name))];

/** The peer of a name for a layer; undefined where there is none. @param {string} name @param {'l4' | 'l7'} layer */
export function peerNamed(name, layer) {
  return PEERS.find((peer) => peer.name === name && (peer.layer === layer || peer.layer === 'both'));
}
