/** One exchange of a soak as its client sees it: checks the answer as it comes, and says at the end whether all was as its script wants. */
import { type BodyFraming, framingOf, statusOf, valuesOf } from './http-message.js';
import type { MessageHead } from './message-stream.js';
import { bodyPiece } from './seeded-body.js';
import type { SoakLedger } from './soak-ledger.js';
import { breaksAnswer, breaksRequest, ID_FIELD, isStall, type SoakMix, type SoakScript } from './soak-script.js';

/** How it ended: the answer is whole, the connection was over before, the client broke off on purpose, or nothing came any more. */
export type ExchangeEnding = 'whole' | 'cut' | 'left' | 'hung';

/** Above this an idempotent request that met a connection which its endpoint was closing can not be sent again: the proxy keeps less of it. */
const REPLAYED_BYTES = 32 * 1024;

/** What an answer of the proxy's own says where the endpoint does so. */
const CODE_OF_WAY: Readonly<Partial<Record<SoakScript['endpoint'], string>>> = {
  'reset-early': 'SLUICE_ENDPOINT_RESET',
  // A reset can overtake the head that was sent before it.
  'reset-late': 'SLUICE_ENDPOINT_RESET',
  garbage: 'SLUICE_BAD_RESPONSE',
  stall: 'SLUICE_FIRST_BYTE_TIMEOUT',
};
/** What can happen to any exchange while an endpoint restarts. */
const CODES_OF_RESTARTS = [
  'SLUICE_ENDPOINT_RESET',
  'SLUICE_CONNECT_REFUSED',
  'SLUICE_NO_ENDPOINT',
  'SLUICE_BAD_RESPONSE',
];
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  SLUICE_ENDPOINT_RESET: 502,
  SLUICE_CONNECT_REFUSED: 502,
  SLUICE_BAD_RESPONSE: 502,
  SLUICE_NO_ENDPOINT: 503,
  SLUICE_FIRST_BYTE_TIMEOUT: 504,
  SLUICE_HEAD_TIMEOUT: 408,
  SLUICE_BODY_TIMEOUT: 408,
};

export class SoakExchange {
  readonly startedAt = Date.now();
  /** The endpoint has asked for the body, or an answer has come. */
  mayContinue = false;
  /** The head of the final answer. */
  head: MessageHead | undefined;
  isWhole = false;
  receivedBytes = 0;
  #interims = 0;
  #ownBody = '';
  #isOwnAnswer = false;
  #fault: string | undefined;

  /** @param isBeforeBreak a request that is sent with it has an answer that breaks: the reset may overtake this one's answer */
  constructor(
    readonly script: SoakScript,
    private readonly mix: SoakMix,
    private readonly ledger: SoakLedger,
    private readonly isBeforeBreak: boolean,
  ) {}

  /** Says the answer that the connection will not be used again? */
  get isLast(): boolean {
    if (this.head === undefined) return false;
    const options = valuesOf(this.head, 'connection').map((value) => value.toLowerCase());
    return options.includes('close') || this.head.startLine.startsWith('HTTP/1.0') || this.isTunnel;
  }

  get isTunnel(): boolean {
    return this.head !== undefined && statusOf(this.head) === 101;
  }

  takeHead(head: MessageHead): BodyFraming {
    const { script } = this;
    const status = statusOf(head);
    const [id, ...more] = valuesOf(head, ID_FIELD);
    if (status < 200 && status !== 101) {
      this.mayContinue = true;
      if (status === 103) {
        this.#interims++;
        if (id !== script.id) this.#note(`a 103 of ${id}`);
      }
      return 0;
    }
    this.mayContinue = true;
    this.head = head;
    this.#isOwnAnswer = id === undefined;
    if (id !== undefined) {
      if (id !== script.id || more.length > 0) this.#note(`the answer of ${[id, ...more]}`);
      const expected = script.isUpgrade && script.endpoint !== 'early' ? 101 : script.answer === 'none' ? 204 : 200;
      if (status !== expected) this.#note(`status ${status} instead of ${expected}`);
      const [length] = valuesOf(head, 'content-length');
      if (script.answer === 'length' && status !== 101 && Number(length) !== script.answerBytes)
        this.#note(`content-length ${length}`);
    }
    return status === 101 ? 'until-end' : framingOf(head, script.method === 'HEAD');
  }

  takeBody(piece: Buffer): void {
    const { script } = this;
    const from = this.receivedBytes;
    this.receivedBytes += piece.length;
    if (this.#isOwnAnswer) {
      this.#ownBody += piece.toString('latin1');
      return;
    }
    if (this.receivedBytes > this.#expectedBytes) this.#note('more bytes than were sent');
    else if (!piece.equals(bodyPiece(script.seed, from, this.receivedBytes)))
      this.#note(`wrong bytes in ${from} to ${this.receivedBytes}`);
  }

  takeEnd(trailers: readonly string[]): void {
    if (this.head === undefined) return; // an interim response
    const { script } = this;
    this.isWhole = true;
    if (this.#isOwnAnswer || this.isTunnel) return;
    if (script.method !== 'HEAD' && this.receivedBytes !== this.#expectedBytes && !this.#mayBeStopped)
      this.#note(`complete after ${this.receivedBytes} of ${this.#expectedBytes} bytes`);
    const ids = valuesOf({ lines: trailers }, ID_FIELD);
    if (ids.some((id) => id !== script.id)) this.#note(`the trailer of ${ids}`);
    const wantsTrailers =
      this.mix.isFull &&
      script.takesTrailers &&
      script.answer === 'trailers' &&
      script.version === '1.1' &&
      script.method !== 'HEAD';
    if (ids.length !== (wantsTrailers ? 1 : 0)) this.#note(`${ids.length} trailers`);
    if (this.mix.isFull && script.hasInterim && script.version === '1.1' && this.#interims === 0) this.#note('no 103');
  }

  /** Something was wrong, whatever the ending. */
  #note(what: string): void {
    this.#fault ??= what;
  }

  /** Counts how it ended, and notes a fault where that is not what the script wants. */
  end(ending: ExchangeEnding, told = ''): void {
    const code = this.#isOwnAnswer && ending === 'whole' ? this.#ownCode() : undefined;
    const name = code ?? (this.isTunnel ? `tunnel ${ending}` : ending);
    this.ledger.countOutcome(name);
    const fault =
      this.#fault ?? (this.#mayEnd(ending, code, told) ? undefined : `ended ${name} after ${this.receivedBytes} bytes`);
    if (fault !== undefined) this.ledger.fault('client', [fault, told].filter(Boolean).join('; '), this.script);
  }

  #ownCode(): string {
    if (this.script.method === 'HEAD') return `status ${this.head === undefined ? 0 : statusOf(this.head)}`;
    return /SLUICE_[A-Z_]+/.exec(this.#ownBody)?.[0] ?? `no code: ${this.#ownBody.slice(0, 80)}`;
  }

  #mayEnd(ending: ExchangeEnding, code: string | undefined, told: string): boolean {
    if (ending === 'left') return true;
    if (ending === 'hung') return false;
    if (code !== undefined) return this.#mayAnswer(code);
    if (this.isTunnel) return this.#mayEndTunnel(ending);
    return ending === 'whole' ? this.#mayBeWhole() : this.#mayBeCut(told);
  }

  #mayBeWhole(): boolean {
    const { script } = this;
    if (script.method === 'HEAD') return !['reset-early', 'garbage', 'stall'].includes(script.endpoint);
    if (this.#mayBeStopped) return true;
    return !breaksAnswer(script) && CODE_OF_WAY[script.endpoint] === undefined;
  }

  #mayBeCut(told: string): boolean {
    const { script } = this;
    // The answer of an endpoint that does not wait for the request may be lost when the connection behind it is broken.
    if (breaksAnswer(script) || script.endpoint === 'early' || this.isBeforeBreak) return true;
    if (isStall(script.client) || breaksRequest(script)) return true;
    // So may sluice's own early answer, where the client still sends into a connection that is closed behind it.
    if (script.endpoint === 'reset-early' && told.includes('EPIPE')) return true;
    return this.ledger.wasRestarted(this.startedAt);
  }

  #mayEndTunnel(ending: ExchangeEnding): boolean {
    const { script } = this;
    if (script.endpoint === 'reset-late' || script.endpoint === 'cut') return true;
    if (ending === 'whole' && this.receivedBytes === this.#expectedBytes) return true;
    return this.ledger.wasRestarted(this.startedAt);
  }

  #mayAnswer(code: string): boolean {
    const { script } = this;
    // An answer to HEAD has no body that could say the code.
    const matches = (wanted: string): boolean =>
      code === wanted || (script.method === 'HEAD' && code === `status ${STATUS_OF_CODE[wanted]}`);
    const ofWay = CODE_OF_WAY[script.endpoint];
    if (ofWay !== undefined && matches(ofWay)) return true;
    if (script.client === 'stall-request' && (matches('SLUICE_HEAD_TIMEOUT') || matches('SLUICE_BODY_TIMEOUT')))
      return true;
    if (this.ledger.wasRestarted(this.startedAt) && CODES_OF_RESTARTS.some(matches)) return true;
    // It met a connection that its endpoint was just closing, and may not, or can not, be sent again.
    const isReplayed = script.method !== 'POST' && script.uploadBytes <= REPLAYED_BYTES && script.upload !== 'chunked';
    return !isReplayed && !this.ledger.wasSeen(script.id) && matches('SLUICE_ENDPOINT_RESET');
  }

  /** Where the end of the connection is the end of the body, nobody can tell that the endpoint was stopped within it. */
  get #mayBeStopped(): boolean {
    return this.script.answer === 'until-close' && this.ledger.wasRestarted(this.startedAt);
  }

  get #expectedBytes(): number {
    return this.isTunnel ? this.script.uploadBytes : this.script.answerBytes;
  }
}
