/** Refuses requests to the admin API that a web page of a stranger could have made the operator's browser send (DNS rebinding). */
import { isIP } from 'node:net';
import { isLoopback } from '../../config/address.js';

/** What hosts are known by. */
export interface KnownHosts {
  /** The address that the admin API listens on. */
  readonly boundHost: string;
  /** Names that the configuration allows, in lower case. */
  readonly names: readonly string[];
}

/**
 * May a request with this Host header be answered? A page that had its own name point to our address sends that name: hence names have to be
 * allowed, and addresses that are no name are only where the API listens on several.
 *
 * @param hostHeader the header as received; undefined: absent
 */
export function isHostAllowed(hostHeader: string | undefined, { boundHost, names }: KnownHosts): boolean {
  if (hostHeader === undefined) return false;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(hostHeader);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase();
  if (name === undefined) return false;
  if (isLoopback(name) || name === boundHost.toLowerCase() || names.includes(name)) return true;
  return isWildcard(boundHost) && isIP(name) !== 0;
}

/** Does it stand for all addresses of this machine? */
function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
