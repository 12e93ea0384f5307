/** Reserving the addresses of all listeners, and the sentences when that fails. */
import { describe, expect, it } from 'vitest';
import { reserveListeners } from '../../../src/control/listener-reservation.js';
import { StartFailure } from '../../../src/control/start-failure.js';
import { listenerPlan, plan } from './plans.js';

/** A double of the addon: fails for a port, else hands out 4000, 4001 … */
function reserving(failures: Record<number, string> = {}) {
  const open = new Set<number>();
  let next = 4000;
  return {
    open,
    reserveAddress(_host: string, port: number) {
      const code = failures[port];
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      const real = port === 0 ? next++ : port;
      open.add(real);
      return { port: real, close: () => void open.delete(real) };
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

describe('reserveListeners', () => {
  it('puts the real ports into the plan and gives the addresses back, also twice', () => {
    const addon = reserving();
    const reserved = reserveListeners(
      plan({ listeners: [listenerPlan('a', '127.0.0.1', 0), listenerPlan('b', '::1', 8080)] }),
      addon,
    );
    expect(reserved.plan.listeners.map((listener) => listener.mode === 'l7' && listener.port)).toEqual([4000, 8080]);
    reserved.close();
    reserved.close();
    expect(addon.open.size).toBe(0);
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
    const addon = reserving({ 8080: errno });
    const failure = failureOf(() =>
      reserveListeners(plan({ listeners: [listenerPlan('a', '127.0.0.1', 0), listenerPlan('b', '::1', 8080)] }), addon),
    );
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(sentence);
    expect(failure.exitCode).toBe(2);
    expect(addon.open.size).toBe(0);
  });
});
