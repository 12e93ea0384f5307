/** The grpc kind of a probe: a call of grpc.health.v1.Health/Check, good where the service is SERVING. */
import { constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { EndpointPlan, HealthCheckPlan } from '../../config/plan.js';
import { HEALTH_CHECK_PATH, healthAnswer, healthRequest } from './grpc-health.js';
import { hostOf } from './http-probe.js';
import { http2Exchange } from './http2-exchange.js';
import { type AttemptResult, SUCCEEDED } from './probe-result.js';

type GrpcCheckPlan = HealthCheckPlan & { readonly kind: 'grpc' };

/** Codes of gRPC that say something of the check itself. */
const OK = 0;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;

/** Most bytes of an answer that are kept: a message of two bytes and its prefix is what comes. */
const ANSWER_BYTES_MAX = 8192;
/** Most characters of an endpoint's own message that stand in a reason. */
const MESSAGE_LENGTH_MAX = 200;

/**
 * Asks on a connection that it then owns. Thread: primary.
 *
 * @param timeoutMs what is left of the check's; told to the endpoint as grpc-timeout
 * @returns never rejects
 */
export function grpcProbe(
  endpoint: EndpointPlan,
  socket: Socket,
  timeoutMs: number,
  check: GrpcCheckPlan,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const head = {
    ':method': 'POST',
    ':path': HEALTH_CHECK_PATH,
    ':scheme': check.tls === null ? 'http' : 'https',
    ':authority': hostOf(endpoint, check),
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${Math.max(1, Math.ceil(timeoutMs))}m`,
    'user-agent': 'sluice health check',
    ...check.headers,
  };
  const body = healthRequest(check.service);
  return http2Exchange(socket, head, body, timeoutMs, check, signal, (answer, stream, decide) => {
    const status = Number(answer[':status']);
    const type = answer['content-type'] ?? '';
    if (status !== 200) return decide(bad(`it answered with status ${status}, not as gRPC does`));
    if (!/^application\/grpc(?:[+;]|$)/i.test(type))
      return decide(bad(`it answered with the content type "${type.slice(0, MESSAGE_LENGTH_MAX)}", not as gRPC does`));
    const parts: Buffer[] = [];
    let bytes = 0;
    let trailers: IncomingHttpHeaders | null = answer['grpc-status'] === undefined ? null : answer;
    stream.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > ANSWER_BYTES_MAX) return decide(bad('its message is too long for a HealthCheckResponse'));
      parts.push(part);
    });
    stream.once('trailers', (fields) => {
      trailers = fields;
    });
    // The end of what can be read comes of a stream that is reset, too: only its close says which it was.
    stream.once('close', () =>
      decide(
        stream.rstCode === constants.NGHTTP2_NO_ERROR
          ? resultOf(trailers, Buffer.concat(parts), check)
          : bad('its answer was cut'),
      ),
    );
  });
}

/** grpc-message is percent-encoded; what is not stays as it is. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

function bad(reason: string): AttemptResult {
  return { succeeded: false, reason };
}

function resultOf(trailers: IncomingHttpHeaders | null, body: Buffer, { service }: GrpcCheckPlan): AttemptResult {
  const written = trailers?.['grpc-status'];
  if (trailers === null || written === undefined) return bad('its answer ended without a grpc-status');
  const code = Number(written);
  if (code === UNIMPLEMENTED) return bad('it does not implement grpc.health.v1.Health (grpc-status 12, UNIMPLEMENTED)');
  if (code === NOT_FOUND) return bad(`its health service knows no service "${service}" (grpc-status 5, NOT_FOUND)`);
  if (code !== OK) {
    const message = decoded(String(trailers['grpc-message'] ?? '')).slice(0, MESSAGE_LENGTH_MAX);
    return bad(`it answered with grpc-status ${String(written).slice(0, 20)}${message === '' ? '' : `: ${message}`}`);
  }
  const answer = healthAnswer(body);
  if ('reason' in answer) return bad(answer.reason);
  if (answer.status === 'SERVING') return SUCCEEDED;
  return bad(`${service === '' ? 'it' : `its service "${service}"`} is ${answer.status}`);
}
