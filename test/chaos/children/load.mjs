/**
 * The load of chaos runs, in a process of its own: so many requests a second by the clock, whatever becomes of those before them, each over
 * a kept connection that is free or a new one. Messages from the parent: `{ act: 'start', options }` and `{ act: 'stop' }`, answered with
 * `{ did, result }`. What it counts is LoadResult in request-load.ts.
 */
import { connect } from 'node:net';
import { answerTo, ID_FIELD, isIdempotent, methodOf, requestBodyBytes } from './traffic.mjs';

/** Answers and requests are counted by the clock, in steps of this. */
const BIN_MS = 50;
const MAX_CONNECTIONS = 1024;
/** Longer between two looks at the clock: this process itself did not run. */
const PAUSE_MS = 30;
const MAX_FAILURES = 300;
const MAX_WRONG = 50;
/** A good answer is late behind this. */
const LATE_MS = 250;
/** An unused connection is given up before the proxy does so (75 s): its close would cross a request. */
const UNUSED_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const BODY = Buffer.alloc(64 * 1024, 'b').toString('latin1');
const HEAD_END = '\r\n\r\n';

const nowMs = () => performance.timeOrigin + performance.now();
let run = null;

/** One start of the load, until its stop. */
class Run {
  constructor(options) {
    this.options = options;
    this.startedAtMs = nowMs();
    /** When the schedule began: later than the start by the pauses of this process. */
    this.scheduledFromMs = this.startedAtMs;
    this.tickedAtMs = this.startedAtMs;
    this.gapMs = 1000 / options.perSecond;
    this.idle = [];
    this.connections = new Set();
    this.sent = 0;
    this.mostLateMs = 0;
    this.isEnding = false;
    this.result = {
      firstId: options.firstId,
      seed: options.seed,
      startedAtMs: this.startedAtMs,
      binMs: BIN_MS,
      outcomes: {},
      byMethod: {},
      failures: [],
      failureCount: 0,
      failedPosts: [],
      wrong: [],
      wrongCount: 0,
      lateCount: 0,
      answeredBy: {},
      mostConnections: 0,
    };
    this.tick();
    this.looking = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  tick() {
    if (this.isEnding) return;
    const now = nowMs();
    // Requests whose turn came while this process had no processor are left out: a burst is not the load that was asked for.
    if (now - this.tickedAtMs > PAUSE_MS) this.scheduledFromMs += now - this.tickedAtMs;
    this.tickedAtMs = now;
    const due = Math.floor((now - this.scheduledFromMs) / this.gapMs) + 1;
    while (this.sent < due && this.sendNext());
    setTimeout(() => this.tick(), 1);
  }

  /** @returns {boolean} false where every connection is busy and there may be no more of them */
  sendNext() {
    const client = this.idle.pop() ?? this.open();
    if (client === null) return false;
    const dueAtMs = this.scheduledFromMs + this.sent * this.gapMs;
    this.mostLateMs = Math.max(this.mostLateMs, nowMs() - dueAtMs);
    client.send(this.options.firstId + this.sent++, dueAtMs);
    return true;
  }

  open() {
    if (this.connections.size >= MAX_CONNECTIONS) return null;
    const client = new Client(this);
    this.connections.add(client);
    this.result.mostConnections = Math.max(this.result.mostConnections, this.connections.size);
    return client;
  }

  /** Once a second: what waits for too long has failed, what is not used is closed. */
  look() {
    const now = nowMs();
    for (const client of this.connections) {
      if (client.id !== null && now - client.sentAtMs > this.options.patienceMs) client.fail('timeout');
      else if (client.id === null && now - client.freeAtMs > UNUSED_MS) client.leave();
    }
  }

  count(client, outcome, endpointName) {
    const { result } = this;
    const isGood = outcome === '200';
    result.outcomes[outcome] = (result.outcomes[outcome] ?? 0) + 1;
    result.byMethod[client.method] ??= { good: 0, failed: 0 };
    result.byMethod[client.method][isGood ? 'good' : 'failed']++;
    if (isGood) {
      if (nowMs() - client.sentAtMs > LATE_MS) result.lateCount++;
      result.answeredBy[endpointName] ??= [];
      const bins = result.answeredBy[endpointName];
      const bin = Math.floor((nowMs() - this.startedAtMs) / BIN_MS);
      while (bins.length <= bin) bins.push(0);
      bins[bin]++;
      return;
    }
    if (!isIdempotent(client.method)) result.failedPosts.push(client.id);
    result.failureCount++;
    if (result.failures.length >= MAX_FAILURES) return;
    const { id, method, sentAtMs } = client;
    result.failures.push({ id, method, outcome, sentAtMs, failedAtMs: nowMs() });
  }

  noteWrong(client, what) {
    this.result.wrongCount++;
    if (this.result.wrong.length < MAX_WRONG) this.result.wrong.push(`${client.method} ${client.id}: ${what}`);
  }

  /** No more requests; resolves when all are answered or have failed, and every connection is closed. */
  async stop() {
    this.isEnding = true;
    const plannedMs = nowMs() - this.startedAtMs;
    while ([...this.connections].some(({ id }) => id !== null)) await new Promise((resolve) => setTimeout(resolve, 5));
    clearInterval(this.looking);
    for (const client of this.connections) client.leave();
    return {
      ...this.result,
      sent: this.sent,
      durationMs: plannedMs,
      pausedMs: this.scheduledFromMs - this.startedAtMs,
      mostLateMs: this.mostLateMs,
    };
  }
}

/** A connection to the proxy: at most one request at a time. */
class Client {
  id = null;
  method = '';
  sentAtMs = 0;
  freeAtMs = 0;
  #text = '';
  #isLeaving = false;

  constructor(run) {
    this.run = run;
    this.socket = connect({ port: run.options.port, host: run.options.host, noDelay: true });
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#onClose());
  }

  send(id, dueAtMs) {
    const { seed, prefix } = this.run.options;
    this.id = id;
    this.method = methodOf(seed, id);
    this.sentAtMs = dueAtMs;
    this.#text = '';
    const bytes = requestBodyBytes(seed, id, this.method);
    const length = bytes > 0 || this.method === 'POST' ? `Content-Length: ${bytes}\r\n` : '';
    this.socket.write(
      `${this.method} ${prefix}${id} HTTP/1.1\r\nHost: chaos.test\r\n${ID_FIELD}: ${id}\r\n${length}\r\n${BODY.slice(0, bytes)}`,
      'latin1',
    );
  }

  leave() {
    this.#isLeaving = true;
    this.socket.destroy();
  }

  fail(outcome) {
    this.run.count(this, outcome, '');
    this.id = null;
    this.leave();
  }

  #take(chunk) {
    this.#text += chunk.toString('latin1');
    if (this.id === null) {
      this.run.noteWrong(this, `an answer that nobody asked for: ${JSON.stringify(this.#text.slice(0, 200))}`);
      return this.leave();
    }
    const headEnd = this.#text.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#text.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? -1);
    const body = this.#text.slice(headEnd + HEAD_END.length);
    // Chunked: only what an endpoint gets wrong on purpose comes so, and it never comes to its end.
    if (length < 0 || body.length < length) return;
    this.#finish(head, body, length);
  }

  #finish(head, body, length) {
    const status = head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length);
    if (body.length > length) this.run.noteWrong(this, 'bytes behind its answer');
    if (status !== '200') this.run.count(this, codeOf(status, body), '');
    else {
      const endpointName = body.split(' ')[1] ?? '';
      if (body.slice(0, length) !== answerTo(this.id, endpointName))
        this.run.noteWrong(this, `not its answer: ${JSON.stringify(body.slice(0, 80))}`);
      this.run.count(this, status, endpointName);
    }
    this.id = null;
    this.#text = '';
    this.freeAtMs = nowMs();
    if (/\r\nconnection: *close/i.test(head)) this.leave();
    else if (!this.#isLeaving && !this.socket.destroyed) this.run.idle.push(this);
  }

  #onClose() {
    this.run.connections.delete(this);
    const place = this.run.idle.indexOf(this);
    if (place >= 0) this.run.idle.splice(place, 1);
    if (this.id === null) return;
    // Before a byte of the answer, or inside it.
    this.run.count(this, this.#text === '' ? 'closed' : 'cut', '');
    this.id = null;
  }
}

/** What a failure is called: the proxy's code, or the status of an endpoint's own answer. */
function codeOf(status, body) {
  const code = /"error":"([A-Z_]+)"/.exec(body)?.[1];
  return code ?? `status ${status}`;
}

process.on('message', async ({ act, options, number }) => {
  if (act === 'start') run = new Run(options);
  const result = act === 'stop' ? await run.stop() : null;
  process.send({ did: number, result });
});
process.on('disconnect', () => process.exit(0));
process.send({ did: 0, result: null });
