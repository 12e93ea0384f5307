/** A front end over an engine that writes down every event, decides as the test says, and waits for what a test wants to see. */
import { Buffer } from 'node:buffer';
import type { FrontEnd, FrontEndListenerSettings } from '../../../src/engine/front-end.js';
import {
  ADMIT_CONNECTION,
  FRONT_END_EVENT_STRIDE,
  FrontEndEventType,
  FrontEndField,
  FrontEndFlag,
} from '../../../src/engine/front-end-event.js';
import { loadEngine } from '../../../src/engine/load-engine.js';
import { until } from '../../harness/wire.js';
import { PATIENT, type RecordingEngine, startEngine } from './recording-engine.js';
import { LISTENING, openLoopback } from './recording-session-engine.js';

export const PATIENT_FRONT_END: FrontEndListenerSettings = {
  scheme: 'http',
  headBytes: 16 * 1024,
  targetBytes: 8 * 1024,
  headers: 100,
  bodyBytes: 0,
  requestHeadTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 10_000,
  minBodyRate: 0,
  keepAliveTimeoutMs: 10_000,
  requestsPerConnection: 0,
  writeStallTimeoutMs: 10_000,
  tunnelIdleTimeoutMs: 10_000,
  prefaceTimeoutMs: 5_000,
  readsProxyHeader: false,
  http2: {
    isClearText: false,
    streams: 128,
    streamWindowBytes: 65_536,
    connectionWindowBytes: 1_048_576,
    resets: { burst: 1_000, perSecond: 33 },
    continuations: 8,
    controlFrames: { burst: 10_000, perSecond: 1_000 },
    ackTimeoutMs: 30_000,
  },
  hsts: '',
  tls: null,
  hostTables: [{ paths: ['/'], routes: [0] }],
};
export const VIA_NAME = 'sluice-test';
export const REQUEST_ID_PREFIX = '0123456789abcdef01234567';

/** One event, read from its words. Words that mean different things have several names. */
export type FrontEndWords = Readonly<Record<keyof typeof FrontEndField, number>>;
export interface SeenFrontEndEvent extends FrontEndWords {
  /** Of a REQUEST. */
  readonly target: string;
  readonly host: string;
}

export interface RecordingFrontEnd {
  readonly frontEnd: FrontEnd;
  readonly client: RecordingEngine;
  /** Where it listens. */
  readonly port: number;
  readonly events: SeenFrontEndEvent[];
  /** What onShortage was called with. */
  readonly shortages: number[];
  readonly batches: number;
  /** Answers REQUEST and ATTEMPT_FAILED, inside the batch; slot 0 unless the test says otherwise. */
  decide: (event: SeenFrontEndEvent) => number;
  /** Runs inside a batch for each event, after it was decided. */
  onEvent: (event: SeenFrontEndEvent) => void;
  ofType(type: number): SeenFrontEndEvent[];
  /** Waits until `count` events of this type have come, and gives the last of these. */
  untilType(type: number, count?: number): Promise<SeenFrontEndEvent>;
  /** Waits until `count` exchanges have FINISHED, and gives the last of these. */
  untilFinished(count?: number): Promise<SeenFrontEndEvent>;
  close(): void;
}

/**
 * Makes an engine and a front end that listens on a free port; the test closes it. Slot 0 leads to `endpointPort`.
 *
 * @param endpointPort undefined: slot 0 has no connection pool
 */
export function startFrontEnd(
  endpointPort?: number,
  settings: Partial<FrontEndListenerSettings> = {},
  maxConnections?: number,
): RecordingFrontEnd {
  const words = new Int32Array(FRONT_END_EVENT_STRIDE * 64);
  const arena = new Uint8Array(512 * 1024);
  const events: SeenFrontEndEvent[] = [];
  const shortages: number[] = [];
  let batches = 0;
  const text = (offset: number, length: number) => Buffer.from(arena.slice(offset, offset + length)).toString('latin1');
  const read = (at: number): SeenFrontEndEvent => {
    const fields = Object.fromEntries(
      Object.entries(FrontEndField).map(([name, place]) => [name, words[at * FRONT_END_EVENT_STRIDE + place]]),
    ) as FrontEndWords;
    const isRequest = fields.type === FrontEndEventType.REQUEST;
    return {
      ...fields,
      target: isRequest ? text(fields.targetOffset, fields.targetLength) : '',
      host: isRequest ? text(fields.hostOffset, fields.hostLength) : '',
    };
  };
  const write = (at: number, name: keyof typeof FrontEndField, value: number) => {
    words[at * FRONT_END_EVENT_STRIDE + FrontEndField[name]] = value;
  };
  const decideAt = (at: number, event: SeenFrontEndEvent) => {
    if (event.type === FrontEndEventType.OPENED) write(at, 'decision', ADMIT_CONNECTION);
    if (event.type === FrontEndEventType.REQUEST) write(at, 'hostTable', 0);
    if (event.type !== FrontEndEventType.REQUEST && event.type !== FrontEndEventType.ATTEMPT_FAILED) return;
    write(at, 'decision', recording.decide(event));
  };
  const client = startEngine();
  if (endpointPort !== undefined) client.engine.openPool(0, [`127.0.0.1:${endpointPort}`], PATIENT);
  const socket = openLoopback();
  const { FrontEnd } = loadEngine();
  const finished = () => events.filter(({ type, flags }) => type === FrontEndEventType.PROGRESS && isFinished(flags));
  const recording: RecordingFrontEnd = {
    frontEnd: new FrontEnd({
      engine: client.engine,
      events: words,
      arena,
      onBatch: (count) => {
        batches++;
        for (let at = 0; at < count; at++) {
          const event = read(at);
          if (event.type === FrontEndEventType.NONE) continue;
          events.push(event);
          decideAt(at, event);
          recording.onEvent(event);
        }
      },
      onShortage: (errno) => shortages.push(errno),
      viaName: VIA_NAME,
      requestIdPrefix: REQUEST_ID_PREFIX,
      ...(maxConnections === undefined ? {} : { maxConnections }),
    }),
    client,
    port: socket.port,
    events,
    shortages,
    get batches() {
      return batches;
    },
    decide: () => 0,
    onEvent: () => {},
    ofType: (type) => events.filter((event) => event.type === type),
    async untilType(type, count = 1) {
      await until(`${count} events of type ${type}`, () => recording.ofType(type).length >= count);
      return recording.ofType(type)[count - 1] as SeenFrontEndEvent;
    },
    async untilFinished(count = 1) {
      await until(`${count} exchanges have finished`, () => finished().length >= count);
      return finished()[count - 1] as SeenFrontEndEvent;
    },
    close() {
      recording.frontEnd.close();
      client.engine.close();
      socket.close();
    },
  };
  recording.frontEnd.openListener(0, { ...PATIENT_FRONT_END, ...settings });
  recording.frontEnd.listen(0, { descriptor: socket.descriptor }, LISTENING);
  return recording;
}

function isFinished(flags: number): boolean {
  return (flags & FrontEndFlag.FINISHED) !== 0;
}
