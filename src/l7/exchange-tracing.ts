/**
 * Makes each exchange a span of its trace: takes the client's trace over or begins one, tells endpoints, and hands the span on when the
 * exchange is over. One span for all attempts: what is sent to endpoints is written once and held for the next attempt, so that all of
 * them have the exchange's span as their parent; attempts that failed are events of it. Thread: worker.
 */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { KeySource } from '../balancing/key-source.js';
import type { ErrorCode } from '../core/error-catalog.js';
import type { SpanQueue } from '../observability/span-queue.js';
import type { SpanAttributes } from '../observability/span-record.js';
import { DELIVERED, type Ending, type Exchange } from './exchange.js';
import type { ExchangeObserver } from './exchange-recorder.js';
import { type ExchangeTrace, parseTraceParent, passableTraceState, traceParentOf } from './exchange-trace.js';

/** Who the client is, by whatever its listener believes. */
const CLIENT: KeySource = { kind: 'client-ip' };
const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const US_PER_MS = 1_000;
const FIRST_FAILING_STATUS = 500;
/** Events of one span; an exchange has fewer attempts. */
const MOST_FAILURES = 32;

/** What it is made of. */
export interface ExchangeTracingParts {
  /** Of the traces begun here the share that is recorded, 0 to 1. */
  readonly share: number;
  readonly spans: Pick<SpanQueue, 'put'>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** So many random bytes as hex, not all of them 0. */
  readonly randomHex: (bytes: number) => string;
  /** Milliseconds since 1970. */
  readonly wallClockMs: () => number;
}

/** Made only where tracing is on. */
export class ExchangeTracing implements ExchangeObserver {
  readonly #parts: ExchangeTracingParts;

  constructor(parts: ExchangeTracingParts) {
    this.#parts = parts;
  }

  began(exchange: Exchange): void {
    const { share, random, randomHex } = this.#parts;
    const said = exchange.header(TRACEPARENT);
    const parent = said === null ? null : parseTraceParent(said);
    const isSampled = parent?.isSampled ?? (share >= 1 || random() < share);
    const trace: ExchangeTrace = {
      traceId: parent?.traceId ?? randomHex(TRACE_ID_BYTES),
      spanId: randomHex(SPAN_ID_BYTES),
      parentSpanId: parent?.spanId ?? '',
      isSampled,
      client: isSampled ? exchange.keyText(CLIENT) : null,
      failures: [],
    };
    exchange.trace = trace;
    exchange.setHeader(TRACEPARENT, traceParentOf(trace));
    const state = exchange.header(TRACESTATE);
    if (state === null) return;
    // What belongs to a trace that is not taken over means nothing in another one (section 4.3).
    const passable = parent === null ? null : passableTraceState(state);
    if (passable !== state) exchange.setHeader(TRACESTATE, passable);
  }

  attemptFailed({ trace, upstream }: Exchange, endpoint: number, code: ErrorCode): void {
    if (trace === null || !trace.isSampled || upstream === null || trace.failures.length >= MOST_FAILURES) return;
    const { wallClockMs } = this.#parts;
    const name = upstream.plan.name;
    trace.failures.push({ atMs: wallClockMs(), upstream: name, endpoint: upstream.endpointName(endpoint), code });
  }

  ended(exchange: Exchange, ending: Ending): void {
    const { trace } = exchange;
    if (trace === null || !trace.isSampled) return;
    const { traceId, spanId, parentSpanId, failures } = trace;
    const endMs = this.#parts.wallClockMs();
    const { path, requestId, method: said } = exchange.describe();
    const method = said === '' ? '_OTHER' : said;
    const route = exchange.upstream === null ? undefined : exchange.route?.name;
    this.#parts.spans.put({
      traceId,
      spanId,
      parentSpanId,
      // By the conventions: never what a client may choose freely.
      name: route === undefined ? method : `${method} ${route}`,
      startMs: endMs - exchange.totalUs / US_PER_MS,
      endMs,
      isError: ending !== DELIVERED || exchange.status >= FIRST_FAILING_STATUS,
      attributes: attributesOf(exchange, ending, { method, path, requestId }),
      events: failures.map(({ atMs, upstream, endpoint, code }) => ({
        name: 'sluice.attempt_failed',
        atMs,
        attributes: { 'sluice.upstream': upstream, 'sluice.endpoint': endpoint, 'error.type': code },
      })),
    });
  }
}

/** Semantic conventions for HTTP spans, stable since 1.23: https://opentelemetry.io/docs/specs/semconv/http/http-spans/. */
function attributesOf(
  exchange: Exchange,
  ending: Ending,
  words: { readonly method: string; readonly path: string; readonly requestId: string },
): SpanAttributes {
  const { listener, trace, upstream, status, answeredBy, route } = exchange;
  const { bind, trustedProxies } = listener;
  const client = trace?.client ?? undefined;
  const errorType = ending === DELIVERED ? (status >= FIRST_FAILING_STATUS ? String(status) : undefined) : ending;
  const known: Record<string, string | number | boolean | undefined> = {
    'http.request.method': words.method,
    'url.scheme': listener.tls === null ? 'http' : 'https',
    'url.path': words.path === '' ? undefined : words.path,
    'server.address': bind.kind === 'tcp' ? bind.host : bind.path,
    'server.port': bind.kind === 'tcp' ? bind.port : undefined,
    'client.address': client,
    // Behind a proxy that is believed the client is not who is connected.
    'network.peer.address': trustedProxies.length === 0 ? client : undefined,
    'http.response.status_code': status === 0 ? undefined : status,
    'http.route': upstream === null ? undefined : route?.name,
    'error.type': errorType,
    'sluice.listener': listener.name,
    'sluice.upstream': upstream?.plan.name,
    'sluice.request_id': words.requestId,
    'sluice.attempts': exchange.recovery.attemptsBefore + exchange.attempts,
    'sluice.queue_ms': exchange.queueUs === 0 ? undefined : exchange.queueUs / US_PER_MS,
  };
  if (upstream !== null && answeredBy !== NO_ENDPOINT) {
    known['sluice.endpoint'] = upstream.endpointName(answeredBy);
    known['sluice.connection_reused'] = exchange.isReused;
    known['sluice.first_byte_ms'] = exchange.firstByteUs / US_PER_MS;
  }
  return Object.fromEntries(Object.entries(known).filter((entry) => entry[1] !== undefined)) as SpanAttributes;
}
