/** Loads a uWebSockets.js binary, the newest that this machine can run; the only file that touches those packages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { ProxyError } from '../../../core/proxy-error.js';

/** What uWebSockets.js reads as bytes: a string goes out as UTF-8, a view goes out as it is. */
export type UwsBytes = string | ArrayBuffer | Uint8Array;

/** A listening socket of uWebSockets.js: opaque and unchecked, a stale one crashes the process. */
export interface UwsListenSocket {
  readonly uwsListenSocket: unique symbol;
}

/** One request; valid only until its handler returns. */
export interface UwsRequest {
  /** @param name in lower case. @returns '' when absent; of several fields with one name only the first */
  getHeader(name: string): string;
  /** The path without its query, undecoded. */
  getUrl(): string;
  /** Without the '?'. Undefined where the target has none. */
  getQuery(): string | undefined;
  /** The method as the client wrote it. */
  getCaseSensitiveMethod(): string;
  /** Every field in order, repeated ones separately, names in lower case; bytes that are not UTF-8 are replaced. */
  forEach(visit: (name: string, value: string) => void): void;
}

/** One response; valid until `end`, a finished `tryEnd`, `close`, or the abort handler has run. Touching it later throws. */
export interface UwsResponse {
  /** @param status "200 OK", or a whole raw head: "200 OK\r\nname: value" */
  writeStatus(status: UwsBytes): this;
  writeHeader(name: UwsBytes, value: UwsBytes): this;
  /** One chunk of a chunked response. @returns false when it had to be buffered: wait for onWritable */
  write(chunk: UwsBytes): boolean;
  /**
   * One piece of a response of known length; what the socket does not take is NOT kept.
   * @returns [the piece was taken whole, the response is complete]
   */
  tryEnd(piece: UwsBytes, totalBytes: number): [isTaken: boolean, isComplete: boolean];
  end(body?: UwsBytes, closeConnection?: boolean): this;
  /** Called bare: with a number 20.30 leaves the response pending (docs/frontend-uws.md). */
  endWithoutBody(reportedContentLength?: number, closeConnection?: boolean): this;
  /** Drops the connection; the abort handler runs. */
  close(): this;
  /** Body bytes written so far. */
  getWriteOffset(): number;
  /** @param handler gets the offset reached; returns true when it wrote all it could */
  onWritable(handler: (offset: number) => boolean): this;
  onAborted(handler: () => void): this;
  /** @param handler its chunk is emptied as soon as it returns: copy what must stay */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): this;
  /** Stops reading the request's body. */
  pause(): void;
  resume(): void;
  /** The connection's own peer, 4 or 16 bytes. Never the address that a PROXY v2 header claims. */
  getRemoteAddress(): ArrayBuffer;
  /** As getRemoteAddress, but what an unasked PROXY v2 header claimed; empty without one. */
  getProxiedRemoteAddress(): ArrayBuffer;
  /** Runs `write` with all its output gathered into one send. */
  cork(write: () => void): this;
  /**
   * Answers 101 and turns the connection into a WebSocket: `open` runs within the call, the response may not be touched any more.
   *
   * @param data     comes back from `getUserData`: either this object or one with its properties
   * @param protocol '' for none
   * @param extensions what the client offers; '' negotiates none
   */
  upgrade(data: object, key: UwsBytes, protocol: UwsBytes, extensions: UwsBytes, context: UwsUpgradeContext): void;
}

/** Opaque: where a handler of upgrades was called from; handed back to `upgrade`, also in a later turn. */
export interface UwsUpgradeContext {
  readonly uwsUpgradeContext: unique symbol;
}

/** One WebSocket of a client; valid from `open` to the end of `close`. Touching it later throws. */
export interface UwsWebSocket {
  getUserData(): object;
  /** @returns 1: sent · 0: buffered in part · 2: dropped, since more than maxBackpressure was buffered before */
  send(message: UwsBytes, isBinary: boolean, isCompressed: boolean): number;
  /** @returns as `send` */
  ping(payload: UwsBytes): number;
  getBufferedAmount(): number;
  /** Sends a close frame (one without a code for 0) and ends; `close` runs within the call. */
  end(code: number, reason: UwsBytes): void;
  /** Drops the connection without a close frame; `close` runs within the call. */
  close(): void;
}

/** How WebSockets of one pattern are treated. */
export interface UwsWebSocketBehavior {
  /** Longest message taken, up to 2^32 - 1; a longer one drops the connection without a close frame. */
  readonly maxPayloadLength: number;
  /** Seconds without a byte from the client; 0: no limit. Any other value but 8 to 960 ends the process. */
  readonly idleTimeout: number;
  /** Bytes buffered for the client above which whatever is sent is dropped. */
  readonly maxBackpressure: number;
  readonly sendPingsAutomatically: boolean;
  /** Is called for each GET with a Sec-WebSocket-Key of 24 characters, whatever its other fields are. */
  upgrade(response: UwsResponse, request: UwsRequest, context: UwsUpgradeContext): void;
  open(socket: UwsWebSocket): void;
  /** @param message is emptied as soon as the handler returns */
  message(socket: UwsWebSocket, message: ArrayBuffer, isBinary: boolean): void;
  /** Some of what was buffered has gone out. */
  drain(socket: UwsWebSocket): void;
  /** The pong has been sent already. @param payload as in `message` */
  ping(socket: UwsWebSocket, payload: ArrayBuffer): void;
  pong(socket: UwsWebSocket, payload: ArrayBuffer): void;
  /** @param code 1005: a close frame without a code · 1006: no close frame, or one with a code that uWebSockets.js does not know */
  close(socket: UwsWebSocket, code: number, reason: ArrayBuffer): void;
}

/** Answers one request; has to attach an abort handler when it does not answer before it returns. */
export type UwsHandler = (response: UwsResponse, request: UwsRequest) => void;

/** Opaque number by which the app of another thread is named; see UwsApp.getDescriptor. */
export type UwsAppDescriptor = number & { readonly uwsAppDescriptor: unique symbol };

/** One app: its routes and its sockets, in the thread that made it. */
export interface UwsApp {
  any(pattern: string, handler: UwsHandler): this;
  /** Comes before `any` for what its `upgrade` is called for. */
  ws(pattern: string, behavior: UwsWebSocketBehavior): this;
  /** Another certificate for clients that name this, exactly or by `*.suffix`. A file that cannot be read ends the process; `domain` has to give it routes. */
  addServerName(name: string, options: UwsTlsOptions): this;
  /** What is attached from now on is for connections of this server name. Prints that to standard output. */
  domain(name: string): this;
  /** @param onListening gets false when the address could not be had; the reason is not told */
  listen(host: string, port: number, onListening: (socket: UwsListenSocket | false) => void): this;
  /** @param options LIBUS_LISTEN_EXCLUSIVE_PORT, or 0 to share the port by SO_REUSEPORT */
  listen(host: string, port: number, options: number, onListening: (socket: UwsListenSocket | false) => void): this;
  /** Closes every socket of the app, listening ones included, at once. */
  close(): this;
  /** Sees connections come (count > 0) and go (count < 0). Absent where `hasFilter` is false. */
  filter?(visit: (response: UwsResponse, count: number) => void): this;
  /** Names this app for `addChildAppDescriptor` in another thread. Absent where `hasChildApps` is false. */
  getDescriptor?(): UwsAppDescriptor;
  /** Hands the connections this app accepts to another thread's app, in turn. Absent where `hasChildApps` is false. */
  addChildAppDescriptor?(descriptor: UwsAppDescriptor): this;
  /** Takes an app out of the turn again. Absent where `hasChildApps` is false. */
  removeChildAppDescriptor?(descriptor: UwsAppDescriptor): this;
}

/** How an app, or one of its server names, speaks TLS; names of uSockets. Files are PEM and read within the call. */
export interface UwsTlsOptions {
  readonly key_file_name?: string;
  readonly cert_file_name?: string;
  readonly passphrase?: string;
  /** Authorities of clients, who may come without a certificate, but not with another one. */
  readonly ca_file_name?: string;
  /** Of TLS 1.2, names of OpenSSL. */
  readonly ssl_ciphers?: string;
}

/** What a uWebSockets.js binary exports, as far as this proxy uses it. */
export interface Uws {
  App(): UwsApp;
  /** TLS 1.2 and 1.3, of its own BoringSSL. Without files every handshake fails. @throws Error where a file or setting is of no use */
  SSLApp(options: UwsTlsOptions): UwsApp;
  /** Stops listening; open connections stay. Once only: a second call with the same socket crashes the process. */
  us_listen_socket_close(socket: UwsListenSocket): void;
  /** @returns the bound port, or -1 */
  us_socket_local_port(socket: UwsListenSocket): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
  /** Takes the key that switches off the `uWebSockets` response header in this thread: see removeUwsMark. */
  _cfg(key: string): void;
}

/** A binary that loaded, and what it can do. */
export interface LoadedUws {
  readonly uws: Uws;
  /** Version of the package that it came with, e.g. 20.30.0-unofficial.0. */
  readonly version: string;
  readonly packageName: string;
  /** Absolute path of the .node file. */
  readonly binaryPath: string;
  /** The primary's app can hand connections to the workers' apps; else the workers share the port. */
  readonly hasChildApps: boolean;
  /** Connections can be counted as they come and go. */
  readonly hasFilter: boolean;
  /** A WebSocket can be stopped: see ClientWebSocket. */
  readonly pausesWebSockets: boolean;
  /** Bytes of request head that this binary takes; more is refused by it before any handler runs. */
  readonly headBytes: number;
}

/** A package that may hold a binary, and where in it. */
export interface UwsCandidate {
  readonly packageName: string;
  /** From the folder of the package's main file to its root. */
  readonly rootFromMain: string;
  /** From the package's root to its binaries. */
  readonly binaries: string;
  /** The binary reads UWS_HTTP_MAX_HEADERS_SIZE when it is loaded; else its limit is UWS_FIXED_HEAD_BYTES. */
  readonly readsHeadBytes: boolean;
  /** `pause` and `resume` of its responses are known to work on its WebSockets, which have none of their own. */
  readonly pausesWebSockets?: boolean;
}

/** How loadUws searches; everything has its default. */
export interface LoadUwsOptions {
  /**
   * Bytes of request head to take, where the binary lets us say so. It is one figure for the whole process: the primary
   * loads first, with the largest of all listeners, and the binary keeps what it read then.
   */
  readonly headBytes?: number;
  /** Packages to try, best first. */
  readonly candidates?: readonly UwsCandidate[];
  /** File whose node_modules are searched; for tests. */
  readonly resolveFrom?: string;
}

/** Head size of a binary that does not read one, and the default of one that does (uWebSockets, HttpParser.h). */
export const UWS_FIXED_HEAD_BYTES = 4096;

/** Newest first. Both are aliases in package.json, since the registry has no package named uWebSockets.js (docs/adr). */
export const UWS_CANDIDATES: readonly UwsCandidate[] = [
  { packageName: 'uWebSockets.js-next', rootFromMain: '.', binaries: '.', readsHeadBytes: true },
  {
    packageName: 'uWebSockets.js',
    rootFromMain: '..',
    binaries: 'binaries',
    readsHeadBytes: false,
    pausesWebSockets: true,
  },
];

/**
 * Loads the first candidate whose binary runs here. The .node file is opened directly: the main file of one package
 * answers a failed load with an imitation in plain JavaScript, which would be slow and wrong without a word.
 *
 * Thread: primary, before any worker starts (it sets the environment that the binary reads once, and a worker's
 * `process.env` is only a copy), then each worker for itself.
 *
 * @throws ProxyError SLUICE_UWS_MISSING with what was found, what is missing and what to do
 */
export function loadUws(options: LoadUwsOptions = {}): LoadedUws {
  const { headBytes = UWS_FIXED_HEAD_BYTES, candidates = UWS_CANDIDATES, resolveFrom = import.meta.url } = options;
  if (isMainThread) process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(headBytes);
  const load = createRequire(resolveFrom);
  const obstacles: string[] = [];
  for (const candidate of candidates) {
    const attempt = loadCandidate(candidate, load);
    if (typeof attempt !== 'string') {
      return { ...attempt, headBytes: candidate.readsHeadBytes ? headBytes : UWS_FIXED_HEAD_BYTES };
    }
    obstacles.push(`${candidate.packageName}: ${attempt}`);
  }
  throw new ProxyError('SLUICE_UWS_MISSING', {
    machine: machineOf(),
    found: obstacles.join('; ') || 'no package to try',
    remedy:
      'run `npm ci` where a package is not installed; otherwise use Node 20 on Linux x64 or arm64 with glibc 2.27 or later (not musl)',
  });
}

/**
 * Switches off the `uWebSockets` header that every response of this thread would carry. The key is the one that both
 * supported binaries compare with (docs/adr/0003-uwebsockets-package.md); the unit test looks at the bytes.
 * Thread: worker, once, after the first App of this thread.
 */
export function removeUwsMark(uws: Uws): void {
  uws._cfg('999999990007');
}

/** @returns the loaded binary, or in words what stands in the way */
function loadCandidate(candidate: UwsCandidate, load: NodeJS.Require): Omit<LoadedUws, 'headBytes'> | string {
  const { packageName } = candidate;
  const root = rootOf(candidate, load);
  if (root === undefined) return 'the package is not installed';
  const folder = join(root, candidate.binaries);
  const binaryName = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  const binaryPath = join(folder, binaryName);
  if (!existsSync(binaryPath)) return `has no ${binaryName}${othersIn(folder)}`;
  let exported: unknown;
  try {
    exported = load(binaryPath);
  } catch (error) {
    return `${binaryName} does not load (${error instanceof Error ? error.message : String(error)})`;
  }
  if (!isUws(exported)) return `${binaryName} loads, but does not export what a uWebSockets.js binary has to`;
  const app = exported.App();
  const hasChildApps = typeof app.addChildAppDescriptor === 'function' && typeof app.getDescriptor === 'function';
  const hasFilter = typeof app.filter === 'function';
  app.close();
  const pausesWebSockets = candidate.pausesWebSockets === true;
  return {
    uws: exported,
    version: versionIn(root),
    packageName,
    binaryPath,
    hasChildApps,
    hasFilter,
    pausesWebSockets,
  };
}

/** @returns the package's root folder, or undefined when it is not installed */
function rootOf({ packageName, rootFromMain }: UwsCandidate, load: NodeJS.Require): string | undefined {
  try {
    return join(dirname(load.resolve(packageName)), rootFromMain);
  } catch {
    return undefined;
  }
}

function isUws(exported: unknown): exported is Uws {
  if (typeof exported !== 'object' || exported === null) return false;
  const needed = ['App', 'SSLApp', 'us_listen_socket_close', 'us_socket_local_port', '_cfg'] as const;
  return needed.every((name) => typeof (exported as Record<string, unknown>)[name] === 'function');
}

/** The binaries that lie there instead of the wanted one, for the error's text. */
function othersIn(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const others = names.filter((name) => name.startsWith(`uws_${process.platform}_`) && name.endsWith('.node'));
  return others.length > 0 ? `, only ${others.join(', ')}` : `, and none for ${process.platform}`;
}

function versionIn(root: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}

/** What a person needs to know of this machine to see why no binary fits. */
function machineOf(): string {
  const report: unknown = process.report.getReport();
  const header = typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  const glibc =
    typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header
      ? `glibc ${String(header.glibcVersionRuntime)}`
      : 'no glibc';
  return `${process.platform} ${process.arch}, Node ${process.versions.node} (ABI ${process.versions.modules}), ${glibc}`;
}
