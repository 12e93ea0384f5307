/** Taking the addresses of all listeners, and the sentences when that fails. */
import { describe, expect, it } from 'vitest';
import type { BindPlan, ListenerPlan } from '../../../src/config/plan.js';
import { reserveListeners } from '../../../src/control/listener-reservation.js';
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

describe('reserveListeners', () => {
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
});
