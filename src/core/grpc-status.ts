/** How calls of gRPC end, as the native front end tells it, and what that means for whoever judges endpoints. Pure. */

/** Words of FrontEndField.grpcStatus; a status is its code and one. The same numbers stand in native/src/frontend/grpc_status.h. */
export const NOT_GRPC = 0;
/** It is gRPC, and its trailers say how it ends. */
export const GRPC_AWAITED = -1;

/** Names of the codes 0 to 16 (gRPC, "Status codes and their use"), and of an end with another code or without one. */
export const GRPC_STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
  'other',
] as const;
export type GrpcStatus = (typeof GRPC_STATUSES)[number];

/**
 * The HTTP status that an end counts as where answers are judged (outlier detection, breakers); of all others it is that of the head. As
 * Envoy maps them. `other` counts as UNKNOWN, which is what clients make of it.
 */
const JUDGED_AS: Readonly<Partial<Record<GrpcStatus, number>>> = {
  UNKNOWN: 500,
  DEADLINE_EXCEEDED: 504,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  other: 500,
};

/**
 * @param word   of an end that is known: above 0
 * @param status of the answer's head
 */
export function judgedStatus(word: number, status: number): number {
  const name = GRPC_STATUSES[word - 1];
  // An answer that is not 200 has no grpc-status by right: its own status says it.
  return (status === 200 && name !== undefined ? JUDGED_AS[name] : undefined) ?? status;
}
