/** The primary gives slots out, adds workers up and takes back what a dead worker held. */
import { describe, expect, it, vi } from 'vitest';
import { createBoard } from '../../../src/board/board.js';
import { LAST_GENERATION } from '../../../src/board/claims-word.js';
import { Journal, layoutFor } from '../../../src/board/layout.js';
import { attachBoard } from '../../../src/board/worker-board.js';
import { ERROR_CATALOG } from '../../../src/core/error-catalog.js';

const settings = { weight: 3, cap: 10, isBackup: false, isResolved: true };
const capacities = {
  endpointSlots: 4,
  upstreams: 2,
  turns: 2,
  hashTables: 0,
  hashTableWords: 0,
  queueEntries: 0,
  queues: 2,
  routeBreakers: 0,
  routes: 1,
  workers: 3,
  listeners: 1,
  clientEntries: 16,
};

describe('slot assignment', () => {
  it('begins enabled, healthy, idle and with the given settings', () => {
    const board = createBoard(capacities);
    const { slot, generation } = board.assign(1, { ...settings, isBackup: true, isResolved: false });
    expect(board.control.state(slot)).toEqual({
      upstream: 1,
      generation,
      isEnabled: true,
      isHealthy: true,
      isUnknown: false,
      isDraining: false,
      isResolved: false,
      isBackup: true,
      weight: 3,
      cap: 10,
      effectiveWeight: 3,
      effectiveCap: 10,
    });
    expect([board.load.inflight(slot), board.load.latencyUs(slot)]).toEqual([0, 0]);
  });

  it('gives the slot that has been free for longest first', () => {
    const board = createBoard(capacities);
    const slots = [0, 0, 0, 0].map((upstream) => board.assign(upstream, settings).slot);
    for (const slot of [slots[2]!, slots[0]!]) board.release(slot);
    expect([board.assign(0, settings).slot, board.assign(0, settings).slot]).toEqual([slots[2], slots[0]]);
    expect(board.freeSlots).toBe(0);
    expect(() => board.assign(0, settings)).toThrow(/a slot is free/);
  });

  it('forgets the load of the former endpoint', () => {
    const board = createBoard({ ...capacities, endpointSlots: 1 });
    const worker = attachBoard(board.buffer, 0);
    const first = board.assign(0, settings);
    worker.claims.claim(first.slot, first.generation, 0);
    worker.load.replaceLatency(first.slot, 0, 500, 77);
    worker.stripe.countAttempt(first.slot, true);
    board.release(first.slot);
    const second = board.assign(0, settings);
    expect([board.load.inflight(second.slot), board.load.latencyUs(second.slot)]).toEqual([0, 0]);
    expect(board.endpointFigures(second.slot)).toMatchObject({ attempts: 0, failures: 0, retries: 0 });
  });

  it('counts generations from 1 to 2047 and round, never 0', () => {
    const board = createBoard({ ...capacities, endpointSlots: 1 });
    const seen = new Set<number>();
    for (let use = 0; use < LAST_GENERATION; use++) {
      const { slot, generation } = board.assign(0, settings);
      seen.add(generation);
      expect(board.load.generation(slot)).toBe(generation);
      board.release(slot);
    }
    expect([seen.size, Math.min(...seen), board.assign(0, settings).generation]).toEqual([LAST_GENERATION, 1, 1]);
  });

  it('refuses to release a slot twice', () => {
    const board = createBoard(capacities);
    const { slot } = board.assign(0, settings);
    board.release(slot);
    expect(() => board.release(slot)).toThrow(/is taken/);
  });
});

describe('endpoint control', () => {
  it('bumps the epoch of the endpoint’s upstream when something changes, and only then', () => {
    const board = createBoard(capacities);
    const { slot } = board.assign(1, settings);
    const epochs = () => [board.upstreams.controlEpoch(0), board.upstreams.controlEpoch(1)];
    const before = epochs();
    board.control.setHealthy(slot, true);
    expect(epochs()).toEqual(before);
    for (const change of [
      () => board.control.setHealthy(slot, false),
      () => board.control.setEnabled(slot, false),
      () => board.control.setDraining(slot, true),
      () => board.control.setResolved(slot, false),
      () => board.control.setWeight(slot, 9),
      () => board.control.setCap(slot, 4),
    ]) {
      const [ofOther, ofOwn] = epochs();
      change();
      expect(epochs()).toEqual([ofOther, ofOwn! + 1]);
    }
    expect(board.control.state(slot)).toMatchObject({
      isHealthy: false,
      isEnabled: false,
      isDraining: true,
      isResolved: false,
      weight: 9,
      cap: 4,
    });
  });

  it.each([
    ['enabled', (board: ReturnType<typeof createBoard>, slot: number) => board.control.setEnabled(slot, false)],
    ['healthy', (board: ReturnType<typeof createBoard>, slot: number) => board.control.setHealthy(slot, false)],
    ['resolved', (board: ReturnType<typeof createBoard>, slot: number) => board.control.setResolved(slot, false)],
    ['not draining', (board: ReturnType<typeof createBoard>, slot: number) => board.control.setDraining(slot, true)],
  ])('takes work only while it is %s', (_name, spoil) => {
    const board = createBoard(capacities);
    const { slot } = board.assign(0, settings);
    expect(board.control.takesWork(slot)).toBe(true);
    spoil(board, slot);
    expect(board.control.takesWork(slot)).toBe(false);
  });

  it.each([-1, 1.5, 65_536])('refuses a weight of %s', (weight) => {
    const board = createBoard(capacities);
    expect(() => board.control.setWeight(board.assign(0, settings).slot, weight)).toThrow(/a weight is/);
  });
});

describe('a lost worker', () => {
  it('gives back exactly what it held, and leaves what others hold', () => {
    const board = createBoard(capacities);
    const { slot, generation } = board.assign(0, settings);
    const [one, two] = [0, 1].map((worker) => attachBoard(board.buffer, worker));
    for (let claim = 0; claim < 3; claim++) one!.claims.claim(slot, generation, 0);
    two!.claims.claim(slot, generation, 0);
    expect(board.reclaim(0)).toBe(true);
    expect(board.reclaim(0)).toBe(true);
    expect(board.load.inflight(slot)).toBe(1);
  });

  it.each([
    ['before its swap was made', 0],
    ['after its swap was made', 1],
  ])('that died inside a claim %s holds nothing afterwards', (_name, made) => {
    const board = createBoard(capacities);
    const { slot, generation } = board.assign(0, settings);
    const [one, two] = [0, 1].map((worker) => attachBoard(board.buffer, worker));
    one!.claims.claim(slot, generation, 0);
    two!.claims.claim(slot, generation, 0);
    // As the journal stands between two statements of claim(): version odd, swap made or not, held not yet stored.
    openJournal(board.buffer, 0, slot);
    board.load.replaceClaims(slot, board.load.claims(slot), board.load.claims(slot) + made);
    expect(board.reclaim(0)).toBe(true);
    expect(board.load.inflight(slot)).toBe(1);
    two!.claims.end(slot, generation);
    expect(board.load.inflight(slot)).toBe(0);
  });

  it('waits for a worker that is inside an operation itself, and settles two that both died there', () => {
    const board = createBoard(capacities);
    const { slot, generation } = board.assign(0, settings);
    const workers = [0, 1, 2].map((worker) => attachBoard(board.buffer, worker));
    for (const { claims } of workers) claims.claim(slot, generation, 0);
    openJournal(board.buffer, 0, slot);
    openJournal(board.buffer, 1, slot);
    expect(board.reclaim(0)).toBe(false);
    expect(() => board.resetStripe(0)).toThrow(/taken back/);
    expect(board.reclaim(1)).toBe(true);
    expect(board.reclaim(0)).toBe(true);
    expect(board.load.inflight(slot)).toBe(1);
  });

  it('is not misled by a claim that began and ended while the snapshot was taken', () => {
    const board = createBoard(capacities);
    const { slot, generation } = board.assign(0, settings);
    const [dead, living] = [0, 1].map((worker) => attachBoard(board.buffer, worker));
    for (const { claims } of [dead!, living!]) claims.claim(slot, generation, 0);
    openJournal(board.buffer, 0, slot);
    // The living worker holds the same before and after, but not while the shared count is read.
    const read = board.load.claims.bind(board.load);
    vi.spyOn(board.load, 'claims').mockImplementationOnce((at) => {
      living!.claims.claim(slot, generation, 0);
      const seen = read(at);
      living!.claims.end(slot, generation);
      return seen;
    });
    expect(board.reclaim(0)).toBe(true);
    expect(board.load.inflight(slot)).toBe(1);
  });

  it('drops claims on an endpoint whose slot has been reused', () => {
    const board = createBoard({ ...capacities, endpointSlots: 1 });
    const [one, two] = [0, 1].map((worker) => attachBoard(board.buffer, worker));
    const first = board.assign(0, settings);
    one!.claims.claim(first.slot, first.generation, 0);
    board.release(first.slot);
    const second = board.assign(0, settings);
    two!.claims.claim(second.slot, second.generation, 0);
    expect(board.reclaim(0)).toBe(true);
    expect(board.load.inflight(second.slot)).toBe(1);
  });

  it('has nothing open any more, and its successor goes on from its counters', () => {
    const board = createBoard(capacities);
    const { slot, generation } = board.assign(0, settings);
    const first = attachBoard(board.buffer, 0);
    first.stripe.setState('serving');
    first.stripe.beginClientConnection();
    first.stripe.beginExchange();
    first.stripe.beginSession();
    first.stripe.countResponse(204);
    first.waiting.publish(slot, generation, 100);
    const other = attachBoard(board.buffer, 1);
    expect(other.waiting.oldestAgeMs(slot, generation, 150)).toBe(50);

    expect(board.reclaim(0)).toBe(true);
    expect(board.stripe(0).life()).toEqual({
      state: 'lost',
      heartbeatAt: 0,
      clientConnections: 0,
      exchanges: 0,
      sessions: 0,
      http2Connections: 0,
    });
    expect(other.waiting.oldestAgeMs(slot, generation, 151)).toBe(0);

    board.resetStripe(0);
    const second = attachBoard(board.buffer, 0);
    second.stripe.setState('starting');
    second.stripe.countResponse(200);
    expect(board.stripe(0).life().state).toBe('starting');
    expect(board.totals().traffic).toMatchObject({ requests: 1, sessions: 1, responses2xx: 2 });
  });
});

describe('totals', () => {
  it('adds all workers up', () => {
    const board = createBoard(capacities);
    const { slot } = board.assign(0, settings);
    const workers = [0, 1, 2].map((worker) => attachBoard(board.buffer, worker));
    workers.forEach(({ stripe }, worker) => {
      stripe.beginClientConnection();
      stripe.beginExchange();
      stripe.beginSession();
      stripe.countResponse(100 * (worker + 2));
      stripe.countFailure(worker === 0 ? 'SLUICE_ENDPOINT_RESET' : 'SLUICE_CLIENT_GONE');
      stripe.countBytesFromClient(10);
      stripe.countBytesToClient(2 ** 40);
      stripe.countAttempt(slot, worker === 1);
      stripe.countRetry();
    });
    workers[2]!.stripe.endExchange();
    workers[0]!.stripe.endSession();
    workers[2]!.stripe.countAttemptFailure(slot);
    const totals = board.totals();
    expect(totals).toMatchObject({ clientConnections: 3, exchanges: 2, sessions: 2 });
    expect(totals.traffic).toMatchObject({
      requests: 3,
      sessions: 3,
      responses2xx: 1,
      responses3xx: 1,
      responses4xx: 1,
      responses5xx: 0,
      bytesFromClients: 30,
      bytesToClients: 3 * 2 ** 40,
      retries: 3,
    });
    expect(totals.failures).toMatchObject({ SLUICE_ENDPOINT_RESET: 1, SLUICE_CLIENT_GONE: 2, SLUICE_NO_ROUTE: 0 });
    expect(Object.keys(totals.failures)).toEqual(Object.keys(ERROR_CATALOG));
    expect(board.endpointFigures(slot)).toMatchObject({ attempts: 3, failures: 1, retries: 1 });
  });

  it('fails loudly when more ends than began', () => {
    const { stripe } = attachBoard(createBoard(capacities).buffer, 0);
    expect(() => stripe.endExchange()).toThrow(/has begun/);
  });
});

/** Leaves a journal record as it is while an operation is under way. */
function openJournal(buffer: SharedArrayBuffer, worker: number, slot: number): void {
  const { base, stride } = layoutFor(capacities).stripes[worker]!.journal;
  Atomics.add(new Int32Array(buffer), base + slot * stride + Journal.field.version, 1);
}
