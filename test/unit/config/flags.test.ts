/** Flags over a file: what they replace, when they cannot, and that their problems name the flag. */
import { describe, expect, it } from 'vitest';
import { mergeFlags } from '../../../src/config/flags.js';
import { configOf, problemsOf, SMALLEST, SMALLEST_L4, warningsOf } from './loading.js';

const TWO_UPSTREAMS = `${SMALLEST}  web: { balance: least-conn, endpoints: [ { address: "h:1" }, { address: "h:2" } ] }\n`;
const TWO_LISTENERS = SMALLEST.replace(
  'upstreams:',
  '  - { name: more, bind: ":9000", routes: [ { upstream: api } ] }\nupstreams:',
);

describe('a flag over a file', () => {
  it('replaces what the file says of the process', () => {
    const config = configOf(`${SMALLEST}workers: 3\nadmin: off\nlog: { level: warn }\n`, {
      workers: '2',
      admin: '127.0.0.1:1',
      logLevel: 'debug',
    });
    expect(config).toMatchObject({ workers: 2, admin: { bind: { port: 1 } }, log: { level: 'debug' } });
    expect(configOf(SMALLEST, { workers: 'auto', admin: 'off' })).toMatchObject({ workers: 0, admin: 'off' });
  });

  it('hides a problem of the value that it replaces', () => {
    expect(configOf(`${SMALLEST}workers: many\n`, { workers: '2' }).workers).toBe(2);
  });

  it('sets the balancer of every upstream', () => {
    const config = configOf(TWO_UPSTREAMS, { balance: 'least-time' });
    expect(Object.values(config.upstreams).map(({ balance }) => balance)).toEqual(['least-time', 'least-time']);
  });

  it('sets what every upstream is probed with and leaves its thresholds', () => {
    const text = SMALLEST.replace('api: {', 'api: { healthCheck: { path: /a, interval: 7s },');
    const check = (flag: string) => configOf(text, { healthCheck: flag }).upstreams.api?.healthCheck;
    expect(check('/b')).toMatchObject({ kind: 'http', path: '/b', interval: 7_000 });
    expect(check('tcp')).toMatchObject({ kind: 'tcp', interval: 7_000 });
    expect(check('tcp')).not.toHaveProperty('path');
    expect(check('grpc')).toMatchObject({ kind: 'grpc', interval: 7_000 });
    expect(check('off')).toBe('off');
  });

  it('sets the front end and who accepts, for every listener', () => {
    const config = configOf(TWO_LISTENERS, { accept: 'reuseport', frontend: 'uws', mode: 'l7' });
    expect(config.listeners.map(({ accept }) => accept)).toEqual(['reuseport', 'reuseport']);
  });

  it('moves the only listener, with its settings', () => {
    const text = SMALLEST.replace('name: web,', 'name: web, limits: { bodyBytes: 1KiB },');
    const config = configOf(text, { listen: [':1', ':2'] });
    expect(config.listeners).toMatchObject([
      { name: 'web', bind: { port: 1 }, limits: { bodyBytes: 1024 } },
      { name: 'web-2', bind: { port: 2 }, limits: { bodyBytes: 1024 } },
    ]);
  });

  it('replaces the endpoints of the only upstream, and leaves its settings', () => {
    const config = configOf(SMALLEST.replace('api: {', 'api: { balance: least-conn,'), { upstream: ['h:1', 'h:2'] });
    expect(config.upstreams.api?.balance).toBe('least-conn');
    expect(config.upstreams.api?.endpoints.map(({ address }) => address.text)).toEqual(['h:1', 'h:2']);
  });

  it('makes up for a file without listeners or upstreams', () => {
    expect(configOf('workers: 1', { listen: [':1'], upstream: ['h:1'] })).toMatchObject({
      listeners: [{ name: 'main' }],
      upstreams: { default: {} },
    });
    expect(
      configOf('upstreams: { a: { endpoints: [ { address: "h:1" } ] } }', { listen: [':1'] }).listeners[0],
    ).toMatchObject({ routes: [{ upstream: 'a' }] });
  });

  it('does not change the values that it is merged into', () => {
    const base = { listeners: [{ name: 'web', bind: ':1' }], upstreams: { api: { endpoints: [] } } };
    const before = structuredClone(base);
    mergeFlags(base, {
      listen: [':2'],
      upstream: ['h:1'],
      balance: 'least-time',
      workers: '1',
      admin: 'off',
      logLevel: 'info',
    });
    expect(base).toEqual(before);
  });
});

describe('--mode l4', () => {
  it('builds a listener of sessions from the command line alone', () => {
    const config = configOf(null, { mode: 'l4', listen: [':5432'], upstream: ['h:1', 'h:2,backup'], relay: 'splice' });
    expect(config.listeners).toMatchObject([
      {
        name: 'main',
        mode: 'l4',
        bind: { kind: 'tcp', host: '0.0.0.0', port: 5432 },
        upstream: 'default',
        relay: 'splice',
      },
    ]);
    expect(config.listeners[0]).not.toHaveProperty('routes');
  });

  it('listens on UNIX sockets, too', () => {
    const config = configOf(null, { mode: 'l4', listen: ['unix:/run/a', ':1', 'unix:@b'], upstream: ['h:1'] });
    expect(config.listeners).toMatchObject([
      { name: 'main', bind: { kind: 'unix', path: '/run/a' } },
      { name: 'main-2', bind: { kind: 'tcp', port: 1 } },
      { name: 'main-3', bind: { kind: 'unix', path: '@b' } },
    ]);
  });

  it('makes up for a file without listeners', () => {
    const text = 'upstreams: { a: { endpoints: [ { address: "h:1" } ] } }';
    expect(configOf(text, { mode: 'l4', listen: [':1'] }).listeners).toMatchObject([{ mode: 'l4', upstream: 'a' }]);
  });

  it('cannot turn a listener of the file into another one', () => {
    expect(problemsOf(SMALLEST, { mode: 'l4' })).toEqual([
      '--mode l4 cannot change the mode of listeners of the file: listeners[0] | the modes have different settings: change mode and settings in the file, and leave out --mode',
    ]);
    expect(problemsOf(SMALLEST_L4, { mode: 'l7', listen: [':1'] })).toHaveLength(1);
  });

  it('listens on UNIX sockets with the native front end', () => {
    const config = configOf(null, { frontend: 'native', listen: ['unix:/run/a', ':1'], upstream: ['h:1'] });
    expect(config.listeners).toMatchObject([
      { frontend: 'native', bind: { kind: 'unix', path: '/run/a' } },
      { frontend: 'native', bind: { kind: 'tcp', port: 1 } },
    ]);
  });

  it('may say what the file says', () => {
    expect(configOf(SMALLEST_L4, { mode: 'l4', listen: ['unix:/run/a'] }).listeners).toMatchObject([
      { name: 'db', bind: { path: '/run/a' }, upstream: 'pg' },
    ]);
  });
});

describe('a flag of one mode over a file of both', () => {
  const both = SMALLEST.replace('upstreams:', '  - { name: db, mode: l4, bind: ":5432", upstream: api }\nupstreams:');

  it('holds for the listeners of its mode', () => {
    expect(configOf(both, { relay: 'copy', frontend: 'uws', accept: 'reuseport' }).listeners).toMatchObject([
      { frontend: 'uws', accept: 'reuseport' },
      { relay: 'copy', accept: 'reuseport' },
    ]);
  });

  it('is refused where the file has none of them', () => {
    expect(problemsOf(SMALLEST, { relay: 'copy' })).toEqual([
      '--relay copy listeners[0].relay belongs to mode l4: the front end moves the bytes of an l7 listener | add mode: l4',
    ]);
  });
});

describe('a flag that cannot be merged', () => {
  it('is told for --listen with several listeners', () => {
    expect(problemsOf(TWO_LISTENERS, { listen: [':1'] })).toEqual([
      '--listen :1 cannot be combined with a file that has 2 listeners | change the addresses in the file',
    ]);
  });

  it('is told for --upstream with several upstreams', () => {
    expect(problemsOf(TWO_UPSTREAMS, { upstream: ['h:1', 'h:2'] })).toEqual([
      '--upstream h:1 h:2 cannot be combined with a file that has 2 upstreams | change the endpoints in the file: api, web',
    ]);
  });

  it('is told for --listen without a listener in the file to say where requests go', () => {
    const text = 'upstreams: { a: { endpoints: [ { address: "h:1" } ] }, b: { endpoints: [ { address: "h:1" } ] } }';
    expect(problemsOf(text, { listen: [':1'] })).toEqual([
      'sluice.yaml:1:1 listeners[0].routes is missing: it must be a list | Where requests go; the most specific match wins, whatever the order.',
    ]);
  });
});

describe('a problem of a flag', () => {
  it.each([
    [
      { balance: 'least-con' },
      '--balance least-con upstreams.default.balance is "least-con", but must be one of round-robin, least-conn, least-time, peak-ewma, predictive, random-two, random, first, ip-hash, hash, ketama, maglev or rendezvous | did you mean least-conn?',
    ],
    [{ workers: '0' }, '--workers 0 workers is 0, but must be a whole number from 1 to 256, or auto | write auto'],
    [{ workers: 'two' }, '--workers two workers is "two", but must be a whole number from 1 to 256, or auto'],
    [{ mode: 'l5' }, '--mode l5 listeners[0].mode is "l5", but must be one of l7 or l4 | did you mean l7?'],
    [{ mode: 'tcp' }, '--mode tcp listeners[0].mode is "tcp", but must be one of l7 or l4 | did you mean l4?'],
    [
      { mode: 'l4', frontend: 'uws' },
      '--frontend uws listeners[0].frontend belongs to mode l7: an l4 listener relays bytes and has no front end',
    ],
    [
      { mode: 'l4', relay: 'slice' },
      '--relay slice listeners[0].relay is "slice", but must be one of adaptive, copy or splice | did you mean splice?',
    ],
    [
      { frontend: 'uws', listen: ['unix:/run/a'] },
      '--listen unix:/run/a listeners[0].bind is "unix:/run/a", but the uws front end listens on ports only | write --frontend native, or an address such as 127.0.0.1:8080',
    ],
    [
      { mode: 'l4', listen: ['unix:run/a'] },
      '--listen unix:run/a listeners[0].bind is "unix:run/a", but must be an address of this machine such as 127.0.0.1:8080, :8080 (all IPv4 addresses), [::1]:8080, unix:/run/db.sock or unix:@name | the path of a UNIX socket is absolute: unix:/run/db.sock; unix:@name is an abstract one',
    ],
    [
      { frontend: 'nativ' },
      '--frontend nativ listeners[0].frontend is "nativ", but must be one of native or uws | did you mean native?',
    ],
    [
      { relay: 'splice' },
      '--relay splice listeners[0].relay belongs to mode l4: the front end moves the bytes of an l7 listener | add --mode l4',
    ],
    [
      { hashKey: 'ip' },
      '--hash-key ip upstreams.default.hashKey is "ip", but must be client-ip, path, uri, header:NAME, cookie:NAME, query:NAME, client-certificate:subject or client-certificate:fingerprint | did you mean client-ip?',
    ],
    [{ accessLog: '' }, '--access-log accessLog.file is "", but must be the path of a file, or - for standard output'],
    [
      { logLevel: 'verbose' },
      '--log-level verbose log.level is "verbose", but must be one of trace, debug, info, warn, error, fatal or silent',
    ],
    [
      { admin: ':9900' },
      '--admin :9900 admin.bind is ":9900", where strangers may reach it, but there is no admin.token | add a token (openssl rand -hex 32), or listen on 127.0.0.1:9900',
    ],
    [
      { admin: '9900' },
      '--admin 9900 admin.bind is "9900", but must be an address of this machine such as 127.0.0.1:8080, :8080 (all IPv4 addresses) or [::1]:8080 | for a port alone write :9900',
    ],
    [
      { listen: ['8080'] },
      '--listen 8080 listeners[0].bind is "8080", but must be an address of this machine such as 127.0.0.1:8080, :8080 (all IPv4 addresses), [::1]:8080, unix:/run/db.sock or unix:@name | for a port alone write :8080',
    ],
    [
      { listen: [':1', ':1'] },
      '--listen :1 listeners[1].bind is ":1", which overlaps with 0.0.0.0:1 of listeners[0].bind | listen on different ports',
    ],
    [
      { healthCheck: 'health' },
      '--health-check health upstreams.default.healthCheck.path is "health", but must be a path that begins with /, such as /health | did you mean /health?',
    ],
  ])('%j names the flag', (flags, problem) => {
    expect(problemsOf(null, { upstream: ['h:1', 'h:2'], ...flags })).toEqual([problem]);
  });

  it.each([
    [
      'h',
      'upstreams.default.endpoints[0].address is "h", but must be an address such as 10.0.0.1:9001, api.internal:9001, [::1]:9001 or unix:/run/api.sock | add a port: h:8080',
    ],
    [
      '',
      'upstreams.default.endpoints[0].address is "", but must be an address such as 10.0.0.1:9001, api.internal:9001, [::1]:9001 or unix:/run/api.sock',
    ],
    ['h:1,weight=x', 'upstreams.default.endpoints[0].weight is "x", but must be a whole number from 0 to 1000'],
    ['h:1,weight=-1', 'upstreams.default.endpoints[0].weight is -1, but must be a whole number from 0 to 1000'],
    ['h:1,weight', 'has weight without a number | write weight=2'],
    ['h:1,max-conns=', 'has max-conns without a number | write max-conns=2'],
    ['h:1,bakup', 'has the unknown option "bakup" | did you mean backup?'],
    ['h:1,maxConns=2', 'has the unknown option "maxConns=2" | did you mean max-conns?'],
    [
      'h:1,',
      'has the unknown option "" | behind the address may stand weight=N, backup and max-conns=N, with commas between',
    ],
    ['h:1,weight=1,weight=2', 'has weight twice | give each option once'],
    ['h:1,backup,max-conns=1,backup=false', 'has backup twice | give each option once'],
    ['h:1,backup=maybe', 'upstreams.default.endpoints[0].backup is "maybe", but must be true or false'],
  ])('is told for --upstream %j', (text, problem) => {
    expect(problemsOf(null, { upstream: [text, 'other:1'] })).toEqual([`${`--upstream ${text}`.trimEnd()} ${problem}`]);
  });

  it('is told for endpoints that are all backups', () => {
    expect(problemsOf(null, { upstream: ['h:1,backup', 'h:2,backup'] })).toEqual([
      '--upstream h:1,backup h:2,backup upstreams.default.endpoints holds backups only | a backup stands in for endpoints that are not: take backup from at least one',
    ]);
  });

  it('is told once where the flag holds for several upstreams', () => {
    expect(problemsOf(TWO_UPSTREAMS, { balance: 'x', hashKey: 'header' })).toHaveLength(2);
  });

  it('leaves problems of a repeated listener at their place in the file', () => {
    const text = SMALLEST.replace('name: web,', 'name: web, limits: { headers: 0 },');
    expect(new Set(problemsOf(text, { listen: [':1', ':2'] }).map((problem) => problem.split(' ')[0]))).toEqual(
      new Set(['sluice.yaml:3:37']),
    );
  });
});

describe('a warning of a flag', () => {
  it('names the flag', () => {
    expect(warningsOf(null, { upstream: ['h:1', 'h:2'], workers: '9' })).toEqual([
      '--workers 9 workers is 9, but this process may use 4 processors | more workers than processors take turns and add latency; auto chooses well',
    ]);
  });
});
