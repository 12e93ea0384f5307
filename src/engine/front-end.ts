/**
 * The TypeScript face of the native HTTP/1.1 front end: clients' connections, their requests, and the answers they get. Thread: worker.
 *
 * The front end owns client connections, parsers, buffers and timers, and sends requests through the worker's `Engine`; it knows no
 * board and takes no decision. One exchange is a small integer that the front end chooses, from FIRST_FRONT_END_EXCHANGE on; it is the
 * front end's from REQUEST until FINISHED, and may come again after that. Events (front-end-event.ts) come in batches, one call for each;
 * where one asks for a decision, TypeScript writes it into the event, and the front end acts on it when onBatch has returned. Responses
 * go from endpoint to client without TypeScript, but for those that it is asked about.
 */
import type { AccessLines } from './access-lines.js';
import type { Engine } from './engine.js';
import type { ListeningAddress, ListeningOptions, OnShortage } from './session-engine.js';
import type { ClientCertificate, ListenerTlsSettings } from './tls.js';

/** TLS with clients of the front end. */
export interface FrontEndTlsSettings extends ListenerTlsSettings {
  /**
   * Request fields that tell endpoints of the certificate that a client has shown, lower case; '': none. What clients send under these
   * names, or under one that has underscores for their hyphens, is taken off.
   */
  readonly subjectField: string;
  readonly fingerprintField: string;
}

/** So many at once, then so many a second. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** HTTP/2 with clients. A passed limit ends the connection (GOAWAY, ENHANCE_YOUR_CALM) but for streams, which are refused. */
export interface FrontEndHttp2Settings {
  /** Connections without TLS may begin with it (prior knowledge); over TLS ALPN says. */
  readonly isClearText: boolean;
  /** Of a connection at the same time. */
  readonly streams: number;
  /** What clients may send ahead of what endpoints take; of a connection at least 65,535. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Streams that a client resets, or has reset for what it does on them. */
  readonly resets: Rate;
  /** CONTINUATION frames of one header block. */
  readonly continuations: number;
  /** SETTINGS, empty DATA, and of PING, PRIORITY and WINDOW_UPDATE what goes beyond two for each request and DATA frame. */
  readonly controlFrames: Rate;
  /** SETTINGS must be acknowledged after this; 0: no limit. */
  readonly ackTimeoutMs: number;
}

/** What the front end knows of a listener. Times in ms. */
export interface FrontEndListenerSettings {
  /** 'http' or 'https': the value of X-Forwarded-Proto for connections without TLS; with it, https. */
  readonly scheme: string;
  readonly headBytes: number;
  /** Longest request line; at most headBytes. */
  readonly targetBytes: number;
  readonly headers: number;
  /** 0: unlimited. */
  readonly bodyBytes: number;
  /** From the first byte of a head (of a connection: from accept) to its end. */
  readonly requestHeadTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
  /** Bytes a second that a request body has to come with, on average, after the first 5 s; 0: any. */
  readonly minBodyRate: number;
  readonly keepAliveTimeoutMs: number;
  /** Requests of one connection; 0: unlimited. */
  readonly requestsPerConnection: number;
  /** A client that takes nothing of what lies ready for so long is cut off. */
  readonly writeStallTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
  /** PROXY header must be complete after this, counted from accept. */
  readonly prefaceTimeoutMs: number;
  readonly readsProxyHeader: boolean;
  readonly http2: FrontEndHttp2Settings;
  /** Strict-Transport-Security of every answer but interim ones, in place of what endpoints say; '': none of the proxy's own. */
  readonly hsts: string;
  /** null: plain. Counts for connections that come; those that are there stay as they are. */
  readonly tls: FrontEndTlsSettings | null;
  /**
   * Tables of path prefixes and routes, one for each set of routes that a Host can have: of a table the first prefix that matches by
   * whole segments counts (router.ts, routeFor). Which table a Host uses is TypeScript's decision (hostTable).
   */
  readonly hostTables: readonly { readonly paths: readonly string[]; readonly routes: readonly number[] }[];
}

/** Counters of one front end; for tests, status and metrics. */
export interface FrontEndStats {
  /** Client connections open now. */
  readonly connections: number;
  /** Of those, the ones without a request. */
  readonly idleConnections: number;
  /** Waiting in the mailbox. */
  readonly queued: number;
  readonly exchanges: number;
  readonly tunnels: number;
  /** Bytes held in user memory for clients now. */
  readonly heldBytes: number;
  /** TLS handshakes with clients in progress. */
  readonly handshakes: number;
  /** Since start. */
  readonly accepted: number;
  readonly requests: number;
  /** Connections closed (reset) as soon as they came, for want of room. */
  readonly dropped: number;
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
  /** Of the connections, those that speak HTTP/2. */
  readonly http2Connections: number;
}

/** The native object behind the face: what native/src/binding exports as class `FrontEnd`. Thread: worker. */
export interface FrontEnd {
  /**
   * Makes a listener known before its first connection; or changes it: for connections that it has, too, from their next request on. A
   * request goes by the settings that it began with. Routes of REQUEST events that come from now on are those of the last call.
   *
   * @param listener its number
   */
  openListener(listener: number, settings: FrontEndListenerSettings): void;
  /** As SessionEngine.listen. */
  listen(listener: number, from: { readonly descriptor: number } | ListeningAddress, options: ListeningOptions): void;
  /**
   * A listener is gone: accepts no more at a socket of this worker's own, closes connections that wait for their next request, and every
   * answer closes its connection, also the first one of a connection that has just come; tunnels go on. `openListener` and `listen` open it
   * again. Idempotent.
   */
  closeListener(listener: number): void;
  /** Ends at once what such a listener still has: connections are reset, exchanges broken off. */
  cutListener(listener: number): void;
  /** Stops accepting for good. Idempotent. */
  stopListening(): void;
  /** Number of this worker's mailbox for L7, for Acceptor.addWorker in the primary. */
  readonly mailbox: number;

  /** Every response from now on closes its connection; idle connections are closed. Idempotent. */
  drain(): void;

  /**
   * A decision that was put off (LATER): begins the attempt; a response that was asked about is dropped.
   *
   * @param exchangeTimeoutMs as FrontEndField.exchangeTimeoutMs
   * @param profile as FrontEndField.profile
   * @returns false when the exchange has ended meanwhile
   */
  decide(exchange: number, slot: number, exchangeTimeoutMs: number, profile: number): boolean;
  /** A decision about a response that was put off (LATER): passes it on. @returns false when there is no such response any more */
  pass(exchange: number): boolean;
  /**
   * Begins a second attempt with what is held of the request, beside the one that runs. The head that comes first is passed on, and the
   * other attempt is released; interim responses (1xx) are dropped while both run.
   *
   * @param profile   of the second attempt
   * @param timeoutMs deadline from now for its whole response; 0: none
   * @returns false: there is nothing to begin with. The request is not held whole, or not here to its end, or asks for a tunnel; no single
   *   attempt runs, or its head has gone; the slot has no connection pool; or the exchange is over
   */
  hedge(exchange: number, slot: number, profile: number, timeoutMs: number): boolean;
  /** Ends that second attempt alone, where both run; nothing more is told of it. Idempotent. */
  releaseHedge(exchange: number): void;
  /**
   * Answers an exchange instead of an endpoint: its attempts end, what is held of a response is dropped, and nothing is put off any more. What of the request has not been read is read and
   * dropped for a short while, or the connection closes.
   *
   * @param head status line without version, and fields: "503 Service Unavailable\r\nname: value", without framing, Date, Connection
   * @param body its length is announced; not sent for HEAD
   * @param mustClose the connection may not be used again
   */
  answer(exchange: number, head: string, body: string, mustClose: boolean): void;
  /** Breaks the response off so that the client cannot take it for complete; ends what `answer` ends. FINISHED follows (BROKEN_OFF). */
  breakOff(exchange: number): void;

  /**
   * The value of a request's field, several joined by ", "; null: it has none. Framing, Host, Connection and what it names are not
   * told. Within the batch that brought its REQUEST, and while its decision is put off.
   */
  header(exchange: number, name: string): string | null;
  /** Changes the request before it is sent: replaces all fields of that name; null removes them. When `header` may be called. */
  setHeader(exchange: number, name: string, value: string | null): void;
  /**
   * Adds a field to the head that the client gets in the end, of an endpoint or of the proxy's own, also of a 101, but no other 1xx. It
   * stands beside the endpoint's fields of that name; one that was added before under that name, in any case, gives it its place. It
   * stays over all attempts and is forgotten with the exchange. Nothing happens once the head has gone.
   *
   * @param name  a token, none of framing and connection, nor Date
   * @param value printable ASCII, blanks, tabs; null: takes the added field away
   * @throws TypeError for other names and values, and where all added lines would be more than 16 KiB
   */
  addResponseField(exchange: number, name: string, value: string | null): void;
  /**
   * Makes a key of requests known.
   *
   * @param kind  one of KeyKind (request-key.ts)
   * @param name  of the header, cookie or query parameter, a character for each byte; else ''
   * @param isCrc CRC-32 instead of xxHash64
   * @returns its number, for as long as the front end lives
   */
  openKey(kind: number, name: string, isCrc: boolean): number;
  /**
   * Hashes a key of a request, where it lies, into FrontEndOptions.keyWords: xxHash64, low and high word, or CRC-32 and 0. When `header`
   * may be called. HOT.
   *
   * @param key number of openKey
   * @returns bits of KeyAnswer
   */
  hashKey(exchange: number, key: number): number;
  /** What hashKey hashes, a character for each byte; null: the request has no such key. */
  keyText(exchange: number, key: number): string | null;
  /** For logs: "METHOD\nTARGET\nHOST\nREQUEST-ID", a character for each byte; a long target (640) or Host (256) is cut. From REQUEST until the batch with FINISHED is over. */
  describe(exchange: number): string;

  /** Where requests that come from now on are logged, null: nowhere. What writeAccessLine needs of them is kept from then on. */
  logTo(lines: AccessLines | null): void;
  /**
   * Writes the line of an exchange that came since logTo, with what is known of its request; when describe may be called. HOT
   * (bench/micro/engine/access-lines.bench.ts).
   *
   * @returns as AccessLines.write, or NOTHING_LOGGED
   */
  writeAccessLine(exchange: number): number;
  /** X-Forwarded-For of such an exchange whose client is believed, several joined by ", "; '': none. */
  forwardedFor(exchange: number): string;

  /** What the client of an open exchange has shown as its certificate; null: none. */
  clientCertificate(exchange: number): ClientCertificate | null;
  /** How TLS handshakes with clients of a listener have ended since start, in the order of HANDSHAKE_ENDS. */
  handshakes(listener: number): readonly number[];
  /** Of the clients of a listener since start: requests that came over HTTP/2, then streams that were refused for want of room. */
  http2Streams(listener: number): readonly number[];

  stats(): FrontEndStats;
  /** Closes every connection, listener and handle; no events any more. Idempotent. To be called before the engine's close. */
  close(): void;
}

export interface FrontEndOptions {
  /** Two words, for hashKey; it may not be called without. */
  readonly keyWords?: Int32Array;
  /** Through which requests are sent; of the same thread. */
  readonly engine: Engine;
  /** FRONT_END_EVENT_STRIDE * n words, at least 16 events; the front end fills it from the start for each batch. */
  readonly events: Int32Array;
  /** Where requests are read to; at least 512 KiB. Valid only inside onBatch. */
  readonly arena: Uint8Array;
  readonly onBatch: (count: number) => void;
  /** For listeners of this worker's own. */
  readonly onShortage: OnShortage;
  /** As SessionEngineOptions.maxSessions. */
  readonly maxConnections?: number;
  /** This process's name in Via: a token. */
  readonly viaName: string;
  /** 24 hex digits: begin the ids of requests, with 8 digits of a counter behind them. */
  readonly requestIdPrefix: string;
}

/** What the .node file exports for the front end; part of Addon. */
export interface FrontEndAddon {
  readonly FrontEnd: new (options: FrontEndOptions) => FrontEnd;
  /** Share of its time that this thread's loop has been busy since the last call, 0 to 1; of a thread without an engine 0. */
  loopBusyShare(): number;
}
