/** fast-proxy over undici, as its documentation recommends for speed; endpoints in turn. Arguments: port, endpoint ports. */
import http from 'node:http';
import fastProxy from 'fast-proxy';

const [port, ...endpointPorts] = process.argv.slice(2).map(Number);
const proxies = endpointPorts.map((endpointPort) =>
  fastProxy({ base: `http://127.0.0.1:${endpointPort}`, undici: { connections: 256, pipelining: 1 } }),
);
let turn = 0;
const server = http.createServer((request, response) => {
  turn = (turn + 1) % proxies.length;
  proxies[turn].proxy(request, response, request.url, {});
});
server.keepAliveTimeout = 75_000;
server.listen(port, '127.0.0.1', 4096);
