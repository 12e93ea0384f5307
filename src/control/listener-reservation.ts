/** Reserves the addresses of all listeners before any worker starts, so that a taken port is one clear sentence and not N. */
import type { ListenerPlan, Plan } from '../config/plan.js';
import type { Addon } from '../engine/engine.js';
import { bindFailure, listenerPlace } from './start-failure.js';

/** The reserved addresses. */
export interface Reservation {
  /** The plan with the real port of every listener. */
  readonly plan: Plan;
  /** Gives the addresses back. Idempotent. */
  close(): void;
}

/**
 * Reserves every listener's address; workers then share it by SO_REUSEPORT. Thread: primary.
 *
 * @throws StartFailure SLUICE_ADDRESS_IN_USE, SLUICE_ADDRESS_DENIED, SLUICE_ADDRESS_UNAVAILABLE; nothing stays reserved then
 */
export function reserveListeners(plan: Plan, addon: Pick<Addon, 'reserveAddress'>): Reservation {
  const held: { close(): void }[] = [];
  const close = (): void => {
    for (const address of held.splice(0)) address.close();
  };
  const listeners: ListenerPlan[] = [];
  for (const listener of plan.listeners) {
    if (listener.mode !== 'l7') {
      listeners.push(listener);
      continue;
    }
    try {
      const address = addon.reserveAddress(listener.host, listener.port);
      held.push(address);
      listeners.push({ ...listener, port: address.port });
    } catch (error) {
      close();
      throw bindFailure(listenerPlace(listener), error);
    }
  }
  return { plan: { ...plan, listeners }, close };
}
