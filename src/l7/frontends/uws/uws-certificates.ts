/**
 * Certificates of listeners with uWebSockets.js, which takes files only, by its own BoringSSL. Whatever it is shown has been read, checked
 * and tried before: it ends the process at a file of a further name that it cannot read. Thread: worker.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { acmeFilesOf } from '../../../config/acme-files.js';
import type { CertificatePlan, ListenerTlsPlan } from '../../../config/tls-plan.js';
import { readPassphrase } from '../../../core/passphrase.js';
import type { Uws, UwsApp, UwsTlsOptions } from './load-uws.js';
import { withPrivateFile } from './private-file.js';

/** What is read of one certificate. */
interface CertificateText {
  readonly chain: string;
  readonly key: string;
  readonly passphrase: string | null;
  /** DNS names that it is for, lower case, wildcards with `*.`. */
  readonly names: readonly string[];
}

/** Why a listener cannot have its certificates. */
export class UnusableCertificates extends Error {}

/** A name that uWebSockets.js can be asked for. */
const SERVER_NAME = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
const DNS_NAMES = /DNS:([^,"]+)/g;

/**
 * An app with the certificates of a listener: the first for whoever names none of their names. Without any yet, it accepts and no
 * handshake succeeds.
 *
 * @param attach gives an app, or one name of it, its routes
 * @throws UnusableCertificates
 */
export function secureApp(uws: Uws, tls: ListenerTlsPlan, attach: (app: UwsApp) => void): UwsApp {
  const texts = readAll(tls);
  const [first, ...others] = texts;
  const settings = {
    ssl_ciphers: tls.ciphers,
    ...(tls.clientAuth === null ? {} : { ca_file_name: tls.clientAuth.ca }),
  };
  if (first === undefined) {
    const empty = uws.SSLApp({});
    attach(empty);
    return empty;
  }
  for (const [index, text] of others.entries()) appOf(uws, text, settings, index + 1).close();
  const app = appOf(uws, first, settings, 0);
  attach(app);
  // Of several certificates with the same name the first counts, and an exact name counts before a wildcard.
  const taken = new Set<string>();
  for (const text of others.length === 0 ? [] : texts) {
    for (const name of text.names.filter((each) => !taken.has(each))) {
      taken.add(name);
      withFiles(text, settings, (options) => app.addServerName(name, options));
      attach(app.domain(name));
    }
  }
  return app;
}

function appOf(uws: Uws, text: CertificateText, settings: UwsTlsOptions, index: number): UwsApp {
  try {
    return withFiles(text, settings, (options) => uws.SSLApp(options));
  } catch {
    throw new UnusableCertificates(
      `BoringSSL of uWebSockets.js takes certificate ${index} not: its key, its passphrase, tls.ciphers or tls.clientAuth.ca`,
    );
  }
}

function withFiles<T>(text: CertificateText, settings: UwsTlsOptions, use: (options: UwsTlsOptions) => T): T {
  const { chain, key, passphrase } = text;
  return withPrivateFile(chain, (cert_file_name) =>
    withPrivateFile(key, (key_file_name) =>
      use({ ...settings, cert_file_name, key_file_name, ...(passphrase === null ? {} : { passphrase }) }),
    ),
  );
}

function readAll({ certificates, acme }: ListenerTlsPlan): readonly CertificateText[] {
  const configured = certificates.map((certificate) => textOf(certificate));
  return acme === null ? configured : [...configured, ...obtainedOf(acmeFilesOf(acme))];
}

/** What ACME has brought; nothing, if that is still to come. */
function obtainedOf({ cert, key }: { readonly cert: string; readonly key: string }): readonly CertificateText[] {
  try {
    return [textOf({ cert, key, passphrase: null })];
  } catch {
    return [];
  }
}

function textOf({ cert, key, passphrase }: Pick<CertificatePlan, 'cert' | 'key' | 'passphrase'>): CertificateText {
  try {
    const chain = readFileSync(cert, 'utf8');
    const { subjectAltName = '' } = new X509Certificate(chain);
    const names = [...subjectAltName.matchAll(DNS_NAMES)].map(([, name = '']) => name.toLowerCase());
    const read = readPassphrase(passphrase, process.env);
    if (!read.ok) throw new Error(`the passphrase of ${key} ${read.sentence}`);
    return {
      chain,
      key: readFileSync(key, 'utf8'),
      passphrase: read.passphrase,
      names: names.filter((name) => SERVER_NAME.test(name)),
    };
  } catch (error) {
    throw new UnusableCertificates(error instanceof Error ? error.message : String(error));
  }
}
