/** An endpoint that plays its part of chaos sessions: echoes, ends early, resets, reads slowly, and checks what it gets. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ChaosScript, isIntact, PROBE, readScript, SCRIPT_BYTES, scriptLine } from './chaos-script.js';
import { bodyPiece } from './seeded-body.js';

/** What an endpoint has seen. */
export interface ChaosEndpointCounts {
  accepted: number;
  /** Connections open now. */
  open: number;
  /** Sessions that nobody broke on purpose, seen to their clean end with every byte right. */
  intact: number;
  /** Sessions that their client reset; a clean end of one of these is a fault. */
  clientResets: number;
  /** Connections that ended before their script had come. */
  withoutScript: number;
  receivedBytes: number;
  /** What should not have happened, with the session's script; the first MAX_FAULTS of them. */
  readonly faults: string[];
  faultCount: number;
}

/** Always `close` it. */
export interface ChaosEndpoint {
  readonly port: number;
  readonly counts: ChaosEndpointCounts;
  close(): Promise<void>;
}

export const MAX_FAULTS = 20;
/** A slow side rests so often at most: back-pressure, not a long test. */
const MAX_RESTS = 10;
const REST_MS = 3;

export async function startChaosEndpoint(host = '127.0.0.1', port = 0): Promise<ChaosEndpoint> {
  const counts: ChaosEndpointCounts = {
    accepted: 0,
    open: 0,
    intact: 0,
    clientResets: 0,
    withoutScript: 0,
    receivedBytes: 0,
    faults: [],
    faultCount: 0,
  };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    counts.accepted++;
    counts.open++;
    sockets.add(socket);
    socket.on('close', () => {
      counts.open--;
      sockets.delete(socket);
    });
    new EndpointSession(socket, counts).start();
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    close: async () => {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** One connection: collects the script, then echoes as it says. */
class EndpointSession {
  #script: ChaosScript | undefined;
  #head = Buffer.alloc(0);
  #receivedBytes = 0;
  #sentBytes = 0;
  #rests = 0;
  #isOver = false;
  #hasEnded = false;

  constructor(
    private readonly socket: Socket,
    private readonly counts: ChaosEndpointCounts,
  ) {}

  start(): void {
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.socket.on('drain', () => this.socket.resume());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', () => this.#onReset());
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    const body = this.#script === undefined ? this.#takeScript(chunk) : chunk;
    if (this.#script === undefined || this.#isOver) return;
    const from = this.#receivedBytes;
    this.#receivedBytes += body.length;
    this.counts.receivedBytes += body.length;
    if (this.#receivedBytes > this.#script.bodyBytes) return this.#fail(this.#script, 'more bytes than were sent');
    if (!body.equals(bodyPiece(this.#script.seed, from, this.#receivedBytes)))
      return this.#fail(this.#script, `wrong bytes in ${from} to ${this.#receivedBytes}`);
    this.#answer(this.#script);
  }

  /** @returns what of the chunk belongs to the body */
  #takeScript(chunk: Buffer): Buffer {
    this.#head = Buffer.concat([this.#head, chunk]);
    if (this.#head.length < SCRIPT_BYTES) return Buffer.alloc(0);
    this.#script = readScript(this.#head.subarray(0, SCRIPT_BYTES));
    if (this.#script === undefined) this.#fail(undefined, `no script: ${this.#head.toString('hex').slice(0, 80)}`);
    return this.#head.subarray(SCRIPT_BYTES);
  }

  #answer(script: ChaosScript): void {
    const mayBreak = this.#receivedBytes >= script.endpointBreakBytes;
    if (script.endpoint === 'reset' && mayBreak) return this.#breakOff(() => this.socket.resetAndDestroy());
    if (script.endpoint === 'abrupt' && mayBreak) return this.#breakOff(() => this.socket.destroy());
    const until =
      script.endpoint === 'echo' ? this.#receivedBytes : Math.min(this.#receivedBytes, script.endpointBreakBytes);
    if (until > this.#sentBytes) {
      const hasRoom = this.socket.write(bodyPiece(script.seed, this.#sentBytes, until));
      this.#sentBytes = until;
      if (!hasRoom) this.socket.pause();
    }
    if (script.endpoint === 'half-close' && mayBreak && !this.#hasEnded) this.#endOwnSide();
    if (script.isEndpointSlow && this.#rests < MAX_RESTS) this.#rest();
  }

  #endOwnSide(): void {
    this.#hasEnded = true;
    this.socket.end();
    this.socket.resume(); // nothing will drain any more
  }

  #rest(): void {
    this.#rests++;
    this.socket.pause();
    setTimeout(() => {
      if (this.socket.writableNeedDrain && !this.#hasEnded) return; // 'drain' goes on
      this.socket.resume();
    }, REST_MS);
  }

  #onEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const script = this.#script;
    if (script === undefined) this.counts.withoutScript++;
    else if (script.client === 'reset' && !this.#hasEnded) return this.#proveReset(script);
    else if (isIntact(script) && this.#receivedBytes === script.bodyBytes) this.counts.intact++;
    else if (isIntact(script)) this.#note(script, `the client ended after ${this.#receivedBytes} bytes`);
    if (!this.#hasEnded) this.socket.end();
  }

  /** See PROBE. */
  #proveReset(script: ChaosScript): void {
    this.socket.write(PROBE, (error) => {
      if (error) return; // 'error' counts it
      this.#note(script, 'the client has reset the connection, but here it ended cleanly');
      this.socket.destroy();
    });
  }

  #onReset(): void {
    const wasOver = this.#isOver;
    this.#isOver = true;
    const script = this.#script;
    if (script === undefined) this.counts.withoutScript++;
    else if (script.client === 'reset') this.counts.clientResets++;
    else if (isIntact(script))
      this.#note(script, `reset ${wasOver ? 'behind the end' : `after ${this.#receivedBytes} bytes`}`);
  }

  #breakOff(how: () => void): void {
    this.#isOver = true;
    how();
  }

  #fail(script: ChaosScript | undefined, what: string): void {
    this.#note(script, what);
    this.#breakOff(() => this.socket.destroy());
  }

  #note(script: ChaosScript | undefined, what: string): void {
    this.counts.faultCount++;
    if (this.counts.faults.length < MAX_FAULTS)
      this.counts.faults.push(`endpoint: ${what} (${script === undefined ? 'no script' : scriptLine(script)})`);
  }
}
