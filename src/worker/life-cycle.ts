/** The life of a worker thread: attach the board, start the data plane, beat, obey the primary, drain, end. */
import { getHeapStatistics } from 'node:v8';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { EndpointLedger } from '../balancing/endpoint-ledger.js';
import { OneShotGate } from '../board/one-shot-gate.js';
import { attachBoard } from '../board/worker-board.js';
import type { WorkerStripe } from '../board/worker-stripe.js';
import { type Clock, monotonicClock } from '../core/clock.js';
import { invariant } from '../core/invariant.js';
import { ProxyError } from '../core/proxy-error.js';
import type { Addon } from '../engine/addon.js';
import { loggedLevel } from '../observability/log-gate.js';
import { createLogger } from '../observability/logger.js';
import { ATTEMPT_NUMBERS } from './attempt-numbers.js';
import type { DataPlane, MakeDataPlane } from './data-plane.js';
import type { FromWorker, ToWorker, WorkerSeed } from './messages.js';
import { Observing } from './observing.js';
import { PlanTurn } from './plan-turn.js';

/** How often the worker writes its heartbeat to its stripe and reports its counts. */
export const HEARTBEAT_MS = 1_000;
/** How often a draining worker looks whether it has finished. */
const DRAIN_POLL_MS = 20;
/** How long an ending worker waits for the primary to take it out of the turn. */
const LEAVE_TIMEOUT_MS = 1_000;

/** What the entry module of a worker thread puts together. */
export interface WorkerParts {
  readonly makeDataPlane: MakeDataPlane;
  /** @throws ProxyError SLUICE_ADDON_MISSING */
  readonly loadAddon: () => Addon;
}

/**
 * Runs this thread as a worker until the primary drains or terminates it. Called by the thread's entry module.
 * Thread: worker.
 *
 * A start that fails with a ProxyError is reported to the primary and ends the thread; any other error is left uncaught:
 * the thread crashes, and the supervisor logs and restarts it.
 */
export async function runWorker({ makeDataPlane, loadAddon }: WorkerParts): Promise<void> {
  const port = parentPort;
  invariant(port !== null, 'a worker entry runs in a worker thread');
  const seed = workerData as WorkerSeed; // made by control/worker-thread.ts, the only one that starts this entry
  const send = (message: FromWorker): void => port.postMessage(message);

  const clock = monotonicClock();
  const board = attachBoard(seed.board, seed.workerIndex, seed.figures);
  board.stripe.setState('starting');
  // Through the primary: a worker never waits for a slow reader of the log, and lines of several threads never mix.
  const sink = { write: (line: string): void => send({ kind: 'log', line }) };
  const logger = createLogger(loggedLevel(seed.plan.log.level), sink, { worker: seed.workerIndex });

  let dataPlane: DataPlane | null = null;
  let observing: Observing | null = null;
  // Emitted for an uncaught error, too, as the last JavaScript of this thread. What is open must be closed here: libuv goes on
  // to call uWebSockets.js for sockets that are ready, no handler can run any more, and a request that no handler has answered
  // makes uWebSockets.js end the whole process.
  process.once('exit', () => {
    if (dataPlane !== null && dataPlane.handOffPlaces().length > 0) leave(send);
    dataPlane?.close();
    observing?.closeNow();
  });
  try {
    const addon = loadAddon();
    const { plan, workerIndex } = seed;
    observing = new Observing({ plan, workerIndex, stripe: board.stripe, addon, logger, send });
    dataPlane = makeDataPlane({
      plan: seed.plan,
      workerIndex: seed.workerIndex,
      board,
      ledger: new EndpointLedger(board, ATTEMPT_NUMBERS),
      addresses: seed.addresses,
      sessionListenings: seed.sessionListenings,
      maxSessions: seed.maxSessions,
      maxConnections: seed.maxConnections,
      viaName: seed.viaName,
      addon,
      accessLog: observing.accessLog,
      spans: observing.spans,
      clock,
      logger,
    });
    for (const [token, keyAuthorization] of Object.entries(seed.challenges))
      dataPlane.setChallenge(token, keyAuthorization);
    const report = reporterOf(dataPlane, addon, send);
    const started = dataPlane.start();
    const plans = new PlanTurn(dataPlane, started, logger, send);
    obey(port, { dataPlane, stripe: board.stripe, plans, observing, report, send });
    await started;
    board.stripe.setState('serving');
    beat(board.stripe, clock, report);
    send({ kind: 'accepts', handOffPlaces: dataPlane.handOffPlaces() });
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    send({ kind: 'start-failed', code: error.code, message: error.message });
    endThread(1);
  }
}

/**
 * Waits until the primary hands this worker no more connections: one that reached an app of uWebSockets.js in a thread which is gone
 * would end the whole process, one in a mailbox would wait for the thread's exit. A primary that does not answer in time is taken to be
 * blocked: then it hands on nothing itself, and the accepting thread finds the mailbox closed and shares out what lies there.
 */
function leave(send: (message: FromWorker) => void): void {
  const gate = new OneShotGate();
  send({ kind: 'leaving', gate: gate.buffer });
  gate.wait(LEAVE_TIMEOUT_MS);
}

/** Closes the data plane ('exit') and ends this thread only; messages sent before still arrive. */
function endThread(exitCode: number): never {
  process.exit(exitCode);
}

/** @returns what tells the primary the counts of this worker as they are now */
function reporterOf(dataPlane: DataPlane, addon: Addon, send: (message: FromWorker) => void): () => void {
  return () =>
    send({
      kind: 'stats',
      stats: { ...dataPlane.stats(), busyShare: addon.loopBusyShare(), heapBytes: getHeapStatistics().used_heap_size },
    });
}

/** Writes the heartbeat and reports the counts, now and every second. */
function beat(stripe: WorkerStripe, clock: Clock, report: () => void): void {
  const once = (): void => {
    stripe.beat(clock.nowTick());
    report();
  };
  once();
  setInterval(once, HEARTBEAT_MS);
}

/** What a worker obeys with. */
interface Obeying {
  readonly dataPlane: DataPlane;
  readonly stripe: WorkerStripe;
  readonly plans: PlanTurn;
  readonly observing: Observing;
  readonly report: () => void;
  readonly send: (message: FromWorker) => void;
}

/** Does what the primary says. */
function obey(port: MessagePort, { dataPlane, stripe, plans, observing, report, send }: Obeying): void {
  let isDraining = false;
  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'addresses':
        dataPlane.setAddresses(message.slot, message.addresses);
        return;
      case 'cut':
        dataPlane.cut(message.slot, message.generation);
        return;
      case 'plan':
        return plans.take(message.change);
      case 'certificates':
        return dataPlane.certificatesChanged(message.listener);
      case 'challenge':
        dataPlane.setChallenge(message.token, message.keyAuthorization);
        return send({ kind: 'challenge-set', id: message.id });
      case 'reopen':
        return observing.accessLog.reopen();
      case 'spans-taken':
        return observing.spans.taken();
      case 'explain':
        send({ kind: 'explained', id: message.id, explanation: dataPlane.explain(message.request) });
        return;
      case 'drain':
        if (isDraining) return;
        isDraining = true;
        stripe.setState('draining');
        // A plan that is being applied might open a listener behind it.
        return plans.last(() => {
          dataPlane.drain();
          drainThenEnd(dataPlane, stripe, observing, report);
        });
      case 'end':
        endThread(0);
    }
  });
}

/** Waits until nothing is open in two looks in a row: a request may just be on its way in on an open connection. */
function drainThenEnd(dataPlane: DataPlane, stripe: WorkerStripe, observing: Observing, report: () => void): void {
  let quietLooks = 0;
  let openBefore = -1;
  const poll = setInterval(() => {
    const open = dataPlane.openExchanges();
    if (open !== openBefore) report();
    openBefore = open;
    quietLooks = open === 0 ? quietLooks + 1 : 0;
    if (quietLooks < 2) return;
    clearInterval(poll);
    void observing.close().then(() => {
      stripe.setState('stopped');
      endThread(0);
    });
  }, DRAIN_POLL_MS);
}
