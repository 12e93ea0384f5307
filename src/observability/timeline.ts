/** What happened lately, for people who look at the proxy: events of the log that matter, bursts of the same one told together. */
import { ERROR_CATALOG, type ErrorCode } from '../core/error-catalog.js';
import type { Cancel, Timers } from '../core/timers.js';
import type { TimelineEntry } from './live-figures.js';
import { LOG_EVENTS, type LogEvent } from './log-events.js';

/** Entries that are kept; a page that was away for longer than they last asks the log. */
export const TIMELINE_LENGTH = 500;

/** The same event of the same endpoint within this is one entry with a count. */
const BURST_MS = 1_000;
/** A burst that goes on is told at longer and longer intervals, up to this: or 200 failing endpoints would fill the timeline in 3 s. */
const LONGEST_BURST_MS = 10_000;
/** Bursts that are told apart; those beyond are one for each event. */
const MOST_BURSTS = 1_000;
/** Characters of a sentence that are kept. */
const LONGEST_TEXT = 500;

/** Events of level info that stand in the timeline; of level warn and above all do. */
const QUIET_EVENTS = new Set<LogEvent>([
  'ready',
  'signal',
  'reload-begun',
  'reloaded',
  'reload-unchanged',
  'worker-restarting',
  'worker-serving',
  'worker-unstuck',
  'endpoint-healthy',
  'endpoint-unhealthy',
  'panic-over',
  'endpoint-on-trial',
  'endpoint-returned',
  'breaker-half-open',
  'breaker-closed',
  'endpoint-draining',
  'endpoint-drained',
  'endpoint-enabled',
  'endpoint-disabled',
  'endpoint-weight',
  'name-resolved',
  'addresses-changed',
  'agent-said',
  'agent-answers',
  'accepting-resumed',
]);

/** Lines of these levels never stand in it and are not even parsed. Every line of the logger begins with its level. */
const UNHEARD = ['{"level":"debug"', '{"level":"trace"'];

/** An entry that has no number yet. */
type Happened = Omit<TimelineEntry, 'id' | 'count'>;

/** What is told of an event that keeps happening. */
interface Burst {
  /** The latest one since the last entry; null: none. */
  latest: Happened | null;
  count: number;
  intervalMs: number;
  cancel: Cancel;
}

/** What the timeline needs from outside. */
export interface TimelineOptions {
  readonly timers: Timers;
}

/**
 * The first of a burst is told at once, those that follow as one entry when its second is over.
 *
 * Fed with whole lines of the log, of all threads, before the level of the log decides which of them are written (LogGate).
 * Thread: primary.
 */
export class Timeline {
  readonly #timers: Timers;
  readonly #entries: TimelineEntry[] = [];
  readonly #bursts = new Map<string, Burst>();
  readonly #listeners = new Set<(entry: TimelineEntry) => void>();
  /** Since the start of the process: how often, and when last, by Date.now(). */
  readonly #counts = new Map<LogEvent, number>();
  readonly #lastAt = new Map<LogEvent, number>();
  #latestId = 0;

  constructor({ timers }: TimelineOptions) {
    this.#timers = timers;
  }

  /** Takes one line of the log; ignores what does not matter here, and what is no line of ours. */
  hear(line: string): void {
    if (UNHEARD.some((start) => line.startsWith(start))) return;
    const heard = readLine(line);
    if (heard === null) return;
    const { happened, count } = heard;
    this.#counts.set(happened.event, this.countOf(happened.event) + count);
    this.#lastAt.set(happened.event, happened.at);
    const key = this.#keyOf(happened);
    const burst = this.#bursts.get(key);
    if (burst === undefined) {
      this.#tell(happened, count);
      this.#expectMore(key, BURST_MS);
      return;
    }
    burst.latest = happened;
    burst.count += count;
  }

  /** How many entries there have been since the start of the process; the id of the latest one. */
  get latestId(): number {
    return this.#latestId;
  }

  /** How often each event has come since the start of the process; those that never did are absent. */
  get counts(): ReadonlyMap<LogEvent, number> {
    return this.#counts;
  }

  /** How often an event has come. */
  countOf(event: LogEvent): number {
    return this.#counts.get(event) ?? 0;
  }

  /** When it last came, in ms since 1970; undefined: never. */
  lastAt(event: LogEvent): number | undefined {
    return this.#lastAt.get(event);
  }

  /** Those with a higher id than this, of the last TIMELINE_LENGTH; the oldest first. */
  entries(sinceId = 0): readonly TimelineEntry[] {
    const first = this.#entries.findIndex(({ id }) => id > sinceId);
    return first < 0 ? [] : this.#entries.slice(first);
  }

  /** Calls `listener` for each new entry. @returns what ends that */
  onEntry(listener: (entry: TimelineEntry) => void): () => void {
    const own = (entry: TimelineEntry): void => listener(entry);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Waits for nothing any more; what is still held back is told now. Idempotent. */
  close(): void {
    for (const { latest, count, cancel } of this.#bursts.values()) {
      cancel();
      if (latest !== null) this.#tell(latest, count);
    }
    this.#bursts.clear();
  }

  #expectMore(key: string, intervalMs: number): void {
    const cancel = this.#timers.after(intervalMs, () => {
      const burst = this.#bursts.get(key);
      this.#bursts.delete(key);
      if (burst?.latest == null) return;
      this.#tell(burst.latest, burst.count);
      this.#expectMore(key, Math.min(2 * intervalMs, LONGEST_BURST_MS));
    });
    this.#bursts.set(key, { latest: null, count: 0, intervalMs, cancel });
  }

  #keyOf({ event, upstream, endpoint, code }: Happened): string {
    const key = JSON.stringify([event, upstream, endpoint, code]);
    return this.#bursts.size < MOST_BURSTS || this.#bursts.has(key) ? key : event;
  }

  #tell(happened: Happened, count: number): void {
    this.#latestId += 1;
    const entry: TimelineEntry = { id: this.#latestId, ...happened, count };
    this.#entries.push(entry);
    if (this.#entries.length > TIMELINE_LENGTH) this.#entries.shift();
    for (const listener of this.#listeners) listener(entry);
  }
}

/** null: no line of ours, or one that does not matter here. */
function readLine(line: string): { readonly happened: Happened; readonly count: number } | null {
  const facts = parsed(line);
  const event = facts?.event;
  const level = levelOf(facts?.level);
  if (facts === null || level === null || !isEvent(event)) return null;
  if (level === 'info' && !QUIET_EVENTS.has(event)) return null;
  const suppressed = typeof facts.suppressed === 'number' ? facts.suppressed : 0; // of FailureLog
  const at = Date.parse(String(facts.time));
  return {
    happened: {
      at: Number.isNaN(at) ? Date.now() : at,
      level,
      event,
      text: String(facts.msg ?? LOG_EVENTS[event]).slice(0, LONGEST_TEXT),
      code: isErrorCode(facts.code) ? facts.code : null,
      upstream: textOrNull(facts.upstream),
      endpoint: textOrNull(facts.endpoint),
    },
    count: 1 + suppressed,
  };
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function levelOf(level: unknown): TimelineEntry['level'] | null {
  return level === 'info' || level === 'warn' || level === 'error' || level === 'fatal' ? level : null;
}

function isEvent(event: unknown): event is LogEvent {
  return typeof event === 'string' && Object.hasOwn(LOG_EVENTS, event);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CATALOG, code);
}

function textOrNull(fact: unknown): string | null {
  return typeof fact === 'string' ? fact : null;
}
