/** The keeper of certificates: contexts from plan to plan, changed files, what ACME brings, ticket keys. */
import { describe, expect, it } from 'vitest';
import { compilePlan } from '../../../../src/config/compile.js';
import type { Plan } from '../../../../src/config/plan.js';
import { FreshRecords } from '../../../../src/config/plan-records.js';
import { CertificateKeeper } from '../../../../src/control/certificates/certificate-keeper.js';
import { StartFailure } from '../../../../src/control/start-failure.js';
import { makeCertificate } from '../../../harness/certificate-maker.js';
import { configOf } from '../../config/loading.js';
import { FakeTime } from '../fake-time.js';
import { captureLog } from '../log-capture.js';
import { FakeTls } from './fake-tls.js';
import { MadeUpFiles } from './files.js';

const first = makeCertificate({ name: 'first.example' });
const second = makeCertificate({ name: 'second.example' });
const authority = makeCertificate({ name: 'Authority', isAuthority: true });
const otherAuthority = makeCertificate({ name: 'Other', isAuthority: true });
const FILES = {
  'a.pem': first.cert,
  'a.key': first.key,
  'b.pem': second.cert,
  'b.key': second.key,
  'ca.pem': authority.cert,
};
const A = 'certificates: [ { cert: a.pem, key: a.key } ]';

/** @param tls settings of the listener web; '': it is plain */
function planOf(tls: string, upstreamTls = 'off', epoch = 1): Plan {
  const text = `
listeners:
  - { name: plain, bind: "127.0.0.1:8080", routes: [ { upstream: api } ] }
  - { name: web, bind: "127.0.0.1:8443", tls: ${tls === '' ? 'off' : `{ ${tls} }`}, routes: [ { upstream: api } ] }
upstreams:
  api: { tls: ${upstreamTls}, endpoints: [ { address: "h:1" } ] }
`;
  return compilePlan(configOf(text), {
    assignSlot: () => ({ slot: 0, generation: 0 }),
    records: new FreshRecords(),
    epoch,
    processors: 1,
    affinitySecret: 'sixteen-letters!',
  });
}

function rig(files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const time = new FakeTime();
  const from = new MadeUpFiles({ ...FILES, ...files });
  const tls = new FakeTls();
  const log = captureLog();
  let made = 0;
  const keeper = new CertificateKeeper({
    addon: tls,
    reader: from.reader(),
    logger: log.logger,
    timers: time,
    randomBytes: (count) => new Uint8Array(count).fill(++made),
  });
  /** Has a plan count. @returns the context that it names for the listener */
  const take = (plan: Plan): number => {
    const edition = keeper.edit(plan);
    edition.commit()();
    return edition.plan.listeners[1]?.tls?.context ?? 0;
  };
  return { keeper, files: from, tls, log, time, take };
}

const chains = ({ certificates }: { certificates: readonly { chain: string }[] }) =>
  certificates.map(({ chain }) => chain);

describe('contexts', () => {
  it('are made for listeners with TLS, and named in the plan', () => {
    const { keeper, tls } = rig();
    const edition = keeper.edit(planOf(A));
    expect(edition.plan.listeners.map((listener) => listener.tls?.context)).toEqual([undefined, 1]);
    expect(tls.servers[0]).toMatchObject({
      number: 1,
      settings: { alpn: ['h2', 'http/1.1'], clientAuth: 'none', tickets: true },
    });
    expect(tls.servers.map(chains)).toEqual([[first.cert]]);
    edition.commit()();
    expect(keeper.textsOf('web').map(({ chain }) => chain)).toEqual([first.cert]);
    expect(keeper.textsOf('plain')).toEqual([]);
  });

  it('stay over a plan with the same settings, and get its certificates', () => {
    const { tls, log, take } = rig();
    const number = take(planOf(A));
    expect(take(planOf('certificates: [ { cert: b.pem, key: b.key }, { cert: a.pem, key: a.key } ]'))).toBe(number);
    expect(tls.servers.map(chains)).toEqual([[second.cert, first.cert]]);
    expect(log.records).toMatchObject([
      { event: 'certificates-loaded', listener: 'web', names: ['second.example', 'first.example'] },
    ]);
  });

  it('are others for other settings; the former one is closed when no worker goes by it', () => {
    const { keeper, tls, take } = rig();
    const number = take(planOf(A));
    const edition = keeper.edit(planOf(`${A}, minVersion: "1.3"`));
    expect(edition.plan.listeners[1]?.tls?.context).not.toBe(number);
    const closeGone = edition.commit();
    expect(tls.open).toHaveLength(2);
    closeGone();
    expect(tls.open.map(({ settings }) => settings.minVersion)).toEqual(['1.3']);
  });

  it('are closed with their listener, and all with the keeper', () => {
    const { keeper, tls, take, time } = rig();
    take(planOf(A, '{}'));
    take(planOf(''));
    expect([tls.open, tls.clients.map(({ isClosed }) => isClosed), time.pending]).toEqual([[], [true], 0]);
    take(planOf(A));
    keeper.close();
    keeper.close();
    expect([tls.open, time.pending]).toEqual([[], 0]);
  });

  it('are as before when a plan is withdrawn', () => {
    const { keeper, tls, take, log } = rig();
    take(planOf(A, '{}'));
    const edition = keeper.edit(planOf('certificates: [ { cert: b.pem, key: b.key } ]', '{ verify: false }'));
    expect(tls.clients[0]?.settings.isVerified).toBe(false);
    edition.withdraw();
    keeper.edit(planOf(`${A}, minVersion: "1.3"`)).withdraw();
    expect(tls.open.map(chains)).toEqual([[first.cert]]);
    expect(tls.clients.map(({ settings, isClosed }) => [settings.isVerified, isClosed])).toEqual([[true, false]]);
    expect(log.events()).toEqual([]);
  });

  it('are not made of files that cannot be used: everything wrong is said', () => {
    const { keeper, tls, take } = rig();
    take(planOf(A));
    const bad = planOf('certificates: [ { cert: b.pem, key: b.key }, { cert: c.pem, key: a.key } ], minVersion: "1.3"');
    expect(() => keeper.edit(bad)).toThrow(StartFailure);
    expect(() => keeper.edit(bad)).toThrow(
      /^listener web: tls\.certificates\[1\]\.cert is "c\.pem", but the file does not exist/,
    );
    tls.refusal = '0: ee key too small';
    expect(() => keeper.edit(planOf(`${A}, minVersion: "1.3"`))).toThrow(
      /listener web: its TLS cannot be used: 0: ee key too small/,
    );
    expect(tls.open.map(chains)).toEqual([[first.cert]]);
  });

  it('speak to endpoints with the authorities of Node, or those of the file', () => {
    const { keeper, tls, take } = rig();
    take(planOf('', '{}'));
    expect(tls.clients[0]?.settings.ca.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
    take(planOf('', '{ ca: ca.pem, cert: a.pem, key: a.key }'));
    expect(tls.clients).toHaveLength(1);
    expect(keeper.clientSettingsOf(0)).toMatchObject({ ca: authority.cert, certificate: { chain: first.cert } });
    expect(keeper.clientSettingsOf(7)).toBeNull();
  });
});

describe('changed files', () => {
  const changed = { 'a.pem': second.cert, 'a.key': second.key };

  it('count for new handshakes, once', () => {
    const { keeper, files, tls, log, take } = rig();
    take(planOf(A));
    expect(keeper.hasChanged()).toBe(false);
    files.write(changed);
    expect(keeper.hasChanged()).toBe(true);
    expect(keeper.refresh()).toEqual({ problems: [], isHalf: false, needsPlan: false });
    expect(keeper.refresh()).toEqual({ problems: [], isHalf: false, needsPlan: false });
    expect(keeper.hasChanged()).toBe(false);
    expect(tls.servers.map(({ changes }) => changes)).toEqual([2]);
    expect(tls.servers.map(chains)).toEqual([[second.cert]]);
    expect(log.events()).toEqual(['certificates-loaded']);
  });

  it('that cannot be used change nothing', () => {
    const { keeper, files, tls, take } = rig();
    take(planOf(A));
    files.write({ 'a.pem': second.cert });
    expect(keeper.refresh()).toMatchObject({
      problems: [expect.stringMatching(/^listener web: tls\.certificates\[0\]\.key is "a\.key", which is not the key/)],
      isHalf: true,
    });
    files.write(changed);
    tls.refusal = '0: ca md too weak';
    expect(keeper.refresh()).toMatchObject({ problems: ['listener web: 0: ca md too weak'], isHalf: false });
    expect(tls.servers.map(chains)).toEqual([[first.cert]]);
  });

  it('that are gone for now have not changed', () => {
    const { keeper, files, take } = rig();
    take(planOf(A));
    files.write({ 'a.pem': null });
    expect(keeper.hasChanged()).toBe(false);
  });

  it('of authorities of clients need another plan, which brings another context and other ticket keys', () => {
    const { keeper, files, tls, take } = rig();
    const plan = planOf(`${A}, clientAuth: { ca: ca.pem }`);
    const number = take(plan);
    files.write({ 'ca.pem': otherAuthority.cert });
    expect(keeper.refresh()).toEqual({ problems: [], isHalf: false, needsPlan: true });
    expect(take(plan)).not.toBe(number);
    expect(tls.open.map(({ settings }) => settings.clientCa)).toEqual([otherAuthority.cert]);
    expect(tls.servers[1]?.ticketKeys).not.toEqual(tls.servers[0]?.ticketKeys);
  });

  it('of endpoints count for connections that begin afterwards', () => {
    const { keeper, files, tls, take } = rig();
    take(planOf('', '{ ca: ca.pem }'));
    files.write({ 'ca.pem': otherAuthority.cert });
    expect(keeper.refresh()).toEqual({ problems: [], isHalf: false, needsPlan: false });
    expect(tls.clients.map(({ settings }) => settings.ca)).toEqual([otherAuthority.cert]);
  });
});

describe('what ACME brings', () => {
  const acme = 'acme: { storage: s, names: [ second.example ] }';
  const obtained = { chain: second.cert, key: second.key };

  it('stands behind the certificates of files, and stays over reloads as long as there is acme', () => {
    const { keeper, tls, take } = rig();
    const told: string[] = [];
    const stop = keeper.onChanged((name) => told.push(name));
    take(planOf(`${A}, ${acme}`));
    keeper.setObtained('web', obtained);
    expect(tls.servers.map(chains)).toEqual([[first.cert, second.cert]]);
    expect(keeper.inUse.map(({ owner, ownerName, source }) => [owner, ownerName, source])).toEqual([
      ['listener', 'web', 'a.pem'],
      ['listener', 'web', 'acme'],
    ]);
    take(planOf(`${A}, ${acme}, minVersion: "1.3"`));
    expect(tls.open.map(chains)).toEqual([[first.cert, second.cert]]);
    stop();
    take(planOf(A));
    take(planOf(`${A}, ${acme}`));
    expect(tls.open.map(chains)).toEqual([[first.cert]]);
    expect(told).toEqual(['web']);
  });

  it('is refused where it cannot be used, and passed over where nobody waits for it', () => {
    const { keeper, tls, take } = rig();
    take(planOf(`${A}, ${acme}`));
    expect(() => keeper.setObtained('web', { chain: 'rubbish', key: '' })).toThrow(/no certificate/);
    tls.refusal = '1: no';
    expect(() => keeper.setObtained('web', obtained)).toThrow('1: no');
    keeper.setObtained('gone', obtained);
    keeper.setObtained('plain', obtained);
    expect(tls.servers.map(chains)).toEqual([[first.cert]]);
  });

  it('is all that a listener without certificates has', () => {
    const { keeper, tls, take } = rig();
    take(planOf(acme));
    expect(tls.servers[0]?.changes).toBe(0);
    keeper.setObtained('web', obtained);
    expect(tls.servers.map(chains)).toEqual([[second.cert]]);
  });

  it('answers challenges until they are dropped, over reloads, too', () => {
    const { keeper, tls, take } = rig();
    take(planOf(`${A}, ${acme}`));
    keeper.setChallenge('web', 'second.example', obtained);
    take(planOf(`${A}, ${acme}, minVersion: "1.3"`));
    expect([...(tls.open[0]?.challenges.keys() ?? [])]).toEqual(['second.example']);
    keeper.dropChallenge('web', 'second.example');
    keeper.dropChallenge('web', 'second.example');
    expect(tls.open[0]?.challenges.size).toBe(0);
  });
});

describe('ticket keys', () => {
  const marks = (keys: readonly Uint8Array[] | undefined) => keys?.map((key) => [key.length, key[0]]);

  it('are renewed, and the one before still opens', async () => {
    const { tls, time, take } = rig();
    take(planOf(`${A}, tickets: { rotate: 1h }`));
    expect(marks(tls.servers[0]?.ticketKeys)).toEqual([[80, 1]]);
    await time.pass(3_600_000);
    expect(marks(tls.servers[0]?.ticketKeys)).toEqual([
      [80, 2],
      [80, 1],
    ]);
    await time.pass(3_600_000);
    expect(marks(tls.servers[0]?.ticketKeys)).toEqual([
      [80, 3],
      [80, 2],
    ]);
  });

  it('survive reloads, in other contexts, too', async () => {
    const { tls, time, take } = rig();
    take(planOf(`${A}, tickets: { rotate: 1h }`));
    await time.pass(1_800_000);
    take(planOf(`${A}, tickets: { rotate: 1h }, minVersion: "1.3"`));
    expect(marks(tls.open[0]?.ticketKeys)).toEqual([[80, 1]]);
    await time.pass(1_800_000);
    expect(marks(tls.open[0]?.ticketKeys)).toEqual([
      [80, 2],
      [80, 1],
    ]);
    expect(time.pending).toBe(1);
  });

  it('come from a file, and follow it', () => {
    const file = (...numbers: number[]) => Buffer.concat(numbers.map((number) => Buffer.alloc(80, number)));
    const { keeper, tls, files, time, take } = rig({ 't.keys': file(7, 8) });
    take(planOf(`${A}, tickets: { file: t.keys }`));
    expect(marks(tls.servers[0]?.ticketKeys)).toEqual([
      [80, 7],
      [80, 8],
    ]);
    expect(time.pending).toBe(0);
    files.write({ 't.keys': file(9, 7) });
    expect(keeper.hasChanged()).toBe(true);
    keeper.refresh();
    expect(marks(tls.servers[0]?.ticketKeys)).toEqual([
      [80, 9],
      [80, 7],
    ]);
    take(planOf(A));
    expect(marks(tls.servers[0]?.ticketKeys)).toEqual([[80, 1]]);
    expect(time.pending).toBe(1);
  });

  it('are none with tickets: off', () => {
    const { tls, time, take } = rig();
    take(planOf(`${A}, tickets: off`));
    expect([tls.servers[0]?.settings.tickets, tls.servers[0]?.ticketKeys, time.pending]).toEqual([false, [], 0]);
  });
});
