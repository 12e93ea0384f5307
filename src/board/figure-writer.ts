/** What a worker records of exchanges and sessions, in the memory that is its own: counters, errors and latencies of everything that has a record. */
import type { ErrorCode } from '../core/error-catalog.js';
import {
  EndpointFlow,
  ErrorCounts,
  type FigureKind,
  grpcField,
  LATENCIES,
  ListenerFlow,
  RouteFlow,
} from './figures-layout.js';
import type { MappedFigures } from './figures-memory.js';
import { LatencyPages } from './latency-pages.js';

const ENDPOINT = EndpointFlow.field;
const FLOW = RouteFlow.field; // the same fields for routes, listeners and upstreams
const ERROR = ErrorCounts.field;
/** A tunnel: how long it lasts says nothing of latency. */
const SWITCHING_PROTOCOLS = 101;

/** What is recorded of an exchange that has ended; an Exchange is one. Times in µs. */
export interface EndedExchange {
  /** Sent to the client; 0: none. */
  readonly status: number;
  /** Index of the endpoint whose answer its client got; below 0: nobody's. */
  readonly answeredBy: number;
  readonly firstByteUs: number;
  readonly totalUs: number;
  /** 0: it did not wait. */
  readonly queueUs: number;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
}

/** What is recorded of a session that has ended. */
export interface EndedSession {
  readonly durationUs: number;
  readonly queueUs: number;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
}

/**
 * HOT (bench/micro/l7/recording.bench.ts): plain adds by the only writer, no allocation. Thread: the worker whose memory it is; as with
 * WorkerStripe, readers see figures of slightly different moments.
 */
export class FigureWriter {
  readonly endpoints: EndpointFigureWriter;
  readonly routes: FlowFigureWriter;
  readonly listeners: FlowFigureWriter;
  readonly upstreams: FlowFigureWriter;
  readonly handshakes: HandshakeFigureWriter;
  readonly http2: Http2FigureWriter;

  constructor(figures: MappedFigures) {
    const pages = new LatencyPages(figures);
    this.endpoints = new EndpointFigureWriter(figures, pages);
    this.routes = new FlowFigureWriter(figures, pages, 'route');
    this.listeners = new FlowFigureWriter(figures, pages, 'listener');
    this.upstreams = new FlowFigureWriter(figures, pages, 'upstream');
    this.handshakes = new HandshakeFigureWriter(figures);
    this.http2 = new Http2FigureWriter(figures);
  }
}

/** Of endpoints, by slot. Every method is HOT. */
export class EndpointFigureWriter {
  readonly #float64: Float64Array;
  readonly #pages: LatencyPages;
  readonly #flows: number;
  readonly #errors: number;
  readonly #directories: number;

  constructor({ float64, layout }: MappedFigures, pages: LatencyPages) {
    this.#float64 = float64;
    this.#pages = pages;
    this.#flows = layout.flows.endpoint.base;
    this.#errors = layout.errors.endpoint.base;
    this.#directories = layout.directories.endpoint.base;
  }

  /**
   * The head of an attempt's answer has come.
   *
   * @param connectUs of its new connection; 0 where it is reused
   */
  answered(slot: number, status: number, isReused: boolean, connectUs: number, firstByteUs: number): void {
    const flow = this.#flows + slot * EndpointFlow.words;
    this.#add(flow + ENDPOINT.responses1xx + statusClassOf(status), 1);
    const directories = this.#directories + slot * LATENCIES.endpoint.length;
    if (isReused) this.#add(flow + ENDPOINT.reuses, 1);
    else {
      this.#add(flow + ENDPOINT.connects, 1);
      this.#pages.record(directories + CONNECT, connectUs);
    }
    this.#pages.record(directories + FIRST_BYTE, firstByteUs);
  }

  /** A call of gRPC has ended. @param word of src/core/grpc-status.ts, above 0 */
  grpcEnded(slot: number, word: number): void {
    this.#add(this.#flows + slot * EndpointFlow.words + GRPC_OK + word - 1, 1);
  }

  /** The connection of a session is there. */
  connected(slot: number, connectUs: number): void {
    this.#add(this.#flows + slot * EndpointFlow.words + ENDPOINT.connects, 1);
    this.#pages.record(this.#directories + slot * LATENCIES.endpoint.length + CONNECT, connectUs);
  }

  /** The last byte of an answer that its client gets has come. */
  completed(slot: number, totalUs: number): void {
    this.#pages.record(this.#directories + slot * LATENCIES.endpoint.length + TOTAL, totalUs);
  }

  /** An attempt has failed; whose fault it was says the catalogue. */
  failed(slot: number, code: ErrorCode): void {
    this.#add(this.#errors + slot * ErrorCounts.words + ERROR[code], 1);
  }

  /** What was served here has ended. @param queueUs 0: it had not waited */
  served(slot: number, queueUs: number, bytesFromClient: number, bytesToClient: number): void {
    const flow = this.#flows + slot * EndpointFlow.words;
    this.#add(flow + ENDPOINT.bytesFromClients, bytesFromClient);
    this.#add(flow + ENDPOINT.bytesToClients, bytesToClient);
    if (queueUs === 0) return;
    this.#add(flow + ENDPOINT.queueWaits, 1);
    this.#pages.record(this.#directories + slot * LATENCIES.endpoint.length + QUEUE, queueUs);
  }

  #add(index: number, amount: number): void {
    this.#float64[index] = (this.#float64[index] as number) + amount; // inside this memory
  }
}

const GRPC_OK = ENDPOINT[grpcField('OK')];
const FIRST_BYTE = LATENCIES.endpoint.indexOf('firstByte');
const TOTAL = LATENCIES.endpoint.indexOf('total');
const CONNECT = LATENCIES.endpoint.indexOf('connect');
const QUEUE = LATENCIES.endpoint.indexOf('queue');

/** Of routes, listeners or upstreams, by record or number, when what went there has ended. Every method is HOT. */
export class FlowFigureWriter {
  readonly #float64: Float64Array;
  readonly #pages: LatencyPages;
  readonly #flows: number;
  readonly #errors: number;
  readonly #directories: number;
  readonly #stride: number;
  readonly #histograms: number;
  /** Places of the histograms in the row of one record; -1: this kind has none of it. */
  readonly #firstByte: number;
  readonly #total: number;
  readonly #queue: number;

  constructor({ float64, layout }: MappedFigures, pages: LatencyPages, kind: Exclude<FigureKind, 'endpoint'>) {
    const latencies: readonly string[] = LATENCIES[kind];
    this.#float64 = float64;
    this.#pages = pages;
    this.#flows = layout.flows[kind].base;
    this.#stride = layout.flows[kind].stride;
    this.#errors = layout.errors[kind].base;
    this.#directories = layout.directories[kind].base;
    this.#histograms = latencies.length;
    this.#firstByte = latencies.indexOf('firstByte');
    this.#total = latencies.indexOf('total');
    this.#queue = latencies.indexOf('queue');
  }

  /** @param retries attempts beyond the first, a hedge included */
  exchangeEnded(number: number, exchange: EndedExchange, retries: number, isHedged: boolean): void {
    const flow = this.#flows + number * this.#stride;
    const directories = this.#directories + number * this.#histograms;
    const { status, queueUs } = exchange;
    this.#add(flow + FLOW.exchanges, 1);
    this.#add(flow + FLOW.bytesFromClients, exchange.bytesFromClient);
    this.#add(flow + FLOW.bytesToClients, exchange.bytesToClient);
    if (status !== 0) {
      this.#add(flow + FLOW.responses1xx + statusClassOf(status), 1);
      if (this.#firstByte >= 0 && exchange.answeredBy >= 0)
        this.#pages.record(directories + this.#firstByte, exchange.firstByteUs);
      if (this.#total >= 0 && status !== SWITCHING_PROTOCOLS)
        this.#pages.record(directories + this.#total, exchange.totalUs);
    }
    if (retries > 0) this.#add(flow + FLOW.retries, retries);
    if (isHedged) this.#add(flow + FLOW.hedges, 1);
    if (queueUs > 0) this.#waited(flow, directories, queueUs);
  }

  /** @param retries attempts beyond the first */
  sessionEnded(number: number, session: EndedSession, retries: number): void {
    const flow = this.#flows + number * this.#stride;
    const directories = this.#directories + number * this.#histograms;
    this.#add(flow + FLOW.sessions, 1);
    this.#add(flow + FLOW.bytesFromClients, session.bytesFromClient);
    this.#add(flow + FLOW.bytesToClients, session.bytesToClient);
    if (this.#total >= 0) this.#pages.record(directories + this.#total, session.durationUs);
    if (retries > 0) this.#add(flow + FLOW.retries, retries);
    if (session.queueUs > 0) this.#waited(flow, directories, session.queueUs);
  }

  /** Beside exchangeEnded or sessionEnded: it ended with this error. */
  failed(number: number, code: ErrorCode): void {
    this.#add(this.#flows + number * this.#stride + FLOW.failures, 1);
    this.#add(this.#errors + number * ErrorCounts.words + ERROR[code], 1);
  }

  #waited(flow: number, directories: number, queueUs: number): void {
    this.#add(flow + FLOW.queueWaits, 1);
    this.#pages.record(directories + this.#queue, queueUs);
  }

  #add(index: number, amount: number): void {
    this.#float64[index] = (this.#float64[index] as number) + amount; // inside this memory
  }
}

/** Of listeners by number: TLS handshakes with clients. */
export class HandshakeFigureWriter {
  readonly #float64: Float64Array;
  readonly #first: number;
  readonly #stride: number;

  constructor({ float64, layout }: MappedFigures) {
    const { base, stride } = layout.flows.listener;
    this.#float64 = float64;
    this.#first = base + ListenerFlow.field.handshakes;
    this.#stride = stride;
  }

  /** So many more have ended so. @param end place in HANDSHAKE_ENDS */
  ended(number: number, end: number, count: number): void {
    const index = this.#first + number * this.#stride + end;
    this.#float64[index] = (this.#float64[index] as number) + count; // inside this memory
  }
}

/** Of listeners by number: HTTP/2 with clients. */
export class Http2FigureWriter {
  readonly #float64: Float64Array;
  readonly #base: number;
  readonly #stride: number;

  constructor({ float64, layout }: MappedFigures) {
    const { base, stride } = layout.flows.listener;
    this.#float64 = float64;
    this.#base = base;
    this.#stride = stride;
  }

  /** So many more have come, and so many more been refused. */
  streams(number: number, begun: number, refused: number): void {
    this.#add(number, ListenerFlow.field.http2Streams, begun);
    this.#add(number, ListenerFlow.field.http2RefusedStreams, refused);
  }

  /** A client's connection was ended for a broken rule. */
  broke(number: number): void {
    this.#add(number, ListenerFlow.field.http2Errors, 1);
  }

  /** A client's connection was ended for a flood. @param flood place in HTTP2_FLOODS */
  flooded(number: number, flood: number): void {
    this.#add(number, ListenerFlow.field.http2Floods + flood, 1);
  }

  #add(number: number, field: number, count: number): void {
    const index = this.#base + number * this.#stride + field;
    this.#float64[index] = (this.#float64[index] as number) + count; // inside this memory
  }
}

/** 0 for 1xx to 4 for 5xx; what is none of them counts as 5xx. */
function statusClassOf(status: number): number {
  return status < 200 ? 0 : status < 300 ? 1 : status < 400 ? 2 : status < 500 ? 3 : 4;
}
