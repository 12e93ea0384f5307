/** Whatever clients and endpoints do in whatever order: what is in flight equals a naive count, and at the end nothing is left. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../../src/engine/engine.js';
import { ClientEnd, Decision, NO_POOL, NO_ROUTE, RequestFault } from '../../../../../src/engine/front-end-event.js';
import { PLAIN_RESILIENCE } from '../../../control/plans.js';
import {
  attemptFailed,
  ENDPOINT_DONE,
  FINISHED,
  FIRST_BYTE,
  faulted,
  finished,
  frontEndOf,
  HEAD_SEEN,
  NOTHING_LEFT,
  progress,
  RETRYABLE,
  request,
  responseAsked,
  type ScriptedEvent,
} from './scripted-front-end.js';

/** What the front end can report of an exchange that is open. */
const STEPS = [
  'first byte',
  'done',
  'all at once',
  'refused',
  'reset',
  'no pool',
  'asked',
  'fault',
  'gone',
  'delivered',
] as const;
type Step = 'request' | 'no route' | 'faulty' | (typeof STEPS)[number];

/** An exchange as the naive model has it. */
interface ModelExchange {
  stage: 'attempting' | 'passing' | 'relaying' | 'flushing' | 'answering';
  /** Slot of the endpoint that it holds; null: none. */
  slot: number | null;
}

const EXCHANGES = 6;
const ENDPOINTS = 3;

function historyOf(steps: readonly (readonly [number, Step])[], perBatch: number, rngSeed: number): void {
  const under = frontEndOf(ENDPOINTS, {
    rngSeed,
    upstream: { retry: { ...PLAIN_RESILIENCE.retry, attempts: 3, connectAttempts: 1, statuses: [503] } },
  });
  const open = new Map<number, ModelExchange>();
  let waiting: { readonly n: number; readonly event: ScriptedEvent; readonly step: Step }[] = [];
  const asked = new Set<number>();

  const check = (): void => {
    const expected = under.slots.map((slot) => [...open.values()].filter((one) => one.slot === slot).length);
    expect(under.inflight()).toEqual(expected);
    expect(under.ledger.open).toBe(expected.reduce((a, b) => a + b));
    expect([under.pipeline.openExchanges, under.board.totals().exchanges]).toEqual([open.size, open.size]);
  };
  const flush = (): void => {
    const decisions = under.batch(...waiting.map(({ event }) => event));
    waiting.forEach(({ n, step }, index) => {
      const model = open.get(n);
      if (model === undefined || !['request', 'refused', 'no pool', 'asked'].includes(step)) return;
      const decision = decisions[index] as number;
      if (decision === Decision.PASS) {
        model.stage = 'passing';
        return;
      }
      model.slot = decision === Decision.SETTLED ? null : decision;
      if (model.slot === null) model.stage = 'answering';
    });
    waiting = [];
    asked.clear();
    check();
  };
  const report = (n: number, event: ScriptedEvent, step: Step): void => {
    waiting.push({ n, event, step });
    if (['request', 'refused', 'no pool', 'asked'].includes(step)) asked.add(n);
    if (waiting.length >= perBatch) flush();
  };

  for (const [n, step] of steps) {
    // An exchange whose decision is not known yet says nothing more in the same batch.
    if (asked.has(n)) flush();
    const model = open.get(n);
    if (model === undefined) {
      const begins = step === 'no route' || step === 'faulty' ? step : 'request';
      open.set(n, { stage: begins === 'request' ? 'attempting' : 'answering', slot: null });
      const more = { request: {}, 'no route': { route: NO_ROUTE }, faulty: { fault: RequestFault.BAD_REQUEST } }[
        begins
      ];
      report(n, request(n, more), begins);
      continue;
    }
    take(n, model, step);
  }
  flush();
  for (const [n] of [...open]) {
    open.delete(n);
    report(n, finished(n, ClientEnd.GONE), 'gone');
  }
  flush();
  expect(under.leftovers()).toEqual(NOTHING_LEFT);

  function take(n: number, model: ModelExchange, step: Step): void {
    const { stage } = model;
    switch (step) {
      case 'first byte':
        if (stage !== 'attempting' && stage !== 'passing') return;
        model.stage = 'relaying';
        return report(n, progress(n, FIRST_BYTE, { status: 200, elapsedUs: 10 }), step);
      case 'done':
        if (stage !== 'relaying') return;
        model.stage = 'flushing';
        model.slot = null;
        return report(n, progress(n, ENDPOINT_DONE), step);
      case 'all at once':
        if (stage !== 'attempting' && stage !== 'passing') return;
        open.delete(n);
        return report(n, progress(n, FIRST_BYTE | ENDPOINT_DONE | FINISHED, { status: 500, elapsedUs: 10 }), step);
      case 'refused':
        if (stage !== 'attempting') return;
        return report(n, attemptFailed(n, EngineError.CONNECT_REFUSED, RETRYABLE), step);
      case 'asked':
        if (stage !== 'attempting') return;
        return report(n, responseAsked(n, 503), step);
      case 'no pool':
        if (stage !== 'attempting') return;
        return report(n, attemptFailed(n, NO_POOL, RETRYABLE), step);
      case 'reset':
        if (stage !== 'attempting' && stage !== 'relaying') return;
        model.stage = 'answering';
        model.slot = null;
        return report(n, attemptFailed(n, EngineError.RESET, stage === 'relaying' ? HEAD_SEEN : 0), step);
      case 'fault':
        if (stage === 'attempting' || stage === 'passing' || stage === 'relaying') {
          model.stage = 'answering';
          model.slot = null;
        }
        return report(n, faulted(n, RequestFault.BODY_TIMEOUT), step);
      case 'delivered':
        if (stage !== 'flushing' && stage !== 'answering') return;
        open.delete(n);
        return report(n, finished(n, ClientEnd.DELIVERED, 200), step);
      default:
        open.delete(n);
        return report(n, finished(n, ClientEnd.GONE), 'gone');
    }
  }
}

describe('random histories of the native front end', () => {
  it('keep what is in flight equal to a naive model', () => {
    const steps = fc.array(
      fc.tuple(fc.nat(EXCHANGES - 1), fc.constantFrom<Step>('request', 'no route', 'faulty', ...STEPS)),
      { minLength: 1, maxLength: 120 },
    );
    fc.assert(fc.property(steps, fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 1_000 }), historyOf), {
      seed: 5,
      numRuns: 300,
    });
  });
});
