/** A request that nobody has sent, as far as routes, splits, affinity and balancers look at one. */

import type { PickKey } from '../balancing/balancer.js';
import type { KeyHasher } from '../balancing/key-hasher.js';
import type { KeySource } from '../balancing/key-source.js';
import type { L7ListenerPlan } from '../config/plan.js';
import { AddressRanges, parseIpAddress } from '../core/address-ranges.js';
import type { ExplainRequest } from '../worker/explaining.js';
import { peerAt } from './client-address.js';
import { TextRequestKeys } from './text-request-keys.js';

/** A client on this machine, where none is said. */
const LOOPBACK = '127.0.0.1';

/** Thread: worker. Cold. */
export class ImaginedRequest {
  readonly path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #keys: TextRequestKeys;

  constructor(
    { target, headers, client, clientCertificate }: ExplainRequest,
    listener: L7ListenerPlan,
    hasher: KeyHasher,
  ) {
    const question = target.indexOf('?');
    const path = question < 0 ? target : target.slice(0, question);
    const query = question < 0 ? undefined : target.slice(question + 1);
    this.path = path;
    this.#headers = headers;
    this.#keys = new TextRequestKeys(hasher, listener.trustedProxies);
    const address = client ?? LOOPBACK;
    const parsed = parseIpAddress(address);
    const isTrusted = parsed !== null && new AddressRanges(listener.trustedProxies).includes(parsed);
    this.#keys.begin(
      {
        getUrl: () => path,
        getQuery: () => query,
        forEach: (visit) => {
          for (const [name, value] of Object.entries(headers)) visit(name, value);
        },
      },
      peerAt(address, isTrusted),
      listener.tls?.clientAuth && listener.frontend === 'native' ? clientCertificate : null,
    );
  }

  /** null: it has none. @param name in lower case */
  header(name: string): string | null {
    return this.#headers[name] ?? null;
  }

  /** As Exchange.hashKey. */
  hashKey(source: KeySource, isCrc: boolean, key: PickKey): boolean {
    return this.#keys.hash(source, isCrc, key);
  }
}
