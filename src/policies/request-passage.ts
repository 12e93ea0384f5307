/** Refuses requests that must not pass a gateway: TRACE, and those that have been through this process before. */
import { ADMIT, type Verdict } from './verdict.js';

/**
 * TRACE would echo the fields this proxy added back to the client (semantics.md 9.3); CONNECT asks for a forward proxy; a request
 * that carries this process's own Via name goes round in a loop. HOT. Thread: worker.
 */
export function admitPassage(method: string, hasLoop: boolean): Verdict {
  if (hasLoop) return 'SLUICE_LOOP_DETECTED';
  if (method === 'TRACE' || method === 'CONNECT') return 'SLUICE_METHOD_REFUSED';
  return ADMIT;
}

/** Methods that may be carried out twice without harm (RFC 9110 9.2.2). HOT. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
      return true;
    default:
      return false;
  }
}
