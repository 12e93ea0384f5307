/** Certificates by ACME, against pebble (Let's Encrypt's test server): obtained by both challenges, with bound accounts, stored, taken again, renewed; failures told. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyProcess, startProxy } from '../../harness/proxy-process.js';
import { until } from '../../harness/wire.js';

const hasPebble = spawnSync('pebble', ['-help']).error === undefined;
if (!hasPebble) console.log('skipped: pebble is not installed (apt-get install pebble)');

/** Where pebble looks for names: its resolver answers every name with this machine. */
const NAME = 'edge.test';
/** pebble gives no certificate for it. */
const FORBIDDEN = 'forbidden.test';
/** Of pebble's certificates: sluice renews them after a third of it. */
const LIFE_S = 18;
/** Nothing answers the authority there. */
const UNREACHABLE = 'away.test';
const UNREACHABLE_ADDRESS = '127.0.0.9';
/** An authority that takes only accounts which are bound to this key. */
const BINDING = { keyId: 'customer-7', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };
/** pebble is asked for what becomes of an order once a second and less often. */
const PATIENCE_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'sluice-acme-'));
const children: ChildProcess[] = [];
const proxies: ProxyProcess[] = [];
const ports = { management: 0, http: 0, tls: 0, dns: 0 };
/** Where pebble is asked. */
let authority = '';
/** Where the one is asked that wants BINDING. */
let bindingAuthority = '';
const ca = join(directory, 'ca.pem');

/** Ports that are free now; the next ones ask again. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return server;
    }),
  );
  const found = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}

const answers = (port: number, path: string): Promise<boolean> =>
  new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(true);
    }).on('error', () => resolve(false));
  });

/** Tells the resolver where a name leads, through its management port. */
async function resolveTo(name: string, address: string): Promise<void> {
  const added = () =>
    fetch(`http://127.0.0.1:${ports.management}/add-a`, {
      method: 'POST',
      body: JSON.stringify({ host: name, addresses: [address] }),
    }).then(
      ({ ok }) => ok,
      () => false,
    );
  await until('the resolver knows', added, 10_000);
}

/** @returns where it is asked */
async function startPebble(more: object = {}): Promise<string> {
  const [acme = 0, management = 0] = await freePorts(2);
  const file = join(directory, `pebble-${acme}.json`);
  const pebble = {
    listenAddress: `127.0.0.1:${acme}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: join(directory, 'acme.pem'),
    privateKey: join(directory, 'acme.key'),
    httpPort: ports.http,
    tlsPort: ports.tls,
    ocspResponderURL: '',
    certificateValidityPeriod: LIFE_S,
    domainBlocklist: [FORBIDDEN],
    ...more,
  };
  writeFileSync(file, JSON.stringify({ pebble }));
  const child = spawn('pebble', ['-config', file, '-dnsserver', `127.0.0.1:${ports.dns}`], {
    env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' },
    stdio: 'ignore',
  });
  children.push(child);
  await until('pebble answers', () => answers(acme, '/dir'), 10_000);
  return `https://127.0.0.1:${acme}/dir`;
}

const start = async (acme: object, frontend = 'native'): Promise<ProxyProcess> => {
  const proxy = await startProxy({
    listeners: [
      {
        name: 'secure',
        mode: 'l7',
        bind: `127.0.0.1:${ports.tls}`,
        frontend,
        tls: { acme: { directory: authority, names: [NAME], ca, ...acme } },
        routes: [{ upstream: 'app' }],
      },
      {
        name: 'plain',
        mode: 'l7',
        bind: `127.0.0.1:${ports.http}`,
        frontend,
        redirectToHttps: 443,
      },
    ],
    upstreams: { app: { endpoints: [{ address: '127.0.0.1:9' }] } },
  });
  proxies.push(proxy);
  return proxy;
};

/** What the listener shows. */
const shown = (): Promise<X509Certificate> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: ports.tls, host: '127.0.0.1', servername: NAME, rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw));
      socket.destroy();
    });
    socket.once('error', reject);
  });

/** Of the first certificate by its storage. */
const serials = new Map<string, string>();

const obtained = (proxy: ProxyProcess) => proxy.lineWhere(({ event }) => event === 'acme-obtained', 15_000);

describe.skipIf(!hasPebble)('certificates by ACME', () => {
  beforeAll(async () => {
    execFileSync(
      'openssl',
      [
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-x509',
        '-days',
        '2',
        '-subj',
        '/CN=acme',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        join(directory, 'acme.key'),
        '-out',
        join(directory, 'acme.pem'),
      ],
      { stdio: 'ignore' },
    );
    execFileSync('cp', [join(directory, 'acme.pem'), ca]);
    [ports.http = 0, ports.tls = 0, ports.dns = 0, ports.management = 0] = await freePorts(4);
    const resolver = ['-dns01', `127.0.0.1:${ports.dns}`, '-management', `127.0.0.1:${ports.management}`];
    const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', '', '-defaultIPv4', '127.0.0.1'];
    children.push(spawn('pebble-challtestsrv', [...resolver, ...off], { stdio: 'ignore' }));
    [authority, bindingAuthority] = await Promise.all([
      startPebble(),
      startPebble({
        externalAccountBindingRequired: true,
        externalAccountMACKeys: { [BINDING.keyId]: BINDING.hmacKey },
      }),
      resolveTo(UNREACHABLE, UNREACHABLE_ADDRESS),
    ]);
  });

  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
  });

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    { challenge: 'http-01', frontend: 'native', more: { email: 'ops@edge.test' }, key: 'ec' },
    { challenge: 'tls-alpn-01', frontend: 'native', more: {}, key: 'ec' },
    // Of an authority that wants an account bound to a key of its own.
    { challenge: 'http-01', frontend: 'uws', more: { accountBinding: BINDING, keyType: 'rsa' }, key: 'rsa' },
  ])(
    'come by $challenge with the front end $frontend, and are there again after a restart',
    async ({ challenge, frontend, more, key }) => {
      const storage = join(directory, `${challenge}-${frontend}`);
      const directoryUrl = 'accountBinding' in more ? bindingAuthority : authority;
      const acme = { directory: directoryUrl, storage, challenge, ...more };
      const proxy = await start(acme, frontend);
      expect(await obtained(proxy)).toMatchObject({ names: [NAME] });
      let first: X509Certificate | undefined;
      // Workers of the uws front end read it a moment later.
      await until('a handshake', async () => {
        first = await shown().catch(() => undefined);
        return first !== undefined;
      });
      expect(first?.publicKey.asymmetricKeyType).toBe(key);
      expect(statSync(storage).mode & 0o777).toBe(0o700);
      const files = readdirSync(storage, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const names = files.map(({ name }) => (/^[0-9a-f]{16}\.pem$/.test(name) ? 'account' : name));
      expect(names.sort()).toEqual(['account', 'cert.pem', 'key.pem']);
      for (const { parentPath, name } of files) expect(statSync(join(parentPath, name)).mode & 0o777).toBe(0o600);
      await proxy.stop();
      const again = await start(acme, frontend);
      const asked = again.log.filter(({ event }) => event === 'acme-ordered');
      expect([(await shown()).serialNumber, asked]).toEqual([first?.serialNumber, []]);
      serials.set(storage, first?.serialNumber ?? '');
    },
    PATIENCE_MS,
  );

  it(
    'that do not come are told of with what the authority says, and asked for again later',
    async () => {
      const failing: [string, object, RegExp][] = [
        ['forbidden', { directory: authority, names: [FORBIDDEN] }, /forbid|policy|blocked/i],
        ['unproven', { directory: authority, names: [NAME, UNREACHABLE] }, /away\.test/],
        ['unbound', { directory: bindingAuthority, names: [NAME] }, /externalAccountBinding/i],
        [
          'wrongly-bound',
          { directory: bindingAuthority, names: [NAME], accountBinding: { ...BINDING, hmacKey: 'd3Jvbmc' } },
          /JWS|signature|verif|HMAC/i,
        ],
      ];
      const listener = (name: string, acme: object) => ({
        name,
        mode: 'l7',
        bind: '127.0.0.1:0',
        tls: { acme: { ca, storage: join(directory, name), ...acme } },
        routes: [{ upstream: 'app' }],
      });
      const plain = { name: 'plain', mode: 'l7', bind: `127.0.0.1:${ports.http}`, redirectToHttps: 443 };
      const proxy = await startProxy({
        listeners: [plain, ...failing.map(([name, acme]) => listener(name, acme))],
        upstreams: { app: { endpoints: [{ address: '127.0.0.1:9' }] } },
      });
      proxies.push(proxy);
      for (const [name, , reason] of failing) {
        const line = await proxy.lineWhere(
          ({ event, storage }) => event === 'acme-failed' && storage === join(directory, name),
          15_000,
        );
        expect(line['reason']).toMatch(reason);
        expect(line['pauseMs']).toBeGreaterThanOrEqual(60_000);
      }
      expect(proxy.log.some(({ event }) => event === 'acme-obtained')).toBe(false);
    },
    PATIENCE_MS,
  );

  // Last: by now they are old enough.
  it.each(['http-01', 'tls-alpn-01'])(
    'are renewed before they end, by %s',
    async (challenge) => {
      const storage = join(directory, `${challenge}-native`);
      const more = challenge === 'http-01' ? { email: 'ops@edge.test' } : {};
      const proxy = await start({ storage, challenge, ...more });
      await obtained(proxy);
      expect((await shown()).serialNumber).not.toBe(serials.get(storage));
    },
    PATIENCE_MS,
  );
});
