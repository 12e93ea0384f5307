/** What the plan says of watching and steering: admin API, access log, tracing. Plain data. */

/** The admin API. */
export interface AdminPlan {
  readonly host: string;
  readonly port: number;
  /** What requests must bring as `Authorization: Bearer`; null: nothing, and `host` is a loopback address. */
  readonly token: string | null;
  /** Names besides the bound address and localhost that a Host header may have, lower case. */
  readonly hosts: readonly string[];
}

/** Facts that a line of the access log can have, in the order in which JSON has them. */
export const ACCESS_FIELDS = [
  'time',
  'listener',
  'client',
  'method',
  'path',
  'query',
  'protocol',
  'host',
  'status',
  'code',
  'route',
  'upstream',
  'endpoint',
  'attempts',
  'bytesFromClient',
  'bytesToClient',
  'durationMs',
  'queueMs',
  'connectMs',
  'firstByteMs',
  'reused',
  'requestId',
  'traceId',
  'referer',
  'userAgent',
  'tlsVersion',
  'tlsCipher',
] as const;
export type AccessField = (typeof ACCESS_FIELDS)[number];

/** The access log: a line for each exchange and session that has ended. */
export interface AccessLogPlan {
  /** '-': standard output; else the path of a file. */
  readonly file: string;
  readonly format: 'combined' | 'json';
  /** Of the json format, in this order. */
  readonly fields: readonly AccessField[];
  /** Share of the exchanges without failure that are written, 0 to 1; failures always are. */
  readonly share: number;
  /** Most bytes that wait to be written; lines beyond are dropped and counted. */
  readonly bufferBytes: number;
}

/** Spans of exchanges, exported by OTLP over HTTP. */
export interface TracingPlan {
  /** URL of the collector. */
  readonly endpoint: string;
  /** Field lines of its requests. */
  readonly headers: Readonly<Record<string, string>>;
  /** service.name of the spans. */
  readonly service: string;
  /** Share of the traces begun here that are recorded, 0 to 1; a client's own decision counts for its trace. */
  readonly share: number;
}
