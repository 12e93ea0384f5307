/** The client's side of an exchange of the native front end: decisions go into the event that asks for them, bytes never come here. */
import type { KeySource } from '../../../balancing/key-source.js';
import type { L7ListenerPlan } from '../../../config/plan.js';
import type { FrontEnd } from '../../../engine/front-end.js';
import { Decision, FrontEndField } from '../../../engine/front-end-event.js';
import type { ClientCertificate } from '../../../engine/tls.js';
import type { LocalResponse } from '../../error-response.js';
import { type AttemptStart, BEGUN, Exchange } from '../../exchange.js';
import type { LogTexts } from '../../log-texts.js';
import type { Pipeline } from '../../pipeline.js';
import type { RequestDescription, RequestUrl } from '../../request-url.js';
import type { NativeKeys } from './native-keys.js';

/** What all exchanges of one front end share. */
export interface NativeExchangeParts {
  readonly frontEnd: FrontEnd;
  readonly keys: NativeKeys;
  readonly events: Int32Array;
  /** Where requests of a batch lie. */
  readonly arena: Buffer;
  readonly pipeline: Pipeline;
  readonly batch: BatchInHand;
}

/** Which batch of events is being handled: decisions about its exchanges go into it, those about others through calls. */
export interface BatchInHand {
  /** Its number, counted from 1; NO_BATCH: none is. */
  number: number;
}
export const NO_BATCH = 0;

/** No event of the batch waits for a decision. */
const NO_EVENT = -1;

/** Thread: worker. */
export class NativeExchange extends Exchange {
  readonly #parts: NativeExchangeParts;
  /** Where the event begins that waits for a decision, or NO_EVENT; of the batch with this number only. */
  #askedAt = NO_EVENT;
  #askedIn = NO_BATCH;
  /** Something is wrong with the request: what follows it on the connection means nothing. */
  hasFault = false;

  constructor(id: number, listener: L7ListenerPlan, parts: NativeExchangeParts) {
    super(id, listener);
    this.#parts = parts;
  }

  /**
   * An event asks for a decision; without one it is answered. HOT.
   *
   * @param base  where the event begins
   * @param batch number of the batch that it is in
   */
  ask(base: number, batch: number): void {
    this.#askedAt = base;
    this.#askedIn = batch;
    this.#parts.events[base + FrontEndField.decision] = Decision.SETTLED;
  }

  /**
   * What an event before this one in the same batch has decided is void: the client has done something since.
   *
   * @param batch number of the batch that is being handled
   */
  takeBack(batch: number): void {
    if (this.#askedAt === NO_EVENT || this.#askedIn !== batch) return;
    this.#parts.events[this.#askedAt + FrontEndField.decision] = Decision.SETTLED;
  }

  override describe(): RequestDescription {
    const [method = '', target = '', , requestId = ''] = this.#parts.frontEnd.describe(this.id).split('\n');
    const query = target.indexOf('?');
    return { method, path: query < 0 ? target : target.slice(0, query), requestId };
  }

  override url(): RequestUrl {
    const { events, arena } = this.#parts;
    const textAt = (offsetField: number, lengthField: number): string => {
      const offset = events[this.#askedAt + offsetField] as number; // of the event that asks
      return arena.toString('latin1', offset, offset + (events[this.#askedAt + lengthField] as number));
    };
    return {
      host: textAt(FrontEndField.hostOffset, FrontEndField.hostLength),
      target: textAt(FrontEndField.targetOffset, FrontEndField.targetLength),
    };
  }

  override header(name: string): string | null {
    return this.#parts.frontEnd.header(this.id, name);
  }

  override clientCertificate(): ClientCertificate | null {
    return this.#parts.frontEnd.clientCertificate(this.id);
  }

  override setHeader(name: string, value: string | null): void {
    this.#parts.frontEnd.setHeader(this.id, name, value);
  }

  /** The front end knows all of them but whom a trusted peer names as its client. HOT. */
  override get hasLogTexts(): boolean {
    return this.listener.trustedProxies.length > 0;
  }

  override tellLog(texts: LogTexts): void {
    if (!this.hasLogTexts) return;
    const forwardedFor = this.#parts.frontEnd.forwardedFor(this.id);
    const client = forwardedFor === '' ? null : this.#parts.keys.clientIn(this.listener, forwardedFor);
    if (client !== null) texts.put('client', client);
  }

  /** HOT. */
  override writeAccessLine(): number {
    return this.#parts.frontEnd.writeAccessLine(this.id);
  }

  /** HOT. */
  override hashKey(source: KeySource, isCrc: boolean): boolean {
    return this.#parts.keys.hash(this.id, this.listener, source, isCrc, this.key);
  }

  override keyText(source: KeySource): string | null {
    return this.#parts.keys.text(this.id, this.listener, source);
  }

  /** HOT. */
  override beginAttempt(slot: number, profile: number): AttemptStart {
    if (this.#isAsked()) {
      const { events } = this.#parts;
      events[this.#askedAt + FrontEndField.exchangeTimeoutMs] = this.timeLeftMs;
      events[this.#askedAt + FrontEndField.profile] = profile;
      events[this.#askedAt + FrontEndField.decision] = slot;
    } else {
      // Where its client has left meanwhile, FINISHED is on its way and gives back what was claimed.
      this.#parts.frontEnd.decide(this.id, slot, this.timeLeftMs, profile);
    }
    return BEGUN;
  }

  override tryAgain(slot: number, profile: number): AttemptStart {
    return this.beginAttempt(slot, profile);
  }

  /** Nothing else has been decided where no event asks: then it is put off already. */
  override putOff(): void {
    if (this.#isAsked()) this.#parts.events[this.#askedAt + FrontEndField.decision] = Decision.LATER;
  }

  override passOn(): void {
    if (this.#isAsked()) this.#parts.events[this.#askedAt + FrontEndField.decision] = Decision.PASS;
    else this.#parts.frontEnd.pass(this.id);
  }

  override hedge(slot: number, profile: number): boolean {
    return this.#parts.frontEnd.hedge(this.id, slot, profile, this.timeLeftMs);
  }

  override releaseHedge(): void {
    this.#parts.frontEnd.releaseHedge(this.id);
  }

  /** An event of the batch in hand waits for what is decided. */
  #isAsked(): boolean {
    return this.#askedAt !== NO_EVENT && this.#askedIn === this.#parts.batch.number;
  }

  /** An answer and a break-off end the attempt by themselves. */
  override release(): void {}

  override addResponseField(name: string, value: string | null): void {
    this.#parts.frontEnd.addResponseField(this.id, name, value);
  }

  override sendLocal({ head, body }: LocalResponse, mustClose: boolean): false {
    this.#parts.frontEnd.answer(this.id, head, body, mustClose);
    return false;
  }

  override get isConnectionSpent(): boolean {
    // Behind a CONNECT that its client takes for granted, bytes follow that are no request.
    return this.hasFault || this.method === 'CONNECT';
  }

  override breakOff(): false {
    this.#parts.frontEnd.breakOff(this.id);
    return false;
  }

  override recycle(): void {
    this.#askedAt = NO_EVENT;
    this.hasFault = false;
    this.reset();
  }
}
