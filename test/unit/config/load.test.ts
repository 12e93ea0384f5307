/** Loading: defaults, and every problem at once with its place, value, expectation and hint. */
import { describe, expect, it } from 'vitest';
import { LISTEN_ADDRESS } from '../../../src/config/defaults.js';
import { loadConfig } from '../../../src/config/load.js';
import { configOf, load, MACHINE, problemsOf, SMALLEST } from './loading.js';

/** A file with one setting at its end, which begins at line 6. */
const withSetting = (yaml: string) => `${SMALLEST}${yaml}\n`;
const withListener = (settings: string) => SMALLEST.replace('name: web,', `name: web, ${settings},`);
const withUpstream = (settings: string) => SMALLEST.replace('api: {', `api: { ${settings},`);
const withRoute = (settings: string) => SMALLEST.replace('{ upstream: api }', `{ upstream: api, ${settings} }`);
const withEndpoint = (settings: string) => SMALLEST.replace('"10.0.0.1:9001"', `"10.0.0.1:9001", ${settings}`);

describe('a valid file', () => {
  it('gets every default', () => {
    expect(configOf(SMALLEST)).toEqual({
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          frontend: 'native',
          accept: 'primary',
          bind: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
          socketMode: 0o666,
          deferAccept: 0,
          proxyProtocol: false,
          trustedProxies: [],
          tls: 'off',
          http2: {
            clearText: false,
            streams: 128,
            streamWindow: 65_536,
            connectionWindow: 1_048_576,
            resets: { burst: 1000, perSecond: 33 },
            continuations: 8,
            controlFrames: { burst: 10_000, perSecond: 1000 },
            ackTimeout: 30_000,
          },
          redirectToHttps: 0,
          hsts: '',
          keepAlive: { idle: 60_000, interval: 10_000, probes: 6 },
          explain: 'off',
          accessLog: true,
          timeouts: {
            requestHead: 10_000,
            bodyIdle: 30_000,
            keepAlive: 75_000,
            tunnelIdle: 3_600_000,
            writeStall: 60_000,
            preface: 5_000,
          },
          limits: {
            headBytes: 16_384,
            targetBytes: 8_192,
            headers: 100,
            bodyBytes: Number.POSITIVE_INFINITY,
            minBodyRate: 0,
            requestsPerConnection: 10_000,
            connections: 0,
            connectionsPerClient: 0,
            newConnectionsPerClient: 'unlimited',
          },
          routes: [
            {
              match: { host: '*', path: '/' },
              upstream: 'api',
              splitKey: { kind: 'client-ip' },
              priority: 4,
              timeouts: { exchange: 0 },
              retry: {},
              breaker: 'off',
              fallback: 'off',
            },
          ],
        },
      ],
      upstreams: {
        api: {
          balance: 'round-robin',
          hashKey: { kind: 'client-ip' },
          loadFactor: 0,
          latencyOf: 'first-byte',
          affinity: 'off',
          slowStart: 'off',
          panicThreshold: 0.5,
          weights: 'fixed',
          preferOwnZone: false,
          endpoints: ['10.0.0.1:9001', '10.0.0.2:9001'].map((text) => ({
            address: { kind: 'tcp', host: text.split(':')[0], port: 9001, text },
            weight: 1,
            backup: false,
            maxConns: 0,
            priority: 0,
            labels: {},
          })),
          timeouts: { connect: 5_000, firstByte: 60_000, idle: 60_000, attempt: 0, queue: 5_000 },
          retry: {
            attempts: 2,
            connectAttempts: 3,
            on: ['connect', 'reset', 'timeout', 'bad-response'],
            statuses: [],
            nonIdempotent: false,
            bodyBytes: 65_536,
            backoff: { base: 25, max: 250 },
            maxRetryAfter: 1_000,
            budget: { share: 0.2, perSecond: 10 },
          },
          hedge: 'off',
          queue: { length: 1024 },
          concurrency: 'off',
          outlier: {
            gatewayFailures: 5,
            failures: 0,
            failureRatio: 'off',
            successRate: 'off',
            latency: 'off',
            interval: 10_000,
            ejectionTime: 10_000,
            maxEjectionTime: 300_000,
            maxEjected: 0.5,
            trials: 1,
          },
          breaker: 'off',
          pool: { maxIdle: 1024, maxConnections: 0, keepAliveIdle: 4_000 },
          responseLimits: { headBytes: 32_768, headers: 100 },
          tls: 'off',
          protocol: 'h1',
          http2: { streams: 100, streamWindow: 262_144, connectionWindow: 33_554_432, ping: 30_000 },
          proxyProtocol: 'off',
          keepAlive: { idle: 60_000, interval: 10_000, probes: 6 },
          healthCheck: 'off',
        },
      },
      workers: 0,
      shutdownTimeout: 30_000,
      admin: { bind: { host: '127.0.0.1', port: 9900 }, hosts: [] },
      accessLog: 'off',
      tracing: 'off',
      watch: true,
      log: { level: 'info' },
    });
  });

  it('may be JSON, with tabs and a schema for editors', () => {
    const json = {
      $schema: './config.schema.json',
      listeners: [{ name: 'web', bind: ':8080', routes: [{ upstream: 'api' }] }],
      upstreams: { api: { endpoints: [{ address: 'a:1' }] } },
    };
    expect(configOf(JSON.stringify(json, null, '\t')).listeners[0]?.bind).toEqual({
      kind: 'tcp',
      host: '0.0.0.0',
      port: 8080,
    });
  });

  it('may begin with a byte order mark and have Windows line ends', () => {
    expect(configOf(`\ufeff${SMALLEST.replaceAll('\n', '\r\n')}`)).toEqual(configOf(SMALLEST));
  });

  it('may use aliases', () => {
    const text = `
listeners:
  - { name: web, bind: ":8080", routes: [ { upstream: a } ] }
upstreams:
  a: { timeouts: &patient { connect: 9s }, endpoints: &both [ { address: "h:1" }, { address: "h:2" } ] }
  b: { timeouts: *patient, endpoints: *both }
`;
    expect(configOf(text).upstreams.b?.timeouts.connect).toBe(9_000);
    expect(configOf(text).upstreams.b?.endpoints).toHaveLength(2);
  });

  it.each([
    ['{ connect: 1ms }', 1],
    ['{ connect: 1h }', 3_600_000],
  ])('takes timeouts %s at the bounds', (timeouts, connectMs) => {
    expect(configOf(withUpstream(`timeouts: ${timeouts}`)).upstreams.api?.timeouts.connect).toBe(connectMs);
  });

  it.each([
    ['off', 'off'],
    ['{}', { bind: { host: '127.0.0.1', port: 9900 }, hosts: [] }],
    ['{ bind: "[::1]:1" }', { bind: { host: '::1', port: 1 }, hosts: [] }],
    ['{ bind: "localhost:0" }', { bind: { host: '127.0.0.1', port: 0 }, hosts: [] }],
  ])('takes admin: %s', (written, admin) => {
    expect(configOf(withSetting(`admin: ${written}`)).admin).toEqual(admin);
  });

  it.each([
    [
      '{ path: /health }',
      { kind: 'http', path: '/health', interval: 5_000, timeout: 1_000, healthyAfter: 2, unhealthyAfter: 3 },
    ],
    ['{ path: "/h?deep=1" }', { path: '/h?deep=1' }],
    ['{ kind: tcp, interval: 1s }', { kind: 'tcp', interval: 1_000 }],
    ['off', 'off'],
  ])('takes healthCheck: %s', (written, check) => {
    const read = configOf(withUpstream(`healthCheck: ${written}`)).upstreams.api?.healthCheck;
    if (typeof check === 'string') expect(read).toBe(check);
    else expect(read).toMatchObject(check);
  });

  it('keeps route hosts in lower case and ranges in CIDR form', () => {
    const config = configOf(
      withListener('trustedProxies: [ 192.0.2.1, "2001:DB8::/32" ]').replace(
        'upstream: api',
        'match: { host: "*.Example.COM" }, upstream: api',
      ),
    );
    expect(config.listeners[0]).toMatchObject({
      routes: [{ match: { host: '*.example.com' } }],
      trustedProxies: ['192.0.2.1/32', '2001:db8::/32'],
    });
  });
});

describe('flags alone', () => {
  it('build one listener and one upstream', () => {
    const config = configOf(null, {
      upstream: ['127.0.0.1:9001', '[::1]:9002,weight=2,max-conns=10', 'unix:/run/a.sock,backup'],
      balance: 'least-time',
    });
    expect(config.listeners.map(({ name, bind }) => ({ name, bind }))).toEqual([
      { name: 'main', bind: { kind: 'tcp', host: '127.0.0.1', port: Number(LISTEN_ADDRESS.split(':')[1]) } },
    ]);
    expect(config.listeners[0]?.routes).toEqual([
      {
        match: { host: '*', path: '/' },
        upstream: 'default',
        splitKey: { kind: 'client-ip' },
        priority: 4,
        timeouts: { exchange: 0 },
        retry: {},
        breaker: 'off',
        fallback: 'off',
      },
    ]);
    expect(config.upstreams.default?.balance).toBe('least-time');
    expect(config.upstreams.default?.endpoints).toMatchObject([
      { address: { text: '127.0.0.1:9001' }, weight: 1, backup: false, maxConns: 0 },
      { address: { host: '::1', port: 9002 }, weight: 2, maxConns: 10 },
      { address: { kind: 'unix', path: '/run/a.sock' }, backup: true },
    ]);
  });

  it('build a listener for each --listen', () => {
    const config = configOf(null, { upstream: ['a:1'], listen: [':80', ':81', '[::1]:82'] });
    expect(config.listeners).toMatchObject([
      { name: 'main', bind: { port: 80 } },
      { name: 'main-2', bind: { port: 81 } },
      { name: 'main-3', bind: { port: 82 } },
    ]);
  });

  it('need an upstream', () => {
    expect(problemsOf(null)).toEqual([
      'command line names no upstream and no configuration file | say where requests go: sluice --upstream 127.0.0.1:9001, or sluice -c sluice.yaml; sluice demo needs neither',
    ]);
  });

  it('tell the missing upstream together with other problems', () => {
    expect(problemsOf(null, { workers: 'many', listen: ['8080'] })).toHaveLength(3);
  });
});

describe('a problem of a value', () => {
  it.each([
    ['workers: 0', '6:10 workers is 0, but must be a whole number from 1 to 256, or auto | write auto'],
    ['workers: 1.5', '6:10 workers is 1.5, but must be a whole number from 1 to 256, or auto'],
    [
      'workers: "4"',
      '6:10 workers is "4", but must be a whole number from 1 to 256, or auto | write the number without quotes: 4',
    ],
    [
      'workers: automatic',
      '6:10 workers is "automatic", but must be a whole number from 1 to 256, or auto | did you mean auto?',
    ],
    ['workers: 257', '6:10 workers is 257, but must be a whole number from 1 to 256, or auto'],
    ['workers: .inf', '6:10 workers is Infinity, but must be a whole number from 1 to 256, or auto'],
    ['workers: .nan', '6:10 workers is NaN, but must be a whole number from 1 to 256, or auto'],
    ['workers:', '6:9 workers is empty, but must be a whole number from 1 to 256, or auto'],
    ['workers: [1]', '6:1 workers is a list, but must be a whole number from 1 to 256, or auto'],
    [
      'shutdownTimeout: 30',
      '6:18 shutdownTimeout is 30, but must be a duration such as 500ms, 10s, 5m or 1h, from 0s to 24h | add a unit: 30s for seconds or 30ms for milliseconds',
    ],
    [
      'shutdownTimeout: 25h',
      '6:18 shutdownTimeout is "25h", but must be a duration such as 500ms, 10s, 5m or 1h, from 0s to 24h',
    ],
    [
      'log: { level: warning }',
      '6:15 log.level is "warning", but must be one of trace, debug, info, warn, error, fatal or silent | did you mean warn?',
    ],
    ['log: { level: 3 }', '6:15 log.level is 3, but must be one of trace, debug, info, warn, error, fatal or silent'],
    ['log: info', '6:6 log is "info", but must be a section | a section has the keys level'],
    ['log:', '6:5 log is empty, but must be a section | give it one of the keys level, or remove the line'],
    ['admin: of', '6:8 admin is "of", but must be off or a section | did you mean off?'],
    ['admin: false', '6:8 admin is false, but must be off or a section | did you mean off?'],
    [
      'admin: "127.0.0.1:9900"',
      '6:8 admin is "127.0.0.1:9900", but must be off or a section | a section has the keys bind, token or hosts',
    ],
    ['admin: { bnd: "127.0.0.1:9900" }', '6:10 admin.bnd is not a known setting | did you mean bind?'],
    [
      'admin: { bind: 9900 }',
      '6:16 admin.bind is 9900, but must be an address such as 127.0.0.1:8080, :8080 or [::1]:8080 | for a port alone write :9900',
    ],
    [
      'admin: { bind: ":9900" }',
      '6:16 admin.bind is ":9900", where strangers may reach it, but there is no admin.token | add a token (openssl rand -hex 32), or listen on 127.0.0.1:9900',
    ],
    [
      'admin: { bind: "127.0.0.1:8080" }',
      '6:16 admin.bind is "127.0.0.1:8080", which overlaps with 127.0.0.1:8080 of listeners[0].bind, line 3 | listen on different ports',
    ],
    ['worker: 3', '6:1 worker is not a known setting | did you mean workers?'],
    [
      'zzz: 3',
      '6:1 zzz is not a known setting | known here: $schema, listeners, upstreams, zone, workers, shutdownTimeout, admin, accessLog, tracing, watch, log',
    ],
    [
      'accessLog: "-"',
      '6:12 accessLog is "-", but must be off or a section | a section has the keys file, format, fields, share or buffer',
    ],
    ['accessLog: {}', '6:1 accessLog.file is missing: it must be the path of a file, or - for standard output'],
    ['log: { accessLog: "-" }', '6:8 log.accessLog is not a known setting | known here: level'],
    [
      '"odd key": 1',
      '6:1 ["odd key"] is not a known setting | known here: $schema, listeners, upstreams, zone, workers, shutdownTimeout, admin, accessLog, tracing, watch, log',
    ],
    [
      '__proto__: 1',
      '6:1 __proto__ is not a known setting | known here: $schema, listeners, upstreams, zone, workers, shutdownTimeout, admin, accessLog, tracing, watch, log',
    ],
    [
      'constructor: 1',
      '6:1 constructor is not a known setting | known here: $schema, listeners, upstreams, zone, workers, shutdownTimeout, admin, accessLog, tracing, watch, log',
    ],
  ])('is told for %s', (setting, problem) => {
    expect(problemsOf(withSetting(setting))).toEqual([`sluice.yaml:${problem}`]);
  });

  it.each([
    ['frontend: h3', 'listeners[0].frontend is "h3", but must be one of native or uws'],
    ['accept: workers', 'listeners[0].accept is "workers", but must be one of primary or reuseport'],
    [
      'tls: on',
      'listeners[0].tls is "on", but must be off or a section | a section has the keys certificates, acme, minVersion, ciphers, cipherSuites, curves, alpn, clientAuth, tickets, sessionCache, earlyData, handshakeTimeout, handshakes or handshakesPerClient',
    ],
    [
      'port: 80',
      'listeners[0].port is not a known setting | known here: name, mode, frontend, accept, bind, socketMode, deferAccept, proxyProtocol, trustedProxies, keepAlive, explain, accessLog, tls, http2, redirectToHttps, hsts, timeouts, limits, routes',
    ],
    ['timeouts: { keepAlve: 1s }', 'listeners[0].timeouts.keepAlve is not a known setting | did you mean keepAlive?'],
    [
      'timeouts: { keepAlive: 0s }',
      'listeners[0].timeouts.keepAlive is "0s", but must be a duration such as 500ms, 10s, 5m or 1h, from 100ms to 24h',
    ],
    [
      'limits: { headBytes: 65KiB }',
      'listeners[0].limits.headBytes is "65KiB", but must be a size such as 512B, 16KiB or 1MiB, from 1KiB to 64KiB',
    ],
    [
      'limits: { bodyBytes: 1048576 }',
      'listeners[0].limits.bodyBytes is 1048576, but must be a size such as 512B, 16KiB or 1MiB, from 0B to 1024GiB, or unlimited | add a unit: 1048576B for bytes or 1048576KiB for 1024 bytes each',
    ],
    ['limits: { headers: 0 }', 'listeners[0].limits.headers is 0, but must be a whole number from 1 to 1000'],
    [
      'trustedProxies: 10.0.0.0/8',
      'listeners[0].trustedProxies is "10.0.0.0/8", but must be a list | Peers whose `X-Forwarded-*` and `X-Request-Id` are believed; all others\' are replaced.',
    ],
    [
      'trustedProxies: [ 10.0.0.1/8 ]',
      'listeners[0].trustedProxies[0] is "10.0.0.1/8", but must be a range whose address has no bits set behind its first 8 | did you mean 10.0.0.0/8?',
    ],
  ])('is told for a listener with %s', (settings, problem) => {
    expect(problemsOf(withListener(settings)).map((text) => text.replace(/^sluice\.yaml:3:\d+ /, ''))).toEqual([
      problem,
    ]);
  });

  it.each([
    [
      'balance: ip_hash',
      'balance is "ip_hash", but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous | did you mean ip-hash?',
    ],
    [
      'balance: least-con',
      'balance is "least-con", but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous | did you mean least-conn?',
    ],
    [
      'balance: maglv',
      'balance is "maglv", but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous | did you mean maglev?',
    ],
    [
      'balance: sticky',
      'balance is "sticky", but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous',
    ],
    [
      'balance: [a]',
      'balance is a list, but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous',
    ],
    ['retry: { attempts: 11 }', 'retry.attempts is 11, but must be a whole number from 1 to 10'],
    [
      'pool: { maxConnections: 0 }',
      'pool.maxConnections is 0, but must be a whole number from 1 to 65536, or unlimited | write unlimited',
    ],
    [
      'pool: { idleTimeout: 4s }',
      'pool.idleTimeout is not a known setting | known here: maxIdle, maxConnections, keepAliveIdle',
    ],
    [
      'healthCheck: on',
      'healthCheck is "on", but must be off or a section | a section has the keys kind, path, method, host, headers, service, tls, expect, port, interval, unhealthyInterval, jitter, timeout, slowerThan, healthyAfter, unhealthyAfter or initial',
    ],
    [
      'healthCheck: {}',
      'healthCheck.path is missing: it must be the path of the probe, such as /health | for a TCP check write kind: tcp, for one of gRPC kind: grpc',
    ],
    [
      'healthCheck: { path: health }',
      'healthCheck.path is "health", but must be a path that begins with /, such as /health | did you mean /health?',
    ],
    [
      'healthCheck: { path: tcp }',
      'healthCheck.path is "tcp", but must be a path that begins with /, such as /health | for a TCP check write kind: tcp',
    ],
    [
      'healthCheck: { kind: tcp, path: /x }',
      'healthCheck.path does not belong to a TCP check | remove path, or write kind: http',
    ],
    [
      'healthCheck: { path: /, interval: 1s, timeout: 2s }',
      'healthCheck.timeout makes the timeout (2s) longer than the interval (1s) | a probe must end before the next begins',
    ],
    [
      'healthCheck: { path: /, interval: 500ms }',
      'healthCheck.interval makes the timeout (1s) longer than the interval (500ms) | a probe must end before the next begins',
    ],
    [
      'healthCheck: { path: /, healthyAfter: 0 }',
      'healthCheck.healthyAfter is 0, but must be a whole number from 1 to 100',
    ],
    [
      'responseLimits: { headBytes: 1MiB }',
      'responseLimits.headBytes is "1MiB", but must be a size such as 512B, 16KiB or 1MiB, from 1KiB to 64KiB',
    ],
  ])('is told for an upstream with %s', (settings, problem) => {
    expect(
      problemsOf(withUpstream(settings)).map((text) => text.replace(/^sluice\.yaml:5:\d+ upstreams\.api\./, '')),
    ).toEqual([problem]);
  });

  it.each([
    ['weight: -1', 'weight is -1, but must be a whole number from 0 to 1000'],
    ['weight: 1001', 'weight is 1001, but must be a whole number from 0 to 1000'],
    ['weight: heavy', 'weight is "heavy", but must be a whole number from 0 to 1000'],
    ['wieght: 2', 'wieght is not a known setting | did you mean weight?'],
    ['backup: yes', 'backup is "yes", but must be true or false | write true'],
    ['backup: 0', 'backup is 0, but must be true or false'],
    ['maxConns: 0', 'maxConns is 0, but must be a whole number from 1 to 1000000, or unlimited | write unlimited'],
    ['max-conns: 5', 'max-conns is not a known setting | did you mean maxConns?'],
  ])('is told for an endpoint with %s', (settings, problem) => {
    expect(
      problemsOf(withEndpoint(settings)).map((text) =>
        text.replace(/^sluice\.yaml:5:\d+ upstreams\.api\.endpoints\[0\]\./, ''),
      ),
    ).toEqual([problem]);
  });

  it.each([
    ['match: { path: api }', 'match.path is "api", but must be a path prefix that begins with / | did you mean /api?'],
    [
      'match: { path: "/a?b" }',
      'match.path is "/a?b", but must be a path prefix that begins with / | routes match the path only, not the query',
    ],
    [
      'match: { path: "/ä" }',
      'match.path is "/ä", but must be a path prefix that begins with / | write other characters percent-encoded, as clients send them',
    ],
    [
      'match: { host: "example.com:80" }',
      'match.host is "example.com:80", but must be a host such as example.com, *.example.com or * for all | leave out the port: a route matches all ports of its listener',
    ],
    [
      'match: { host: "http://example.com" }',
      'match.host is "http://example.com", but must be a host such as example.com, *.example.com or * for all | leave out the scheme',
    ],
    [
      'match: { host: "ex*.com" }',
      'match.host is "ex*.com", but must be a host such as example.com, *.example.com or * for all | a wildcard is a whole first label: *.example.com',
    ],
    [
      'match: { host: "" }',
      'match.host is "", but must be a host such as example.com, *.example.com or * for all | write * for all hosts',
    ],
    [
      'match: { host: "example.com." }',
      'match.host is "example.com.", but must be a host such as example.com, *.example.com or * for all | leave out the dot at the end',
    ],
    [
      'match: { host: "bücher.example" }',
      'match.host is "bücher.example", but must be a host such as example.com, *.example.com or * for all | write international names in their ASCII form (xn--…)',
    ],
    ['match: { hst: "*" }', 'match.hst is not a known setting | did you mean host?'],
    [
      'timeouts: { exchange: 0s }',
      'timeouts.exchange is "0s", but must be a duration such as 500ms, 10s, 5m or 1h, from 1ms to 24h, or off | write off for no limit',
    ],
    [
      'policies: []',
      'policies is not a known setting | known here: match, upstream, subset, split, splitKey, priority, priorityHeader, timeouts, retry, hedge, breaker, fallback',
    ],
  ])('is told for a route with %s', (settings, problem) => {
    expect(
      problemsOf(withRoute(settings)).map((text) =>
        text.replace(/^sluice\.yaml:3:\d+ listeners\[0\]\.routes\[0\]\./, ''),
      ),
    ).toEqual([problem]);
  });
});

describe('a problem of the whole', () => {
  it.each([
    [
      '{}',
      [
        '1:1 listeners is missing: it must be a list | Where clients connect.',
        '1:1 upstreams is missing: it must be a section | Where requests and sessions go, by name.',
      ],
    ],
    [
      'listeners: []\nupstreams: {}',
      [
        '1:1 listeners is an empty list, but must hold at least one entry | Where clients connect.',
        '2:1 upstreams is empty, but must hold at least one upstream | e.g. api: { endpoints: [ { address: "127.0.0.1:9001" } ] }',
      ],
    ],
    [
      'listeners: {}\nupstreams: []',
      [
        '1:1 listeners is a section, but must be a list | Where clients connect.',
        '2:1 upstreams is an empty list, but must be a section | Where requests and sessions go, by name.',
      ],
    ],
  ])('is told for %j', (text, problems) => {
    expect(problemsOf(text)).toEqual(problems.map((problem) => `sluice.yaml:${problem}`));
  });

  it('is told for names and addresses that are taken twice', () => {
    const text = `listeners:
  - { name: web, bind: ":8080", routes: [ { upstream: api }, { upstream: api, match: { path: / } }, { upstream: api, match: { host: A.b } }, { upstream: api, match: { host: a.B } } ] }
  - { name: web, bind: "127.0.0.1:8080", routes: [ { upstream: api } ] }
upstreams:
  api:
    endpoints:
      - { address: "[::1]:9001" }
      - { address: "[0:0::1]:9001" }
`;
    expect(problemsOf(text)).toEqual([
      'sluice.yaml:2:62 listeners[0].routes[1] matches host * and path /, which is what another route matches (listeners[0].routes[0], line 2) | remove one of the two: it would never be taken',
      'sluice.yaml:2:142 listeners[0].routes[3] matches host a.B and path /, which is what another route matches (listeners[0].routes[2], line 2) | remove one of the two: it would never be taken',
      'sluice.yaml:3:13 listeners[1].name is the name of another listener (listeners[0].name, line 2) | give each listener a name of its own',
      'sluice.yaml:3:24 listeners[1].bind is "127.0.0.1:8080", which overlaps with 0.0.0.0:8080 of listeners[0].bind, line 2 | listen on different ports',
      'sluice.yaml:8:20 upstreams.api.endpoints[1].address is the address of another endpoint of this upstream (upstreams.api.endpoints[0].address, line 7) | give an endpoint more traffic with weight, not by naming it twice',
    ]);
  });

  it.each([
    ['apii', 'did you mean api?'],
    ['elsewhere', 'the upstreams are web or api'],
  ])('is told for a route to the unknown upstream %s', (name, hint) => {
    const text = SMALLEST.replace('upstream: api', `upstream: ${name}`).replace(
      'upstreams:',
      'upstreams:\n  web: { endpoints: [ { address: "h:1" } ] }',
    );
    expect(problemsOf(text)).toEqual([
      `sluice.yaml:3:64 listeners[0].routes[0].upstream is "${name}", but there is no upstream of that name | ${hint}`,
    ]);
  });

  it.each([
    [
      '[ { address: "h:1", backup: true } ]',
      'holds backups only | a backup stands in for endpoints that are not: take backup from at least one',
    ],
    [
      '[ { address: "h:1", weight: 0 }, { address: "h:2", weight: 0 } ]',
      'holds no endpoint with a weight above 0, backups aside | an endpoint of weight 0 is never picked: give at least one a weight',
    ],
    [
      '[ { address: "h:1", weight: 0 }, { address: "h:2", backup: true } ]',
      'holds no endpoint with a weight above 0, backups aside | an endpoint of weight 0 is never picked: give at least one a weight',
    ],
    ['[]', 'is an empty list, but must hold at least one entry | The endpoints; at least one that is not a backup.'],
  ])('is told for endpoints %s', (endpoints, problem) => {
    expect(problemsOf(SMALLEST.replace(/endpoints: .*\]/, `endpoints: ${endpoints}`))).toEqual([
      `sluice.yaml:5:10 upstreams.api.endpoints ${problem}`,
    ]);
  });

  it.each(['-api', 'a b', '.', 'a/b', '__proto__', 'a'.repeat(64)])('is told for the upstream name %j', (name) => {
    const problems = problemsOf(`${SMALLEST}  ${JSON.stringify(name)}: { endpoints: [ { address: "h:1" } ] }\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^sluice\.yaml:6:3 upstreams.* is not a possible name: it must be a name of at most 63 letters/,
    );
  });

  it('is told for more endpoints than the board has room for', () => {
    const endpoints = Array.from({ length: 1025 }, (_, index) => `{ address: "h:${index + 1}" }`).join(', ');
    expect(problemsOf(SMALLEST.replace(/endpoints: .*\]/, `endpoints: [ ${endpoints} ]`))).toEqual([
      'sluice.yaml:4:1 upstreams holds 1025 endpoints over all upstreams, but this version takes at most 1024',
    ]);
  });

  it('is told for more listeners than the board has room for', () => {
    const listeners = Array.from(
      { length: 1025 },
      (_, index) => `- { name: a${index}, bind: ":${index + 10000}", routes: [ { upstream: api } ] }`,
    );
    const text = `listeners:\n${listeners.join('\n')}\n${SMALLEST.slice(SMALLEST.indexOf('upstreams:'))}`;
    expect(problemsOf(text)).toEqual([
      'sluice.yaml:1:1 listeners holds 1025 listeners, but this version takes at most 1024',
    ]);
  });

  it('comes all at once, in the order of the lines', () => {
    const text = `listeners:
  - name: web
    bind: "0.0.0.0:80a"
    timeouts: { requestHead: 10 }
    routes:
      - { match: { pth: / }, upstream: apii }
upstreams:
  api:
    balance: least-con
    endpoints: [ { address: "h:1", weight: -1 }, { address: "h:1" } ]
workers: -3
log: { level: loud }
`;
    expect(problemsOf(text).map((problem) => problem.split(' ').slice(0, 2).join(' '))).toEqual([
      'sluice.yaml:3:11 listeners[0].bind',
      'sluice.yaml:4:30 listeners[0].timeouts.requestHead',
      'sluice.yaml:6:20 listeners[0].routes[0].match.pth',
      'sluice.yaml:6:40 listeners[0].routes[0].upstream',
      'sluice.yaml:9:14 upstreams.api.balance',
      'sluice.yaml:10:44 upstreams.api.endpoints[0].weight',
      'sluice.yaml:10:61 upstreams.api.endpoints[1].address',
      'sluice.yaml:11:10 workers',
      'sluice.yaml:12:15 log.level',
    ]);
  });

  it('carries the found value', () => {
    const loaded = load(withSetting('workers: 0'));
    expect(loaded.ok ? [] : loaded.problems).toEqual([
      {
        source: { kind: 'file', file: 'sluice.yaml', line: 6, column: 10 },
        path: 'workers',
        found: '0',
        sentence: 'is 0, but must be a whole number from 1 to 256, or auto',
        hint: 'write auto',
      },
    ]);
  });
});

describe('a file that cannot be read', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  it.each([
    ['ENOENT', 'the file does not exist'],
    ['ENOTDIR', 'the file does not exist: a part of its path is not a directory'],
    ['EACCES', 'the file may not be read by this process'],
    ['EISDIR', 'this is a directory, not a file'],
    ['EIO', 'the file cannot be read (EIO)'],
  ])('is told for %s', (code, sentence) => {
    const loaded = loadConfig({ file: 'x.yaml', flags: {}, machine: MACHINE, readFile: failing(code) });
    expect(loaded).toMatchObject({
      ok: false,
      problems: [{ source: { kind: 'flag', flag: '--config', value: 'x.yaml' }, sentence }],
    });
  });

  it.each([
    ['x.yaml', 'check the path; it is relative to the current directory'],
    ['/etc/sluice/x.yaml', 'check the path'],
  ])('is told with what the path %s is relative to, where it is', (file, hint) => {
    const loaded = loadConfig({ file, flags: {}, machine: MACHINE, readFile: failing('ENOENT') });
    expect(loaded).toMatchObject({ ok: false, problems: [{ hint }] });
  });

  it('is told for a reader that fails without a code', () => {
    const readFile = () => {
      throw new Error('odd');
    };
    expect(loadConfig({ file: 'x.yaml', flags: {}, machine: MACHINE, readFile })).toMatchObject({
      ok: false,
      problems: [{ sentence: 'the file cannot be read (unknown error)' }],
    });
  });
});
