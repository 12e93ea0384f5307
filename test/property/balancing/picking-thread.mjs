/** What one real worker thread picks on boards under test, one task after the other. Runs the compiled code of dist/. */
import { parentPort } from 'node:worker_threads';
import { PickKey } from '../../../dist/balancing/balancer.js';
import { NONE_TRIED } from '../../../dist/balancing/tried-set.js';
import { UpstreamPicker } from '../../../dist/balancing/upstream-picker.js';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { seededRng } from '../../../dist/core/rng.js';
import { awaitStart } from '../board/thread-start.mjs';

// Words of `shared`; 0 and 1 are awaitStart's.
const GO = 1;
const STOP = 2;
const TICKET = 2;
const LOCK = 3;
/** Nothing ever changes it: waiting for it is a pause. */
const PAUSE = 4;
/** One swap in so many waits first, so that other threads run between its comparison and itself. */
const PAUSE_EVERY = 32;
const PAUSE_MS = 0.01;
const ARRIVED = 5;
const MEETINGS = 6;
/** Picks between two meetings of threads in step. */
const STEP = 4;

function run({ buffer, worker, task }) {
  const board = attachBoard(buffer, worker);
  const rng = seededRng(task.seed ?? worker + 1);
  const shared = new Int32Array(task.shared);

  const key = new PickKey();
  const slots = task.plans[0].endpoints;
  const pickers = task.plans.map((plan) => new UpstreamPicker(plan, board, rng, null));

  /** Picks with a key of its own. @returns index of the endpoint */
  function pick(picker) {
    key.hash = rng.nextBits();
    key.hashHigh = rng.nextBits();
    return picker.pick(key, NONE_TRIED, 1);
  }

  function end(endpoint) {
    const { slot, generation } = slots[endpoint];
    board.claims.end(slot, generation);
  }

  function takeTicket() {
    return Atomics.add(shared, TICKET, 1);
  }

  function lock() {
    while (Atomics.compareExchange(shared, LOCK, 0, 1) !== 0) Atomics.wait(shared, LOCK, 1);
  }

  function unlock() {
    Atomics.store(shared, LOCK, 0);
    Atomics.notify(shared, LOCK, 1);
  }

  /**
   * Takes a ticket before and one behind every swap of a claims word. With `isOrdered` no other swap has its tickets in between: then
   * the order of all swaps, over all endpoints, is known.
   */
  function watchSwaps() {
    const swap = { comparedAt: 0, before: 0, after: 0, level: 0 };
    const replaceClaims = board.load.replaceClaims.bind(board.load);
    board.load.replaceClaims = (slot, seen, next) => {
      if (rng.below(PAUSE_EVERY) === 0) Atomics.wait(shared, PAUSE, 0, PAUSE_MS);
      if (task.isOrdered) lock();
      const before = takeTicket();
      const found = replaceClaims(slot, seen, next);
      const after = takeTicket();
      if (task.isOrdered) unlock();
      if (found === seen) Object.assign(swap, { before, after, level: seen & 0xfffff });
      // Refused: what is claimed next has been compared again, behind this.
      else swap.comparedAt = after;
      return found;
    };
    return swap;
  }

  /** Spoils the balancers under test: claims whatever the count is by then, after others have had the time to change it. */
  function claimCarelessly() {
    board.claims.claimIfUnchanged = (slot, generation, _compared, cap) => {
      if (rng.below(4) === 0) Atomics.wait(shared, PAUSE, 0, PAUSE_MS);
      return board.claims.claim(slot, generation, cap);
    };
  }

  /** Waits until all threads have come here. */
  function meet() {
    const meeting = Atomics.load(shared, MEETINGS);
    if ((Atomics.add(shared, ARRIVED, 1) + 1) % task.threads === 0) {
      Atomics.add(shared, MEETINGS, 1);
      Atomics.notify(shared, MEETINGS);
      return;
    }
    while (Atomics.load(shared, MEETINGS) === meeting) Atomics.wait(shared, MEETINGS, meeting);
  }

  /** How many are in flight on each endpoint over all boards: the most, less the fewest. */
  function spreadOver(loads) {
    let most = 0;
    let fewest = Infinity;
    for (const { slot } of slots) {
      let inflight = 0;
      for (const load of loads) inflight += load.inflight(slot);
      most = Math.max(most, inflight);
      fewest = Math.min(fewest, inflight);
    }
    return most - fewest;
  }

  const tasks = {
    /** Picks `rounds` times and ends nothing; begins once all threads together have picked `startAfter` times. */
    share() {
      const shares = slots.map(() => 0);
      awaitStart(shared);
      while (Atomics.load(shared, TICKET) < task.startAfter) Atomics.wait(shared, PAUSE, 0, PAUSE_MS);
      for (let round = 0; round < task.rounds; round++) {
        shares[pick(pickers[0])] += 1;
        takeTicket();
      }
      return { shares };
    },

    /**
     * Picks `rounds` times, holds up to twelve. Gives six words for each pick and each end: [+1 or -1, endpoint, ticket from which on it
     * was compared, ticket before the swap, ticket after it, in flight there before it].
     */
    record() {
      const swap = watchSwaps();
      if (task.isCareless) claimCarelessly();
      const history = [];
      const held = [];
      awaitStart(shared);
      for (let round = 0; round < task.rounds; round++) {
        swap.comparedAt = takeTicket();
        const endpoint = pick(pickers[0]);
        history.push(1, endpoint, swap.comparedAt, swap.before, swap.after, swap.level);
        held.push(endpoint);
        while (held.length > 0 && (held.length > 12 || rng.below(2) === 0)) {
          const ended = held.splice(rng.below(held.length), 1)[0];
          end(ended);
          history.push(-1, ended, swap.before, swap.before, swap.after, swap.level);
        }
      }
      return { history: Int32Array.from(history) };
    },

    /**
     * Picks by one balancer or another and ends, at random, until shared[GO] becomes STOP; then ends all. Tells for each balancer how
     * often it picked and found none, and how often a claim was counted that the endpoint's cap has no room for.
     */
    churn() {
      const figures = task.plans.map(() => ({ picks: 0, none: 0, above: 0 }));
      const caps = new Map(slots.map(({ slot, maxConns }) => [slot, maxConns]));
      let current = figures[0];
      for (const method of ['claim', 'claimIfUnchanged']) {
        const original = board.claims[method].bind(board.claims);
        board.claims[method] = (slot, ...facts) => {
          const inflight = original(slot, ...facts);
          if (inflight > caps.get(slot)) current.above += 1;
          return inflight;
        };
      }
      const held = [];
      awaitStart(shared);
      while (Atomics.load(shared, GO) !== STOP) {
        for (let round = 0; round < 64; round++) {
          if (held.length > 0 && rng.below(held.length < task.atOnce ? 3 : 1) === 0) {
            end(held.splice(rng.below(held.length), 1)[0]);
            continue;
          }
          const chosen = rng.below(pickers.length);
          current = figures[chosen];
          const endpoint = pick(pickers[chosen]);
          if (endpoint < 0) {
            current.none += 1;
            continue;
          }
          current.picks += 1;
          held.push(endpoint);
          if (board.load.inflight(slots[endpoint].slot) > slots[endpoint].maxConns) current.above += 1;
        }
        Atomics.add(shared, TICKET, 64);
      }
      for (const endpoint of held) end(endpoint);
      return { figures };
    },

    /**
     * Picks `rounds` times; each request ends after 1 to 15 more picks. The threads keep in step: a request whose thread sleeps would take
     * longer than others, and the load would not be uniform. `buffers` are the boards on which requests are counted.
     */
    load() {
      const loads = task.buffers.map((other) => (other === buffer ? board.load : attachBoard(other, 0).load));
      const shares = slots.map(() => 0);
      const endsAt = Array.from({ length: 16 }, () => []);
      let samples = 0;
      let spreads = 0;
      let widest = 0;
      awaitStart(shared);
      for (let round = 0; round < task.rounds; round++) {
        if (round % STEP === 0) meet();
        for (const endpoint of endsAt[round % 16]) end(endpoint);
        endsAt[round % 16].length = 0;
        const endpoint = pick(pickers[0]);
        shares[endpoint] += 1;
        endsAt[(round + 1 + rng.below(15)) % 16].push(endpoint);
        const spread = spreadOver(loads);
        samples += 1;
        spreads += spread;
        widest = Math.max(widest, spread);
      }
      for (const due of endsAt) for (const endpoint of due) end(endpoint);
      return { shares, samples, spreads, widest };
    },
  };

  return tasks[task.kind]();
}

parentPort.on('message', (work) => parentPort.postMessage(run(work)));
