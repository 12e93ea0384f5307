/** Gives the native front end's numbers for what clients do wrong their codes of the catalogue. */
import type { ErrorCode } from '../../../core/error-catalog.js';
import { invariant } from '../../../core/invariant.js';
import { ClientEnd, RequestFault } from '../../../engine/front-end-event.js';
import { DELIVERED, type Ending } from '../../exchange.js';

const FAULTS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [RequestFault.BAD_REQUEST, 'SLUICE_BAD_REQUEST'],
  [RequestFault.BAD_FRAMING, 'SLUICE_BAD_FRAMING'],
  [RequestFault.BAD_HOST, 'SLUICE_BAD_HOST'],
  [RequestFault.HEAD_TOO_LARGE, 'SLUICE_HEAD_TOO_LARGE'],
  [RequestFault.TARGET_TOO_LONG, 'SLUICE_TARGET_TOO_LONG'],
  [RequestFault.BAD_VERSION, 'SLUICE_BAD_VERSION'],
  [RequestFault.HEAD_TIMEOUT, 'SLUICE_HEAD_TIMEOUT'],
  [RequestFault.BODY_TIMEOUT, 'SLUICE_BODY_TIMEOUT'],
  [RequestFault.BODY_TOO_LARGE, 'SLUICE_BODY_TOO_LARGE'],
  [RequestFault.TOO_EARLY, 'SLUICE_TOO_EARLY'],
  [RequestFault.NO_TUNNEL, 'SLUICE_NO_TUNNEL'],
]);

const TLS_ENDS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [ClientEnd.TLS_FAILED, 'SLUICE_TLS_HANDSHAKE'],
  [ClientEnd.TLS_TIMEOUT, 'SLUICE_TLS_TIMEOUT'],
  [ClientEnd.TLS_LIMIT, 'SLUICE_TLS_LIMIT'],
]);

const EXCHANGE_ENDS: ReadonlyMap<number, Ending> = new Map<number, Ending>([
  [ClientEnd.DELIVERED, DELIVERED],
  [ClientEnd.GONE, 'SLUICE_CLIENT_GONE'],
  [ClientEnd.STALLED, 'SLUICE_CLIENT_STALLED'],
  // Who breaks an answer off has said why; this is for a tunnel that its endpoint has reset.
  [ClientEnd.BROKEN_OFF, 'SLUICE_ENDPOINT_RESET'],
  [ClientEnd.TUNNEL_IDLE, 'SLUICE_TUNNEL_IDLE'],
]);

/** @param fault one of RequestFault but NONE. @throws (invariant) for any other */
export function codeOfFault(fault: number): ErrorCode {
  const code = FAULTS.get(fault);
  invariant(code !== undefined, `the front end reports a known fault of a request, not ${fault}`);
  return code;
}

/** How an exchange ended for its client. @param end one of ClientEnd that exchanges have. @throws (invariant) for any other */
export function endingOf(end: number): Ending {
  const ending = EXCHANGE_ENDS.get(end);
  invariant(ending !== undefined, `the front end reports a known end of an exchange, not ${end}`);
  return ending;
}

/** Why a connection of HTTP/2 was ended for what its client did; undefined for every other end. @param end one of ClientEnd */
export function codeOfHttp2(end: number): ErrorCode | undefined {
  if (end === ClientEnd.HTTP2_ERROR) return 'SLUICE_HTTP2_ERROR';
  return end === ClientEnd.HTTP2_FLOOD ? 'SLUICE_HTTP2_FLOOD' : undefined;
}

/** Why a connection was closed before it was opened; undefined for every end of one that was. @param end one of ClientEnd */
export function codeOfUnopened(end: number): ErrorCode | undefined {
  if (end === ClientEnd.BAD_PROXY_HEADER) return 'SLUICE_BAD_PROXY_HEADER';
  return end === ClientEnd.PREFACE_TIMEOUT ? 'SLUICE_PREFACE_TIMEOUT' : undefined;
}

/** Why there is no TLS with the client of an admitted connection; undefined for every other end. @param end one of ClientEnd */
export function codeOfTls(end: number): ErrorCode | undefined {
  return TLS_ENDS.get(end);
}
