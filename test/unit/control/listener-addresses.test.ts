/** Taking the addresses of all listeners, and the sentences when that fails. */
import { describe, expect, it } from 'vitest';
import type { BindPlan, ListenerPlan, Plan } from '../../../src/config/plan.js';
import { ListenerAddresses, type ListeningAddon } from '../../../src/control/listener-addresses.js';
import { StartFailure } from '../../../src/control/start-failure.js';
import type { ListeningAddress, ListeningOptions } from '../../../src/engine/session-engine.js';
import { listenerPlan, plan, sessionListenerPlan } from './plans.js';

/** A double of the addon: fails for a port or path, else hands out ports 4000, 4001 … and descriptors 70, 71 … */
function listeningAddon(failures: Record<string, string> = {}) {
  const open = new Set<string>();
  const opened: { address: ListeningAddress; options: ListeningOptions }[] = [];
  let next = 4000;
  let descriptor = 70;
  const take = (place: string) => {
    const code = failures[place];
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    open.add(place);
    return () => void open.delete(place);
  };
  return {
    open,
    opened,
    reserveAddress(_host: string, port: number) {
      const real = port === 0 ? next++ : port;
      return { port: real, close: take(`reserved ${real}`) };
    },
    openListeningSocket(address: ListeningAddress, options: ListeningOptions) {
      opened.push({ address, options });
      if ('path' in address) return { port: 0, descriptor: descriptor++, close: take(address.path) };
      const real = address.port === 0 ? next++ : address.port;
      return { port: real, descriptor: descriptor++, close: take(`listening ${real}`) };
    },
  };
}

/** Listeners have their place as number, unless they say otherwise. */
function numbered(made: Plan): Plan {
  return {
    ...made,
    listeners: made.listeners.map((listener, index) => ({ ...listener, number: listener.number || index })),
  };
}

/** The addresses of a first plan. */
function reserveListeners(first: Plan, addon: ListeningAddon) {
  const addresses = new ListenerAddresses(addon);
  const edition = addresses.edit(numbered(first));
  edition.commit();
  return { ...edition, addresses, close: () => addresses.close() };
}

function failureOf(run: () => unknown): StartFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof StartFailure) return error;
  }
  throw new Error('it did not fail');
}

/** A listener of each kind at which the primary or a worker accepts without uWebSockets.js. */
const ACCEPTED = [
  ['of mode l4', (name: string, parts: Partial<Accepted> = {}) => sessionListenerPlan(name, parts)],
  [
    'with the native front end',
    (name: string, parts: Partial<Accepted> = {}) =>
      listenerPlan(name, '127.0.0.1', 0, { frontend: 'native', accept: 'primary', ...parts }),
  ],
] as const;
type Accepted = Pick<ListenerPlan, 'accept' | 'bind' | 'keepAlive' | 'deferAcceptMs'>;

const unix = (path: string): BindPlan => ({ kind: 'unix', path, mode: 0o600 });

describe('listener addresses', () => {
  it('puts the real ports into the plan and gives the addresses back, also twice', () => {
    const addon = listeningAddon();
    const reserved = reserveListeners(
      plan({
        listeners: [listenerPlan('a', '127.0.0.1', 0), listenerPlan('b', '::1', 8080), sessionListenerPlan('c')],
      }),
      addon,
    );
    expect(reserved.plan.listeners).toMatchObject([
      { bind: { port: 4000 } },
      { bind: { port: 8080 } },
      { bind: { port: 4001 } },
    ]);
    expect([...addon.open]).toEqual(['reserved 4000', 'reserved 8080', 'listening 4001']);
    reserved.close();
    reserved.close();
    expect(addon.open.size).toBe(0);
  });

  describe.each(ACCEPTED)('of a listener %s', (_kind, made) => {
    it('listens in the primary for the acceptor, where there are several workers', () => {
      const addon = listeningAddon();
      const listeners = [listenerPlan('a', '127.0.0.1', 0), made('b'), made('c')];
      const reserved = reserveListeners(plan({ workers: 4, listeners }), addon);
      expect([...reserved.descriptors]).toEqual([
        [1, 70],
        [2, 71],
      ]);
      expect(reserved.sessionListenings).toEqual({});
    });

    it('lets a sole worker accept on the socket of the primary, whatever accept says', () => {
      const addon = listeningAddon();
      const listeners = [made('a'), made('b', { accept: 'reuseport' }), made('c', { bind: unix('/run/x.sock') })];
      const { sessionListenings, descriptors } = reserveListeners(plan({ workers: 1, listeners }), addon);
      expect(descriptors.size).toBe(0);
      expect(Object.values(sessionListenings).map(({ from }) => from)).toEqual([
        { descriptor: 70 },
        { descriptor: 71 },
        { descriptor: 72 },
      ]);
    });

    it('reserves the address that several workers share by SO_REUSEPORT', () => {
      const addon = listeningAddon();
      const listeners = [made('a', { accept: 'reuseport' })];
      const { sessionListenings, descriptors } = reserveListeners(plan({ workers: 2, listeners }), addon);
      expect([...addon.open]).toEqual(['reserved 4000']);
      expect(descriptors.size).toBe(0);
      expect(sessionListenings[0]).toMatchObject({
        from: { host: '127.0.0.1', port: 4000 },
        options: { isShared: true },
      });
    });

    it('accepts at a UNIX socket in the primary, since it cannot be shared', () => {
      const addon = listeningAddon();
      const listeners = [made('a', { accept: 'reuseport', bind: unix('@name') })];
      const { sessionListenings, descriptors } = reserveListeners(plan({ workers: 2, listeners }), addon);
      expect([...descriptors]).toEqual([[0, 70]]);
      expect(sessionListenings).toEqual({});
      expect(addon.opened[0]?.address).toEqual({ path: '@name', mode: 0o600 });
    });

    it('gives times in whole seconds to the kernel, never 0 for a short one', () => {
      const addon = listeningAddon();
      const keepAlive = { idleMs: 1_500, intervalMs: 1, probes: 3 };
      reserveListeners(plan({ listeners: [made('a', { deferAcceptMs: 2_000, keepAlive })] }), addon);
      expect(addon.opened[0]?.options).toMatchObject({
        deferAcceptS: 2,
        keepAlive: { idleS: 2, intervalS: 1, probes: 3 },
        isShared: false,
      });
    });
  });

  it.each([
    [
      'EADDRINUSE',
      'SLUICE_ADDRESS_IN_USE',
      '[::1]:8080 is taken by another process (listener b): stop it or choose another address with --listen',
    ],
    [
      'EACCES',
      'SLUICE_ADDRESS_DENIED',
      'this process may not listen on [::1]:8080 (listener b): choose a port from 1024 up',
    ],
    [
      'EADDRNOTAVAIL',
      'SLUICE_ADDRESS_UNAVAILABLE',
      'cannot listen on [::1]:8080 (listener b, EADDRNOTAVAIL): this machine does not have the address',
    ],
  ])('says in one sentence what %s means, and keeps nothing reserved', (errno, code, sentence) => {
    for (const kind of ['reserved', 'listening']) {
      const addon = listeningAddon({ [`${kind} 8080`]: errno });
      const second =
        kind === 'reserved'
          ? listenerPlan('b', '::1', 8080)
          : sessionListenerPlan('b', { bind: { kind: 'tcp', host: '::1', port: 8080 } });
      const failure = failureOf(() =>
        reserveListeners(plan({ listeners: [listenerPlan('a', '127.0.0.1', 0), second] }), addon),
      );
      expect(failure.code).toBe(code);
      expect(failure.message).toContain(sentence);
      expect(failure.exitCode).toBe(2);
      expect(addon.open.size).toBe(0);
    }
  });

  it.each([
    ['EADDRINUSE', 'SLUICE_ADDRESS_IN_USE', 'another process listens on /run/x.sock (listener a): stop it'],
    ['EEXIST', 'SLUICE_ADDRESS_IN_USE', '/run/x.sock exists and is no socket (listener a): sluice does not delete it'],
    ['EACCES', 'SLUICE_ADDRESS_DENIED', 'this process may not make the socket /run/x.sock (listener a, EACCES)'],
    ['EROFS', 'SLUICE_ADDRESS_DENIED', 'this process may not make the socket /run/x.sock (listener a, EROFS)'],
    ['ENOENT', 'SLUICE_ADDRESS_UNAVAILABLE', 'the directory of /run/x.sock does not exist (listener a)'],
    ['ENOTDIR', 'SLUICE_ADDRESS_UNAVAILABLE', 'the directory of /run/x.sock does not exist (listener a)'],
    ['ENAMETOOLONG', 'SLUICE_ADDRESS_UNAVAILABLE', '/run/x.sock is too long for a UNIX socket (listener a)'],
    ['EINVAL', 'SLUICE_ADDRESS_UNAVAILABLE', 'cannot listen on /run/x.sock (listener a, EINVAL)'],
  ])('says in one sentence what %s means for a UNIX socket', (errno, code, sentence) => {
    const addon = listeningAddon({ '/run/x.sock': errno });
    const failure = failureOf(() =>
      reserveListeners(plan({ listeners: [sessionListenerPlan('a', { bind: unix('/run/x.sock') })] }), addon),
    );
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(sentence);
  });

  describe('in another plan', () => {
    const tcp = (port: number): BindPlan => ({ kind: 'tcp', host: '127.0.0.1', port });
    const at = (name: string, number: number, port: number, parts: Partial<Accepted> = {}): ListenerPlan => ({
      ...sessionListenerPlan(name, { bind: tcp(port), ...parts }),
      number,
    });
    const several = (...listeners: ListenerPlan[]): Plan => plan({ workers: 2, listeners });

    it('keeps sockets of listeners that stay, the chosen port of port 0 included, and opens new ones only', () => {
      const addon = listeningAddon();
      const { addresses } = reserveListeners(several(at('a', 1, 0), at('b', 2, 8080)), addon);
      const edition = addresses.edit(several(at('b', 2, 8080), at('c', 3, 9090), at('a', 1, 0)));
      expect(edition.plan.listeners.map(({ bind }) => bind)).toMatchObject([
        { port: 8080 },
        { port: 9090 },
        { port: 4000 },
      ]);
      expect([...edition.descriptors]).toEqual([
        [2, 71],
        [3, 72],
        [1, 70],
      ]);
      expect([...addon.open]).toEqual(['listening 4000', 'listening 8080', 'listening 9090']);
    });

    it('closes what no listener has any more, after those who accept there have stopped', () => {
      const addon = listeningAddon();
      const { addresses } = reserveListeners(several(at('a', 1, 8080), at('b', 2, 8081)), addon);
      const closeGone = addresses.edit(several(at('a', 1, 9090))).commit();
      expect([...addon.open]).toEqual(['listening 8080', 'listening 8081', 'listening 9090']);
      closeGone();
      expect([...addon.open]).toEqual(['listening 9090']);
      addresses.close();
      expect(addon.open.size).toBe(0);
    });

    it('closes what it has opened when it is withdrawn, or when one of them cannot be had', () => {
      const addon = listeningAddon({ 'listening 9999': 'EADDRINUSE' });
      const { addresses } = reserveListeners(several(at('a', 1, 8080)), addon);
      addresses.edit(several(at('b', 2, 9090))).withdraw();
      expect([...addon.open]).toEqual(['listening 8080']);
      expect(failureOf(() => addresses.edit(several(at('b', 2, 9090), at('c', 3, 9999)))).message).toContain(
        'listener c',
      );
      expect([...addon.open]).toEqual(['listening 8080']);
    });

    it('says that it has the port itself, at another address', () => {
      const failures: Record<string, string> = {};
      const { addresses } = reserveListeners(several(at('a', 1, 8080)), listeningAddon(failures));
      failures['listening 8080'] = 'EADDRINUSE';
      const wide = { ...at('a', 1, 8080), bind: { kind: 'tcp', host: '0.0.0.0', port: 8080 } } as ListenerPlan;
      const { message } = failureOf(() => addresses.edit(several(wide)));
      expect(message).toMatch(
        /^0\.0\.0\.0:8080 cannot be had while sluice itself listens on \S+:8080,.*restart sluice/,
      );
    });

    it('hands sockets over to who has their addresses now: renamed listeners, and two that swap', () => {
      const addon = listeningAddon();
      const { addresses } = reserveListeners(several(at('a', 1, 8080), at('b', 2, 8081)), addon);
      const edition = addresses.edit(several(at('renamed', 3, 8080), at('b', 2, 8081)));
      expect([...edition.descriptors]).toEqual([
        [3, 70],
        [2, 71],
      ]);
      edition.commit()();
      expect([...addresses.edit(several(at('renamed', 3, 8081), at('b', 2, 8080))).descriptors]).toEqual([
        [3, 71],
        [2, 70],
      ]);
      expect([...addon.open]).toEqual(['listening 8080', 'listening 8081']);
    });

    it('refuses an address that another kind of listener has', () => {
      const addon = listeningAddon();
      const { addresses } = reserveListeners(several(at('a', 1, 8080)), addon);
      const uws = { ...listenerPlan('web', '127.0.0.1', 8080), number: 2 };
      const failure = failureOf(() => addresses.edit(several(uws)));
      expect(failure.message).toContain('listener web cannot accept on 127.0.0.1:8080 in another way');
      expect([...addon.open]).toEqual(['listening 8080']);
    });

    it('tells which settings of a socket that stays take effect with the next start', () => {
      const addon = listeningAddon();
      const { addresses } = reserveListeners(
        several(at('a', 1, 8080), at('b', 2, 0, { bind: unix('/run/x.sock') })),
        addon,
      );
      const { frozen } = addresses.edit(
        several(
          at('a', 1, 8080, { deferAcceptMs: 5_000, keepAlive: { idleMs: 9_000, intervalMs: 1_000, probes: 2 } }),
          at('b', 2, 0, { bind: { ...unix('/run/x.sock'), mode: 0o666 } as BindPlan }),
        ),
      );
      expect(frozen).toEqual([
        { listener: 'a', setting: 'deferAccept' },
        { listener: 'a', setting: 'keepAlive' },
        { listener: 'b', setting: 'socketMode' },
      ]);
    });
  });
});
