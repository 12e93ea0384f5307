/** An exchange whose bytes pass through TypeScript: what the relay asks of a client's side, and how its attempts are sent. */
import type { PickKey } from '../balancing/balancer.js';
import type { KeySource } from '../balancing/key-source.js';
import type { L7ListenerPlan } from '../config/plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { BODY_HIGH_WATER, type Engine, HEDGE_OFFSET, NO_BODY, SendFlag, SendResult } from '../engine/engine.js';
import { isIdempotent } from '../policies/request-passage.js';
import type { AskedResponse, AskedResponses } from './asked-response.js';
import { type AttemptStart, BEGUN, Exchange, NO_POOL } from './exchange.js';
import { parseTraceParent } from './exchange-trace.js';
import type { LogTexts } from './log-texts.js';
import type { RequestDescription, RequestUrl } from './request-url.js';
import { headWith, headWithHsts, ResponseFields } from './response-fields.js';

/** Finds keys of a request while its handler runs. */
export interface RequestKeys {
  /** As Exchange.hashKey. */
  hash(source: KeySource, isCrc: boolean, key: PickKey): boolean;
  /** As Exchange.keyText. */
  text(source: KeySource): string | null;
}

/** What of a request's body came while the request waited for a place, and the engine did not have it yet. */
interface EarlyBody {
  readonly chunks: ArrayBuffer[];
  bytes: number;
  isWhole: boolean;
}

/** Thread: worker. */
export abstract class RelayedExchange extends Exchange {
  // The request, filled in by the front end before ResponseRelay.begin.
  path = '';
  requestId = '';
  /** Address of the client. */
  client = '';
  /** Of the request; null: its handler has returned. */
  requestKeys: RequestKeys | null = null;
  /** As the engine's `send` takes it. */
  head = '';
  /** NO_BODY, CHUNKED_BODY or the length. */
  bodyBytes = NO_BODY;
  /** Of the request's body, so far. */
  receivedBytes = 0;
  isBodyComplete = false;
  /** Where the request ends cannot be trusted enough to take another one from the same connection. */
  isLastOfConnection = false;
  /** Its listener has gone from the plan: its connection ends behind the answer. */
  isListenerGone = false;
  /** The front end's library closes the client's connection behind the answer of its own accord. */
  clientCloses = false;
  /** What will answer an exchange that is refusing. */
  refusal: NodeJS.Immediate | null = null;

  // Its attempts in the engine, which are numbered by `id` and its hedge number: either may be the one that is left.
  /** The engine has been given the request. */
  isBegun = false;
  /** Number of the attempt that the pipeline takes for the first: of two, the other is the hedge. */
  firstNumber: number;
  /** Number of the attempt that counts; while both run, the first. */
  attemptNumber: number;
  /** Both run. */
  isHedged = false;
  /** What waits for the pipeline's decision; null: nothing. */
  asked: AskedResponse | null = null;
  /** Set by who registers the exchange, before its first request. */
  askedResponses: AskedResponses<RelayedExchange> | null = null;
  #early: EarlyBody | null = null;
  /** What the proxy adds to the response; null: nothing. */
  #added: ResponseFields | null = null;
  readonly #engine: Engine;

  constructor(id: number, listener: L7ListenerPlan, engine: Engine) {
    super(id, listener);
    this.#engine = engine;
    this.firstNumber = id;
    this.attemptNumber = id;
  }

  override describe(): RequestDescription {
    return this;
  }

  override url(): RequestUrl {
    const { head, method } = this;
    const target = head.slice(method.length + 1, head.indexOf(' ', method.length + 1));
    return { host: this.header('host') ?? '', target: Buffer.from(target, 'utf8').toString('latin1') };
  }

  override hashKey(source: KeySource, isCrc: boolean): boolean {
    return this.requestKeys?.hash(source, isCrc, this.key) ?? false;
  }

  override keyText(source: KeySource): string | null {
    return this.requestKeys?.text(source) ?? null;
  }

  override header(name: string): string | null {
    return fieldIn(this.head, name);
  }

  override setHeader(name: string, value: string | null): void {
    this.head = headWithField(this.head, name, value);
  }

  override tellLog(texts: LogTexts): void {
    const { head, path, method, requestId, client } = this;
    const target = head === '' ? path : head.slice(method.length + 1, head.indexOf(' ', method.length + 1));
    texts.put('client', client);
    texts.put('method', method);
    texts.put('target', target);
    texts.put('protocol', 'HTTP/1.1');
    texts.put('requestId', requestId);
    texts.put('host', this.header('host') ?? '');
    texts.put('referer', this.header('referer') ?? '');
    texts.put('userAgent', this.header('user-agent') ?? '');
    if (this.trace === null) texts.put('traceId', parseTraceParent(this.header('traceparent') ?? '')?.traceId ?? '');
  }

  override beginAttempt(slot: number, profile: number): AttemptStart {
    const flags =
      (isIdempotent(this.method) ? SendFlag.IDEMPOTENT : 0) | (this.method === 'HEAD' ? SendFlag.HEAD_METHOD : 0);
    const { id, head, bodyBytes, timeLeftMs } = this;
    const result = this.#engine.send(id, slot, head, flags, bodyBytes, timeLeftMs, profile);
    if (result === SendResult.OK) {
      this.isBegun = true;
      this.firstNumber = id;
      this.attemptNumber = id;
      if (this.#early !== null) this.#sendEarly(this.#early);
    }
    return startOf(result);
  }

  /**
   * More of the request's body, which the engine does not have yet: it goes there with the first attempt.
   *
   * @param chunk valid during the call only
   * @returns bytes that are held
   */
  holdBody(chunk: ArrayBuffer, isLast: boolean): number {
    this.#early ??= { chunks: [], bytes: 0, isWhole: false };
    this.#early.chunks.push(chunk.slice(0));
    this.#early.bytes += chunk.byteLength;
    this.#early.isWhole = isLast;
    return this.#early.bytes;
  }

  #sendEarly({ chunks, isWhole }: EarlyBody): void {
    this.#early = null;
    let heldBytes = 0;
    for (const [index, chunk] of chunks.entries())
      heldBytes = this.#engine.write(this.id, chunk, isWhole && index === chunks.length - 1);
    // Otherwise the engine tells when it has sent enough of it.
    if (isWhole || heldBytes <= BODY_HIGH_WATER) this.resumeRequest();
  }

  override tryAgain(slot: number, profile: number): AttemptStart {
    const result = this.#engine.resend(this.attemptNumber, slot, profile);
    if (result === SendResult.OK) {
      this.asked = null;
      this.firstNumber = this.attemptNumber;
    }
    return startOf(result);
  }

  /** The engine holds what it has until it is told. */
  override putOff(): void {}

  override passOn(): void {
    this.askedResponses?.passOn(this);
  }

  override hedge(slot: number, profile: number): boolean {
    const { attemptNumber, timeLeftMs } = this;
    if (this.isHedged || this.asked !== null || attemptNumber !== this.firstNumber) return false;
    const result = this.#engine.duplicate(attemptNumber, this.#besides(attemptNumber), slot, timeLeftMs, profile);
    this.isHedged = result === SendResult.OK;
    return this.isHedged;
  }

  override releaseHedge(): void {
    if (this.isHedged) this.dropAttempt(this.#besides(this.firstNumber));
  }

  /** Of two attempts one is over: the other counts. @param number of the one that is over */
  dropAttempt(number: number): void {
    this.#engine.release(number);
    this.isHedged = false;
    this.attemptNumber = this.#besides(number);
  }

  /** Of two attempts one counts: the other ends. @param number of the one that counts */
  settleOn(number: number): void {
    this.dropAttempt(this.#besides(number));
  }

  /** @returns the number of the other attempt */
  #besides(number: number): number {
    return number ^ HEDGE_OFFSET;
  }

  /** Drops both sides of what it has become behind a 101. @returns false: it is no tunnel of this front end's own */
  cutTunnel(): boolean {
    return false;
  }

  override release(): void {
    this.#engine.release(this.attemptNumber);
    if (this.isHedged) this.#engine.release(this.#besides(this.attemptNumber));
    this.isHedged = false;
    this.asked = null;
  }

  override addResponseField(name: string, value: string | null): void {
    if (this.#added === null && value === null) return;
    this.#added ??= new ResponseFields();
    this.#added.set(name, value);
  }

  /** A head as the client gets it: with the fields that were added. @param head "200 OK\r\nname: value…" */
  protected completed(head: Uint8Array | string): Uint8Array | string {
    const { hsts } = this.listener;
    return headWith(this.#added, hsts === '' ? head : headWithHsts(hsts, head));
  }

  override get isConnectionSpent(): boolean {
    // A body that has not been read to its end, and framing in doubt, leave nothing that could follow on this connection.
    return this.isListenerGone || this.refusal !== null || (this.bodyBytes !== NO_BODY && !this.isBodyComplete);
  }

  /**
   * Writes the head of an endpoint's response and what of its body came along.
   *
   * @param head "200 OK\r\nname: value…", valid during the call only
   * @param body valid during the call only
   * @param totalBytes length of the body, UNKNOWN_LENGTH, or BODYLESS for a response that has none by rule
   * @param isLast the response is complete with this call
   * @param mustClose the client's connection may not be used again
   * @returns false: the client is slow; send no more until `ResponseRelay.clientReady`
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

  /** Stops or resumes reading the request's body. */
  abstract pauseRequest(): void;
  abstract resumeRequest(): void;

  override reset(): void {
    super.reset();
    this.head = '';
    this.bodyBytes = NO_BODY;
    this.receivedBytes = 0;
    this.isBodyComplete = false;
    this.isLastOfConnection = false;
    this.isListenerGone = false;
    this.clientCloses = false;
    this.refusal = null;
    this.isBegun = false;
    this.firstNumber = this.id;
    this.attemptNumber = this.id;
    this.isHedged = false;
    this.asked = null;
    this.#early = null;
    this.#added = null;
  }
}

/** Length of a body that ends with its last chunk or with the connection. */
export const UNKNOWN_LENGTH = -1;
/** No body by rule: HEAD, 204, 304. */
export const BODYLESS = -2;

/** The value of a field of a head that RequestHead has built: names in lower case, one blank behind the colon. */
function fieldIn(head: string, name: string): string | null {
  const begin = `\r\n${name}: `;
  let joined: string | null = null;
  for (let at = head.indexOf(begin); at >= 0; at = head.indexOf(begin, at + 1)) {
    const end = head.indexOf('\r\n', at + begin.length);
    const value = head.slice(at + begin.length, end < 0 ? head.length : end);
    joined = joined === null ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** A head that RequestHead has built, with that field alone of all of its name. @param value null: without any */
function headWithField(head: string, name: string, value: string | null): string {
  const begin = `\r\n${name}: `;
  let changed = head;
  for (let at = changed.indexOf(begin); at >= 0; at = changed.indexOf(begin, at))
    changed = changed.slice(0, at) + changed.slice(changed.indexOf('\r\n', at + begin.length));
  return value === null || head === '' ? changed : `${changed}${name}: ${value}\r\n`;
}

/** @param result one of SendResult */
function startOf(result: number): AttemptStart {
  if (result === SendResult.OK) return BEGUN;
  return result === SendResult.NO_POOL ? NO_POOL : codeOfRefusal(result);
}

function codeOfRefusal(result: number): ErrorCode {
  switch (result) {
    case SendResult.BAD_HEAD:
      return 'SLUICE_BAD_REQUEST';
    case SendResult.HEAD_TOO_LARGE:
      return 'SLUICE_HEAD_TOO_LARGE';
    default:
      return 'SLUICE_INTERNAL';
  }
}
