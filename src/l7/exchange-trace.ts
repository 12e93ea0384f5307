/** What one exchange is in a trace: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/). */

/** The part of a trace that an exchange is. */
export interface ExchangeTrace {
  /** 32 digits of hex. */
  readonly traceId: string;
  /** Of the exchange's own span: 16 digits. */
  readonly spanId: string;
  /** Of the span that the client was in; '': the trace begins here. */
  readonly parentSpanId: string;
  /** Its spans are recorded, by the client's decision or ours. */
  readonly isSampled: boolean;
  /** Address of the client; null: not known, or not sampled. */
  readonly client: string | null;
  /** Attempts that failed, in their order. */
  readonly failures: AttemptFailure[];
}

/** An attempt that failed, as the span of its exchange tells it. */
export interface AttemptFailure {
  readonly atMs: number;
  readonly upstream: string;
  readonly endpoint: string;
  readonly code: string;
}

/** A client's traceparent, taken apart. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

const SAMPLED = 1;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const INVALID_VERSION = 'ff';
const VERSION = '00';

/**
 * Reads a traceparent (section 3.2). Higher versions are read by what version 00 has, and may have more behind it. Pure.
 *
 * @param value several fields are joined by ", ", which is malformed
 * @returns null: malformed; the trace begins anew
 */
export function parseTraceParent(value: string): TraceParent | null {
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(value) ?? [];
  if (version === '' || version === INVALID_VERSION || (version === VERSION && rest !== undefined)) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** The field that endpoints get. */
export function traceParentOf({ traceId, spanId, isSampled }: TraceParent): string {
  return `${VERSION}-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Members of a list that are at most so many (section 3.3.1.1). */
const MOST_MEMBERS = 32;
/** What has to be passed on at the least (section 3.3.1.5); more is passed on, too, up to what a field of a head may be here. */
const MOST_STATE_BYTES = 8_192;
const KEY = /^(?:[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Reads a tracestate (section 3.3). Pure.
 *
 * @param value several fields are joined by ", ", which makes one list
 * @returns it in its shortest form; null: malformed, or empty, and it is dropped
 */
export function passableTraceState(value: string): string | null {
  if (value.length > MOST_STATE_BYTES) return null;
  const members = value
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  const keys = new Set<string>();
  for (const member of members) {
    const equals = member.indexOf('=');
    const key = member.slice(0, Math.max(equals, 0));
    if (!KEY.test(key) || !VALUE.test(member.slice(equals + 1)) || keys.has(key)) return null;
    keys.add(key);
  }
  return members.length === 0 || members.length > MOST_MEMBERS ? null : members.join(',');
}
