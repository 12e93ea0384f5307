/**
 * An endpoint of chaos runs, in a process of its own: answers what it executes and writes it into a journal first, and misbehaves as it is
 * told to. Argument: `{ name, host, port, journal, seed }` as JSON. Messages from the parent: `{ mode }`, `{ act: 'listen' | 'refuse' |
 * 'peak' }`, each answered with `{ did, result }`. SIGTERM: finishes what is in flight, then exits.
 */
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { answerTo, drawsFrom, ENTRY_BYTES, ID_FIELD } from './traffic.mjs';

const { name, host, port, journal, seed } = JSON.parse(process.argv[2]);
/** What the parent may change at any time; see EndpointMode in endpoint-process.ts. */
let mode = { latencyMs: 0, spreadMs: 0, errorShare: 0, errorStatus: 503, fault: 'none', faultShare: 1 };
const draw = drawsFrom(seed);
const connections = new Set();
// Written before the answer and without a buffer: what a kill leaves behind is exactly what was executed.
const journalFile = openSync(journal, 'a');
const entry = Buffer.alloc(ENTRY_BYTES);
let listener = null;
let isLeaving = false;
/** Requests that are being answered, and the most of them since the parent last asked. */
let inFlight = 0;
let peak = 0;

function noteExecution(id) {
  entry.writeUInt32LE(id, 0);
  entry.writeUInt32LE(Date.now() % 2 ** 32, 4);
  writeSync(journalFile, entry);
}

function headOf(status, length, more = '') {
  const connection = isLeaving ? 'Connection: close\r\n' : '';
  return `HTTP/1.1 ${status} Chaos\r\nContent-Type: text/plain\r\n${more}${connection}Content-Length: ${length}\r\n\r\n`;
}

/** What goes wrong on purpose, by the fault's name. `end`: close behind it. */
const FAULTS = {
  garbage: () => ({ bytes: 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n', end: true }),
  'bad-length': (body) => ({ bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}x\r\n\r\n${body}`, end: true }),
  'two-lengths': (body) => ({
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
    end: true,
  }),
  'bad-field': (body) => ({
    bytes: `HTTP/1.1 200 OK\r\nno field\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    end: true,
  }),
  'half-head': () => ({ bytes: 'HTTP/1.1 200 OK\r\nContent-Len', end: true }),
  truncated: (body) => ({ bytes: headOf(200, body.length + 100) + body, end: true }),
  'bad-chunk': (body) => ({ bytes: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${body}`, end: true }),
  surplus: (body) => ({
    bytes: `${headOf(200, body.length)}${body}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong`,
    end: false,
  }),
  reset: () => ({ bytes: '', end: 'reset' }),
  close: () => ({ bytes: '', end: true }),
  never: () => null,
};

/** One connection: reads whole requests, answers them in their order. */
class Connection {
  #bytes = Buffer.alloc(0);
  /** Requests that are not answered yet; the first one is being answered. */
  #waiting = [];
  #isAnswering = false;
  /** Is one counted in inFlight for it? */
  #holds = false;

  constructor(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      connections.delete(this);
      this.#letGo();
      exitWhenDone();
    });
  }

  /** Closes once nothing is in flight. */
  leave() {
    if (!this.#isAnswering && this.#waiting.length === 0) this.socket.end();
  }

  #take(chunk) {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const headEnd = this.#bytes.indexOf('\r\n\r\n');
      if (headEnd < 0) break;
      const head = this.#bytes.toString('latin1', 0, headEnd).toLowerCase();
      const end = headEnd + 4 + Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0);
      if (this.#bytes.length < end) break;
      this.#bytes = this.#bytes.subarray(end);
      this.#waiting.push(Number(new RegExp(`\r\n${ID_FIELD}: *(\\d+)`).exec(head)?.[1] ?? -1));
    }
    this.#answerNext();
  }

  #answerNext() {
    if (this.#isAnswering || this.#waiting.length === 0) return;
    this.#isAnswering = true;
    const id = this.#waiting.shift();
    if (id < 0) return this.#send(`${headOf(200, 2)}ok`, false); // a health check
    noteExecution(id);
    this.#holds = true;
    peak = Math.max(peak, ++inFlight);
    const answer = this.#answerOf(id);
    if (answer === null) return;
    const latencyMs = mode.latencyMs + draw() * mode.spreadMs;
    if (latencyMs < 1) this.#send(answer.bytes, answer.end);
    else setTimeout(() => this.#send(answer.bytes, answer.end), latencyMs);
  }

  #answerOf(id) {
    const body = answerTo(id, name);
    if (mode.fault !== 'none' && draw() < mode.faultShare) return FAULTS[mode.fault](body);
    if (mode.errorShare > 0 && draw() < mode.errorShare) return { bytes: headOf(mode.errorStatus, 0), end: false };
    return { bytes: headOf(200, body.length) + body, end: false };
  }

  #letGo() {
    if (this.#holds) inFlight--;
    this.#holds = false;
  }

  #send(bytes, end) {
    this.#letGo();
    if (this.socket.destroyed) return;
    if (end === 'reset') return this.socket.resetAndDestroy();
    if (bytes !== '') this.socket.write(bytes, 'latin1');
    if (end || isLeaving) return this.socket.end();
    this.#isAnswering = false;
    this.#answerNext();
  }
}

/** @returns {Promise<void>} rejected where the address is taken */
function listen() {
  return new Promise((resolve, reject) => {
    listener = createServer({ allowHalfOpen: true }, (socket) => connections.add(new Connection(socket)));
    listener.once('error', reject);
    listener.listen({ port, host, backlog: 4096 }, resolve);
  });
}

/** Nobody listens any more, and who is connected is reset. @returns {Promise<void>} */
function refuse() {
  return new Promise((resolve) => {
    listener.close(() => resolve());
    for (const { socket } of connections) socket.resetAndDestroy();
  });
}

/** @returns {number} */
function takePeak() {
  const taken = peak;
  peak = inFlight;
  return taken;
}

function exitWhenDone() {
  if (isLeaving && connections.size === 0) process.exit(0);
}

process.on('SIGTERM', () => {
  isLeaving = true;
  listener.close();
  for (const connection of connections) connection.leave();
  exitWhenDone();
});
process.on('message', async (message) => {
  if ('mode' in message) mode = { ...mode, ...message.mode };
  const result = 'act' in message ? await { listen, refuse, peak: takePeak }[message.act]() : null;
  process.send({ did: message.number, result });
});
process.on('disconnect', () => process.exit(0));

await listen();
process.send({ did: 0 });
