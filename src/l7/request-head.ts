/**
 * Builds the head that goes to the endpoint from the client's header fields, and collects on the way the facts that framing,
 * routing and policies need (RFC 9110 7.6, semantics.md 9 and 10). Names come in lower case.
 */
import type { ErrorCode } from '../core/error-catalog.js';
import { CHUNKED_BODY, NO_BODY } from '../engine/engine.js';
import { type Peer, peerAt } from './client-address.js';
import { isUsableRequestId } from './request-id.js';

const CRLF = '\r\n';
/** Of a request line besides method and target, and of the empty line behind the head. */
const REQUEST_LINE_FRAME_BYTES = '  HTTP/1.1\r\n\r\n'.length;
const CLOSE_OPTION = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const DIGITS = /^[0-9]{1,15}$/;

/** Fields a Connection header may not remove: they carry meaning or safety beyond one hop (semantics.md 9.1). */
const PROTECTED_FIELDS = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'cookie',
  'cache-control',
  'range',
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-real-ip',
  'x-request-id',
]);

/** Nominations that need no second pass: they name fields that never pass anyway, or none. */
const PLAIN_CONNECTION = new Set([
  'keep-alive',
  'close',
  'upgrade',
  'te',
  'keep-alive, upgrade',
  'keep-alive, te',
  'te, close',
]);

/** What of a request is the same for all requests of a listener. */
export interface HeadSettings {
  readonly scheme: 'http' | 'https';
  /** Pseudonym in Via, unlike any other process's: finding it in a request means a loop. */
  readonly viaName: string;
}

/**
 * One per front end, used for one request after the other: `begin`, `field` for each header field, `end`. HOT: one string is
 * grown and nothing else allocated; the engine checks the finished head for control characters. Thread: worker.
 */
export class RequestHead {
  /** The one Host field's value; '' when there was none. */
  host = '';
  requestId = '';
  /** NO_BODY, CHUNKED_BODY or the length, valid after `end` found no problem. */
  bodyBytes = NO_BODY;
  fields = 0;
  /** Of names and values with their separators, as an HTTP/1.1 head would spell them; of the whole head after `finish`. */
  headBytes = 0;
  hasLoop = false;
  maxForwards = -1;

  readonly #settings: HeadSettings;
  #lines = '';
  #peer = peerAt('', false);
  #hosts = 0;
  #lengths = 0;
  #length = '';
  #codings = 0;
  #coding = '';
  #connection = '';
  #via = '';
  /** A trusted peer sent X-Forwarded-* or anybody a Via: what the proxy adds is this request's own. */
  #hasForwarded = false;
  #forwardedFor = '';
  #forwardedProto = '';
  #forwardedHost = '';
  /** Fields nominated by Connection that this pass leaves out; null in a first pass. */
  #nominated: ReadonlySet<string> | null = null;

  constructor(settings: HeadSettings) {
    this.#settings = settings;
  }

  /** Starts a new request of `peer`. */
  begin(peer: Peer): void {
    this.#nominated = null;
    this.#restart(peer);
  }

  #restart(peer: Peer): void {
    this.#peer = peer;
    this.host = this.requestId = this.#lines = this.#length = this.#coding = this.#connection = this.#via = '';
    this.#forwardedFor = this.#forwardedProto = this.#forwardedHost = '';
    this.#hosts = this.#lengths = this.#codings = this.fields = this.headBytes = 0;
    this.bodyBytes = NO_BODY;
    this.hasLoop = this.#hasForwarded = false;
    this.maxForwards = -1;
  }

  /** Takes one header field, in the order they came. HOT: most names are told apart by their length alone. */
  field(name: string, value: string): void {
    this.fields++;
    this.headBytes += name.length + value.length + 4;
    switch (name.length) {
      case 2:
        if (name === 'te') return;
        break;
      case 3:
        if (name === 'via') {
          if (value.includes(this.#settings.viaName)) this.hasLoop = true;
          this.#hasForwarded = true;
          this.#via = this.#via === '' ? value : `${this.#via}, ${value}`;
          return;
        }
        break;
      case 4:
        if (name === 'host') {
          this.#hosts++;
          this.host = value;
          return;
        }
        break;
      case 6:
        // uWebSockets.js has answered 100 itself; the native front end passes Expect on.
        if (name === 'expect') return;
        break;
      case 7:
        if (name === 'upgrade' || name === 'trailer') return;
        break;
      case 9:
        if (!this.#peer.isTrusted && (name === 'forwarded' || name === 'x-real-ip')) return;
        break;
      case 10:
        if (name === 'connection') {
          this.#connection = this.#connection === '' ? value : `${this.#connection}, ${value}`;
          return;
        }
        if (name === 'keep-alive') return;
        break;
      case 12:
        if (name === 'x-request-id') {
          if (this.#peer.isTrusted && isUsableRequestId(value)) this.requestId = value;
          return;
        }
        if (name === 'max-forwards') {
          if (!DIGITS.test(value)) return;
          this.maxForwards = Number(value);
          return;
        }
        break;
      case 14:
        if (name === 'content-length') {
          this.#lengths++;
          this.#length = value;
          return;
        }
        break;
      case 15:
        if (name === 'x-forwarded-for') {
          if (this.#peer.isTrusted && value !== '') {
            this.#hasForwarded = true;
            this.#forwardedFor = this.#forwardedFor === '' ? value : `${this.#forwardedFor}, ${value}`;
          }
          return;
        }
        break;
      case 16:
        if (name === 'proxy-connection') return;
        if (name === 'x-forwarded-host') {
          if (this.#peer.isTrusted) {
            this.#hasForwarded = true;
            this.#forwardedHost = value;
          }
          return;
        }
        break;
      case 17:
        if (name === 'transfer-encoding') {
          this.#codings++;
          this.#coding = value;
          return;
        }
        if (name === 'x-forwarded-proto') {
          if (this.#peer.isTrusted) {
            this.#hasForwarded = true;
            this.#forwardedProto = value;
          }
          return;
        }
        break;
      case 18:
      case 19:
        if (name === 'proxy-authenticate' || name === 'proxy-authorization') return;
        break;
    }
    if (!this.#peer.isTrusted && name.charCodeAt(0) === LETTER_X && name.startsWith('x-forwarded-')) return;
    if (this.#nominated?.has(name)) return;
    this.#lines += `${name}: ${value}${CRLF}`;
  }

  /**
   * Whether Connection names fields that must go and may already have been taken: then the caller runs all fields through a
   * second pass, `beginWithout` first. 'refused': a protected field is named.
   */
  nominations(): ReadonlySet<string> | 'none' | 'refused' {
    if (this.#connection === '' || this.#nominated !== null) return 'none';
    const value = this.#connection.toLowerCase();
    if (PLAIN_CONNECTION.has(value)) return 'none';
    const names = new Set(value.split(',').map((token) => token.trim()));
    for (const name of names) if (PROTECTED_FIELDS.has(name)) return 'refused';
    return names;
  }

  /** What Connection said; '' without one. */
  get connection(): string {
    return this.#connection;
  }

  /** Whether the client wants its connection closed behind the answer. */
  get clientCloses(): boolean {
    return this.#connection !== '' && CLOSE_OPTION.test(this.#connection);
  }

  /** Starts the second pass of the same request, leaving `nominated` out. */
  beginWithout(nominated: ReadonlySet<string>): void {
    this.#nominated = nominated;
    this.#restart(this.#peer);
  }

  /** What is wrong with how the request says where it ends, or with its Host; undefined when nothing is (RFC 9112 6, 3.2). */
  problem(): ErrorCode | undefined {
    if (this.#hosts !== 1) return 'SLUICE_BAD_HOST';
    if (this.#lengths === 0 && this.#codings === 0) return undefined;
    if (this.#lengths + this.#codings > 1) return 'SLUICE_BAD_FRAMING';
    if (this.#codings === 1) {
      if (this.#coding !== 'chunked') return 'SLUICE_BAD_FRAMING';
      this.bodyBytes = CHUNKED_BODY;
      return undefined;
    }
    if (!DIGITS.test(this.#length)) return 'SLUICE_BAD_FRAMING';
    this.bodyBytes = Number(this.#length);
    return undefined;
  }

  /**
   * The finished head: request line and fields, each ended by CRLF, without framing, Connection and the empty line. HOT: what the proxy
   * adds is the same for most requests of a peer and is kept as one string. Completes `headBytes`.
   *
   * @param method as the client spelled it
   * @param target path and query, untouched
   */
  finish(method: string, target: string): string {
    this.headBytes += method.length + target.length + REQUEST_LINE_FRAME_BYTES;
    const forwards = this.maxForwards < 0 ? '' : `max-forwards: ${this.#forwardsFor(method)}${CRLF}`;
    return `${method} ${target} HTTP/1.1${CRLF}${this.#ownLines()}${this.requestId}${CRLF}${forwards}${this.#lines}`;
  }

  /** Only OPTIONS counts down here: TRACE is refused, and for other methods the field means nothing (RFC 9110 7.6.2). */
  #forwardsFor(method: string): number {
    return method === 'OPTIONS' ? Math.max(0, this.maxForwards - 1) : this.maxForwards;
  }

  /** Host and what the proxy adds, up to the value of X-Request-Id. */
  #ownLines(): string {
    if (this.#hasForwarded) return this.#makeOwnLines();
    const { written } = this.#peer;
    if (written.host !== this.host) {
      written.host = this.host;
      written.lines = this.#makeOwnLines();
    }
    return written.lines;
  }

  #makeOwnLines(): string {
    const { scheme, viaName } = this.#settings;
    const forwardedFor =
      this.#forwardedFor === '' ? this.#peer.address : `${this.#forwardedFor}, ${this.#peer.address}`;
    const lines = [
      `host: ${this.host}`,
      `x-forwarded-for: ${forwardedFor}`,
      `x-forwarded-proto: ${this.#forwardedProto === '' ? scheme : this.#forwardedProto}`,
      `x-forwarded-host: ${this.#forwardedHost === '' ? this.host : this.#forwardedHost}`,
      `via: ${this.#via === '' ? '' : `${this.#via}, `}1.1 ${viaName}`,
      'x-request-id: ',
    ];
    return lines.join(CRLF);
  }
}

const LETTER_X = 0x78;
