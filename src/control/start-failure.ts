/** Why sluice could not start, in one sentence with the fix, and the exit code that goes with it. */
import type { BindPlan, ListenerPlan } from '../config/plan.js';
import type { ErrorCode } from '../core/error-catalog.js';
import { ProxyError } from '../core/proxy-error.js';

/** Exit codes of the process. A second signal ends it with 128 + the signal's number, as shells expect. */
export const ExitCode = {
  OK: 0,
  /** Bad configuration or usage. */
  BAD_INPUT: 1,
  /** Could not start, or every worker keeps crashing. */
  CANNOT_RUN: 2,
  /** A bug of ours in the primary (sysexits: EX_SOFTWARE). */
  INTERNAL: 70,
} as const;

/** A start that failed for a known reason: `message` is the whole sentence for the operator. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** What the process exits with. */
  get exitCode(): number {
    return this.code === 'SLUICE_CONFIG' || this.code === 'SLUICE_USAGE' ? ExitCode.BAD_INPUT : ExitCode.CANNOT_RUN;
  }
}

/** Where an address was to be bound, for the sentence. */
export interface BindPlace {
  readonly bind: BindPlan;
  /** e.g. 'listener web' or 'admin API'. */
  readonly what: string;
  /** The flag that chooses another address. */
  readonly flag: '--listen' | '--admin';
}

/** The place of a listener. */
export function listenerPlace(listener: ListenerPlan): BindPlace {
  return { bind: listener.bind, what: `listener ${listener.name}`, flag: '--listen' };
}

/** 'host:port' as `placeText`, or 'unix:/path'. */
export function bindText(bind: BindPlan): string {
  return bind.kind === 'unix' ? `unix:${bind.path}` : placeText(bind.host, bind.port);
}

/** 'host:port', brackets around an IPv6 host. */
export function placeText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Turns the error of a failed bind into a start failure.
 *
 * @param error as thrown by Addon.reserveAddress, Addon.openListeningSocket or node:net, with an errno name in `code`
 */
export function bindFailure(place: BindPlace, error: unknown): StartFailure {
  const errnoName = (error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined) ?? String(error);
  const { bind, what, flag } = place;
  const sentence = bind.kind === 'unix' ? pathSentence(bind.path, errnoName) : addressSentence(bind, errnoName, flag);
  return new StartFailure(bindCode(errnoName), sentence(what), { cause: error });
}

function bindCode(errnoName: string): ErrorCode {
  switch (errnoName) {
    case 'EADDRINUSE':
    case 'EEXIST':
      return 'SLUICE_ADDRESS_IN_USE';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'SLUICE_ADDRESS_DENIED';
    default:
      return 'SLUICE_ADDRESS_UNAVAILABLE';
  }
}

/** What a sentence is made with: what was to listen. */
type Sentence = (what: string) => string;

function addressSentence(bind: BindPlan & { kind: 'tcp' }, errnoName: string, flag: string): Sentence {
  const where = bindText(bind);
  switch (bindCode(errnoName)) {
    case 'SLUICE_ADDRESS_IN_USE':
      return (what) => `${where} is taken by another process (${what}): stop it or choose another address with ${flag}`;
    case 'SLUICE_ADDRESS_DENIED':
      return (what) =>
        `this process may not listen on ${where} (${what}): choose a port from 1024 up with ${flag}, or allow it with \`setcap cap_net_bind_service=+ep\` on node`;
    default:
      return (what) =>
        `cannot listen on ${where} (${what}, ${errnoName}): this machine does not have the address; choose one of its own with ${flag}, or 0.0.0.0 for all`;
  }
}

function pathSentence(path: string, errnoName: string): Sentence {
  switch (errnoName) {
    case 'EADDRINUSE':
      return (what) => `another process listens on ${path} (${what}): stop it or choose another path`;
    case 'EEXIST':
      return (what) =>
        `${path} exists and is no socket (${what}): sluice does not delete it; remove it or choose another path`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return (what) =>
        `this process may not make the socket ${path} (${what}, ${errnoName}): choose a directory that it may write to, or allow it there`;
    case 'ENOENT':
    case 'ENOTDIR':
      return (what) => `the directory of ${path} does not exist (${what}): make it, or choose another path`;
    case 'ENAMETOOLONG':
      return (what) => `${path} is too long for a UNIX socket (${what}): choose a shorter path`;
    default:
      return (what) => `cannot listen on ${path} (${what}, ${errnoName}): choose another path`;
  }
}

/** Any error of the start as a start failure; undefined for one that has no code of the catalogue, that is, a bug. */
export function startFailureOf(error: unknown): StartFailure | undefined {
  if (error instanceof StartFailure) return error;
  if (error instanceof ProxyError) return new StartFailure(error.code, error.message, { cause: error });
  return undefined;
}
