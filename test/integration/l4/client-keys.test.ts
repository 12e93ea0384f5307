/** Sessions of one client go to one endpoint, by the same key that requests of it have. */
import { afterEach, describe, expect, it } from 'vitest';
import { configFor, startProxy } from '../../harness/proxy-process.js';
import { ok, startRequestEndpoint } from '../../harness/request-endpoint.js';
import { endpointEntry, startSessionProxy } from '../../harness/session-proxy.js';
import { get, requestOnce } from '../../harness/wire-client.js';

const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const ADDRESSES = [
  '192.0.2.1',
  '192.0.2.2',
  '198.51.100.7',
  '203.0.113.9',
  '10.1.2.3',
  '2001:db8::1',
  '2001:db8::2:0:3',
];

/** Of a client with this address, in front of its request. */
function proxyLine(address: string): string {
  const [kind, own] = address.includes(':') ? ['TCP6', '::1'] : ['TCP4', '127.0.0.1'];
  return `PROXY ${kind} ${address} ${own} 40000 80\r\n`;
}

describe.each(['hash', 'ip-hash', 'ketama', 'rendezvous'] as const)('an upstream with balance %s', (balance) => {
  it('gets the sessions of a client at the same endpoint as its requests', async () => {
    const endpoints = await Promise.all(
      Array.from({ length: 6 }, (_, index) => startRequestEndpoint(ok(String(index), ['Connection: close']))),
    );
    open.push(...endpoints.map((endpoint) => () => endpoint.close()));
    const ports = endpoints.map(({ port }) => port);
    const accepting = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };
    const sessions = await startSessionProxy(ports.map(endpointEntry) as { address: string }[], {
      listener: accepting,
      upstream: { balance },
    });
    open.push(() => sessions.stop());
    const requests = await startProxy(
      configFor(ports, { frontend: 'native', listener: accepting, upstream: { balance } }),
    );
    open.push(() => requests.stop());
    const homeOf = async (port: number, address: string): Promise<string> =>
      (await requestOnce(port, proxyLine(address) + get('/'))).body.toString();

    const homes: string[] = [];
    for (const address of ADDRESSES) homes.push(await homeOf(sessions.port, address));
    expect(new Set(homes).size).toBeGreaterThan(1);
    for (const [index, address] of ADDRESSES.entries()) {
      expect([address, await homeOf(requests.port, address)]).toEqual([address, homes[index]]);
      expect([address, await homeOf(sessions.port, address)]).toEqual([address, homes[index]]);
    }
  });
});
