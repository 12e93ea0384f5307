/** Streams of GET /api/v1/live: figures each second, what happens, reloads; as server-sent events (HTML Living Standard, 9.2). */
import type { ServerResponse } from 'node:http';
import type { Cancel, Timers } from '../../core/timers.js';
import type { TimelineEntry } from '../../observability/live-figures.js';
import type { AdminSource, ReloadReport } from './admin-source.js';

/** Dashboards and terminals that watch at the same time. */
export const MOST_STREAMS = 16;
/** A reader that has more than this still to take gets nothing new: figures are skipped, entries are caught up with later. */
const MOST_UNTAKEN_BYTES = 256 * 1024;
/** A reader that takes nothing for so long is gone, or as good as gone. */
const STALL_LIMIT_MS = 30_000;
/** A comment is sent after so much silence, so that nobody in between takes the connection for dead. */
const HEARTBEAT_MS = 15_000;
/** Pause before a browser's EventSource comes back. */
const RETRY_MS = 2_000;

/** What the streams need from outside. */
export interface LiveStreamsOptions {
  readonly source: Pick<AdminSource, 'live' | 'timeline' | 'onReloaded'>;
  readonly timers: Timers;
  /** A clock that does not jump. */
  readonly nowMs: () => number;
  /** Of this process: ids of entries of another one mean nothing here. */
  readonly processId: string;
}

/** What a reader wants. */
export interface StreamWish {
  /** Figures and nothing else. */
  readonly onlyFigures: boolean;
  /** Last-Event-ID; '' without. */
  readonly lastEventId: string;
  /** May who asked still watch? Asked after each reload, which may have taken the token away that let it in. */
  readonly isAllowed: () => boolean;
}

/** All open streams. Figures are written as text once for all of them. Thread: primary. */
export class LiveStreams {
  readonly #options: LiveStreamsOptions;
  readonly #streams = new Set<LiveStream>();
  #stopListening: () => void = () => {};
  #cancelWatch: Cancel = () => {};
  #isClosed = false;

  constructor(options: LiveStreamsOptions) {
    this.#options = options;
  }

  /** May one more be opened? */
  get hasRoom(): boolean {
    return !this.#isClosed && this.#streams.size < MOST_STREAMS;
  }

  /** Open now. */
  get count(): number {
    return this.#streams.size;
  }

  /** Begins a stream on a response whose head has not been written; it ends with the connection. @param headers of the head */
  open(response: ServerResponse, headers: Readonly<Record<string, string>>, wish: StreamWish): void {
    response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8' });
    response.socket?.setNoDelay(true);
    const { source, nowMs, processId } = this.#options;
    const stream = new LiveStream(response, nowMs, {
      processId,
      entries: wish.onlyFigures ? () => [] : (sinceId) => source.timeline.entries(sinceId),
      latestId: firstUnknown(wish.lastEventId, processId),
      takesReloads: !wish.onlyFigures,
      isAllowed: wish.isAllowed,
    });
    this.#streams.add(stream);
    response.once('close', () => this.#forget(stream));
    if (this.#streams.size === 1) this.#listen();
    stream.write(`retry: ${RETRY_MS}\n\n`);
    stream.catchUp();
    stream.figures(eventText('figures', source.live.now()));
  }

  /** Ends all of them; none is opened any more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
    this.#rest();
  }

  #forget(stream: LiveStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#rest();
  }

  #rest(): void {
    this.#stopListening();
    this.#stopListening = () => {};
    this.#cancelWatch();
  }

  /** While somebody reads. */
  #listen(): void {
    const { source } = this.#options;
    const endings = [
      source.live.onFigures((figures) => {
        const text = eventText('figures', figures);
        for (const stream of this.#streams) stream.figures(text);
      }),
      source.timeline.onEntry(() => {
        for (const stream of this.#streams) stream.catchUp();
      }),
      source.onReloaded((report) => {
        for (const stream of this.#streams) {
          if (stream.isAllowed) stream.reloaded(report);
          else stream.end();
        }
      }),
    ];
    this.#stopListening = () => {
      for (const end of endings) end();
    };
    this.#watch();
  }

  /** Looks after readers that take nothing, and after silence. */
  #watch(): void {
    this.#cancelWatch = this.#options.timers.after(HEARTBEAT_MS / 3, () => {
      for (const stream of this.#streams) stream.look();
      if (this.#streams.size > 0) this.#watch();
    });
  }
}

/** What a stream tells besides figures. */
interface Telling {
  readonly processId: string;
  readonly entries: (sinceId: number) => readonly TimelineEntry[];
  /** Of the entries that the reader has. */
  readonly latestId: number;
  readonly takesReloads: boolean;
  readonly isAllowed: () => boolean;
}

/** One reader. Nothing is kept for it but where it stands: the timeline is the buffer. */
class LiveStream {
  readonly #response: ServerResponse;
  readonly #nowMs: () => number;
  readonly #telling: Telling;
  #latestId: number;
  /** The last reload that the reader has not been told of; null: none. */
  #untold: ReloadReport | null = null;
  #wroteAt: number;
  /** Since when it has had too much to take; null: it keeps up. */
  #stalledAt: number | null = null;

  constructor(response: ServerResponse, nowMs: () => number, telling: Telling) {
    this.#response = response;
    this.#nowMs = nowMs;
    this.#telling = telling;
    this.#latestId = telling.latestId;
    this.#wroteAt = nowMs();
    response.on('drain', () => {
      this.#stalledAt = null;
      this.catchUp();
    });
  }

  get isAllowed(): boolean {
    return this.#telling.isAllowed();
  }

  /** Skipped where the reader lags: the next ones say more. */
  figures(text: string): void {
    if (this.#keepsUp()) this.write(text);
  }

  /** Entries that the reader has not got yet, as far as it keeps up. */
  catchUp(): void {
    for (const entry of this.#telling.entries(this.#latestId)) {
      if (!this.#keepsUp()) return;
      this.#latestId = entry.id;
      this.write(`id: ${this.#telling.processId}-${entry.id}\n${eventText('happened', entry)}`);
    }
    if (this.#untold !== null && this.#keepsUp()) {
      this.write(eventText('reloaded', this.#untold));
      this.#untold = null;
    }
  }

  reloaded(report: ReloadReport): void {
    if (!this.#telling.takesReloads) return;
    this.#untold = report;
    this.catchUp();
  }

  /** Ends a reader that takes nothing; breaks a silence. */
  look(): void {
    const nowMs = this.#nowMs();
    this.#keepsUp();
    if (this.#stalledAt !== null && nowMs - this.#stalledAt > STALL_LIMIT_MS) this.#response.destroy();
    else if (this.#stalledAt === null && nowMs - this.#wroteAt >= HEARTBEAT_MS) this.write(': alive\n\n');
  }

  write(text: string): void {
    this.#wroteAt = this.#nowMs();
    this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }

  #keepsUp(): boolean {
    const keepsUp = this.#response.writableLength <= MOST_UNTAKEN_BYTES;
    if (keepsUp) this.#stalledAt = null;
    else this.#stalledAt ??= this.#nowMs();
    return keepsUp;
  }
}

/** JSON has no line breaks of its own, so that one line of data is all of it. */
function eventText(event: 'figures' | 'happened' | 'reloaded', data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** @returns the id of the last entry that the reader has; 0: it has none of this process */
function firstUnknown(lastEventId: string, processId: string): number {
  const [, id] = lastEventId.startsWith(`${processId}-`) ? (/-(\d{1,15})$/.exec(lastEventId) ?? []) : [];
  return id === undefined ? 0 : Number(id);
}
