/** Compiles what the plan says of watching and steering: admin API, access log, tracing. */
import type { AccessLogPlan, AdminPlan, TracingPlan } from './observing-plan.js';
import type { AccessLog, Admin, Tracing } from './schema/observing.js';

/** Pure. */
export function compileAdmin(admin: Admin): AdminPlan | null {
  if (admin === 'off') return null;
  const { bind, token, hosts } = admin;
  return { host: bind.host, port: bind.port, token: token ?? null, hosts: [...hosts] };
}

/** Pure. */
export function compileAccessLog(accessLog: AccessLog): AccessLogPlan | null {
  if (accessLog === 'off') return null;
  const { file, format, fields, share, buffer } = accessLog;
  return { file, format, fields: [...new Set(fields)], share, bufferBytes: buffer };
}

/** Pure. */
export function compileTracing(tracing: Tracing): TracingPlan | null {
  return tracing === 'off' ? null : { ...tracing, headers: { ...tracing.headers } };
}
