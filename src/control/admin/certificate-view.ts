/** What the admin API shows of certificates. Keys are not in it. */
import type { CertificateInUse } from '../certificates/certificate-keeper.js';

/** A certificate that is in use. Times as ISO 8601. */
export interface CertificateView {
  /** Name of the listener that shows it to clients; null: an upstream does, to endpoints. */
  readonly listener: string | null;
  readonly upstream: string | null;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly serial: string;
  readonly startsAt: string;
  readonly endsAt: string;
  /** SHA-256, 64 hex digits. */
  readonly fingerprint: string;
  readonly keyType: string;
  /** Path of its file, or 'acme'. */
  readonly source: string;
}

/** Pure. */
export function certificateView({ owner, ownerName, facts, source }: CertificateInUse): CertificateView {
  return {
    listener: owner === 'listener' ? ownerName : null,
    upstream: owner === 'upstream' ? ownerName : null,
    names: facts.names,
    issuer: facts.issuer,
    serial: facts.serial,
    startsAt: new Date(facts.startsAt).toISOString(),
    endsAt: new Date(facts.endsAt).toISOString(),
    fingerprint: facts.fingerprint,
    keyType: facts.keyType,
    source,
  };
}
