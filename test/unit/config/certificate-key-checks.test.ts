/** Keys of clients' certificates: refused where no listener learns them, with a warning where only some do. */
import { describe, expect, it } from 'vitest';
import { effectiveYaml } from '../../../src/config/effective.js';
import { configOf, problemsOf, warningsOf } from './loading.js';

const CERTIFICATES = 'certificates: [ { cert: a.pem, key: a.key } ]';
const ASKS = `tls: { ${CERTIFICATES}, clientAuth: { ca: c.pem } }`;
const KEY = 'client-certificate:fingerprint';

/** Listeners by their settings, all with a route to one upstream that hashes by certificates. */
const file = (listeners: readonly string[], upstream = `balance: hash, hashKey: ${KEY}`, route = 'upstream: api') => `
listeners:
${listeners
  .map((settings, index) => {
    const routes = settings.includes('mode: l4') ? 'upstream: api' : `routes: [ { ${route} } ]`;
    return `  - { name: l${index}, bind: "127.0.0.1:${8080 + index}", ${settings}, ${routes} }`;
  })
  .join('\n')}
upstreams:
  api: { ${upstream}, endpoints: [ { address: "10.0.0.1:9001" }, { address: "10.0.0.2:9001" } ] }
`;
const told = (text: string) => problemsOf(text).map((problem) => problem.replace(/^\S+ /, '').split(' | ')[0]);

describe('a key of certificates', () => {
  it.each([
    ['hsts: off', 'its listener has no tls'],
    [`tls: { ${CERTIFICATES} }`, 'its listener asks for no certificates (tls.clientAuth)'],
    [
      `frontend: uws, tls: { ${CERTIFICATES}, clientAuth: { mode: optional, ca: c.pem } }`,
      'its listener has the uws front end, which does not tell what clients show',
    ],
    ['mode: l4', 'its listener has no tls'],
    [`mode: l4, tls: { ${CERTIFICATES} }`, 'its listener asks for no certificates (tls.clientAuth)'],
  ])('is refused for an upstream where %s', (listener, why) => {
    expect(told(file([listener]))).toEqual([`upstreams.api.hashKey is ${KEY}, but ${why}`]);
    expect(told(file([listener], `affinity: { key: ${KEY} }`))).toEqual([
      `upstreams.api.affinity.key is ${KEY}, but ${why}`,
    ]);
  });

  it('is refused where none of several listeners learns it', () => {
    expect(told(file(['hsts: off', 'mode: l4']))).toEqual([
      `upstreams.api.hashKey is ${KEY}, but no listener that leads here learns it: the first one has no tls`,
    ]);
  });

  it('is refused for a split of a listener that does not ask for certificates, whatever the others do', () => {
    const split = `split: [ { upstream: api } ], splitKey: ${KEY}`;
    expect(told(file([ASKS, 'hsts: off'], 'balance: hash', split))).toEqual([
      `listeners[1].routes[0].splitKey is ${KEY}, but its listener has no tls`,
    ]);
  });

  it.each([[[ASKS]], [[`mode: l4, ${ASKS}`]], [[ASKS, 'redirectToHttps: 443']]])('is taken where %j', (listeners) => {
    expect(warningsOf(file(listeners)).filter((warning) => warning.includes(KEY))).toEqual([]);
  });

  it.each(['subject', 'fingerprint'])('is in the plan: %s', (name) => {
    const config = configOf(file([ASKS], `balance: hash, hashKey: client-certificate:${name}`));
    expect(config.upstreams['api']?.hashKey).toEqual({ kind: 'client-certificate', name });
    expect(configOf(effectiveYaml(config))).toEqual(config);
  });

  it('is warned of where only some listeners learn it', () => {
    expect(warningsOf(file([ASKS, 'hsts: off']))).toEqual([
      expect.stringContaining(
        `upstreams.api.hashKey is ${KEY}, but the listener l1 has no tls: its clients have no such key`,
      ),
    ]);
  });

  it.each(['certificate', 'client-cert:subject', 'client-certificate', 'client-certificate:issuer'])(
    'is told how to write %s',
    (written) => {
      expect(problemsOf(file([ASKS], `balance: hash, hashKey: ${written}`))).toEqual([
        expect.stringContaining('| write client-certificate:subject or client-certificate:fingerprint'),
      ]);
    },
  );
});
