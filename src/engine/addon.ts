/** What the .node file exports; its parts are described in engine.ts, front-end.ts, session-engine.ts and tls.ts. */
import type { AccessLogAddon } from './access-lines.js';
import type { Engine, EngineOptions } from './engine.js';
import type { FrontEndAddon } from './front-end.js';
import type { HashingAddon } from './hashing.js';
import type { SessionAddon } from './session-engine.js';
import type { TlsAddon } from './tls.js';

/** The whole addon. Each thread has its own. */
export interface Addon extends SessionAddon, FrontEndAddon, HashingAddon, AccessLogAddon, TlsAddon {
  readonly Engine: new (options: EngineOptions) => Engine;
  /**
   * Reserves a TCP address for this process so that worker threads can share it by SO_REUSEPORT and nobody else can take
   * it: first proves that nobody listens there, then binds without listening. Throws an Error with `code` set to
   * EADDRINUSE, EACCES, EADDRNOTAVAIL … Thread: primary.
   * @param port 0: a free one is chosen
   */
  reserveAddress(host: string, port: number): { readonly port: number; close(): void };
  /** How many files can still be opened below the soft limit; before Linux 6.2 an upper bound. Two system calls. */
  freeFiles(): number;
  /**
   * Stops (true) or resumes (false) accepting on every listening socket that libuv polls in this thread: uWebSockets.js has no way to.
   * @returns sockets found
   */
  pauseAccepting(isPaused: boolean): number;
  /**
   * Sockets of other addons in this thread that hold bytes their peer has not taken yet: uWebSockets.js does not tell when an answer
   * that it has buffered is out. Walks all handles: for a thread that drains.
   */
  countForeignWriters(): number;
  /**
   * Lets no other addon call back in this thread any more: closes its polled sockets, stills its timers and wake-ups. For the last
   * JavaScript of a thread: its loop still turns afterwards, and uWebSockets.js ends the process when a request finds no handler.
   */
  silenceForeignHandles(): void;
  /** Nothing more comes from std::cout of this process, where uWebSockets.js prints; lines of Node do. Idempotent. */
  muteStandardOutputStream(): void;
  /** Raises the soft limit of open files to the hard one where it may. @returns both limits afterwards */
  raiseFileLimit(): { readonly soft: number; readonly hard: number };
}
