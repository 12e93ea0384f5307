/** A session engine that reports what the test says, and keeps what it was told: the contract of src/engine/session-engine.ts. */

import { type Board, createBoard } from '../../../src/board/board.js';
import { endpointSlotsFor } from '../../../src/board/spare-room.js';
import { attachBoard, type WorkerBoard } from '../../../src/board/worker-board.js';
import type { UpstreamPlan } from '../../../src/config/plan.js';
import { HANDSHAKE_ENDS } from '../../../src/core/handshake-ends.js';
import {
  type ListeningAddress,
  SESSION_EVENT_STRIDE,
  type SessionEndpointSettings,
  type SessionEngine,
  type SessionEngineOptions,
  type SessionEngineStats,
  SessionEventType,
  SessionField,
  SessionFlag,
  type SessionListenerSettings,
} from '../../../src/engine/session-engine.js';
import { endpointPlan, upstreamPlan } from '../control/plans.js';

/** One event, in the words of the contract; what is left out is 0. */
export type ScriptedEvent = Partial<Record<Exclude<keyof typeof SessionField, 'type'>, number>> & {
  readonly type: number;
  readonly sni?: string;
  readonly alpn?: readonly string[];
};

/** 192.0.2.1 and so on. */
export const peer = (last: number): Pick<ScriptedEvent, 'peer2' | 'peer3'> => ({
  peer2: 0xffff,
  peer3: 0xc0_00_02_00 | last | 0,
});

export const opened = (session: number, more: Partial<ScriptedEvent> = {}): ScriptedEvent => ({
  type: SessionEventType.OPENED,
  session,
  ...peer(1),
  ...more,
});
export const connected = (session: number, elapsedUs = 500): ScriptedEvent => ({
  type: SessionEventType.CONNECTED,
  session,
  elapsedUs,
});
export const connectFailed = (session: number, reason: number, errno = 0): ScriptedEvent => ({
  type: SessionEventType.CONNECT_FAILED,
  session,
  reason,
  errno,
  elapsedUs: 900,
});
export const ended = (session: number, reason: number, more: Partial<ScriptedEvent> = {}): ScriptedEvent => ({
  type: SessionEventType.ENDED,
  session,
  reason,
  flags: SessionFlag.WAS_CONNECTED,
  ...more,
});

/** Writes events and names as the engine does. */
export function fillBatch(events: Int32Array, arena: Uint8Array, batch: readonly ScriptedEvent[]): void {
  let textOffset = 3; // names need not begin at 0
  batch.forEach((event, index) => {
    const base = index * SESSION_EVENT_STRIDE;
    events.fill(0, base, base + SESSION_EVENT_STRIDE);
    const { sni = '', alpn = [], ...words } = event;
    for (const [name, value] of Object.entries(words))
      events[base + SessionField[name as keyof typeof SessionField]] = value;
    const protocols = Buffer.concat(alpn.map((name) => Buffer.from([name.length, ...Buffer.from(name)])));
    arena.set(Buffer.from(sni), textOffset);
    arena.set(protocols, textOffset + sni.length);
    events[base + SessionField.textOffset] = textOffset;
    events[base + SessionField.sniLength] = sni.length;
    events[base + SessionField.alpnLength] = protocols.length;
    textOffset += sni.length + protocols.length;
  });
}

export class ScriptedEngine implements SessionEngine {
  readonly calls: string[] = [];
  readonly listeners = new Map<number, SessionListenerSettings>();
  readonly endpoints = new Map<number, SessionEndpointSettings>();
  readonly mailbox = 7;
  /** What `listen` throws; null: nothing. */
  listenError: Error | null = null;
  figures: SessionEngineStats = {
    sessions: 0,
    queued: 0,
    handshakes: 0,
    endpointConnections: 0,
    heldBytes: 0,
    pipes: 0,
    splicing: 0,
    opened: 0,
    dropped: 0,
    bytesFromClients: 0,
    bytesToClients: 0,
  };

  constructor(readonly options: SessionEngineOptions) {}

  openListener(listener: number, settings: SessionListenerSettings): void {
    this.calls.push(`listener ${listener}`);
    this.listeners.set(listener, settings);
  }
  listen(listener: number, from: { readonly descriptor: number } | ListeningAddress): void {
    this.calls.push(`listen ${listener} ${JSON.stringify(from)}`);
    if (this.listenError !== null) throw this.listenError;
  }
  closeListener = (listener: number): void => void this.calls.push(`close listener ${listener}`);
  stopListening = (): void => void this.calls.push('stop listening');
  openEndpoint(slot: number, addresses: readonly string[], settings: SessionEndpointSettings): void {
    this.calls.push(`endpoint ${slot} ${addresses.join(' ')}`);
    this.endpoints.set(slot, settings);
  }
  setAddresses = (slot: number, addresses: readonly string[]): void =>
    void this.calls.push(`addresses ${slot} ${addresses.join(' ')}`);
  closeEndpoint = (slot: number): void => void this.calls.push(`close endpoint ${slot}`);
  decide = (session: number, slot: number): void => void this.calls.push(`decide ${session} ${slot}`);
  closeSession = (session: number): void => void this.calls.push(`close session ${session}`);
  stats = (): SessionEngineStats => this.figures;
  clientCertificate = (): null => null;
  handshakes = (): readonly number[] => HANDSHAKE_ENDS.map(() => 0);
  close = (): void => void this.calls.push('close');
}

/** A board of one worker, and an upstream with as many endpoints on it. */
export function boardOf(
  endpoints: number,
  parts: Partial<UpstreamPlan> = {},
  listeners = 1,
): { board: Board; worker: WorkerBoard; upstream: UpstreamPlan; slots: readonly number[] } {
  const board = createBoard(
    {
      endpointSlots: endpointSlotsFor(endpoints),
      upstreams: 1,
      turns: 1,
      hashTables: 0,
      hashTableWords: 0,
      queueEntries: 16,
      queues: 1,
      routeBreakers: 0,
      routes: 1,
      workers: 2,
      listeners,
      clientEntries: 64,
    },
    [1, 2],
  );
  const plans = Array.from({ length: endpoints }, (_, index) => ({
    ...endpointPlan('127.0.0.1', 9001 + index, 0),
    ...board.assign(0, { weight: 1, cap: 0, isBackup: false, isResolved: true }),
  }));
  return {
    board,
    worker: attachBoard(board.buffer, 0, board.figures.memoryOf(0)),
    upstream: { ...upstreamPlan(plans), ...parts },
    slots: plans.map(({ slot }) => slot),
  };
}
