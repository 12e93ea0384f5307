/** Admits client connections of the native front end: who the client is, what of it is believed, and whether its listener has room. */
import { NO_ENTRY } from '../../../board/client-table.js';
import type { Http2FigureWriter } from '../../../board/figure-writer.js';
import type { WorkerStripe } from '../../../board/worker-stripe.js';
import type { ErrorCode } from '../../../core/error-catalog.js';
import { HTTP2_FLOODS } from '../../../core/http2-floods.js';
import { type AddressWords, addressText, isUnix } from '../../../core/peer-address.js';
import {
  ADMIT_CONNECTION,
  ClientEnd,
  FrontEndField,
  FrontEndFlag,
  REFUSE_CONNECTION,
  Trust,
} from '../../../engine/front-end-event.js';
import { handshakeFailure, TlsFailure } from '../../../engine/tls.js';
import type { FailureLog } from '../../../observability/failure-log.js';
import type { LimitedSession, SessionLimits } from '../../../policies/session-limits.js';
import { ADMIT } from '../../../policies/verdict.js';
import { codeOfHttp2, codeOfTls, codeOfUnopened } from './client-side-codes.js';
import type { NativeListener } from './native-listener.js';

/** What connections are judged and counted with. */
export interface NativeConnectionsParts {
  readonly limits: SessionLimits;
  readonly stripe: WorkerStripe;
  readonly http2: Pick<Http2FigureWriter, 'broke' | 'flooded'>;
  readonly failures: FailureLog;
  /** Where the front end's events are (FrontEndOptions). */
  readonly events: Int32Array;
  /** Where texts of them lie. */
  readonly arena: Buffer;
}

/** The address of a client, and what its connection counts towards. */
class ClientConnection implements LimitedSession {
  isCountedAtListener = false;
  clientEntry = NO_ENTRY;
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;
}

/** Thread: worker; one for each front end. */
export class NativeConnections {
  readonly #parts: NativeConnectionsParts;
  /** Those of limited listeners, by the front end's number; made on first use. */
  readonly #limited: ClientConnection[] = [];
  /** For connections that count towards nothing: only their address is looked at, and only for a moment. */
  readonly #passing = new ClientConnection();

  constructor(parts: NativeConnectionsParts) {
    this.#parts = parts;
  }

  /** Writes decision and trust into an OPENED event. HOT. @param nowMs the shared clock */
  opened(listener: NativeListener, base: number, nowMs: number): void {
    const { events, limits } = this.#parts;
    const isLimited = limits.isLimited(listener.number);
    const connection = isLimited ? this.#connectionFor(this.#at(base, FrontEndField.number)) : this.#passing;
    events[base + FrontEndField.trust] = this.#identify(connection, listener, base);
    events[base + FrontEndField.decision] = ADMIT_CONNECTION;
    if (!isLimited) return;
    const verdict = limits.admit(connection, listener.number, Math.floor(nowMs * US_PER_MS));
    if (verdict === ADMIT) return;
    limits.release(connection, listener.number);
    events[base + FrontEndField.decision] = REFUSE_CONNECTION;
    this.#failed(listener, verdict, { client: addressText(connection) });
  }

  /** A CLOSED event: an admitted connection is over, with or without TLS, or another one never began. */
  closed(listener: NativeListener, base: number): void {
    const { limits } = this.#parts;
    const code = codeOfUnopened(this.#at(base, FrontEndField.reason));
    if (code !== undefined) {
      const peer: AddressWords = this.#takeAddress(new ClientConnection(), base + FrontEndField.peer0);
      // All 0 is a UNIX socket, or a front end that does not know any more.
      return this.#failed(listener, code, isUnix(peer) ? {} : { peer: addressText(peer) });
    }
    const tlsCode = codeOfTls(this.#at(base, FrontEndField.reason));
    if (tlsCode !== undefined) this.#handshakeFailed(listener, tlsCode, base);
    this.#noteHttp2(listener, base);
    // Whatever the limits are now: a plan may have changed them since it was counted in.
    const connection = this.#limited[this.#at(base, FrontEndField.number)];
    if (connection !== undefined) limits.release(connection, listener.number);
  }

  /** Tells of a client that broke rules or passed limits of HTTP/2. */
  #noteHttp2(listener: NativeListener, base: number): void {
    const code = codeOfHttp2(this.#at(base, FrontEndField.reason));
    if (code === undefined) return;
    const client = addressText(this.#takeAddress(new ClientConnection(), base + FrontEndField.peer0));
    if (code === 'SLUICE_HTTP2_ERROR') {
      this.#parts.http2.broke(listener.number);
      return this.#failed(listener, code, { client, http2Error: String(this.#at(base, FrontEndField.errno)) });
    }
    const flood = this.#at(base, FrontEndField.floodKind) - 1;
    this.#parts.http2.flooded(listener.number, flood);
    this.#failed(listener, code, { client, kind: HTTP2_FLOODS[flood] as string }); // every number of the engine has a name
  }

  /**
   * Finds out whose connection it is: the peer's, or whose a trusted peer's PROXY header says. Forwarded fields come from that client,
   * whatever passed its bytes on, so it is that client who must be trusted for them (as with nginx's real_ip_header proxy_protocol).
   *
   * @returns bits of Trust
   */
  #identify(connection: ClientConnection, { trustedPeers }: NativeListener, base: number): number {
    this.#takeAddress(connection, base + FrontEndField.peer0);
    if (!trustedPeers.isTrusted(connection)) return 0;
    if ((this.#at(base, FrontEndField.flags) & FrontEndFlag.PROXIED) === 0) return Trust.FORWARDED;
    this.#takeAddress(connection, base + FrontEndField.claimed0);
    // A header that claims no address proves nothing about the permissions of a socket's file.
    const isForwardedTrusted = !isUnix(connection) && trustedPeers.isTrusted(connection);
    return isForwardedTrusted ? Trust.PROXY_HEADER | Trust.FORWARDED : Trust.PROXY_HEADER;
  }

  #handshakeFailed(listener: NativeListener, code: ErrorCode, base: number): void {
    const { stripe, failures } = this.#parts;
    stripe.countFailure(code);
    const peer = this.#takeAddress(this.#passing, base + FrontEndField.peer0);
    const client = isUnix(peer) ? {} : { client: addressText(peer) };
    failures.write('tls-handshake-failed', code, { listener: listener.plan.name, ...client, ...this.#tlsFacts(base) });
  }

  /** What is known of a handshake that failed: `reason` as in HANDSHAKE_ENDS, and what the client or OpenSSL said. */
  #tlsFacts(base: number): Readonly<Record<string, unknown>> {
    if (this.#at(base, FrontEndField.reason) === ClientEnd.TLS_TIMEOUT) return { reason: 'timeout' };
    if (this.#at(base, FrontEndField.reason) === ClientEnd.TLS_LIMIT) return { reason: 'limit' };
    const failure = this.#at(base, FrontEndField.tlsFailure);
    const reason = handshakeFailure(failure);
    if (failure === TlsFailure.ALERT) return { reason, alert: this.#at(base, FrontEndField.tlsAlert) };
    if (failure !== TlsFailure.BAD_CERTIFICATE) return { reason };
    const offset = this.#at(base, FrontEndField.reportOffset);
    const end = offset + this.#at(base, FrontEndField.reportLength);
    return { reason, certificate: this.#parts.arena.toString('latin1', offset, end) };
  }

  #failed(listener: NativeListener, code: ErrorCode, facts: Readonly<Record<string, string>>): void {
    this.#parts.stripe.countFailure(code);
    this.#parts.failures.write('connection-failed', code, { listener: listener.plan.name, ...facts });
  }

  #connectionFor(number: number): ClientConnection {
    let connection = this.#limited[number];
    if (connection === undefined) {
      connection = new ClientConnection();
      this.#limited[number] = connection;
    }
    return connection;
  }

  #takeAddress(connection: ClientConnection, at: number): ClientConnection {
    const { events } = this.#parts;
    connection.word0 = events[at] as number;
    connection.word1 = events[at + 1] as number;
    connection.word2 = events[at + 2] as number;
    connection.word3 = events[at + 3] as number;
    return connection;
  }

  #at(base: number, field: number): number {
    return this.#parts.events[base + field] as number; // inside the batch
  }
}

const US_PER_MS = 1_000;
