/** Gives the engine's failure numbers their codes of the catalogue. */
import type { ErrorCode } from '../core/error-catalog.js';
import { invariant } from '../core/invariant.js';
import { EngineError } from './engine.js';

const codes: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [EngineError.CONNECT_REFUSED, 'SLUICE_CONNECT_REFUSED'],
  [EngineError.CONNECT_TIMEOUT, 'SLUICE_CONNECT_TIMEOUT'],
  [EngineError.RESET, 'SLUICE_ENDPOINT_RESET'],
  [EngineError.BAD_RESPONSE, 'SLUICE_BAD_RESPONSE'],
  [EngineError.RESPONSE_HEAD_TOO_LARGE, 'SLUICE_RESPONSE_HEAD_TOO_LARGE'],
  [EngineError.TRUNCATED, 'SLUICE_RESPONSE_TRUNCATED'],
  [EngineError.FIRST_BYTE_TIMEOUT, 'SLUICE_FIRST_BYTE_TIMEOUT'],
  [EngineError.IDLE_TIMEOUT, 'SLUICE_IDLE_TIMEOUT'],
  [EngineError.EXCHANGE_TIMEOUT, 'SLUICE_EXCHANGE_TIMEOUT'],
  [EngineError.POOL_TIMEOUT, 'SLUICE_POOL_TIMEOUT'],
  [EngineError.FILE_LIMIT, 'SLUICE_FILE_LIMIT'],
  [EngineError.ATTEMPT_TIMEOUT, 'SLUICE_ATTEMPT_TIMEOUT'],
  [EngineError.TLS, 'SLUICE_ENDPOINT_TLS'],
  [EngineError.STREAM_REFUSED, 'SLUICE_STREAM_REFUSED'],
]);

/** @param engineError one of the EngineError numbers. @throws (invariant) for any other */
export function codeOfFailure(engineError: number): ErrorCode {
  const code = codes.get(engineError);
  invariant(code !== undefined, `the engine reports a known failure, not ${engineError}`);
  return code;
}
