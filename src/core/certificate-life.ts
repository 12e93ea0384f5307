/** How long a certificate still counts, as people are told. Pure. */

const DAY_MS = 86_400_000;

/** A certificate that ends sooner than this is warned of. */
export const CERTIFICATE_WARNING_MS = 30 * DAY_MS;

/** Whole days, rounded down; below 0: so many days and a part ago. @param endsAtMs since 1970, as nowMs */
export function daysLeft(endsAtMs: number, nowMs: number): number {
  return Math.floor((endsAtMs - nowMs) / DAY_MS);
}

/** ended: who sees it refuses it; ending: it is to be renewed. */
export type CertificateLife = 'good' | 'ending' | 'ended';

/** @param endsAtMs since 1970, as nowMs */
export function lifeOf(endsAtMs: number, nowMs: number): CertificateLife {
  if (endsAtMs <= nowMs) return 'ended';
  return endsAtMs - nowMs <= CERTIFICATE_WARNING_MS ? 'ending' : 'good';
}

/** '12 days', '1 day', 'ends today', 'ended'. */
export function lifeText(endsAtMs: number, nowMs: number): string {
  if (lifeOf(endsAtMs, nowMs) === 'ended') return 'ended';
  const days = daysLeft(endsAtMs, nowMs);
  return days === 0 ? 'ends today' : days === 1 ? '1 day' : `${days} days`;
}
