/** One worker whose requests claim places at endpoints, wait in line for them, and give them back at random. Runs the compiled code of dist/. */
import { parentPort, workerData } from 'node:worker_threads';
import { PickKey } from '../../../dist/balancing/balancer.js';
import { EndpointLedger } from '../../../dist/balancing/endpoint-ledger.js';
import { TriedSet } from '../../../dist/balancing/tried-set.js';
import { UpstreamRuntime } from '../../../dist/balancing/upstream-runtime.js';
import { mapBoard } from '../../../dist/board/shared-memory.js';
import { NO_ENTRY_IN_LINE, WAITING, WaitLine } from '../../../dist/board/wait-line.js';
import { attachBoard } from '../../../dist/board/worker-board.js';
import { seededRng } from '../../../dist/core/rng.js';
import { tickOf } from '../../../dist/core/tick.js';
import { systemTimers } from '../../../dist/core/timers.js';
import { NOT_WAITING } from '../../../dist/policies/waiter.js';
import { QUEUE_IS_FULL, WAITS } from '../../../dist/policies/waiting-room.js';
import { WaitingRooms } from '../../../dist/policies/waiting-rooms.js';

const { buffer, worker, task } = workerData;
const { plan, seed, clients: clientCount, rounds, actions } = task;
/** [0] threads at the barrier, [1] rounds begun, [2] stop, from 8 on: requests on each endpoint. */
const shared = new Int32Array(task.shared);
const IN_USE = 8;
/** Nobody whose time is this long may ever run out of it. */
const LONG_MS = task.patienceMs;

const board = attachBoard(buffer, worker);
const line = new WaitLine(mapBoard(buffer), plan.queue.record);
const rng = seededRng(seed);
const upstream = new UpstreamRuntime(plan, { board, ledger: new EndpointLedger(board, clientCount), rng });
const figures = { cycles: 0, served: 0, waited: 0, left: 0, timedOut: 0, displaced: 0, refused: 0 };
const broken = [];
const clients = Array.from({ length: clientCount }, (_, id) => ({
  id,
  upstream,
  entry: NOT_WAITING,
  state: 'idle',
  subset: -1,
  key: new PickKey(),
  preferred: -1,
  endpoint: -1,
  attempts: 0,
  tried: null,
  isPatient: true,
}));

function now() {
  return tickOf(performance.timeOrigin + performance.now() - task.origin);
}

function hold(client) {
  const count = Atomics.add(shared, IN_USE + client.endpoint, 1) + 1;
  const cap = plan.endpoints[client.endpoint].maxConns;
  if (count > cap) broken.push(`${count} on endpoint ${client.endpoint}, whose cap is ${cap}`);
  figures.served += 1;
  client.state = 'holding';
}

function giveBack(client) {
  Atomics.sub(shared, IN_USE + client.endpoint, 1);
  client.state = 'idle';
  figures.cycles += 1;
  upstream.settleEnd(client, now());
}

function finish(client, how) {
  figures[how] += 1;
  figures.cycles += 1;
  client.state = 'idle';
}

const slotOf = (endpoint) => plan.endpoints[endpoint].slot;
/** Slots of each subset, by its turn. */
const members = new Map(plan.subsets.map(({ turn, endpoints }) => [turn, new Set(endpoints.map(slotOf))]));

/** Under the lock: nobody of the same or a better priority that came before and waits uncalled could have had the place. */
function checkOrder(client) {
  for (let entry = line.first(); entry !== client.entry && entry !== NO_ENTRY_IN_LINE; entry = line.after(entry)) {
    if (line.stateOf(entry) !== WAITING) continue;
    const slot = slotOf(client.endpoint);
    if (line.isFor(entry, slot, members) && !line.hasTried(entry, slot))
      broken.push(`entry ${client.entry} got a place at ${client.endpoint} before entry ${entry}`);
  }
}

const host = {
  readTick: now,
  pick(client) {
    const slot = upstream.pick(client, now());
    if (slot !== -1 && client.entry !== NOT_WAITING) checkOrder(client);
    return slot;
  },
  begin(client) {
    hold(client);
    go();
  },
  timedOut(client) {
    if (client.isPatient) broken.push(`a request waited for ${LONG_MS} ms`);
    finish(client, 'timedOut');
    go();
  },
  displaced(client) {
    finish(client, 'displaced');
    go();
  },
};
const rooms = new WaitingRooms({
  board,
  plane: worker % 2,
  upstreams: [upstream],
  host,
  timers: systemTimers,
  soon: setImmediate,
  lookMs: Number.POSITIVE_INFINITY,
});
const room = rooms.of(upstream);

function arrive(client) {
  client.attempts = 0;
  client.subset = plan.subsets.length > 0 && rng.below(4) === 0 ? rng.below(plan.subsets.length) : -1;
  client.tried = null;
  if (rng.below(8) === 0 && client.subset === -1 && plan.endpoints.length > 1) {
    client.tried = new TriedSet();
    client.tried.add(rng.below(plan.endpoints.length));
  }
  client.isPatient = rng.below(16) !== 0;
  if (!room.hasWaiters && upstream.pick(client, now()) !== -1) return hold(client);
  const priority = rng.below(3) * 3;
  const got = room.wait(client, priority, client.isPatient ? LONG_MS : 1 + rng.below(4), now());
  if (got === QUEUE_IS_FULL) finish(client, 'refused');
  else if (got === WAITS) {
    client.state = 'waiting';
    figures.waited += 1;
  } else hold(client);
}

let actionsLeft = 0;
let isGoing = false;

function act() {
  const client = clients[rng.below(clients.length)];
  if (client.state === 'idle') return arrive(client);
  if (client.state === 'holding') return giveBack(client);
  if (rng.below(8) !== 0) return;
  room.leave(client);
  finish(client, 'left');
}

/** Some actions a turn, as a batch of events brings them; then gives back what is held, and waits for nothing but its own waiters. */
function turn() {
  isGoing = false;
  if (Atomics.load(shared, 2) === 1) return end();
  if (actionsLeft > 0) {
    for (let left = 1 + rng.below(12); left > 0 && actionsLeft > 0; left--, actionsLeft--) act();
    return go();
  }
  for (const client of clients) if (client.state === 'holding') giveBack(client);
  if (clients.some(({ state }) => state !== 'idle')) return;
  if (task.isEndless) {
    actionsLeft = actions;
    return go();
  }
  // All meet when nobody waits and nobody holds: a wake-up that got lost in this round cannot be made up for by the next.
  const round = Atomics.load(shared, 1);
  if (Atomics.add(shared, 0, 1) + 1 === task.threads) {
    for (let endpoint = 0; endpoint < plan.endpoints.length; endpoint++)
      if (board.load.inflight(plan.endpoints[endpoint].slot) !== 0) broken.push('claims are left over');
    if (room.hasWaiters) broken.push('waiters are left over');
    Atomics.store(shared, 0, 0);
    Atomics.add(shared, 1, 1);
    Atomics.notify(shared, 1);
  } else while (Atomics.load(shared, 1) === round) Atomics.wait(shared, 1, round, 1000);
  if (round + 1 === rounds) return end();
  actionsLeft = actions;
  go();
}

function go() {
  if (isGoing) return;
  isGoing = true;
  setImmediate(turn);
}

function end() {
  for (const client of clients) if (client.state === 'holding') giveBack(client);
  rooms.close();
  parentPort.postMessage({ figures, broken: broken.slice(0, 5) });
  parentPort.close();
}

actionsLeft = actions;
parentPort.ref();
go();
// Nothing else keeps a thread alive that only listens for its bell.
const keptAlive = setInterval(() => {}, 1000);
parentPort.on('close', () => clearInterval(keptAlive));
