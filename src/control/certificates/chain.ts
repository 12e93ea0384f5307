/** Whether the certificates of a file lead, in their order, from the one of the key to an authority. Pure. */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

import { shortName } from './certificate-facts.js';

/** A certificate of a file. */
export interface PlacedCertificate {
  readonly certificate: X509Certificate;
  /** Of the file, from 1. */
  readonly line: number;
}

/** What is wrong, read on from the path of the setting, and what to do. */
export interface ChainFinding {
  readonly sentence: string;
  readonly hint: string;
}

/** "www.example.com (line 1)" */
export function placeText({ certificate, line }: PlacedCertificate): string {
  return `${shortName(certificate.subject)} (line ${line})`;
}

/**
 * The first break of a chain: a certificate that the next one has not issued. null: there is none.
 *
 * @param chain the leaf, then those that should lead from it to the authority
 */
export function brokenChain(chain: readonly PlacedCertificate[]): ChainFinding | null {
  for (const [index, one] of chain.entries()) {
    const next = chain[index + 1];
    if (next === undefined || one.certificate.checkIssued(next.certificate)) continue;
    const issuer = chain.find((other) => other !== one && one.certificate.checkIssued(other.certificate));
    const after = `${placeText(next)} stands behind ${placeText(one)}, but has not issued it`;
    if (issuer !== undefined) {
      return {
        sentence: `has its certificates in the wrong order: ${after}`,
        hint: `${placeText(issuer)} should come next`,
      };
    }
    return {
      sentence: `has certificates that do not belong together: ${after}`,
      hint: `the certificate of ${shortName(one.certificate.issuer)} should come next; append it, or remove what does not belong there`,
    };
  }
  return null;
}

/**
 * Whether clients will miss a certificate between the chain's last one and an authority: it names where its issuer's can be had, which
 * authorities that the world knows do, and no such authority has issued it. null: none is missed.
 */
export function missingIssuer(chain: readonly PlacedCertificate[]): ChainFinding | null {
  const last = chain.at(-1)?.certificate;
  if (last === undefined || last.subject === last.issuer) return null;
  const isOfTheWorld = last.infoAccess?.includes('CA Issuers') === true;
  if (!isOfTheWorld || knownAuthorities().has(last.issuer)) return null;
  return {
    sentence: `ends with ${shortName(last.subject)}, and the certificate of its issuer ${shortName(last.issuer)} is missing`,
    hint: 'append the intermediate certificate (authorities call the whole file fullchain.pem), or clients that do not have it refuse the connection',
  };
}

let authorities: ReadonlySet<string> | null = null;

/** Subjects of the authorities that Node comes with; read once, when somebody asks. */
function knownAuthorities(): ReadonlySet<string> {
  authorities ??= new Set(rootCertificates.map((text) => new X509Certificate(text).subject));
  return authorities;
}
