/** Which endpoint a client belongs to, by a cookie that the proxy has set or by a key of its request; and the cookie that binds it to one. */
import { NO_ENDPOINT, type PickKey } from '../balancing/balancer.js';
import { evenRank, NameWords, weightedRank } from '../balancing/rendezvous-order.js';
import { type AffinityPlan, NO_SUBSET } from '../config/picking-plan.js';
import type { UpstreamPlan } from '../config/plan.js';

/** A keyed hash: HMAC-SHA256 of a text under a secret, in base64url. */
export type SignText = (secret: string, text: string) => string;

type CookiePlan = Extract<AffinityPlan, { kind: 'cookie' }>;

/** Characters of base64url, each of 6 bits: an identity of 48 bits, a signature of 132. */
const IDENTITY_CHARACTERS = 8;
const SIGNATURE_CHARACTERS = 22;
const VALUE_CHARACTERS = IDENTITY_CHARACTERS + 1 + SIGNATURE_CHARACTERS;
/** What may stand before and behind a cookie (RFC 6265 4.2.1), and between joined fields. */
const SEPARATORS = '; ,\t';

/**
 * The cookies of one upstream. A value is `IDENTITY.SIGNATURE`. The identity is a keyed hash of upstream and endpoint name: it survives
 * restarts and changes of the configuration around the endpoint, and says nothing of addresses to who does not know the secret. The
 * signature is another keyed hash over both.
 *
 * All values are computed once, so that verifying is finding the whole value in a map: no cryptography for a request. That is as safe as
 * computing and comparing in constant time. A forger has to guess 180 bits at once: the map compares hashes (of a seed that each process
 * draws) before it compares text, so that the time it takes says nothing of how much of a guess is right; and who guessed one would only
 * have chosen an endpoint. Thread: worker.
 */
export class EndpointCookies {
  readonly #plan: CookiePlan;
  /** What a cookie of the plan's name begins with. */
  readonly #begin: string;
  readonly #endpointOf = new Map<string, number>();
  /** Of Set-Cookie, by endpoint; null for backups, to which nobody belongs. */
  readonly #bindings: readonly (string | null)[];

  constructor({ name, endpoints }: Pick<UpstreamPlan, 'name' | 'endpoints'>, plan: CookiePlan, sign: SignText) {
    this.#plan = plan;
    this.#begin = `${plan.name}=`;
    this.#bindings = endpoints.map((endpoint, index) => {
      // A backup serves while nobody else can: its clients go back when that is over.
      if (endpoint.backup) return null;
      const identity = sign(plan.secret, `identity\0${name}\0${endpoint.name}`).slice(0, IDENTITY_CHARACTERS);
      const signature = sign(plan.secret, `signature\0${name}\0${identity}\0${endpoint.name}`);
      const value = `${identity}.${signature.slice(0, SIGNATURE_CHARACTERS)}`;
      this.#endpointOf.set(value, index);
      return this.#setCookie(value);
    });
  }

  /**
   * The endpoint that the first cookie of the plan's name names whose value is one of ours. HOT for requests with cookies.
   *
   * @param cookies value of the field Cookie; several fields joined by commas, which no value of ours holds
   * @returns NO_ENDPOINT: there is none, or what there is is forged, cut, of another upstream or of an endpoint that is gone
   */
  endpointIn(cookies: string): number {
    const begin = this.#begin;
    for (let at = cookies.indexOf(begin); at >= 0; at = cookies.indexOf(begin, at + begin.length)) {
      if (at > 0 && !SEPARATORS.includes(cookies.charAt(at - 1))) continue;
      const valueAt = at + begin.length;
      const endpoint = this.#endpointOf.get(cookies.slice(valueAt, valueAt + VALUE_CHARACTERS));
      const isWhole = valueAt + VALUE_CHARACTERS === cookies.length;
      if (endpoint !== undefined && (isWhole || SEPARATORS.includes(cookies.charAt(valueAt + VALUE_CHARACTERS))))
        return endpoint;
    }
    return NO_ENDPOINT;
  }

  /** What Set-Cookie says to bind a client to an endpoint; null: nobody is bound to this one. */
  bindingOf(endpoint: number): string | null {
    return this.#bindings[endpoint] ?? null;
  }

  #setCookie(value: string): string {
    const { name, path, domain, maxAgeS, isSecure, isHttpOnly, sameSite } = this.#plan;
    const attributes = [
      `${name}=${value}`,
      `Path=${path}`,
      ...(domain === null ? [] : [`Domain=${domain}`]),
      ...(maxAgeS === 0 ? [] : [`Max-Age=${maxAgeS}`]),
      ...(isSecure ? ['Secure'] : []),
      ...(isHttpOnly ? ['HttpOnly'] : []),
      ...(sameSite === null ? [] : [`SameSite=${sameSite}`]),
    ];
    return attributes.join('; ');
  }
}

interface Home {
  readonly endpoint: number;
  readonly words: NameWords;
  readonly weight: number;
}

/**
 * The homes of keys in one upstream: of all endpoints of a level but backups, whatever their health, the one that weighted rendezvous
 * hashing names (Thaler and Ravishankar 1998). It moves for a key only when that endpoint leaves the configuration or one that the key
 * prefers joins, or when the load of levels does. Weights are those of the configuration. Thread: worker.
 */
export class KeyHomes {
  /** Those of the whole upstream, then of its subsets; of each by level. */
  readonly #homes: readonly (readonly (readonly Home[])[])[];

  constructor({ endpoints, subsets }: Pick<UpstreamPlan, 'endpoints' | 'subsets'>) {
    const all = endpoints.flatMap(({ name, weight, backup, level }, endpoint) =>
      backup || weight === 0 ? [] : [{ endpoint, words: new NameWords(name), weight, level }],
    );
    const levels = all.reduce((most, { level }) => Math.max(most, level + 1), 1);
    const byLevel = (homes: typeof all) =>
      Array.from({ length: levels }, (_, number) => homes.filter(({ level }) => level === number));
    this.#homes = [
      byLevel(all),
      ...subsets.map((subset) => byLevel(all.filter(({ endpoint }) => subset.endpoints.includes(endpoint)))),
    ];
  }

  /**
   * HOT: a scan of the endpoints of a level.
   *
   * @param subset index into the upstream's subsets, or NO_SUBSET
   * @param level  where the key's requests begin: UpstreamRuntime.levelOf
   * @returns index in the plan, or NO_ENDPOINT where the level has none but backups
   */
  homeOf(key: Pick<PickKey, 'hash' | 'hashHigh'>, subset: number, level: number): number {
    const homes = this.#homes[subset - NO_SUBSET]?.[level] ?? NO_HOMES; // levels may have backups only
    let home = NO_ENDPOINT;
    let highest = Number.NEGATIVE_INFINITY;
    for (const { endpoint, words, weight } of homes) {
      const rank = weightedRank(evenRank(key.hash, key.hashHigh, words.low, words.high), weight);
      if (rank <= highest) continue;
      highest = rank;
      home = endpoint;
    }
    return home;
  }
}

const NO_HOMES: readonly Home[] = [];
