/** What people want to know of a certificate: names, issuer, validity. Pure. */
import type { X509Certificate } from 'node:crypto';
import { DerTag, derElements, derInside } from './der.js';

/** Points in time in ms since 1970. */
export interface CertificateFacts {
  /** DNS names and IP addresses, lower case; the common name where there are none. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly serial: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** SHA-256, 64 hex digits in lower case. */
  readonly fingerprint: string;
  /** e.g. 'ec', 'rsa'. */
  readonly keyType: string;
}

/** Of one certificate. */
export function certificateFacts(certificate: X509Certificate): CertificateFacts {
  const names = alternativeNames(certificate);
  return {
    names: names.length > 0 ? names : [shortName(certificate.subject)],
    issuer: shortName(certificate.issuer),
    serial: certificate.serialNumber,
    startsAt: Date.parse(certificate.validFrom),
    endsAt: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    keyType: certificate.publicKey.asymmetricKeyType ?? 'unknown',
  };
}

/** The names of its extension subjectAltName (RFC 5280 section 4.2.1.6). */
export function alternativeNames({ subjectAltName }: X509Certificate): readonly string[] {
  const written = subjectAltName ?? '';
  return [...written.matchAll(/(?:^|, )(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map((match) =>
    (match[1] ?? '').toLowerCase(),
  );
}

/** Common name, or organization, or all of it, of a name as node:crypto writes it: one line for each part. */
export function shortName(name: string | undefined): string {
  const lines = (name ?? '').split('\n');
  const part = (key: string): string | undefined =>
    lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
  return part('CN') ?? part('O') ?? (lines.join(', ') || 'nobody');
}

/** OIDs of signatures over SHA-1 and MD5, as hex of their content: RSA, ECDSA and DSA (RFC 3279). */
const WEAK_SIGNATURES: Readonly<Record<string, string>> = {
  '2a864886f70d010105': 'SHA-1',
  '2a864886f70d010104': 'MD5',
  '2a8648ce3d0401': 'SHA-1',
  '2a8648ce380403': 'SHA-1',
};

/** The hash of its signature if it is a weak one; null: it is not. */
export function weakSignature(certificate: X509Certificate): string | null {
  const whole = derElements(certificate.raw)?.[0];
  const algorithm = derInside(whole, DerTag.SEQUENCE)?.[1];
  const oid = derInside(algorithm, DerTag.SEQUENCE)?.[0];
  return oid?.tag === DerTag.OBJECT ? (WEAK_SIGNATURES[Buffer.from(oid.content).toString('hex')] ?? null) : null;
}
