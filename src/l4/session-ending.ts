/** Gives the engine's reasons why a connect failed or a session ended their codes of the catalogue. */
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { ConnectFailure, SessionEnd } from '../engine/session-engine.js';

/** How a session ended: DELIVERED, or the code of the reason. */
export type SessionEnding = typeof DELIVERED | ErrorCode;

/** Both sides have finished, and everything was delivered. */
export const DELIVERED = 'DELIVERED';

const CONNECT_CODES: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [ConnectFailure.REFUSED, 'SLUICE_CONNECT_REFUSED'],
  [ConnectFailure.TIMEOUT, 'SLUICE_CONNECT_TIMEOUT'],
  [ConnectFailure.FILE_LIMIT, 'SLUICE_FILE_LIMIT'],
  [ConnectFailure.TLS, 'SLUICE_ENDPOINT_TLS'],
]);

const ENDINGS: ReadonlyMap<number, SessionEnding> = new Map<number, SessionEnding>([
  [SessionEnd.CLEAN, DELIVERED],
  [SessionEnd.CLIENT_RESET, 'SLUICE_CLIENT_GONE'],
  [SessionEnd.ENDPOINT_RESET, 'SLUICE_ENDPOINT_RESET'],
  [SessionEnd.IDLE_TIMEOUT, 'SLUICE_SESSION_IDLE'],
  [SessionEnd.LINGER_TIMEOUT, 'SLUICE_SESSION_LINGER'],
  [SessionEnd.BAD_PROXY_HEADER, 'SLUICE_BAD_PROXY_HEADER'],
  [SessionEnd.PREFACE_TIMEOUT, 'SLUICE_PREFACE_TIMEOUT'],
  [SessionEnd.CLOSED, 'SLUICE_SESSION_CUT'],
  [SessionEnd.BAD_CLIENT_HELLO, 'SLUICE_BAD_CLIENT_HELLO'],
  [SessionEnd.TLS_FAILED, 'SLUICE_TLS_HANDSHAKE'],
  [SessionEnd.TLS_TIMEOUT, 'SLUICE_TLS_TIMEOUT'],
  [SessionEnd.TLS_LIMIT, 'SLUICE_TLS_LIMIT'],
]);

/**
 * @param reason one of ConnectFailure but NO_ADDRESS, which is no failure: the endpoint's addresses are still on their way
 * @throws (invariant) for any other
 */
export function codeOfConnectFailure(reason: number): ErrorCode {
  const code = CONNECT_CODES.get(reason);
  invariant(code !== undefined, `the engine reports a known failure to connect, not ${reason}`);
  return code;
}

/**
 * A reset of an endpoint that had finished, and whose last byte the client has got, is no failure: it has closed, and its kernel answers so to
 * whatever the client still sends, e.g. the close_notify of TLS.
 *
 * @param reason              one of SessionEnd but REFUSED, whose code only the refusing one knows
 * @param hasEndpointFinished SessionFlag.ENDPOINT_FINISHED
 * @throws (invariant) for any other reason
 */
export function endingOf(reason: number, hasEndpointFinished: boolean): SessionEnding {
  if (reason === SessionEnd.ENDPOINT_RESET && hasEndpointFinished) return DELIVERED;
  const ending = ENDINGS.get(reason);
  invariant(ending !== undefined, `the engine reports a known end of a session, not ${reason}`);
  return ending;
}
