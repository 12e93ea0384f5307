/**
 * Sends requests at a fixed rate over kept connections and records how late each answer was, from its intended start. Argument: the
 * options as JSON. A request whose turn has come while every connection is busy waits, and its waiting counts (no coordinated
 * omission).
 */
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import hdr from 'hdr-histogram-js';
import { countInSecond, HISTOGRAM, pointsOf } from './result.mjs';

const { port, scenario, durationS } = JSON.parse(process.argv[2]);
const { request, response, connections, ratePerSecond } = scenario;
const NS_PER_S = 1e9;
const NS_PER_US = 1000;
const NS_PER_MS = 1e6;
const PATIENCE_NS = 10 * NS_PER_S;
const LOOK_EVERY_MS = 10;

const heads = request.paths.map((path) =>
  Buffer.from(
    [`${request.method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...request.headers, '', ''].join('\r\n'),
    'latin1',
  ),
);
const histogram = hdr.build(HISTOGRAM);
const errors = { status: 0, socket: 0, timeout: 0, body: 0 };
const nowNs = () => Number(process.hrtime.bigint());
const gapNs = NS_PER_S / ratePerSecond;
const clients = [];
const idle = [];
/** How many requests were due, and how many of them were sent: those between wait for a connection. */
let due = 0;
let sent = 0;
let answered = 0;
let bytes = 0;
const eachSecond = Array(durationS).fill(0);
let startNs = 0;
let isOver = false;

/** When the n-th request was to start. */
const intendedNs = (n) => startNs + n * gapNs;

function record(sinceNs) {
  const us = Math.round((nowNs() - sinceNs) / NS_PER_US);
  histogram.recordValue(Math.max(1, Math.min(us, HISTOGRAM.highestTrackableValue)));
}

/** One kept connection: at most one request at a time. */
class Client {
  #path = 0;
  #head = '';
  /** Bytes of the body still to come; -1: the head is not complete. */
  #missing = -1;
  #socket;
  /** Intended start of the request that it waits for; null without one. */
  waitsSinceNs = null;

  constructor(onReady) {
    this.#socket = connect(port, '127.0.0.1', onReady);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#onData(chunk));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#onClose());
  }

  /** Sends the next request that is due. */
  send() {
    this.waitsSinceNs = intendedNs(sent);
    this.#path = sent % heads.length;
    sent++;
    this.#socket.write(heads[this.#path]);
  }

  #onData(chunk) {
    bytes += chunk.length;
    if (this.#missing >= 0) this.#missing -= chunk.length;
    else if (!this.#readHead(chunk)) return;
    if (this.#missing > 0) return;
    if (this.#missing < 0) errors.body++;
    if (this.waitsSinceNs === null) return this.#socket.destroy(); // an answer that nobody asked for
    record(this.waitsSinceNs);
    answered++;
    countInSecond(eachSecond, (nowNs() - startNs) / NS_PER_MS);
    this.waitsSinceNs = null;
    this.#head = '';
    this.#missing = -1;
    next(this);
  }

  /** @returns {boolean} whether the head is complete and right */
  #readHead(chunk) {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.#head.slice(0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? -1);
    if (!head.startsWith(`HTTP/1.1 ${response.status} `)) errors.status++;
    else if (length !== response.bodyBytes[this.#path]) errors.body++;
    else {
      this.#missing = length - (this.#head.length - end - 4);
      return true;
    }
    this.waitsSinceNs = null;
    this.#socket.destroy();
    return false;
  }

  #onClose() {
    if (isOver) return;
    if (this.waitsSinceNs !== null) errors.socket++;
    clients.splice(clients.indexOf(this), 1);
    if (idle.includes(this)) idle.splice(idle.indexOf(this), 1);
    open();
  }
}

/** Opens a connection. @returns {Promise<void>} settled when it is open */
function open() {
  return new Promise((resolve) => {
    const client = new Client(() => {
      next(client);
      resolve();
    });
    clients.push(client);
  });
}

function next(client) {
  if (sent < due) client.send();
  else idle.push(client);
}

await Promise.all(Array.from({ length: connections }, open));
startNs = nowNs();
const endNs = startNs + durationS * NS_PER_S;
const isTold = new SharedArrayBuffer(4);
const ticker = new Worker(new URL('open-loop-ticker.mjs', import.meta.url), {
  workerData: { startNs, gapNs, isTold },
});
ticker.on('message', () => {
  Atomics.store(new Int32Array(isTold), 0, 0);
  const now = Math.min(nowNs(), endNs - 1);
  due = Math.max(due, Math.floor((now - startNs) / gapNs) + 1);
  while (sent < due && idle.length > 0) idle.pop().send();
});
await new Promise((resolve) => {
  const look = () => {
    const now = nowNs();
    const isAnswered = sent === due && clients.every(({ waitsSinceNs }) => waitsSinceNs === null);
    if (now < endNs || (!isAnswered && now < endNs + PATIENCE_NS)) setTimeout(look, LOOK_EVERY_MS);
    else resolve();
  };
  look();
});
isOver = true;
// What was not answered has waited this long at least: left out, it would make a proxy that stops look fast.
const unanswered = [
  ...clients.map(({ waitsSinceNs }) => waitsSinceNs).filter((since) => since !== null),
  ...Array.from({ length: due - sent }, (_, index) => intendedNs(sent + index)),
];
for (const since of unanswered) record(since);
errors.timeout = unanswered.length;
process.stdout.write(
  JSON.stringify({ requests: answered, durationS, latencyUs: pointsOf(histogram), bytes, eachSecond, errors }),
  () => process.exit(0),
);
