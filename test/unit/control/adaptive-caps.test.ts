/** Adaptive caps in a closed loop: an endpoint that answers by how much it has in flight, and a proxy that keeps to the cap. */
import { afterEach, describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import type { ConcurrencyPlan } from '../../../src/config/resilience-plan.js';
import { AdaptiveCaps } from '../../../src/control/adaptive-caps.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';
import { endpointPlan, upstreamPlan } from './plans.js';

const bounds: ConcurrencyPlan = { least: 5, most: 400, initial: 20 };
const STEP_MS = 200;

/** An endpoint that works on `places` requests at a time; what is more has to wait, and costs a little by being there. */
interface Endpoint {
  readonly places: number;
  readonly serviceMs: number;
}

/** Requests in a step, and how long each took. */
function answersOf({ places, serviceMs }: Endpoint, inFlight: number): { count: number; ms: number } {
  const excess = Math.max(0, inFlight / places - 1);
  const perMs = Math.min(inFlight, places) / serviceMs / (1 + 0.02 * excess);
  return { count: Math.floor(perMs * STEP_MS), ms: inFlight / perMs };
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function loopOf(cap = 0) {
  const board = createBoard({
    endpointSlots: 8,
    upstreams: 1,
    turns: 1,
    hashTables: 0,
    hashTableWords: 0,
    queueEntries: 0,
    queues: 1,
    routeBreakers: 0,
    routes: 1,
    workers: 1,
    listeners: 1,
    clientEntries: 16,
  });
  const { stripe, claims } = attachBoard(board.buffer, 0);
  const assigned = board.assign(0, { weight: 1, cap, isBackup: false, isResolved: true });
  const { slot, generation } = assigned;
  const time = new FakeTime();
  const log = captureLog();
  const upstream = { ...upstreamPlan([{ ...endpointPlan('10.0.0.1', 80, 0), ...assigned }]), concurrency: bounds };
  const caps = new AdaptiveCaps({ upstreams: [upstream], board, clock: time, timers: time, logger: log.logger });
  closing.push(() => caps.close());
  let held = 0;
  /** Runs with so many who want something at any time. @returns requests that were answered, and the cap at the end */
  const run = async (endpoint: Endpoint, demand: number, seconds: number) => {
    let answered = 0;
    for (let ms = 0; ms < seconds * 1_000; ms += STEP_MS) {
      const inFlight = Math.min(demand, board.control.cap(slot));
      for (; held < inFlight; held++) claims.claim(slot, generation, 0);
      for (; held > inFlight; held--) claims.end(slot, generation);
      const { count, ms: latencyMs } = answersOf(endpoint, inFlight);
      for (let each = 0; each < count; each++) stripe.countSuccess(slot, latencyMs * 1_000);
      answered += count;
      await time.pass(STEP_MS);
    }
    return { answered, cap: board.control.cap(slot) };
  };
  return { board, slot, stripe, time, log, caps, run };
}

describe('adaptive cap', () => {
  it('begins with the initial one, and the lower one of it and the configured one counts', () => {
    const { board, slot, caps } = loopOf(8);
    caps.start();
    expect([board.control.adaptiveCap(slot), board.control.cap(slot)]).toEqual([20, 8]);
  });

  it('comes near what an overloaded endpoint bears, and loses next to nothing by it, for eleven minutes', async () => {
    const endpoint = { places: 50, serviceMs: 20 };
    const { caps, run } = loopOf();
    caps.start();
    await run(endpoint, 5_000, 20);
    const settled = await run(endpoint, 5_000, 60);
    const best = Math.floor(answersOf(endpoint, endpoint.places).count) * 300;
    expect(settled.answered).toBeGreaterThan(0.95 * best);
    expect(settled.cap).toBeGreaterThanOrEqual(endpoint.places);
    expect(settled.cap).toBeLessThan(2 * endpoint.places);
    expect((await run(endpoint, 5_000, 600)).cap).toBeLessThan(2 * endpoint.places);
  });

  it('follows an endpoint that becomes larger, and one that becomes slower', async () => {
    const { caps, run } = loopOf();
    caps.start();
    await run({ places: 50, serviceMs: 20 }, 5_000, 30);
    const larger = await run({ places: 100, serviceMs: 20 }, 5_000, 60);
    expect(larger.cap).toBeGreaterThanOrEqual(100);
    const smaller = await run({ places: 25, serviceMs: 20 }, 5_000, 60);
    expect(smaller.cap).toBeLessThan(60);
    const recovered = await run({ places: 100, serviceMs: 20 }, 5_000, 60);
    expect(recovered.cap).toBeGreaterThanOrEqual(100);
  });

  it('does not grow while little is wanted', async () => {
    const { caps, run } = loopOf();
    caps.start();
    expect((await run({ places: 50, serviceMs: 20 }, 5, 30)).cap).toBe(20);
  });

  it('shrinks while an endpoint fails by what looks like overload', async () => {
    const { board, slot, stripe, time, caps } = loopOf();
    caps.start();
    for (let step = 0; step < 30; step++) {
      for (let each = 0; each < 10; each++) stripe.countGatewayFailure(slot);
      await time.pass(STEP_MS);
    }
    expect(board.control.adaptiveCap(slot)).toBe(5);
  });

  it('is published only when it changes by a whole number, and told at the most every 10 s', async () => {
    const { board, caps, run, log } = loopOf();
    caps.start();
    const epochs = new Set<number>();
    for (let second = 0; second < 25; second++) {
      await run({ places: 50, serviceMs: 20 }, 5, 1);
      epochs.add(board.upstreams.controlEpoch(0));
    }
    expect([epochs.size, log.events()]).toEqual([1, ['concurrency-limited']]);
    await run({ places: 50, serviceMs: 20 }, 5_000, 25);
    expect(log.events().length).toBeLessThanOrEqual(4);
  });

  it('looks no more once closed, also twice', async () => {
    const { caps, time } = loopOf();
    caps.start();
    caps.close();
    caps.close();
    expect(time.pending).toBe(0);
  });
});
