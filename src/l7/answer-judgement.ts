/** What answers are for breakers of routes and for endpoints, once it is known: with their head, or with the trailers of gRPC. */
import { NO_ENDPOINT } from '../balancing/balancer.js';
import { isFailingStatus } from '../balancing/endpoint-ledger.js';
import type { UpstreamRuntime } from '../balancing/upstream-runtime.js';
import { GRPC_AWAITED, judgedStatus } from '../core/grpc-status.js';
import { msBetween, type Tick } from '../core/tick.js';
import { type Exchange, MOST_ELAPSED_US } from './exchange.js';
import type { ExchangeRecorder } from './exchange-recorder.js';

const US_PER_MS = 1_000;

/** What the client gets is known. Thread: worker. @param isFailure it is no good answer */
export function settleBreaker({ passage, route, beganAt }: Exchange, isFailure: boolean, now: Tick): void {
  const takenUs = Math.min(msBetween(beganAt, now) * US_PER_MS, MOST_ELAPSED_US);
  if (passage !== null) route?.breaker?.settled(passage, isFailure, takenUs, now);
}

/**
 * A head has come, and its facts stand in the exchange: judged at once, but for a call of gRPC whose trailers say how it ends. HOT. Thread:
 * worker.
 */
export function settleHead(exchange: Exchange, recorder: ExchangeRecorder, now: Tick): void {
  const { serving, status, firstByteUs, grpc } = exchange;
  const isAwaited = grpc === GRPC_AWAITED;
  const judged = grpc > 0 ? judgedStatus(grpc, status) : status;
  if (exchange.passage !== null && !isAwaited) settleBreaker(exchange, isFailingStatus(judged), now);
  // One that was asked about has been settled by then, if it had to wait.
  if (serving.endpoint === NO_ENDPOINT) return;
  recorder.answered(exchange, serving, status, firstByteUs);
  if (grpc > 0) recorder.grpcEnded(exchange, grpc);
  (exchange.upstream as UpstreamRuntime).settleFirstByte(serving, judged, firstByteUs, now, isAwaited);
}

/**
 * The trailers say how a call of gRPC has ended whose head did not; nothing happens where the head did. Thread: worker.
 *
 * @param grpc a word of src/core/grpc-status.ts, above 0
 */
export function settleGrpcEnd(exchange: Exchange, grpc: number, recorder: ExchangeRecorder, now: Tick): void {
  const { serving, upstream, firstByteUs } = exchange;
  if (exchange.grpc !== GRPC_AWAITED) return;
  exchange.grpc = grpc;
  const judged = judgedStatus(grpc, exchange.status);
  settleBreaker(exchange, isFailingStatus(judged), now);
  if (serving.endpoint === NO_ENDPOINT || upstream === null) return;
  recorder.grpcEnded(exchange, grpc);
  upstream.settleJudgement(serving, judged, firstByteUs, now);
}
