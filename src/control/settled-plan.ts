/** What of another plan cannot change while sluice runs: that stays as it is, and is told. Pure. */
import type { ListenerPlan, Plan } from '../config/plan.js';
import { isOfUws } from './hand-offs.js';
import type { FrozenSetting } from './listener-addresses.js';

/** A plan that may take effect at once. */
export interface SettledPlan {
  readonly plan: Plan;
  readonly frozen: readonly FrozenSetting[];
  /** Settings outside of listeners, by their path in the file. */
  readonly needsRestart: readonly string[];
}

/**
 * Settles a plan against the one that runs.
 *
 * @param uwsHeadBytes largest head that uWebSockets.js was loaded for; null: it was not
 */
export function settledPlan(running: Plan, next: Plan, uwsHeadBytes: number | null): SettledPlan {
  const frozen: FrozenSetting[] = [];
  const listeners = next.listeners.map((listener): ListenerPlan => {
    const before = running.listeners.find(({ number }) => number === listener.number);
    let settled = listener;
    if (before !== undefined && before.accept !== listener.accept && isSameBind(before, listener)) {
      frozen.push({ listener: listener.name, setting: 'accept' });
      settled = { ...settled, accept: before.accept };
    }
    if (uwsHeadBytes !== null && isOfUws(settled) && settled.limits.headBytes > uwsHeadBytes) {
      frozen.push({ listener: listener.name, setting: 'limits.headBytes' });
      settled = { ...settled, limits: { ...settled.limits, headBytes: uwsHeadBytes } };
    }
    return settled;
  });
  const isSameAdmin = running.admin?.host === next.admin?.host && running.admin?.port === next.admin?.port;
  const needsRestart = [
    ...(running.workers === next.workers ? [] : ['workers']),
    ...(isSameAdmin ? [] : [running.admin === null || next.admin === null ? 'admin' : 'admin.bind']),
  ];
  const { admin } = running;
  return {
    plan: {
      ...next,
      workers: running.workers,
      listeners,
      // Where it answers stays, and without a token of the new address's it would be open to anybody.
      admin: isSameAdmin ? next.admin : admin,
    },
    frozen,
    needsRestart,
  };
}

/** Ports that the system chose stand in the running plan only. */
function isSameBind({ bind: running }: ListenerPlan, { bind: next }: ListenerPlan): boolean {
  if (running.kind === 'unix') return next.kind === 'unix' && running.path === next.path;
  return next.kind === 'tcp' && running.host === next.host && (next.port === 0 || running.port === next.port);
}
