/** An engine that writes down every event with copies of its bytes, and waits for what a test wants to see. */
import {
  type Engine,
  EVENT_STRIDE,
  EventField,
  EventFlag,
  EventType,
  NO_BODY,
  type PoolSettings,
} from '../../../src/engine/engine.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { until } from '../../harness/wire.js';

export const ARENA_BYTES = 512 * 1024;
export const GET = 'GET / HTTP/1.1\r\nhost: endpoint\r\n';
export const PATIENT: PoolSettings = {
  connectTimeoutMs: 3_000,
  firstByteTimeoutMs: 3_000,
  idleTimeoutMs: 3_000,
  keepAliveIdleMs: 3_000,
  maxIdle: 64,
  maxConnections: 0,
  responseHeadBytes: 16 * 1024,
  responseHeaders: 100,
};

/** One event, read from its words. */
export interface SeenEvent {
  readonly type: number;
  readonly exchange: number;
  readonly status: number;
  readonly flags: number;
  readonly head: string;
  readonly body: Buffer;
  readonly contentLength: number;
  readonly elapsedUs: number;
  readonly errno: number;
}

export interface RecordingEngine {
  readonly engine: Engine;
  readonly events: SeenEvent[];
  /** Runs inside a batch for each event, after it was written down. */
  onEvent: (event: SeenEvent) => void;
  /** Number of batches so far. */
  readonly batches: number;
  /** Begins an attempt without a body; throws where the engine does not take it. */
  send(exchange: number, slot?: number, flags?: number, bodyBytes?: number, head?: string): void;
  /** Waits for the exchange's last event. */
  untilEnd(exchange: number): Promise<SeenEvent>;
  bodyOf(exchange: number): Buffer;
}

/** Makes an engine; the test closes it. */
export function startEngine(eventCapacity = 64): RecordingEngine {
  const words = new Int32Array(EVENT_STRIDE * eventCapacity);
  const arena = new Uint8Array(ARENA_BYTES);
  const events: SeenEvent[] = [];
  let batches = 0;
  const read = (at: number): SeenEvent => {
    const field = (name: keyof typeof EventField): number => words[at * EVENT_STRIDE + EventField[name]] as number;
    const copy = (offset: number, length: number) => Buffer.from(arena.slice(offset, offset + length));
    return {
      type: field('type'),
      exchange: field('exchange'),
      status: field('status'),
      flags: field('flags'),
      head: copy(field('headOffset'), field('headLength')).toString('latin1'),
      body: copy(field('bodyOffset'), field('bodyLength')),
      contentLength: field('lengthHigh') * 2 ** 32 + (field('lengthLow') >>> 0),
      elapsedUs: field('elapsedUs'),
      errno: field('errno'),
    };
  };
  const isEnd = (event: SeenEvent) => event.type === EventType.FAILED || (event.flags & EventFlag.LAST) !== 0;
  const addon = loadEngine();
  const recording: RecordingEngine = {
    engine: new addon.Engine({
      events: words,
      arena,
      onBatch: (count) => {
        batches++;
        for (let at = 0; at < count; at++) {
          const event = read(at);
          if (event.type === EventType.NONE) continue;
          events.push(event);
          recording.onEvent(event);
        }
      },
    }),
    events,
    onEvent: () => {},
    get batches() {
      return batches;
    },
    send(exchange, slot = 0, flags = 0, bodyBytes = NO_BODY, head = GET) {
      const result = recording.engine.send(exchange, slot, head, flags, bodyBytes, 0);
      if (result !== 0) throw new Error(`send answers ${result}`);
    },
    async untilEnd(exchange) {
      const found = () => events.find((event) => event.exchange === exchange && isEnd(event));
      await until(`exchange ${exchange} ends`, () => found() !== undefined);
      return found() as SeenEvent;
    },
    bodyOf: (exchange) =>
      Buffer.concat(events.filter((event) => event.exchange === exchange).map((event) => event.body)),
  };
  return recording;
}
