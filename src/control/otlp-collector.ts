/** Sends spans with OpenTelemetry's own exporter; the one place that names its packages. Thread: primary. */
import type { HrTime } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { TracingPlan } from '../config/observing-plan.js';
import type { SpanRecord } from '../observability/span-record.js';
import type { SpanCollector } from './span-export.js';

/** A collector that does not answer for so long has not taken the spans. */
const SEND_TIMEOUT_MS = 10_000;
const MS_PER_S = 1_000;
const NS_PER_MS = 1_000_000;
const SERVICE_NAME = 'service.name';
const SCOPE = { name: 'sluice' };

// Numbers of @opentelemetry/api, which is not loaded for them.
const SPAN_KIND_SERVER = 1;
const STATUS_UNSET = 0;
const STATUS_ERROR = 2;
const SAMPLED = 1;
const EXPORT_SUCCESS = 0;

/** Loads the packages. Rejects where they are not installed. */
export async function openOtlpCollector({ endpoint, headers, service }: TracingPlan): Promise<SpanCollector> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const resource = resourceFromAttributes({ [SERVICE_NAME]: service });
  const exporter = new OTLPTraceExporter({ url: endpoint, headers: { ...headers }, timeoutMillis: SEND_TIMEOUT_MS });
  return {
    send: (spans) =>
      new Promise((resolve, reject) => {
        exporter.export(
          spans.map((span) => readableSpan(span, resource)),
          ({ code, error }) => {
            if (code === EXPORT_SUCCESS) resolve();
            else reject(error ?? new Error('the collector refused them'));
          },
        );
      }),
    close: () => exporter.shutdown(),
  };
}

function readableSpan(span: SpanRecord, resource: ReadableSpan['resource']): ReadableSpan {
  const { traceId, spanId, parentSpanId, name, startMs, endMs, isError, attributes, events } = span;
  const contextOf = (id: string) => ({ traceId, spanId: id, traceFlags: SAMPLED });
  return {
    name,
    kind: SPAN_KIND_SERVER,
    spanContext: () => contextOf(spanId),
    ...(parentSpanId === '' ? {} : { parentSpanContext: { ...contextOf(parentSpanId), isRemote: true } }),
    startTime: hrTimeOf(startMs),
    endTime: hrTimeOf(endMs),
    duration: hrTimeOf(endMs - startMs),
    status: { code: isError ? STATUS_ERROR : STATUS_UNSET },
    attributes: { ...attributes },
    links: [],
    events: events.map((event) => ({
      name: event.name,
      time: hrTimeOf(event.atMs),
      attributes: { ...event.attributes },
    })),
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. @param ms since 1970, or of a duration */
function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / MS_PER_S);
  return [seconds, Math.round((ms - seconds * MS_PER_S) * NS_PER_MS)];
}
