/** @fastify/http-proxy with its undici pool; endpoints in turn. Arguments: port, endpoint ports. */
import fastifyHttpProxy from '@fastify/http-proxy';
import Fastify from 'fastify';

const [port, ...endpointPorts] = process.argv.slice(2).map(Number);
const upstreams = endpointPorts.map((endpointPort) => `http://127.0.0.1:${endpointPort}`);
const server = Fastify({ keepAliveTimeout: 75_000, bodyLimit: 1024 ** 3 });
let turn = 0;
/** It passes `Connection` on both ways, though it speaks of one connection only. */
const withoutConnection = ({ connection: _, ...headers }) => headers;

server.register(fastifyHttpProxy, {
  upstream: upstreams.length === 1 ? upstreams[0] : '',
  undici: { connections: 256, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (_request, headers) => withoutConnection(headers),
    rewriteHeaders: withoutConnection,
    ...(upstreams.length === 1
      ? {}
      : {
          getUpstream: () => {
            turn = (turn + 1) % upstreams.length;
            return upstreams[turn];
          },
        }),
  },
});
await server.listen({ port, host: '127.0.0.1', backlog: 4096 });
