/** Defaults of what is seen of traffic: access log and spans. The others are in defaults.ts. */

/** Exchanges and sessions of a listener stand in the access log, where there is one. */
export const LISTENER_ACCESS_LOG = true;

/** What most tools that read access logs know. */
export const ACCESS_LOG_FORMAT = 'combined' as const;

/** Lines of about 200 bytes that wait: 40,000, a second of traffic while a disk stands still. */
export const ACCESS_LOG_BUFFER_BYTES = 8 * 1024 * 1024;

/** `service.name` of spans. */
export const TRACING_SERVICE = 'sluice';

/** Share of the traces begun here that are recorded: every request, as OpenTelemetry's own default. */
export const TRACING_SHARE = 1;
