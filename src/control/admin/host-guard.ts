/** Refuses requests to the admin API that a web page of a stranger could have made the operator's browser send (DNS rebinding). */
import { isIP } from 'node:net';

/** Is this host name or literal one of the loopback interface? */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === 'localhost' || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/**
 * May a request with this Host header be answered? A page that had its own name point to 127.0.0.1 sends that name.
 *
 * @param hostHeader the header as received; undefined: absent
 * @param boundHost  the address the admin API listens on
 */
export function isHostAllowed(hostHeader: string | undefined, boundHost: string): boolean {
  if (hostHeader === undefined) return false;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(hostHeader);
  const name = match?.[1] ?? match?.[2];
  return name !== undefined && (isLoopback(name) || name.toLowerCase() === boundHost.toLowerCase());
}
