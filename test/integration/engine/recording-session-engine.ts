/** A session engine that writes down every event, decides as the test says, and waits for what a test wants to see. */
import { Buffer } from 'node:buffer';
import { loadEngine } from '../../../src/engine/load-engine.js';
import {
  type ListeningOptions,
  type ListeningSocket,
  Relay,
  SESSION_EVENT_STRIDE,
  type SessionEndpointSettings,
  type SessionEngine,
  SessionEventType,
  SessionField,
  type SessionListenerSettings,
} from '../../../src/engine/session-engine.js';
import { until } from '../../harness/wire.js';

export const PATIENT_LISTENER: SessionListenerSettings = {
  relay: Relay.ADAPTIVE,
  halfClose: true,
  sessionIdleTimeoutMs: 60_000,
  lingerTimeoutMs: 60_000,
  prefaceTimeoutMs: 5_000,
  readsProxyHeader: false,
  readsClientHello: false,
  tls: null,
};
export const PATIENT_ENDPOINT: SessionEndpointSettings = {
  connectTimeoutMs: 5_000,
  proxyHeader: 0,
  keepAlive: { idleS: 0, intervalS: 0, probes: 0 },
  tls: null,
};
export const LISTENING: ListeningOptions = {
  backlog: 511,
  deferAcceptS: 0,
  keepAlive: { idleS: 60, intervalS: 10, probes: 6 },
  isShared: false,
};

/** One event, read from its words. */
export type SeenSessionEvent = Readonly<Record<keyof typeof SessionField, number>>;

export interface RecordingSessionEngine {
  readonly engine: SessionEngine;
  readonly events: SeenSessionEvent[];
  /** What onShortage was called with. */
  readonly shortages: number[];
  readonly batches: number;
  /** Answers events that ask for a decision; slot 0 unless the test says otherwise. */
  decide: (event: SeenSessionEvent) => number;
  /** Runs inside a batch for each event, after it was written down. */
  onEvent: (event: SeenSessionEvent) => void;
  ofType(type: number): SeenSessionEvent[];
  /** Waits until `count` events of this type have come, and gives the last of these. */
  untilType(type: number, count?: number): Promise<SeenSessionEvent>;
}

/** Makes an engine; the test closes it. Listener 0 is known to it. */
export function startSessionEngine(maxSessions?: number): RecordingSessionEngine {
  const words = new Int32Array(SESSION_EVENT_STRIDE * 64);
  const events: SeenSessionEvent[] = [];
  const shortages: number[] = [];
  let batches = 0;
  const read = (at: number): SeenSessionEvent =>
    Object.fromEntries(
      Object.entries(SessionField).map(([name, place]) => [name, words[at * SESSION_EVENT_STRIDE + place]]),
    ) as SeenSessionEvent;
  const { SessionEngine } = loadEngine();
  const recording: RecordingSessionEngine = {
    engine: new SessionEngine({
      events: words,
      arena: new Uint8Array(64 * 1024),
      onBatch: (count) => {
        batches++;
        for (let at = 0; at < count; at++) {
          const event = read(at);
          if (event.type === SessionEventType.NONE) continue;
          events.push(event);
          if (event.type === SessionEventType.OPENED || event.type === SessionEventType.CONNECT_FAILED) {
            words[at * SESSION_EVENT_STRIDE + SessionField.decision] = recording.decide(event);
          }
          recording.onEvent(event);
        }
      },
      onShortage: (errno) => shortages.push(errno),
      ...(maxSessions === undefined ? {} : { maxSessions }),
    }),
    events,
    shortages,
    decide: () => 0,
    onEvent: () => {},
    get batches() {
      return batches;
    },
    ofType: (type) => events.filter((event) => event.type === type),
    async untilType(type, count = 1) {
      await until(`${count} events of type ${type}`, () => recording.ofType(type).length >= count);
      return recording.ofType(type)[count - 1] as SeenSessionEvent;
    },
  };
  recording.engine.openListener(0, PATIENT_LISTENER);
  return recording;
}

/** A listening socket on a free port of the loopback address; the test closes it. */
export function openLoopback(options: Partial<ListeningOptions> = {}): ListeningSocket {
  return loadEngine().openListeningSocket({ host: '127.0.0.1', port: 0 }, { ...LISTENING, ...options });
}

/** The peer's address of an event as text, e.g. '::ffff:127.0.0.1' as 32 hexadecimal digits. */
export function peerHex({ peer0, peer1, peer2, peer3 }: SeenSessionEvent): string {
  const bytes = Buffer.alloc(16);
  for (const [index, word] of [peer0, peer1, peer2, peer3].entries()) bytes.writeInt32BE(word, index * 4);
  return bytes.toString('hex');
}

/** The message of what `call` throws; '' where it does not. */
export function messageOf(call: () => unknown): string {
  try {
    call();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** The `code` of what `call` throws; 'none' where it does not throw. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return 'none';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
