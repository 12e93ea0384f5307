/** ip-hash: clients of one network keep their endpoint; hash with the key that nginx's ip_hash takes. */
import type { Balancer } from './balancer.js';
import { hash } from './hash.js';

/** Makes the balancer for one upstream in one worker; what makes it ip-hash is its key: CLIENT_NETWORK of key-source.ts. */
export function ipHash(): Balancer {
  return hash();
}
