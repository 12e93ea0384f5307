// http-proxy, the proxy most Node users know, with a keep-alive agent. Arguments: port, endpoint port.
import http from 'node:http';
import httpProxy from 'http-proxy';

const [port, endpointPort] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
const proxy = httpProxy.createProxyServer({ target: `http://127.0.0.1:${endpointPort}`, agent, xfwd: true });
proxy.on('error', (_error, _request, response) => response.writeHead?.(502).end());
http.createServer((request, response) => proxy.web(request, response)).listen(Number(port), '127.0.0.1');
