/** A worker goes by one plan after the other, and answers each. */
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../../src/core/proxy-error.js';
import type { ThreadLogger } from '../../../src/observability/logger.js';
import type { PlanChange } from '../../../src/worker/data-plane.js';
import type { FromWorker } from '../../../src/worker/messages.js';
import { PlanTurn } from '../../../src/worker/plan-turn.js';
import { plan } from '../control/plans.js';

/** Plans are applied when the test says so. */
function underTest() {
  const told: string[] = [];
  const applying: { readonly epoch: number; readonly done: (error?: Error) => void }[] = [];
  const dataPlane = {
    apply: ({ plan: { epoch } }: PlanChange) =>
      new Promise<void>((resolve, reject) => {
        told.push(`apply ${epoch}`);
        applying.push({ epoch, done: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
    handOffPlaces: () => [],
  };
  let started = (): void => {};
  const start = new Promise<void>((resolve) => {
    started = resolve;
  });
  const lines: object[] = [];
  const logger = { level: 'info', error: (facts: object) => void lines.push(facts) };
  const send = (message: FromWorker): void => {
    if (message.kind === 'applied') told.push(`applied ${message.epoch} ${message.failure?.code ?? 'in full'}`);
  };
  const turn = new PlanTurn(dataPlane, start, logger as unknown as ThreadLogger, send);
  const change = (epoch: number, level: 'info' | 'debug' = 'info'): PlanChange => ({
    plan: plan({ epoch, log: { level } }),
    addresses: {},
    sessionListenings: {},
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { turn, told, applying, started: () => started(), lines, logger, change, settle };
}

describe('turn of plans', () => {
  it('applies none before the worker accepts', async () => {
    const { turn, told, started, change, settle } = underTest();
    turn.take(change(2));
    await settle();
    expect(told).toEqual([]);
    started();
    await settle();
    expect(told).toEqual(['apply 2']);
  });

  it('begins with the next one only when the one before is done', async () => {
    const { turn, told, applying, started, change, settle } = underTest();
    started();
    turn.take(change(2));
    turn.take(change(3));
    await settle();
    expect(told).toEqual(['apply 2']);
    applying[0]!.done();
    await settle();
    expect(told).toEqual(['apply 2', 'applied 2 in full', 'apply 3']);
    applying[1]!.done();
    await settle();
    expect(told.at(-1)).toBe('applied 3 in full');
  });

  it('tells and logs what could not be done, and goes on', async () => {
    const { turn, told, applying, started, lines, change, settle } = underTest();
    started();
    turn.take(change(2));
    turn.take(change(3));
    await settle();
    applying[0]!.done(new ProxyError('SLUICE_ADDRESS_IN_USE', { port: 80 }));
    await settle();
    applying[1]!.done();
    await settle();
    expect(told).toEqual(['apply 2', 'applied 2 SLUICE_ADDRESS_IN_USE', 'apply 3', 'applied 3 in full']);
    expect(lines).toMatchObject([{ event: 'plan-incomplete', epoch: 2, code: 'SLUICE_ADDRESS_IN_USE' }]);
  });

  it('has the log follow the level of the plan', async () => {
    const { turn, applying, started, logger, change, settle } = underTest();
    started();
    turn.take(change(2, 'debug'));
    await settle();
    applying[0]!.done();
    expect(logger.level).toBe('debug');
  });

  it('answers plans that come behind the last step without applying them', async () => {
    const { turn, told, applying, started, change, settle } = underTest();
    started();
    turn.take(change(2));
    turn.last(() => void told.push('drain'));
    turn.take(change(3));
    await settle();
    applying[0]!.done();
    await settle();
    expect(told).toEqual(['apply 2', 'applied 2 in full', 'drain', 'applied 3 in full']);
  });
});
