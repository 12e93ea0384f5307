/** What one real worker thread does to a board under test. Runs the compiled code of dist/. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { seededRng } from '../../../dist/core/rng.js';
import { SessionLimits } from '../../../dist/policies/session-limits.js';
import { awaitStart } from './thread-start.mjs';

const { buffer, worker, task } = workerData;
const board = attachBoard(buffer, worker);
const rng = seededRng(task.seed ?? worker + 1);
const shared = task.shared ? new Int32Array(task.shared) : undefined;

/** A session of one of few clients, as the policy of session limits sees it. */
function sessionFrom(client) {
  return { word0: 0, word1: 0, word2: 0xffff, word3: client + 1, isCountedAtListener: false, clientEntry: -1 };
}

const tasks = {
  /** Random begins and ends on random slots, `rounds` of them, all ended at last. */
  'begin-end'() {
    const held = [];
    let claims = 0;
    for (let round = 0; round < task.rounds; round++) {
      if (held.length > 0 && rng.below(2) === 0) {
        const at = rng.below(held.length);
        const { slot, generation } = held[at];
        held[at] = held[held.length - 1];
        held.pop();
        board.claims.end(slot, generation);
      } else {
        const chosen = task.slots[rng.below(task.slots.length)];
        if (board.claims.claim(chosen.slot, chosen.generation, 0) < 1)
          throw new Error('a claim without a cap was refused');
        held.push(chosen);
        claims += 1;
      }
    }
    for (const { slot, generation } of held) board.claims.end(slot, generation);
    return { claims };
  },

  /**
   * Claims and ends one capped slot, `rounds` times and until some thread was refused, which shared[4] tells: threads that
   * run one after the other never meet. shared[3] counts those inside, which must never be more than the cap.
   */
  'hold-below-cap'() {
    awaitStart(shared);
    const { slot, generation } = task.slots[0];
    let claims = 0;
    let refusals = 0;
    let most = 0;
    const deadlineAt = performance.now() + task.deadlineMs;
    const isDue = () => Atomics.load(shared, 4) === 0 && performance.now() < deadlineAt;
    while (claims < task.rounds || isDue()) {
      const inflight = board.claims.claim(slot, generation, task.cap);
      if (inflight < 0) {
        refusals += 1;
        Atomics.store(shared, 4, 1);
        continue;
      }
      claims += 1;
      most = Math.max(most, inflight, Atomics.add(shared, 3, 1) + 1);
      Atomics.sub(shared, 3, 1);
      board.claims.end(slot, generation);
    }
    return { claims, refusals, most };
  },

  /** Claims and ends for ever, holding up to eight; ends only when shared[1] becomes 2, and then gives everything back. */
  churn() {
    const held = [];
    Atomics.add(shared, 0, 1);
    for (;;) {
      // A pause every so often, as between two requests; short enough that the journal is nearly always under way.
      const isOver = Atomics.load(shared, 1) === 2;
      for (let round = 0; round < 64; round++) {
        if (held.length === 8 || (held.length > 0 && rng.below(2) === 0)) {
          const { slot, generation } = held.pop();
          board.claims.end(slot, generation);
        } else {
          const chosen = task.slots[rng.below(task.slots.length)];
          if (board.claims.claim(chosen.slot, chosen.generation, 0) > 0) held.push(chosen);
        }
      }
      if (isOver) break;
    }
    for (const { slot, generation } of held) board.claims.end(slot, generation);
    return {};
  },

  /**
   * As 'hold-below-cap', with the session limits of the first listener of `listeners`: opens `atOnce` sessions of the same client one
   * after the other, and then ends them.
   */
  'hold-sessions'() {
    awaitStart(shared);
    const limits = new SessionLimits(
      board,
      task.listeners.map((listener, number) => ({ ...listener, number })),
    );
    const sessions = Array.from({ length: task.atOnce }, () => sessionFrom(0));
    let refusals = 0;
    let most = 0;
    const deadlineAt = performance.now() + task.deadlineMs;
    const isDue = () => Atomics.load(shared, 4) === 0 && performance.now() < deadlineAt;
    for (let round = 0; round < task.rounds || isDue(); round++) {
      let open = 0;
      for (const session of sessions) {
        if (limits.admit(session, 0, 1) === 'ADMIT') {
          open += 1;
          most = Math.max(most, Atomics.add(shared, 3, 1) + 1);
        } else {
          refusals += 1;
          Atomics.store(shared, 4, 1);
        }
      }
      Atomics.sub(shared, 3, open);
      for (const session of sessions) limits.release(session, 0);
    }
    return { refusals, most };
  },

  /**
   * Opens and ends sessions of random clients at random listeners, up to twelve at a time, while shared[1] is 1, counted in shared[2].
   * While it is 0 it waits, counted in shared[0], having told in shared[4 + 2 x worker] how many sessions it holds at listeners, and
   * behind that how many of clients. When it is 2, it ends them all.
   */
  'churn-sessions'() {
    const limits = new SessionLimits(
      board,
      task.listeners.map((listener, number) => ({ ...listener, number })),
    );
    const held = [];
    for (;;) {
      Atomics.store(shared, 4 + 2 * worker, held.filter(({ session }) => session.isCountedAtListener).length);
      Atomics.store(shared, 5 + 2 * worker, held.filter(({ session }) => session.clientEntry >= 0).length);
      Atomics.add(shared, 0, 1);
      while (Atomics.load(shared, 1) === 0) Atomics.wait(shared, 1, 0);
      if (Atomics.load(shared, 1) === 2) break;
      Atomics.add(shared, 2, 1);
      while (Atomics.load(shared, 1) === 1) {
        if (held.length === 12 || (held.length > 0 && rng.below(2) === 0)) {
          const { session, listener } = held.splice(rng.below(held.length), 1)[0];
          limits.release(session, listener);
        } else {
          const session = sessionFrom(rng.below(task.clients));
          const listener = rng.below(task.listeners.length);
          if (limits.admit(session, listener, 1) === 'ADMIT') held.push({ session, listener });
        }
      }
    }
    for (const { session, listener } of held) limits.release(session, listener);
    return {};
  },

  /**
   * Counts `rounds` requests of upstream 0, with a retry taken out of its budget now and then; then, when all are done, takes retries until
   * none is allowed.
   */
  'withdraw-retries'() {
    awaitStart(shared);
    let withdrawn = 0;
    let early = 0;
    for (let round = 0; round < task.rounds; round++) {
      board.retryBudgets.countRequest(0, task.second);
      if (rng.below(2) === 0 && board.retryBudgets.withdraw(0, task.budget, task.second)) early += 1;
    }
    for (let done = Atomics.add(shared, 3, 1) + 1; done < task.threads; done = Atomics.load(shared, 3))
      Atomics.wait(shared, 3, done);
    Atomics.notify(shared, 3);
    while (board.retryBudgets.withdraw(0, task.budget, task.second)) withdrawn += 1;
    return { withdrawn: early + withdrawn, early };
  },

  /** Counts bytes up past 2^32 while the test reads them. */
  'count-up'() {
    for (let round = 0; round < task.rounds; round++) board.stripe.countBytesToClient(65_521);
    return {};
  },
};

parentPort.postMessage(tasks[task.kind]());
