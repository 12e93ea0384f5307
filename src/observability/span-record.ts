/** A finished span as a worker tells it to the primary, which exports it. Plain data. */

/** What spans tell of: by the semantic conventions of OpenTelemetry, or beginning with `sluice.`. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that happened while the span lasted. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly attributes: SpanAttributes;
}

/** One exchange, as a span of kind SERVER. */
export interface SpanRecord {
  /** 32 and 16 digits of hex. */
  readonly traceId: string;
  readonly spanId: string;
  /** '': the trace begins with this span. */
  readonly parentSpanId: string;
  readonly name: string;
  /** Milliseconds since 1970, with a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
  readonly attributes: SpanAttributes;
  readonly events: readonly SpanEvent[];
}
