/** Why a worker cannot accept at an address of a new plan, in a form that the primary can be told. */
import type { ErrorCode } from '../core/error-catalog.js';
import { ProxyError } from '../core/proxy-error.js';

/** By the errno's name. */
const CODES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ['EADDRINUSE', 'SLUICE_ADDRESS_IN_USE'],
  ['EEXIST', 'SLUICE_ADDRESS_IN_USE'],
  ['EACCES', 'SLUICE_ADDRESS_DENIED'],
  ['EPERM', 'SLUICE_ADDRESS_DENIED'],
  ['EROFS', 'SLUICE_ADDRESS_DENIED'],
]);

/**
 * @param error    as thrown by SessionEngine.listen
 * @param listener its name
 * @returns the error itself where the system has no part in it: a bug
 */
export function listeningError(error: unknown, listener: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  const code = CODES.get(error.code) ?? 'SLUICE_ADDRESS_UNAVAILABLE';
  return new ProxyError(code, { listener, reason: error.code }, { cause: error });
}
