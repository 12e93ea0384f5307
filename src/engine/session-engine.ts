/**
 * The TypeScript face of the native L4 engine: sessions of TCP and UNIX connections, and who accepts them. Thread: worker, and the
 * primary where it accepts.
 *
 * The engine owns sockets, buffers, pipes and timers; it knows no board and takes no decision. A session is a small integer that the
 * engine chooses; it is the engine's from OPENED until ENDED, and may come again after that. Events come in batches, one call for each;
 * where an event asks for a decision, TypeScript writes it into the event, and the engine acts on it when onBatch has returned.
 */
import { HEDGE_OFFSET, MAX_EXCHANGES } from './engine.js';
import type { ClientCertificate } from './tls.js';

/** Most sessions one worker can have open. */
export const MAX_SESSIONS = 1 << 16;

/** Number of session 0 where sessions and exchanges share a ledger: behind all exchanges and their hedges. */
export const FIRST_SESSION_NUMBER = HEDGE_OFFSET + MAX_EXCHANGES;

/** Layout of one event: SESSION_EVENT_STRIDE int32 words. The same numbers stand in native/src/l4/session_event.h. */
export const SESSION_EVENT_STRIDE = 32;
export const SessionField = {
  /** One of SessionEventType. */
  type: 0,
  session: 1,
  /** Number of the listener. In every event. */
  listener: 2,
  /** CONNECT_FAILED: one of ConnectFailure. ENDED: one of SessionEnd. */
  reason: 3,
  /** CONNECT_FAILED and ENDED: the errno, or 0. */
  errno: 4,
  /** CONNECTED, CONNECT_FAILED: µs since this attempt began to connect; capped at 2^31-1. */
  elapsedUs: 5,
  /** OPENED and CONNECT_FAILED: TypeScript writes an endpoint slot, REFUSE or LATER. */
  decision: 6,
  /** Bits of SessionFlag. */
  flags: 7,
  /**
   * OPENED, and ENDED with NEVER_OPENED: the peer's address as four words in network order of an IPv6 address (IPv4 as
   * ::ffff:a.b.c.d): word 0 holds the first four bytes, the first of them highest. All 0 for a UNIX socket.
   */
  peer0: 8,
  peer1: 9,
  peer2: 10,
  peer3: 11,
  peerPort: 12,
  /** OPENED with PROXIED: the client's address as the PROXY header claims it, in the same form. */
  claimed0: 13,
  claimed1: 14,
  claimed2: 15,
  claimed3: 16,
  claimedPort: 17,
  /** OPENED: TypeScript writes 1 where the claimed address is to be passed on as the client's (its peer is trusted); 0 otherwise. */
  believe: 18,
  /** OPENED: offset in the arena of the server name in lower case (ASCII), and behind it the offered ALPN protocols as in the
   * ClientHello's list: a length byte before each; with DECRYPTED what was agreed on. Both lengths 0: none. */
  textOffset: 19,
  sniLength: 20,
  alpnLength: 21,
  /** ENDED: bytes relayed from the client to the endpoint, low and high 32 bits (low is unsigned). */
  fromClientLow: 22,
  fromClientHigh: 23,
  /** ENDED: bytes relayed from the endpoint to the client. */
  toClientLow: 24,
  toClientHigh: 25,
  /** ENDED: how long the session lasted; capped at 2^31-1. */
  durationMs: 26,
  /** ENDED with TLS_FAILED, CONNECT_FAILED with TLS: one of TlsFailure, the alert of ALERT, and OpenSSL's words for what is wrong with a
   * certificate: as many bytes at textOffset. */
  tlsFailure: 27,
  tlsAlert: 28,
  tlsTextLength: 29,
} as const;

/** Decision: close the connection with a reset. ENDED follows with REFUSED. */
export const REFUSE = -1;
/**
 * Decision: none yet; `decide` follows. What the client sends meanwhile stays in its socket; when it resets the connection, ENDED comes
 * with CLIENT_RESET, and when it has only finished sending, the session goes on.
 */
export const LATER = -2;

export const SessionEventType = {
  /** Withdrawn, e.g. because TypeScript closed the session meanwhile: skip it. */
  NONE: 0,
  /** A connection has been accepted, and what its listener reads before it (PROXY header, ClientHello) is there. Wants a decision. */
  OPENED: 1,
  /** Connected to the endpoint of the last decision; bytes are relayed from here on. Wants none. */
  CONNECTED: 2,
  /** The endpoint of the last decision could not be connected to; the client has seen nothing. Wants a decision. */
  CONNECT_FAILED: 3,
  /**
   * The session is over. Every session that was OPENED ends with exactly one. One that failed before (a bad PROXY header) has only
   * this one, without OPENED, with NEVER_OPENED.
   */
  ENDED: 4,
} as const;

export const SessionFlag = {
  /** OPENED: a PROXY header named the client (claimed0 … claimedPort). */
  PROXIED: 1,
  /** OPENED: the connection began with a ClientHello. */
  TLS: 2,
  /** ENDED: there was no OPENED for this session. */
  NEVER_OPENED: 4,
  /** ENDED: the endpoint had been connected to. */
  WAS_CONNECTED: 8,
  /** ENDED: the endpoint had finished before, and the client has got all of it, the end included. */
  ENDPOINT_FINISHED: 16,
  /** OPENED: TLS with the client ends here. */
  DECRYPTED: 32,
} as const;

/** Why an endpoint could not be connected to. */
export const ConnectFailure = {
  REFUSED: 1,
  TIMEOUT: 2,
  /** The slot has no addresses in this worker (yet). */
  NO_ADDRESS: 3,
  /** No descriptor was to be had until the connect timeout. */
  FILE_LIMIT: 4,
  /** TLS with it could not begin, or its certificate was not believed. */
  TLS: 5,
} as const;

/** How a session ended. */
export const SessionEnd = {
  /** Both sides have finished, and everything was delivered; with halfClose off, one side has. */
  CLEAN: 1,
  /** TypeScript decided REFUSE. */
  REFUSED: 2,
  /** The client reset the connection, before or after CONNECTED. The endpoint got a reset, too. */
  CLIENT_RESET: 3,
  /** The endpoint reset the connection after CONNECTED. The client got a reset, too. */
  ENDPOINT_RESET: 4,
  /** Nothing moved for the listener's idle timeout. */
  IDLE_TIMEOUT: 5,
  /** One side had finished, and nothing moved for the linger timeout. */
  LINGER_TIMEOUT: 6,
  /** The PROXY header is malformed or missing. */
  BAD_PROXY_HEADER: 7,
  /** PROXY header or ClientHello did not come in time, or not in full. */
  PREFACE_TIMEOUT: 8,
  /** `closeSession` was called. Both sides got a reset. */
  CLOSED: 9,
  /** What began like a ClientHello is none, or is longer than 16 KiB. */
  BAD_CLIENT_HELLO: 10,
  /** TLS with the client could not begin; it was told why, where it spoke TLS. */
  TLS_FAILED: 11,
  /** The handshake was not complete in time. */
  TLS_TIMEOUT: 12,
  /** As many handshakes are in progress as may be, of all clients or of this one. */
  TLS_LIMIT: 13,
} as const;

/** How bytes are moved. */
export const Relay = {
  /** recv and send through one buffer of the worker. */
  COPY: 0,
  /** splice through pipes of a pool. */
  SPLICE: 1,
  /** copy; splice for a direction once a receive fills the buffer, copy again when splices turn small. */
  ADAPTIVE: 2,
} as const;

/** What the engine knows of a listener. All times in ms. */
export interface SessionListenerSettings {
  /** One of Relay. */
  readonly relay: number;
  /** true: the end of one side is passed on, the other direction goes on. false: it ends the session once everything was delivered. */
  readonly halfClose: boolean;
  /** Longest silence in both directions. */
  readonly sessionIdleTimeoutMs: number;
  /** Longest silence once one side has finished. */
  readonly lingerTimeoutMs: number;
  /** PROXY header and ClientHello must be complete after this, counted from accept. */
  readonly prefaceTimeoutMs: number;
  /** Every connection begins with a PROXY header, version 1 or 2. */
  readonly readsProxyHeader: boolean;
  /** Look for the server name and ALPN of a ClientHello; connections that do not begin with one have none. */
  readonly readsClientHello: boolean;
  /**
   * Not null: TLS ends here, behind the PROXY header; readsClientHello counts for nothing then. `context`: TlsServer.number. The handshake
   * must be complete after handshakeTimeoutMs, counted from accept; most handshakes in progress in this worker, and of one client address
   * (the PROXY header's, where there is one), 0: no limit.
   */
  readonly tls: {
    readonly context: number;
    readonly handshakeTimeoutMs: number;
    readonly handshakes: number;
    readonly handshakesPerClient: number;
  } | null;
}

/** What the engine knows of an endpoint. */
export interface SessionEndpointSettings {
  /** For all addresses of the endpoint together. */
  readonly connectTimeoutMs: number;
  /** PROXY header to begin each connection with: 0 none, 1 version 1, 2 version 2 (with ALPN, authority and unique id where known). */
  readonly proxyHeader: 0 | 1 | 2;
  /** TCP keep-alive; idle 0: off. In seconds, as the kernel has them. */
  readonly keepAlive: KeepAlive;
  /**
   * Not null: TLS begins once connected, behind the PROXY header, and within the connect timeout; it offers the protocol (ALPN) that the client
   * has agreed on with us. `context`: TlsClient.number. serverName: asked for and verified; '': neither. sessionKey: endpoints of one key
   * take up each other's TLS sessions.
   */
  readonly tls: { readonly context: number; readonly serverName: string; readonly sessionKey: string } | null;
}

/** TCP keep-alive of a socket. */
export interface KeepAlive {
  /** Seconds of silence before the first probe; 0: keep-alive is off. */
  readonly idleS: number;
  readonly intervalS: number;
  readonly probes: number;
}

/** Counters of one session engine; for tests, status and metrics. */
export interface SessionEngineStats {
  /** Open now, those that have no decision yet included. */
  readonly sessions: number;
  /** Waiting in the mailbox, accepted by the primary and not yet seen here. */
  readonly queued: number;
  /** Handshakes of clients in progress now. */
  readonly handshakes: number;
  /** Sockets to endpoints open now. */
  readonly endpointConnections: number;
  /** Bytes held in user memory now. */
  readonly heldBytes: number;
  /** Pipes that exist now: in use and in the pool. */
  readonly pipes: number;
  /** Directions that splice at this moment. */
  readonly splicing: number;
  /** Since start. */
  readonly opened: number;
  /** Connections closed (reset) as soon as they came: MAX_SESSIONS were open, or the kernel had no memory to watch one more. */
  readonly dropped: number;
  readonly bytesFromClients: number;
  readonly bytesToClients: number;
}

/** The native object behind the face: what native/src/binding exports as class `SessionEngine`. Thread: worker. */
export interface SessionEngine {
  /** Makes a listener known before its first connection, or gives it other settings for sessions to come. @param listener its number */
  openListener(listener: number, settings: SessionListenerSettings): void;
  /**
   * Accepts in this worker: on a duplicate of a listening descriptor that the primary keeps (sole worker), or on a socket of its own
   * that shares the address (SO_REUSEPORT). Where it did so for this listener before, it accepts there no more, once it does here. Throws an Error with `code` as openListeningSocket does.
   */
  listen(listener: number, from: { readonly descriptor: number } | ListeningAddress, options: ListeningOptions): void;
  /**
   * Accepts no more for this listener, once what lies in its backlog has been taken. Its sessions go on, and those that the primary's
   * acceptor has handed over still come. `openListener` and `listen` may open its number again. Idempotent.
   */
  closeListener(listener: number): void;
  /** Stops accepting for good; sessions go on. Idempotent. */
  stopListening(): void;
  /** Number of this worker's mailbox, for Acceptor.addWorker in the primary. */
  readonly mailbox: number;

  /**
   * Makes an endpoint slot known, or gives it other addresses and settings for new connections; sessions that exist stay.
   *
   * @param addresses as Engine.openPool takes them
   */
  openEndpoint(slot: number, addresses: readonly string[], settings: SessionEndpointSettings): void;
  /** New addresses for new connections; sessions that exist stay. */
  setAddresses(slot: number, addresses: readonly string[]): void;
  /** The slot gets no new connections (NO_ADDRESS); sessions that exist stay. Idempotent. */
  closeEndpoint(slot: number): void;

  /**
   * Decides for a session whose last decision was LATER. Nothing happens where none is due: it has ended meanwhile.
   *
   * @param slot as a decision in a batch, or REFUSE
   */
  decide(session: number, slot: number): void;
  /** Ends a session at once: both sides get a reset; ENDED (CLOSED) follows. Nothing happens where it has ended. */
  closeSession(session: number): void;
  stats(): SessionEngineStats;
  /** What the client of a session has shown as its certificate, and what was believed; null: none, or the session is over. Cold: allocates. */
  clientCertificate(session: number): ClientCertificate | null;
  /** How TLS handshakes with clients of a listener have ended since start, in the order of HANDSHAKE_ENDS. */
  handshakes(listener: number): readonly number[];
  /** Closes every session (reset), listener and handle; no events any more. Idempotent. */
  close(): void;
}

/** Called in the thread that made the acceptor or engine when a shortage of descriptors or memory begins (errno) or is over (0). */
export type OnShortage = (errno: number) => void;

export interface SessionEngineOptions {
  /** SESSION_EVENT_STRIDE * n words; the engine fills it from the start for each batch. At least 16 events. */
  readonly events: Int32Array;
  /** Where names of a batch lie; at least 64 KiB. Valid only inside onBatch. */
  readonly arena: Uint8Array;
  /** Called with the number of events; whatever it throws is an uncaught exception of this worker. */
  readonly onBatch: (count: number) => void;
  /** For listeners of this worker's own. */
  readonly onShortage: OnShortage;
  /**
   * Accepts no more at listeners of its own while this many sessions are open; further connections wait in the backlog. Told by
   * onShortage as EMFILE, and as over when some have ended. Absent: MAX_SESSIONS.
   */
  readonly maxSessions?: number;
}

/** Where to listen. */
export type ListeningAddress =
  | { readonly host: string; readonly port: number }
  /** A path, or '@name' for an abstract socket. `mode`: permissions of the file. */
  | { readonly path: string; readonly mode: number };

/** Options of a listening socket and what accepted sockets inherit from it. */
export interface ListeningOptions {
  readonly backlog: number;
  /** TCP_DEFER_ACCEPT in seconds: accept only when the client has sent something; 0: off. */
  readonly deferAcceptS: number;
  readonly keepAlive: KeepAlive;
  /** Share the address with other sockets of this process (SO_REUSEPORT); TCP only. */
  readonly isShared: boolean;
}

/** A listening socket that the primary has opened; it does not accept. */
export interface ListeningSocket {
  readonly descriptor: number;
  /** 0 for a UNIX socket. */
  readonly port: number;
  /** Closes it, and removes the file of a UNIX socket. Idempotent. */
  close(): void;
}

/**
 * The native acceptor of the primary: what native/src/binding exports as class `Acceptor`. It accepts in a thread of its own; each of these
 * calls waits until that one has carried it out, for as long as one round of accepting takes. Thread: primary.
 */
export interface Acceptor {
  /**
   * Accepts on this socket from the moment that there is a worker; then no more on the one that this listener had before, whose backlog is
   * still handed over. Throws an Error with `code`; then the former one goes on.
   *
   * @param listener its number
   */
  listen(listener: number, descriptor: number): void;
  /** Accepts no more for this listener, once what lies in its backlog has been handed over. Idempotent. */
  closeListener(listener: number): void;
  /**
   * Connections go to the worker whose mailbox has the fewest open ones; of several, to the one after the last that got one. One that
   * leaves its mail unread for half a second gets nothing more until it reads, as long as another one does. Nothing happens where its
   * worker has gone already.
   */
  addWorker(mailbox: number): void;
  /** It gets no more; what lies unread in its mailbox goes to the others, or waits for the next worker. Idempotent. */
  removeWorker(mailbox: number): void;
  /** Accepted since start, and connections open in each worker, in the order of addWorker. */
  stats(): { readonly accepted: number; readonly open: readonly number[] };
  /** Stops accepting for good; closes what waits for a worker. Idempotent. */
  close(): void;
}

export interface AcceptorOptions {
  readonly onShortage: OnShortage;
  /**
   * Accepts no more while this many connections are open in all workers together (those in mailboxes included); further ones wait in
   * the backlog. Told by onShortage as EMFILE, and as over when some have ended. Absent: no limit but descriptors.
   */
  readonly maxOpen?: number;
}

/** What the .node file exports for L4; part of Addon. */
export interface SessionAddon {
  readonly SessionEngine: new (options: SessionEngineOptions) => SessionEngine;
  readonly Acceptor: new (options: AcceptorOptions) => Acceptor;
  /**
   * Opens a listening socket, after a proof that nobody listens there; a UNIX socket's file that nobody listens on any more is
   * replaced. Throws an Error with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOENT, EEXIST (a file that is no socket) … Thread: any.
   */
  openListeningSocket(address: ListeningAddress, options: ListeningOptions): ListeningSocket;
}
