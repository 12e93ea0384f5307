/** Everything that the files of one listener or upstream say about its TLS, read and checked, as the engine takes it. */
import { rootCertificates } from 'node:tls';
import type { Path } from '../../config/problem.js';
import type { CertificatePlan, ListenerTlsPlan, UpstreamTlsPlan } from '../../config/tls-plan.js';
import type { TlsCertificate, TlsClientSettings, TlsServerSettings } from '../../engine/tls.js';
import type { CertificateFacts } from './certificate-facts.js';
import type { CertificateReader, PartFinding } from './certificate-reader.js';
import { findNames } from './suite-names.js';
import { type FileReading, readAuthorities, readRevocations, readTicketKeys } from './trust-files.js';

/** A problem or warning. Its path begins below the section `tls`. */
export interface MaterialFinding {
  readonly path: Path;
  readonly sentence: string;
  readonly hint: string;
}

/** A certificate with what people want to know of it, and where it comes from. */
export interface KnownCertificate {
  readonly certificate: TlsCertificate;
  readonly facts: CertificateFacts;
  /** Path of its file; 'acme'. */
  readonly source: string;
}

/** Of a listener. */
export interface ListenerMaterial {
  readonly settings: TlsServerSettings;
  /** Those of the configuration, in its order. */
  readonly certificates: readonly KnownCertificate[];
  /** From a file; null: they are made here, or there are none. */
  readonly ticketKeys: readonly Uint8Array[] | null;
}

/** Of an upstream. */
export interface UpstreamMaterial {
  readonly settings: TlsClientSettings;
  /** null: endpoints are shown none. */
  readonly certificate: KnownCertificate | null;
}

/** What was read, or everything that is wrong. */
export type MaterialReading<T> =
  | { readonly ok: true; readonly material: T; readonly warnings: readonly MaterialFinding[] }
  | {
      readonly ok: false;
      readonly problems: readonly MaterialFinding[];
      /** As CertificateReading has it. */
      readonly isHalf: boolean;
    };

/** Reads what a listener needs. */
export function readListenerMaterial(
  reader: CertificateReader,
  tls: ListenerTlsPlan,
): MaterialReading<ListenerMaterial> {
  const collector = new Collector();
  const certificates = tls.certificates.map((plan, index) =>
    collector.certificate(reader, plan, ['certificates', index]),
  );
  const { clientAuth, tickets } = tls;
  const part = 'file';
  const clientCa =
    clientAuth === null ? '' : collector.file(readAuthorities(reader, clientAuth.ca, part), ['clientAuth', 'ca']);
  const clientCrl =
    clientAuth === null || clientAuth.crl === null
      ? ''
      : collector.file(readRevocations(reader, clientAuth.crl, part), ['clientAuth', 'crl']);
  const keyFile = tickets?.file ?? null;
  const ticketKeys =
    keyFile === null ? null : collector.file(readTicketKeys(reader, keyFile, part), ['tickets', 'file']);
  if (tls.acme !== null && tls.acme.ca !== null)
    collector.file(readAuthorities(reader, tls.acme.ca, part), ['acme', 'ca']);
  collector.namesOfOpenSsl(tls);
  return collector.reading(() => ({
    settings: {
      minVersion: tls.minVersion,
      ciphers: tls.ciphers,
      cipherSuites: tls.cipherSuites,
      curves: tls.curves,
      alpn: tls.alpn,
      clientAuth: clientAuth?.mode ?? 'none',
      clientCa: clientCa ?? '',
      clientCrl: clientCrl ?? '',
      clientDepth: clientAuth?.depth ?? 0,
      tickets: tickets !== null,
      sessionCache: tls.sessionCache,
      earlyDataBytes: tls.earlyDataBytes,
    },
    certificates: certificates.filter((each) => each !== null),
    ticketKeys,
  }));
}

/** Reads what an upstream needs. */
export function readUpstreamMaterial(
  reader: CertificateReader,
  tls: UpstreamTlsPlan,
): MaterialReading<UpstreamMaterial> {
  const collector = new Collector();
  const certificate = tls.certificate === null ? null : collector.certificate(reader, tls.certificate, []);
  const ca = tls.ca === null ? worldAuthorities() : collector.file(readAuthorities(reader, tls.ca, 'file'), ['ca']);
  collector.namesOfOpenSsl(tls);
  return collector.reading(() => ({
    settings: {
      isVerified: tls.isVerified,
      ca: ca ?? '',
      minVersion: tls.minVersion,
      ciphers: tls.ciphers,
      cipherSuites: tls.cipherSuites,
      curves: tls.curves,
      resumes: tls.resumes,
      certificate: certificate?.certificate ?? null,
    },
    certificate,
  }));
}

/** "certificates[0].key …" is the caller's: a finding as one sentence with its hint. */
export function findingSentence({ sentence, hint }: Pick<MaterialFinding, 'sentence' | 'hint'>): string {
  return `${sentence}; ${hint}`;
}

let world: string | null = null;

/** The authorities that Node comes with, as one text. */
function worldAuthorities(): string {
  world ??= `${rootCertificates.join('\n')}\n`;
  return world;
}

class Collector {
  readonly #problems: MaterialFinding[] = [];
  readonly #warnings: MaterialFinding[] = [];
  #isHalf = true;

  certificate(reader: CertificateReader, plan: CertificatePlan, path: Path): KnownCertificate | null {
    const reading = reader.read(plan);
    if (!reading.ok) {
      this.#add(this.#problems, reading.problems, (part) => [...path, part]);
      this.#isHalf &&= reading.isHalf;
      return null;
    }
    this.#add(this.#warnings, reading.warnings, (part) => [...path, part]);
    return { certificate: reading.certificate, facts: reading.facts, source: plan.cert };
  }

  file<T>(reading: FileReading<'file', T>, path: Path): T | null {
    this.#add(
      reading.ok ? this.#warnings : this.#problems,
      reading.ok ? reading.warnings : reading.problems,
      () => path,
    );
    return reading.ok ? reading.value : null;
  }

  /** Whether OpenSSL knows what is written. */
  namesOfOpenSsl(tls: Pick<ListenerTlsPlan, 'ciphers' | 'cipherSuites' | 'curves'>): void {
    for (const { setting, sentence, hint, isProblem } of findNames(tls)) {
      (isProblem ? this.#problems : this.#warnings).push({ path: [setting], sentence, hint });
      if (isProblem) this.#isHalf = false;
    }
  }

  reading<T>(material: () => T): MaterialReading<T> {
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems, isHalf: this.#isHalf };
    return { ok: true, material: material(), warnings: this.#warnings };
  }

  #add<Part extends string>(
    to: MaterialFinding[],
    findings: readonly PartFinding<Part>[],
    pathOf: (part: Part) => Path,
  ): void {
    for (const { part, sentence, hint } of findings) to.push({ path: pathOf(part), sentence, hint });
  }
}
