/**
 * The TypeScript face of what writes lines of the access log: numbers go in as words, names as numbers, texts of clients from where they
 * lie, and a whole, escaped line comes out. Nothing becomes a string on the way. Thread: worker.
 */

/**
 * Words of AccessLines.facts. The same numbers stand in native/src/log/access_lines.h. Names are numbers of openText, or NO_NAME; times are
 * in µs, 0 where there was none.
 */
export const AccessFact = {
  /** Where the line goes: which of the two buffers, and from which byte on. */
  buffer: 0,
  offset: 1,
  /** 1: of a session, 0: of an exchange. */
  isSession: 2,
  listener: 3,
  route: 4,
  upstream: 5,
  endpoint: 6,
  code: 7,
  /** 0: none was sent. */
  status: 8,
  attempts: 9,
  bytesFromClient: 10,
  bytesToClient: 11,
  totalUs: 12,
  queueUs: 13,
  connectUs: 14,
  firstByteUs: 15,
  /** 1, 0, or -1 where nothing came from an endpoint. */
  isReused: 16,
  /** Bytes of the texts that lie in AccessLinesOptions.texts, one behind the other; 0: none, or what the front end has. */
  client: 17,
  method: 18,
  /** Path and query. */
  target: 19,
  protocol: 20,
  host: 21,
  requestId: 22,
  traceId: 23,
  referer: 24,
  userAgent: 25,
} as const;
export const ACCESS_FACTS = 26;

/** The facts that are texts, in their order. */
export const ACCESS_TEXTS = [
  'client',
  'method',
  'target',
  'protocol',
  'host',
  'requestId',
  'traceId',
  'referer',
  'userAgent',
] as const;
export type AccessText = (typeof ACCESS_TEXTS)[number];

export const NO_NAME = -1;

/** Results of `write` besides an offset: the line does not fit into what is left of the buffer; the front end knows of no such request. */
export const NO_ROOM = -1;
export const NOTHING_LOGGED = -2;

/** What lines are made with. The arrays stay in use. */
export interface AccessLinesOptions {
  /** Places in ACCESS_FIELDS of the facts that a line of JSON has, in its order; none: the combined format. */
  readonly fields: readonly number[];
  /** ACCESS_FACTS words. */
  readonly facts: Float64Array;
  readonly texts: Uint8Array;
  readonly buffers: readonly [Uint8Array, Uint8Array];
  /** How long a target may get in a line once it is escaped; the rest is left out. */
  readonly targetBytes: number;
  /** As targetBytes, of each other text of a client. */
  readonly textBytes: number;
}

/** One format. What .node exports as class `AccessLines`. */
export interface AccessLines {
  /** Keeps a name that facts tell of. @returns its number, for as long as this object lives */
  openText(text: string): number;
  /** Writes a line of the facts and the given texts alone; FrontEnd.writeAccessLine has those of its requests. HOT. @returns offset behind it, or NO_ROOM */
  write(): number;
}

/** What the .node file exports for the access log; part of Addon. */
export interface AccessLogAddon {
  readonly AccessLines: new (options: AccessLinesOptions) => AccessLines;
}
