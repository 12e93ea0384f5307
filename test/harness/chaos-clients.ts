/** Clients that open and break sessions at random against a chaos endpoint, directly or through a proxy, and check every byte. */
import { connect, type Socket } from 'node:net';
import { type Rng, seededRng } from '../../src/core/rng.js';
import { MAX_FAULTS } from './chaos-endpoint.js';
import {
  type ChaosScript,
  echoedBytes,
  isIntact,
  PROBE,
  randomScript,
  SCRIPT_BYTES,
  scriptLine,
  writeScript,
} from './chaos-script.js';
import { bodyPiece } from './seeded-body.js';

export interface ChaosOptions {
  readonly port: number;
  readonly host?: string;
  /** The same seed makes the same sessions in each lane. */
  readonly seed: number;
  /** New sessions begin for so long; then those that are open come to their ends. */
  readonly durationMs: number;
  /** Sessions open at the same time. */
  readonly sessionsAtOnce: number;
  /** At most BODY_LIMIT_BYTES. */
  readonly maxBodyBytes?: number;
  /** Addresses to connect from, each as often as the others. */
  readonly localAddresses?: readonly string[];
  /** A session that takes longer hangs: a fault. */
  readonly sessionTimeoutMs?: number;
}

/** What became of the sessions; `opened` is the sum of the next six. */
export interface ChaosCounts {
  /** Connected. */
  opened: number;
  /** Nobody broke them: the whole echo was right, and then came a clean end. */
  intact: number;
  /** Reset, closed or left by the client on purpose. */
  clientResets: number;
  clientCloses: number;
  silent: number;
  /** Broken by the endpoint on purpose, and seen to be. */
  endpointBreaks: number;
  /** Not what their scripts say. */
  faulty: number;
  /** Could not be connected at all. */
  refused: number;
  sentBytes: number;
  receivedBytes: number;
  /** What should not have happened, with the session's script; the first MAX_FAULTS of them. */
  readonly faults: string[];
}

/** 127.0.0.1 to 127.0.0.9: nine clients to whoever counts by address. */
export const NINE_ADDRESSES: readonly string[] = Array.from({ length: 9 }, (_, index) => `127.0.0.${index + 1}`);

const DEFAULT_BODY_BYTES = 256 * 1024;
const SESSION_TIMEOUT_MS = 20_000;
const MAX_PIECE_BYTES = 32 * 1024;
/** A slow side rests so often at most: back-pressure, not a long test. */
const MAX_RESTS = 10;
const REST_MS = 3;

/** @returns when the time is over and every socket is closed; never rejects for what sessions do */
export async function runChaosClients(options: ChaosOptions): Promise<ChaosCounts> {
  const counts: ChaosCounts = {
    opened: 0,
    intact: 0,
    clientResets: 0,
    clientCloses: 0,
    silent: 0,
    endpointBreaks: 0,
    faulty: 0,
    refused: 0,
    sentBytes: 0,
    receivedBytes: 0,
    faults: [],
  };
  const endsAt = Date.now() + options.durationMs;
  const lane = async (index: number): Promise<void> => {
    const rng = seededRng(options.seed + index * 0x9e3779b9);
    while (Date.now() < endsAt) {
      const script = randomScript(rng, options.maxBodyBytes ?? DEFAULT_BODY_BYTES);
      await new ClientSession(script, rng, options, counts).run();
    }
  };
  await Promise.all(Array.from({ length: options.sessionsAtOnce }, (_, index) => lane(index)));
  return counts;
}

/** One session from connect to close. */
class ClientSession {
  readonly #socket: Socket;
  readonly #bytes: Buffer;
  readonly #isSilent: boolean;
  #isConnected = false;
  #sentBytes = 0; // script included
  #receivedBytes = 0;
  #rests = 0;
  #hasEnded = false; // own side
  #sawEnd = false;
  #errorCode: string | undefined;
  #brokeOff: 'reset' | 'abrupt' | undefined;
  #fault: string | undefined;

  constructor(
    private readonly script: ChaosScript,
    private readonly rng: Rng,
    private readonly options: ChaosOptions,
    private readonly counts: ChaosCounts,
  ) {
    const addresses = options.localAddresses ?? NINE_ADDRESSES;
    const localAddress = addresses[rng.below(addresses.length)];
    this.#bytes = Buffer.concat([writeScript(script), bodyPiece(script.seed, 0, script.bodyBytes)]);
    this.#isSilent = script.client === 'silent';
    this.#socket = connect({
      port: options.port,
      host: options.host ?? '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  }

  /** Resolves when the socket is closed and the session is counted. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      const timeoutMs = this.options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
      const timer = setTimeout(() => this.#fail(`not over after ${timeoutMs} ms`), timeoutMs);
      this.#socket.on('connect', () => this.#onConnect());
      this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
      this.#socket.on('drain', () => this.#send());
      this.#socket.on('end', () => this.#onEnd());
      this.#socket.on('error', (error: NodeJS.ErrnoException) => {
        this.#errorCode ??= error.code ?? error.message;
      });
      this.#socket.on('close', () => {
        clearTimeout(timer);
        this.#count();
        resolve();
      });
    });
  }

  #onConnect(): void {
    this.#isConnected = true;
    if (!this.#isSilent) return this.#send();
    if (this.rng.below(2) === 0) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** Sends until the kernel has enough, the session breaks, or all is sent. */
  #send(): void {
    while (this.#sentBytes < this.#bytes.length && !this.#isOver()) {
      const size = 1 + this.rng.below(Math.min(MAX_PIECE_BYTES, this.#bytes.length - this.#sentBytes));
      const hasRoom = this.#socket.write(this.#bytes.subarray(this.#sentBytes, this.#sentBytes + size));
      this.#sentBytes += size;
      this.counts.sentBytes += size;
      if (this.#breaksNow() || !hasRoom) return;
    }
    this.#endWhenDue();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver()) return;
    const from = this.#receivedBytes;
    this.#receivedBytes += chunk.length;
    this.counts.receivedBytes += chunk.length;
    if (this.#receivedBytes > echoedBytes(this.script)) return this.#fail('more bytes than were echoed');
    if (!chunk.equals(bodyPiece(this.script.seed, from, this.#receivedBytes)))
      return this.#fail(`wrong bytes in ${from} to ${this.#receivedBytes}`);
    if (this.#breaksNow()) return;
    this.#endWhenDue();
    if (this.script.isClientSlow && this.#rests < MAX_RESTS) this.#rest();
  }

  #onEnd(): void {
    this.#sawEnd = true;
    if (this.#isOver()) return;
    if (this.script.endpoint === 'reset' && !this.#hasEnded) return this.#proveReset();
    // Nothing more comes that could reach the byte at which to break.
    if (this.script.client === 'reset' || this.script.client === 'abrupt') this.#breakOff(this.script.client);
    else this.#endWhenDue();
  }

  /** See PROBE. */
  #proveReset(): void {
    this.#socket.write(PROBE, (error) => {
      if (!error) this.#fail('the endpoint has reset the connection, but here it ended cleanly');
    });
  }

  #endWhenDue(): void {
    if (this.#hasEnded || this.#isOver() || this.#sentBytes < this.#bytes.length) return;
    const { client } = this.script;
    const isDue =
      client === 'half-close' ||
      (client === 'wait' && (this.#sawEnd || this.#receivedBytes === echoedBytes(this.script)));
    if (!isDue) return;
    this.#hasEnded = true;
    this.#socket.end();
  }

  /** Breaks the session where the script says so. @returns whether it did */
  #breaksNow(): boolean {
    const { client } = this.script;
    if (client !== 'reset' && client !== 'abrupt') return false;
    const bodyBytes = Math.max(this.#sentBytes - SCRIPT_BYTES, 0);
    if (this.#sentBytes < SCRIPT_BYTES || bodyBytes + this.#receivedBytes < this.script.clientBreakBytes) return false;
    this.#breakOff(client);
    return true;
  }

  #breakOff(how: 'reset' | 'abrupt'): void {
    this.#brokeOff = how;
    if (how === 'reset') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #rest(): void {
    this.#rests++;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), REST_MS);
  }

  #isOver(): boolean {
    return this.#brokeOff !== undefined || this.#fault !== undefined || this.#socket.destroyed;
  }

  #fail(what: string): void {
    this.#fault ??= what;
    this.#socket.destroy();
  }

  #count(): void {
    if (!this.#isConnected) {
      this.counts.refused++;
      return;
    }
    this.counts.opened++;
    this.#fault ??= this.#faultAtClose();
    if (this.#fault !== undefined) {
      this.counts.faulty++;
      if (this.counts.faults.length < MAX_FAULTS)
        this.counts.faults.push(`client: ${this.#fault} (${scriptLine(this.script)})`);
    } else if (this.#isSilent) this.counts.silent++;
    else if (this.#brokeOff === 'reset') this.counts.clientResets++;
    else if (this.#brokeOff === 'abrupt') this.counts.clientCloses++;
    else if (isIntact(this.script)) this.counts.intact++;
    else this.counts.endpointBreaks++;
  }

  /** What was wrong with how a session ended that the client did not break. */
  #faultAtClose(): string | undefined {
    if (this.#isSilent || this.#brokeOff !== undefined) return undefined;
    const { script } = this;
    if (isIntact(script)) {
      if (this.#errorCode !== undefined) return `${this.#errorCode} after ${this.#receivedBytes} bytes`;
      if (this.#receivedBytes !== echoedBytes(script)) return `ended after ${this.#receivedBytes} bytes`;
      return this.#sawEnd ? undefined : 'closed without an end';
    }
    return undefined;
  }
}
