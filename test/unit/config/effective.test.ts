/** The effective configuration: loads to the same, whatever it was made from. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveYaml } from '../../../src/config/effective.js';
import type { ConfigFlags } from '../../../src/config/flags.js';
import { configOf, problemsOf, SMALLEST, SMALLEST_L4, warningsOf } from './loading.js';

const read = (name: string) => readFileSync(new URL(`../../../examples/${name}`, import.meta.url), 'utf8');
const EXAMPLE = read('sluice.yaml');
const L4_EXAMPLE = read('l4.yaml');
const TLS_EXAMPLE = read('tls.yaml');

describe('effective configuration', () => {
  it.each<[string, string | null, ConfigFlags]>([
    ['the smallest file', SMALLEST, {}],
    ['the example', EXAMPLE, {}],
    ['the smallest file of mode l4', SMALLEST_L4, {}],
    ['the example of mode l4', L4_EXAMPLE, {}],
    ['the example of TLS', TLS_EXAMPLE, {}],
    [
      'flags of mode l4',
      null,
      {
        mode: 'l4',
        listen: [':5432', 'unix:/run/a b', 'unix:@c'],
        upstream: ['h:1', 'unix:/b,backup'],
        relay: 'copy',
      },
    ],
    [
      'both modes with everything off',
      SMALLEST.replace(
        'upstreams:',
        '  - { name: db, mode: l4, bind: "unix:@db", upstream: api, keepAlive: off, deferAccept: off, halfClose: false }\nupstreams:',
      ).replace('api: {', 'api: { keepAlive: off, proxyProtocol: v1,'),
      {},
    ],
    [
      'flags of the native front end',
      null,
      { frontend: 'native', listen: [':1', 'unix:/run/a b', 'unix:@c'], upstream: ['h:1', 'h:2'] },
    ],
    [
      'the native front end with a head below the default of its request line',
      SMALLEST.replace('name: web,', 'name: web, frontend: native, limits: { headBytes: 2KiB }, keepAlive: off,'),
      {},
    ],
    [
      'flags',
      null,
      {
        upstream: ['127.0.0.1:1', '[::1]:2,weight=0', 'unix:/a b,backup,max-conns=3'],
        listen: [':1', '[::1]:2', 'localhost:3'],
        healthCheck: 'tcp',
        admin: 'off',
        workers: '2',
      },
    ],
    ['everything off', `${SMALLEST}admin: off\nlog: { level: silent }\nshutdownTimeout: 0s`, { healthCheck: 'off' }],
  ])('of %s loads to the same', (_, text, flags) => {
    const config = configOf(text, flags);
    const printed = effectiveYaml(config);
    expect(configOf(printed)).toEqual(config);
    expect(effectiveYaml(configOf(printed))).toBe(printed);
  });

  it('leaves out what the front end of a listener does not have', () => {
    const printed = (frontend: string) => effectiveYaml(configOf(SMALLEST, { frontend }));
    for (const line of ['proxyProtocol: false', 'writeStall: 1m', 'minBodyRate: off', 'connections: unlimited']) {
      expect(printed('native')).toContain(line);
      expect(printed('uws')).not.toContain(line);
    }
    expect(printed('uws')).toContain('requestHead: 10s');
  });

  it('has every default filled in', () => {
    const printed = effectiveYaml(configOf(SMALLEST, { frontend: 'native' }));
    for (const line of [
      'mode: l7',
      'connectAttempts: 3',
      'keepAlive: 75s',
      'bodyBytes: unlimited',
      'targetBytes: 8KiB',
      'requestsPerConnection: 10000',
      'exchange: off',
      'maxConns: unlimited',
      'keepAliveIdle: 4s',
      'healthCheck: off',
      'workers: auto',
      'shutdownTimeout: 30s',
      'bind: 127.0.0.1:9900',
      'level: info',
    ]) {
      expect(printed).toContain(line);
    }
  });

  it('loads to the same for any durations, sizes and numbers', () => {
    const durationMs = fc.integer({ min: 1_000, max: 3_600_000 });
    fc.assert(
      fc.property(
        durationMs,
        fc.integer({ min: 1024, max: 65_536 }),
        fc.integer({ min: 1, max: 256 }),
        (ms, bytes, count) => {
          const text = `${SMALLEST.replace('name: web,', `name: web, timeouts: { keepAlive: ${ms}ms }, limits: { headBytes: ${bytes}B },`)}workers: ${count}\n`;
          const config = configOf(text);
          expect(config.listeners[0]).toMatchObject({ timeouts: { keepAlive: ms }, limits: { headBytes: bytes } });
          expect(configOf(effectiveYaml(config))).toEqual(config);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('the example files', () => {
  it('are valid', () => {
    expect(Object.keys(configOf(EXAMPLE).upstreams)).toEqual(['api', 'pages']);
    expect(configOf(L4_EXAMPLE).listeners.map(({ name, mode }) => [name, mode])).toEqual([
      ['db', 'l4'],
      ['db-local', 'l4'],
      ['tls', 'l4'],
    ]);
    expect(Object.keys(configOf(TLS_EXAMPLE).upstreams)).toEqual(['site', 'mail']);
    expect(warningsOf(TLS_EXAMPLE)).toEqual([]);
  });

  it.each([
    ['sluice.yaml', EXAMPLE],
    ['l4.yaml', L4_EXAMPLE],
    ['tls.yaml', TLS_EXAMPLE],
  ])('explain every line of %s', (_, text) => {
    const unexplained = text.split('\n').filter((line) => line.trim() !== '' && !line.includes('# '));
    expect(unexplained.filter((line) => line.trim() !== '#')).toEqual([]);
  });

  it('show every setting between them', () => {
    const keysOf = (yaml: string) => [...yaml.matchAll(/([A-Za-z]+):(?= |$)/gm)].map((match) => match[1]);
    const examples = [EXAMPLE, L4_EXAMPLE, TLS_EXAMPLE];
    const shown = new Set(examples.flatMap((text) => keysOf(text.replace(/#.*$/gm, ''))));
    const all = new Set(examples.flatMap((text) => keysOf(effectiveYaml(configOf(text)))));
    expect([...all].filter((key) => key !== undefined && !shown.has(key))).toEqual([]);
  });

  it('break loudly when a key is mistyped', () => {
    expect(problemsOf(EXAMPLE.replace('keepAliveIdle', 'keepAliveIdel'))).toHaveLength(1);
    expect(problemsOf(TLS_EXAMPLE.replace('renewBefore', 'renewBefor'))).toHaveLength(1);
    expect(problemsOf(L4_EXAMPLE.replace('halfClose', 'halfCloes'))).toHaveLength(1);
  });
});
