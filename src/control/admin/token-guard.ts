/** Lets requests through that bring the token, in a time that says nothing about how much of it was right. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type AdminAnswer, failure, tooEarly } from './answer.js';
import { AddressRates, type RateSettings } from './rate-limit.js';

/** Wrong tokens of one address: ten slips at once, then one each two seconds. Who knows the token waits as well, so that guessing is slow. */
const WRONG_TOKENS: RateSettings = { perSecond: 0.5, burst: 10 };

/** Remembers who brought wrong tokens. Thread: primary. */
export class TokenGuard {
  readonly #wrong: AddressRates;

  constructor(nowMs: () => number) {
    this.#wrong = new AddressRates(WRONG_TOKENS, nowMs);
  }

  /**
   * May a request be answered?
   *
   * @param token         that is needed; null: none is
   * @param authorization the field as received; undefined: absent
   * @param address       of who asks
   * @returns the refusal, or null: go on
   */
  refusal(token: string | null, authorization: string | undefined, address: string): AdminAnswer | null {
    if (token === null) return null;
    const waitMs = this.#wrong.waitMs(address);
    if (waitMs > 0) {
      return tooEarly(429, 'too-many-wrong-tokens', 'too many wrong tokens came from this address', seconds(waitMs));
    }
    const [, brought] = /^bearer +([!-~]+) *$/i.exec(authorization ?? '') ?? [];
    if (brought === undefined) return NO_TOKEN;
    if (isSame(brought, token)) return null;
    this.#wrong.use(address);
    return WRONG_TOKEN;
  }
}

const NO_TOKEN = failure(
  401,
  'token-needed',
  'the admin API wants a token: send Authorization: Bearer TOKEN with what admin.token says',
  { headers: { 'www-authenticate': 'Bearer realm="sluice"' } },
);

const WRONG_TOKEN = failure(401, 'wrong-token', 'this is not the token that admin.token says', {
  headers: { 'www-authenticate': 'Bearer realm="sluice", error="invalid_token"' },
});

/** Over hashes: of equal length whatever was brought, and a byte that is right tells nothing of the token's. */
function isSame(brought: string, token: string): boolean {
  return timingSafeEqual(hashOf(brought), hashOf(token));
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What Retry-After says for a wait. */
export function seconds(waitMs: number): number {
  return Math.max(1, Math.ceil(waitMs / 1_000));
}
