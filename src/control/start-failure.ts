/** Why sluice could not start, in one sentence with the fix, and the exit code that goes with it. */
import type { L7ListenerPlan } from '../config/plan.js';
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
  readonly host: string;
  readonly port: number;
  /** e.g. 'listener web' or 'admin API'. */
  readonly what: string;
  /** The flag that chooses another address. */
  readonly flag: '--listen' | '--admin';
}

/** The place of a listener. */
export function listenerPlace(listener: L7ListenerPlan): BindPlace {
  return { host: listener.host, port: listener.port, what: `listener ${listener.name}`, flag: '--listen' };
}

/** 'host:port', brackets around an IPv6 host. */
export function placeText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Turns the error of a failed bind into a start failure.
 *
 * @param error as thrown by Addon.reserveAddress or node:net, with an errno name in `code`
 */
export function bindFailure(place: BindPlace, error: unknown): StartFailure {
  const errnoName = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const where = `${placeText(place.host, place.port)}`;
  const options = { cause: error };
  switch (errnoName) {
    case 'EADDRINUSE':
      return new StartFailure(
        'SLUICE_ADDRESS_IN_USE',
        `${where} is taken by another process (${place.what}): stop it or choose another address with ${place.flag}`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
      return new StartFailure(
        'SLUICE_ADDRESS_DENIED',
        `this process may not listen on ${where} (${place.what}): choose a port from 1024 up with ${place.flag}, or allow it with \`setcap cap_net_bind_service=+ep\` on node`,
        options,
      );
    default:
      return new StartFailure(
        'SLUICE_ADDRESS_UNAVAILABLE',
        `cannot listen on ${where} (${place.what}, ${errnoName ?? String(error)}): this machine does not have the address; choose one of its own with ${place.flag}, or 0.0.0.0 for all`,
        options,
      );
  }
}

/** Any error of the start as a start failure; undefined for one that has no code of the catalogue, that is, a bug. */
export function startFailureOf(error: unknown): StartFailure | undefined {
  if (error instanceof StartFailure) return error;
  if (error instanceof ProxyError) return new StartFailure(error.code, error.message, { cause: error });
  return undefined;
}
