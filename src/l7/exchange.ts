/** One L7 request and its response, from head to last byte, over all attempts; and what the pipeline asks of a client's side. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import type { TriedSet } from '../balancing/tried-set.js';
import type { Attempting, UpstreamRuntime } from '../balancing/upstream-runtime.js';
import type { L7ListenerPlan } from '../config/plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { NO_BODY } from '../engine/engine.js';
import type { LocalResponse } from './error-response.js';

/**
 * free: not in use · attempting: an attempt runs, nothing of a response has come · relaying: the head has gone to the client ·
 * flushing: the endpoint is done, the client has not taken everything yet · refusing: a local answer is due in a later turn ·
 * broken: the response is being broken off.
 */
export type ExchangeState = 'free' | 'attempting' | 'relaying' | 'flushing' | 'refusing' | 'broken';

/**
 * An exchange; made once, used for one request after the other. The front end fills the request in and calls the pipeline; the
 * pipeline drives the response through the abstract methods. Thread: worker.
 */
export abstract class Exchange implements Attempting {
  state: ExchangeState = 'free';

  // The request, filled in by the front end before Pipeline.begin.
  method = '';
  path = '';
  /** As the engine's `send` takes it. */
  head = '';
  requestId = '';
  /** NO_BODY, CHUNKED_BODY or the length. */
  bodyBytes = NO_BODY;
  /** Of the request's body, so far. */
  receivedBytes = 0;
  isBodyComplete = false;
  /** Where the request ends cannot be trusted enough to take another one from the same connection. */
  isLastOfConnection = false;
  /** The front end's library closes the client's connection behind the answer of its own accord. */
  clientCloses = false;

  // What the pipeline has decided.
  upstream: UpstreamRuntime | null = null;
  exchangeTimeoutMs = 0;
  /** Index in the upstream of the endpoint that is claimed, or NO_ENDPOINT. */
  endpoint = NO_ENDPOINT;
  attempts = 0;
  /** Endpoints whose attempts failed; null: none. */
  tried: TriedSet | null = null;
  /** Of the attempt before the one that runs. */
  lastFailure: ErrorCode = 'SLUICE_INTERNAL';
  /** What will answer an exchange that is refusing. */
  refusal: NodeJS.Immediate | null = null;
  /** Status sent to the client; 0 before that. */
  status = 0;

  /**
   * @param id       the engine's number of this exchange, for the life of this object
   * @param listener where its clients come from
   */
  constructor(
    readonly id: number,
    readonly listener: L7ListenerPlan,
  ) {}

  /** Writes a whole response of the proxy's own. Ends the client's side. */
  abstract sendLocal(response: LocalResponse, mustClose: boolean): void;

  /**
   * Writes the head of an endpoint's response and what of its body came along.
   *
   * @param head "200 OK\r\nname: value…", valid during the call only
   * @param body valid during the call only
   * @param totalBytes length of the body, UNKNOWN_LENGTH, or BODYLESS for a response that has none by rule
   * @param isLast the response is complete with this call
   * @param mustClose the client's connection may not be used again
   * @returns false: the client is slow; send no more until `Pipeline.clientReady`
   */
  abstract sendHead(
    head: Uint8Array,
    body: Uint8Array,
    totalBytes: number,
    isLast: boolean,
    mustClose: boolean,
  ): boolean;

  /** Writes more of the body. @returns as sendHead */
  abstract sendBody(body: Uint8Array, isLast: boolean): boolean;

  /** Whether the client's side has everything that was given to it; once true, the response may not be touched any more. */
  abstract get isFlushed(): boolean;

  /** Breaks the response off so that the client cannot take it for complete. */
  abstract breakOff(): void;

  /** Stops or resumes reading the request's body. */
  abstract pauseRequest(): void;
  abstract resumeRequest(): void;

  /** Gives the object back to the front end. */
  abstract recycle(): void;

  /** Forgets the request. The pipeline has settled everything before. */
  reset(): void {
    this.state = 'free';
    this.upstream = null;
    this.endpoint = NO_ENDPOINT;
    this.head = '';
    this.bodyBytes = NO_BODY;
    this.receivedBytes = 0;
    this.isBodyComplete = false;
    this.isLastOfConnection = false;
    this.clientCloses = false;
    this.refusal = null;
    this.attempts = 0;
    this.tried = null;
    this.status = 0;
  }
}

/** Length of a body that ends with its last chunk or with the connection. */
export const UNKNOWN_LENGTH = -1;
/** No body by rule: HEAD, 204, 304. */
export const BODYLESS = -2;

/** Why an exchange ended, for the record: DELIVERED, or the code of what went wrong. */
export type Ending = typeof DELIVERED | ErrorCode;
export const DELIVERED = 'DELIVERED';
