/** Refuses requests to the admin API that a web page of a stranger could have made the operator's browser send (DNS rebinding). */
import { isLoopback } from '../../config/address.js';

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
