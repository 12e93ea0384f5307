/** http-proxy, the proxy most Node users know, with a keep-alive agent; endpoints in turn. Arguments: port, endpoint ports. */
import http from 'node:http';
import httpProxy from 'http-proxy';

const [port, ...endpointPorts] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
const proxy = httpProxy.createProxyServer({ agent, xfwd: true });
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
let turn = 0;
const server = http.createServer((request, response) => {
  turn = (turn + 1) % endpointPorts.length;
  proxy.web(request, response, { target: `http://127.0.0.1:${endpointPorts[turn]}` });
});
server.keepAliveTimeout = 75_000;
server.listen(port, '127.0.0.1', 4096);
