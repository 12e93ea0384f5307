/** Where a request would go: the explanation says what the next pick does, and leaves the board as it is, byte for byte. */
import { describe, expect, it } from 'vitest';
import { EndpointLedger } from '../../../src/balancing/endpoint-ledger.js';
import { BALANCER_NAMES } from '../../../src/balancing/registry.js';
import { UpstreamRuntime } from '../../../src/balancing/upstream-runtime.js';
import { NO_SUBSET, type PickingPlan } from '../../../src/config/picking-plan.js';
import type { L7ListenerPlan, RoutePlan, UpstreamPlan } from '../../../src/config/plan.js';
import { NO_FALLBACK } from '../../../src/config/resilience-plan.js';
import type { ClientAuthPlan, ListenerTlsPlan } from '../../../src/config/tls-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import { explainRequest } from '../../../src/l7/request-explainer.js';
import type { ExplainRequest } from '../../../src/worker/explaining.js';
import { type EndpointUnderTest, upstreamOf } from '../balancing/upstream-under-test.js';
import { listenerPlan, plan as planOf, WHOLE_UPSTREAM } from '../control/plans.js';

const NOW = 1;
const ROUTE: RoutePlan = { host: '*', path: '/', upstream: 0, ...WHOLE_UPSTREAM, exchangeTimeoutMs: 0 };
const REQUEST: ExplainRequest = {
  listener: null,
  method: 'GET',
  host: '',
  target: '/',
  headers: {},
  client: null,
  clientCertificate: null,
};

const CLIENT_AUTH: ClientAuthPlan = {
  mode: 'optional',
  ca: 'ca.pem',
  crl: null,
  depth: 4,
  headers: { subject: null, fingerprint: null },
};
const LISTENER_TLS: ListenerTlsPlan = {
  context: 0,
  certificates: [],
  acme: null,
  minVersion: '1.2',
  ciphers: '',
  cipherSuites: '',
  curves: '',
  alpn: [],
  clientAuth: null,
  tickets: null,
  sessionCache: 0,
  earlyDataBytes: 0,
  handshakeTimeoutMs: 0,
  handshakes: 0,
  handshakesPerClient: 0,
};

/** A stand-in of the engine's hashes that tells texts apart. */
const hashes = {
  hashText: (text: string, words: Int32Array) => {
    let sum = 7;
    for (const character of text) sum = Math.imul(sum, 31) + character.charCodeAt(0);
    words[0] = sum;
    words[1] = Math.imul(sum, 0x9e3779b1);
  },
  crc32Text: (text: string) => text.length,
};

interface Given {
  readonly balance?: UpstreamPlan['balance'];
  readonly endpoints?: readonly EndpointUnderTest[];
  readonly picking?: Partial<PickingPlan>;
  readonly upstream?: Partial<UpstreamPlan>;
  readonly route?: Partial<RoutePlan>;
  readonly listener?: Partial<L7ListenerPlan>;
}

function underTest({
  balance = 'round-robin',
  endpoints = [{}, {}, {}],
  picking = {},
  upstream = {},
  route = {},
  listener = {},
}: Given = {}) {
  const made = upstreamOf(balance, endpoints, 2, picking);
  const { board, worker } = made;
  const upstreamPlan = { ...made.plan, ...upstream };
  const runtime = new UpstreamRuntime(upstreamPlan, {
    board: worker,
    ledger: new EndpointLedger(worker, 64),
    rng: seededRng(3),
  });
  const plan = planOf({
    upstreams: [upstreamPlan],
    listeners: [listenerPlan('web', '127.0.0.1', 8080, { routes: [{ ...ROUTE, ...route }], ...listener })],
  });
  const explain = (request: Partial<ExplainRequest> = {}) =>
    explainRequest({ ...REQUEST, ...request }, { plan, upstreams: [runtime], board: worker, hashes, now: NOW });
  const bytes = () => Buffer.from(board.buffer).toString('base64');
  return { ...made, explain, bytes, name: (index: number) => upstreamPlan.endpoints[index]?.name };
}

const KEYED = new Set(['ip-hash', 'hash', 'ketama', 'maglev', 'rendezvous']);
/** They draw: who is named would be wrong half of the time. */
const DRAWING = new Set(['random', 'random-two', 'peak-ewma']);
const WITHOUT_TABLE = BALANCER_NAMES.filter((name) => name !== 'ketama' && name !== 'maglev');

describe('an explanation', () => {
  it('of a listener that redirects says so and where to, whatever its routes', () => {
    const { explain } = underTest({ listener: { redirectPort: 8443 } });
    expect(explain({ host: 'a.test:80', target: '/x?y=1' })).toMatchObject({
      route: null,
      code: null,
      policies: ['redirectToHttps: the listener answers by itself with a redirect to https://a.test:8443/x?y=1'],
    });
    expect(explain()).toMatchObject({ code: 'SLUICE_BAD_HOST' });
  });

  it.each(WITHOUT_TABLE)('changes nothing on the board with %s', (balance) => {
    const { explain, bytes } = underTest({ balance, endpoints: [{ cap: 1 }, { weight: 3 }, { isBackup: true }] });
    explain(); // the first one may refresh what the worker keeps of the board
    const before = bytes();
    expect(explain()?.code).toBeNull();
    expect(bytes()).toBe(before);
  });

  it.each(WITHOUT_TABLE.filter((name) => !KEYED.has(name) && !DRAWING.has(name)))(
    'names who the next pick of %s takes, again and again',
    (balance) => {
      const { explain, pick, name } = underTest({ balance, endpoints: [{ weight: 2 }, { weight: 5 }, { cap: 2 }] });
      for (let round = 0; round < 12; round++) {
        const explained = explain()?.endpoint;
        expect(explained).toBe(name(pick()));
      }
    },
  );

  it('says that lots are drawn, and names nobody', () => {
    expect(underTest({ balance: 'random' }).explain()).toMatchObject({ endpoint: null, isDrawn: true, code: null });
    const unkeyed = underTest({ balance: 'hash', picking: { hashKey: { kind: 'header', name: 'x-user' } } });
    expect(unkeyed.explain()).toMatchObject({ endpoint: null, isDrawn: true });
    expect(unkeyed.explain()?.policies).toContainEqual(expect.stringContaining('does not have'));
    const keyed = unkeyed.explain({ headers: { 'x-user': 'ada' } });
    expect(keyed).toMatchObject({ isDrawn: false, endpoint: expect.any(String) });
    expect(unkeyed.explain({ headers: { 'x-user': 'ada' } })?.endpoint).toBe(keyed?.endpoint);
  });

  it('tells who is excluded and why, and who is left', () => {
    const { explain, board, plan, load } = underTest({ endpoints: [{ cap: 1 }, {}, { isBackup: true }, {}] });
    load(0, 1);
    board.control.setHealthy(plan.endpoints[1]?.slot ?? 0, false);
    expect(explain()).toMatchObject({
      endpoint: '127.0.0.1:9003',
      candidates: [
        { endpoint: '127.0.0.1:9000', exclusion: 'full', inFlight: 1, cap: 1, group: 'level 0' },
        { endpoint: '127.0.0.1:9001', exclusion: 'unhealthy', group: null },
        { endpoint: '127.0.0.1:9002', exclusion: null, group: 'backups' },
        { endpoint: '127.0.0.1:9003', exclusion: null, group: 'level 0' },
      ],
    });
  });

  it('says what the client gets where nobody can be picked', () => {
    const full = underTest({ endpoints: [{ cap: 1 }] });
    full.load(0, 1);
    expect(full.explain()).toMatchObject({ endpoint: null, code: 'SLUICE_ENDPOINTS_FULL' });
    const queued = underTest({ endpoints: [{ cap: 1 }], upstream: { queue: { length: 3, record: 0, firstEntry: 0 } } });
    queued.load(0, 1);
    expect(queued.explain()).toMatchObject({ endpoint: null, code: null });
    expect(queued.explain()?.policies).toContain('queue: it would wait, at most 1000 ms');
  });

  it('finds listener and route, or says that there is none', () => {
    const { explain } = underTest({ route: { host: 'a.example', path: '/api' } });
    expect(explain({ host: 'A.example:8080', target: '/api/x?y=1' })?.route).toEqual({
      host: 'a.example',
      path: '/api',
    });
    expect(explain({ host: 'a.example', target: '/apix' })).toMatchObject({ route: null, code: 'SLUICE_NO_ROUTE' });
    expect(explain({ host: 'b.example' })).toMatchObject({ listener: 'web', code: 'SLUICE_NO_ROUTE' });
    expect(explain({ host: 'a b' })).toMatchObject({ code: 'SLUICE_BAD_HOST' });
    expect(explain({ host: 'a.example', target: '/api', method: 'TRACE' })).toMatchObject({
      code: 'SLUICE_METHOD_REFUSED',
    });
    expect(explain({ listener: 'nope' })).toBeNull();
  });

  it('goes by a certificate where the listener learns what clients show', () => {
    const picking = { hashKey: { kind: 'client-certificate', name: 'subject' } } as const;
    const given = (listener: Partial<L7ListenerPlan>) => underTest({ balance: 'hash', picking, listener });
    const clientCertificate = { subject: 'CN=ada', fingerprint: '' };
    const asking = { frontend: 'native', tls: { ...LISTENER_TLS, clientAuth: CLIENT_AUTH } } as const;
    expect(given(asking).explain({ clientCertificate })).toMatchObject({
      isDrawn: false,
      policies: expect.arrayContaining(["balancer: hashes the subject of the client's certificate"]),
    });
    const missing =
      "balancer: would hash the subject of the client's certificate, which the request does not have: it is drawn";
    expect(given(asking).explain()?.policies).toContain(missing);
    expect(given({ ...asking, tls: LISTENER_TLS }).explain({ clientCertificate })?.policies).toContain(missing);
  });

  it('tells splits, affinity, retries, hedges and fallbacks', () => {
    const target = { upstream: 0, subset: NO_SUBSET };
    const { explain } = underTest({
      picking: { affinity: { kind: 'key', key: { kind: 'header', name: 'x-user' } } },
      upstream: { hedge: { kind: 'delay', afterMs: 20 } },
      route: {
        split: { key: { kind: 'query', name: 'u' }, targets: [{ ...target, weight: 1 }] },
        fallback: { upstream: NO_FALLBACK, response: { status: 503, headers: {}, body: '' } },
        exchangeTimeoutMs: 700,
      },
    });
    const { policies } = explain({ target: '/?u=7', headers: { 'x-user': 'ada' } }) ?? { policies: [] };
    expect(policies).toEqual([
      'split: by the query parameter u this request goes to api, which gets 100 %',
      'deadline: 700 ms over all attempts',
      'retries: at most 2 attempts, on connect, reset, timeout, bad-response',
      'hedging: a second attempt after 20 ms',
      'fallback: a fixed response 503',
      expect.stringMatching(/^affinity: by the header x-user it belongs to 127\.0\.0\.1:900\d$/),
      'pick: affinity',
    ]);
    expect(explain({ method: 'POST' })?.policies).toContainEqual(
      expect.stringContaining('a POST that was sent is not sent again'),
    );
  });
});
