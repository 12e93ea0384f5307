/** Reads certificates with their keys from files, and says everything that is wrong with them before a client meets it. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fileFailure } from '../../config/file-failure.js';
import { valueText } from '../../config/problem.js';
import type { CertificatePlan } from '../../config/tls-plan.js';
import { readPassphrase } from '../../core/passphrase.js';
import type { TlsCertificate } from '../../engine/tls.js';
import {
  alternativeNames,
  type CertificateFacts,
  certificateFacts,
  shortName,
  weakSignature,
} from './certificate-facts.js';
import { brokenChain, missingIssuer, type PlacedCertificate, placeText } from './chain.js';
import { readOcsp } from './ocsp.js';
import { pemBlocks, whyWithout } from './pem.js';

/** What reading needs from outside. */
export interface CertificateSources {
  /** Reads a whole file; throws as `readFileSync` does. */
  readonly readFile: (path: string) => Uint8Array;
  /** Permissions of a file; null: they cannot be told. */
  readonly permissionsOf: (path: string) => number | null;
  /** Another text once the file, or the one that it links to, has been replaced or written; '': it is not there. */
  readonly stampOf: (path: string) => string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly wallClockMs: () => number;
}

/** The setting of a certificate that a finding is about. */
export type CertificatePart = 'cert' | 'key' | 'passphrase' | 'ocsp';

/** What is wrong, read on from the path of the setting, and what to do. */
export interface PartFinding<Part extends string = CertificatePart> {
  readonly part: Part;
  readonly sentence: string;
  readonly hint: string;
}

/** A certificate as the engine takes it, or everything that is wrong. */
export type CertificateReading =
  | {
      readonly ok: true;
      readonly certificate: TlsCertificate;
      readonly facts: CertificateFacts;
      readonly warnings: readonly PartFinding[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly PartFinding[];
      /** It may be whole soon: only one of its files has been replaced so far, or one is just being written. */
      readonly isHalf: boolean;
    };

/** RSA keys with fewer bits are weak (NIST SP 800-57, Mozilla's intermediate profile). */
const RSA_BITS = 2048;

/** Remembers what is in use: that may end while it is, and must not keep sluice from taking another configuration. Thread: primary. */
export class CertificateReader {
  readonly sources: CertificateSources;
  /** Fingerprints. */
  readonly #inUse: Set<string>;
  /** Stamps of files when they were last read here. */
  readonly #stamps = new Map<string, string>();

  constructor(sources: CertificateSources, inUse = new Set<string>()) {
    this.sources = sources;
    this.#inUse = inUse;
  }

  /** One that reads for another purpose: it knows what is in use as this one does, and has read nothing yet. */
  another(): CertificateReader {
    return new CertificateReader(this.sources, this.#inUse);
  }

  /** @param fingerprints of all certificates that are in use now */
  setInUse(fingerprints: Iterable<string>): void {
    this.#inUse.clear();
    for (const fingerprint of fingerprints) this.#inUse.add(fingerprint);
  }

  /** Has a file been replaced or written since it was read here? One that is not there now has not. */
  hasChanged(path: string): boolean {
    const stamp = this.sources.stampOf(path);
    return stamp !== '' && stamp !== this.#stamps.get(path);
  }

  /** Reads one. Never throws for what stands in files. */
  read(plan: CertificatePlan): CertificateReading {
    const problems: PartFinding[] = [];
    const chain = this.#chain(plan.cert, problems);
    const key = this.#key(plan, problems);
    if (chain === null || key === null) return { ok: false, problems, isHalf: true };
    const warnings: PartFinding[] = [];
    const isHalf = this.#matches(plan, chain, key.object, problems);
    const broken = problems.length > 0 ? null : brokenChain(chain);
    if (broken !== null) problems.push({ part: 'cert', ...broken });
    const [leaf] = chain;
    if (leaf === undefined || problems.length > 0) return { ok: false, problems, isHalf };
    const facts = certificateFacts(leaf.certificate);
    this.#validity(facts, problems, warnings);
    warnings.push(...weaknesses(chain));
    const ocsp = plan.ocsp === null ? null : this.#ocsp(plan.ocsp, leaf.certificate, problems, warnings);
    if (problems.length > 0) return { ok: false, problems, isHalf: false };
    const certificate = {
      chain: chain.map(({ certificate: each }) => each.toString()).join(''),
      key: key.text,
      passphrase: key.passphrase,
      ocsp,
      names: [],
    };
    const refusal = refusalOf(certificate);
    if (refusal !== null) {
      const hint = 'its key or signature is too weak: use RSA of 2048 bits or ECDSA, and SHA-256';
      const sentence = `is ${valueText(plan.cert)}, which OpenSSL refuses: ${refusal}`;
      return { ok: false, problems: [{ part: 'cert', sentence, hint }], isHalf: false };
    }
    return { ok: true, certificate, facts, warnings };
  }

  /** Reads a whole file as the setting `part` names it. @returns null: it cannot be read, which is a problem */
  file<Part extends string>(path: string, part: Part, problems: PartFinding<Part>[]): Uint8Array | null {
    // Before it is read: what is written meanwhile counts as changed.
    this.#stamps.set(path, this.sources.stampOf(path));
    try {
      return this.sources.readFile(path);
    } catch (error) {
      const { sentence, hint } = fileFailure(path, error);
      problems.push({ part, sentence: `is ${valueText(path)}, but ${sentence}`, hint });
      return null;
    }
  }

  #chain(path: string, problems: PartFinding[]): readonly PlacedCertificate[] | null {
    const bytes = this.file(path, 'cert', problems);
    return bytes === null ? null : certificatesIn(bytes, path, 'cert', problems);
  }

  #key(
    plan: CertificatePlan,
    problems: PartFinding[],
  ): { readonly text: string; readonly passphrase: string; readonly object: KeyObject } | null {
    const read = readPassphrase(plan.passphrase, this.sources.environment);
    if (!read.ok) problems.push({ part: 'passphrase', sentence: read.sentence, hint: read.hint });
    const bytes = this.file(plan.key, 'key', problems);
    if (bytes === null || !read.ok) return null;
    const block = pemBlocks(Buffer.from(bytes).toString('latin1')).find(({ label }) => label.endsWith('PRIVATE KEY'));
    const found = valueText(plan.key);
    if (block === undefined) {
      const sentence = `is ${found}, which has no private key: ${whyWithout(bytes)}`;
      problems.push({ part: 'key', sentence, hint: 'a key begins with -----BEGIN PRIVATE KEY-----' });
      return null;
    }
    const isEncrypted = block.label.includes('ENCRYPTED') || block.text.includes('Proc-Type: 4,ENCRYPTED');
    if (isEncrypted && read.passphrase === null) {
      const hint = `write passphrase: "\${NAME}", which takes it from the environment`;
      problems.push({ part: 'key', sentence: `is ${found}, which is encrypted, and there is no passphrase`, hint });
      return null;
    }
    const passphrase = isEncrypted ? (read.passphrase ?? '') : '';
    try {
      const object = createPrivateKey({ key: block.text, ...(isEncrypted ? { passphrase } : {}) });
      return { text: block.text, passphrase, object };
    } catch {
      if (isEncrypted && read.passphrase !== null) {
        const sentence = `does not open the key in ${found}`;
        problems.push({ part: 'passphrase', sentence, hint: 'try it: openssl pkey -noout -in KEY' });
      } else {
        const sentence = `is ${found}, whose key in line ${block.line} cannot be read`;
        problems.push({ part: 'key', sentence, hint: 'try it: openssl pkey -noout -in KEY' });
      }
      return null;
    }
  }

  /** @returns whether the two may just not have been replaced both */
  #matches(
    plan: CertificatePlan,
    chain: readonly PlacedCertificate[],
    key: KeyObject,
    problems: PartFinding[],
  ): boolean {
    const [leaf] = chain;
    if (leaf === undefined || leaf.certificate.checkPrivateKey(key)) return false;
    const own = chain.find(({ certificate }) => certificate.checkPrivateKey(key));
    if (own === undefined) {
      const sentence = `is ${valueText(plan.key)}, which is not the key of the certificate ${placeText(leaf)} in ${valueText(plan.cert)}`;
      problems.push({
        part: 'key',
        sentence,
        hint: 'a certificate and its key are made together: name the two that belong together',
      });
      return true;
    }
    const sentence = `is ${valueText(plan.cert)}, whose certificates are in the wrong order: the key belongs to ${placeText(own)}`;
    problems.push({ part: 'cert', sentence, hint: `${placeText(own)} should come first` });
    return false;
  }

  #validity(facts: CertificateFacts, problems: PartFinding[], warnings: PartFinding[]): void {
    const nowMs = this.sources.wallClockMs();
    const found = this.#inUse.has(facts.fingerprint) ? warnings : problems;
    const name = facts.names[0] ?? '';
    if (facts.endsAt <= nowMs) {
      const sentence = `is the certificate of ${name} that ended on ${new Date(facts.endsAt).toISOString()}: clients refuse it`;
      found.push({ part: 'cert', sentence, hint: 'renew it, or remove it' });
    } else if (facts.startsAt > nowMs) {
      const sentence = `is the certificate of ${name} that counts from ${new Date(facts.startsAt).toISOString()} only: clients refuse it`;
      found.push({
        part: 'cert',
        sentence,
        hint: 'use the one before it until then, and look at the clock of this machine',
      });
    }
  }

  #ocsp(path: string, leaf: X509Certificate, problems: PartFinding[], warnings: PartFinding[]): Uint8Array | null {
    const bytes = this.file(path, 'ocsp', problems);
    if (bytes === null) return null;
    const finding = readOcsp(bytes, leaf, this.sources.wallClockMs());
    if (finding.kind === 'good') return bytes;
    const hint = 'fetch another: openssl ocsp -issuer CA -cert CERT -url URL -respout FILE';
    if (finding.kind === 'wrong')
      problems.push({ part: 'ocsp', sentence: `is ${valueText(path)}, which ${finding.why}`, hint });
    else {
      const sentence = `is ${valueText(path)}, which is outdated since ${new Date(finding.endsAt).toISOString()}: it is not stapled`;
      warnings.push({ part: 'ocsp', sentence, hint });
    }
    return null;
  }
}

/** All certificates of a file. @param part whose setting names it @returns null: there is a problem, which is told */
export function certificatesIn<Part extends string>(
  bytes: Uint8Array,
  path: string,
  part: Part,
  problems: PartFinding<Part>[],
): readonly PlacedCertificate[] | null {
  const blocks = pemBlocks(Buffer.from(bytes).toString('latin1')).filter(({ label }) => label === 'CERTIFICATE');
  const hint = 'a certificate begins with -----BEGIN CERTIFICATE-----; DER becomes PEM with openssl x509 -inform der';
  if (blocks.length === 0) {
    const sentence = `is ${valueText(path)}, which has no certificate: ${whyWithout(bytes)}`;
    problems.push({ part, sentence, hint });
    return null;
  }
  const found: PlacedCertificate[] = [];
  for (const { text, line } of blocks) {
    try {
      found.push({ certificate: new X509Certificate(text), line });
    } catch {
      const sentence = `is ${valueText(path)}, whose certificate in line ${line} cannot be read`;
      problems.push({ part, sentence, hint: 'try it: openssl x509 -noout -text -in FILE' });
      return null;
    }
  }
  return found;
}

/** What OpenSSL has against it, in its own words, as the engine would hear it; null: nothing. */
function refusalOf({ chain, key, passphrase }: TlsCertificate): string | null {
  try {
    createSecureContext({ cert: chain, key, ...(passphrase === '' ? {} : { passphrase }) });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What clients of today, or those of tomorrow, may not take. */
function weaknesses(chain: readonly PlacedCertificate[]): PartFinding[] {
  const found: PartFinding[] = [];
  const [leaf] = chain;
  const missing = missingIssuer(chain);
  if (missing !== null) found.push({ part: 'cert', ...missing });
  if (leaf !== undefined && alternativeNames(leaf.certificate).length === 0) {
    found.push({
      part: 'cert',
      sentence: `has no names (subjectAltName): clients do not read the common name ${shortName(leaf.certificate.subject)} any more`,
      hint: 'have one issued with names: openssl req … -addext subjectAltName=DNS:www.example.com',
    });
  }
  for (const one of chain) {
    const { publicKey, subject, issuer } = one.certificate;
    const bits = publicKey.asymmetricKeyType === 'rsa' ? publicKey.asymmetricKeyDetails?.modulusLength : undefined;
    if (bits !== undefined && bits < RSA_BITS) {
      const sentence = `has ${placeText(one)} with an RSA key of ${bits} bits, which is weak`;
      found.push({ part: 'cert', sentence, hint: `use at least ${RSA_BITS} bits, or ECDSA` });
    }
    const hash = subject === issuer && one !== leaf ? null : weakSignature(one.certificate);
    if (hash === null) continue;
    const sentence = `has ${placeText(one)} with a signature over ${hash}, which clients refuse`;
    found.push({ part: 'cert', sentence, hint: 'have it issued anew, over SHA-256' });
  }
  return found;
}
