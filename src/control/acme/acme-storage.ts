/**
 * What ACME needs again after a restart, on disk: keys of accounts, certificates and their keys. Directories are 0700, files 0600, and each
 * is written beside its place and then put there, so that nobody ever reads half of one. Thread: primary.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { acmeFilesOf } from '../../config/acme-files.js';
import type { AcmePlan } from '../../config/tls-plan.js';
import type { ObtainedCertificate } from '../certificates/obtained.js';
import type { Validity } from './renewal-schedule.js';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** A certificate as it lies there. */
export interface StoredCertificate extends ObtainedCertificate {
  readonly validity: Validity;
}

/** Keeps the files of one certificate and of its account. All methods reject with the error of the system. */
export class AcmeStorage {
  readonly #plan: AcmePlan;

  constructor(plan: AcmePlan) {
    this.#plan = plan;
  }

  /** The key of the account with the plan's authority. @param make makes one, PEM, where there is none */
  async accountKey(make: () => Promise<string>): Promise<string> {
    const authority = createHash('sha256').update(this.#plan.directory).digest('hex').slice(0, 16);
    const path = join(this.#plan.storage, 'accounts', `${authority}.pem`);
    const known = await textOf(path);
    if (known !== null) return known;
    const made = await make();
    await this.#write(path, made);
    return made;
  }

  /** @returns null: there is none, or none that has all names of the plan and its kind of key, belongs to its key, and is valid at `nowMs` */
  async certificate(nowMs: number): Promise<StoredCertificate | null> {
    const { cert, key } = acmeFilesOf(this.#plan);
    const [chain, keyText] = await Promise.all([textOf(cert), textOf(key)]);
    if (chain === null || keyText === null) return null;
    try {
      const certificate = new X509Certificate(chain);
      const validity = validityOf(chain);
      const isWhole =
        this.#plan.names.every((name) => certificate.checkHost(name, { subject: 'never' }) !== undefined) &&
        certificate.checkPrivateKey(createPrivateKey(keyText)) &&
        nowMs < validity.endsAt;
      return isWhole ? { chain, key: keyText, validity } : null;
    } catch {
      return null; // damaged: a new one is fetched, and takes its place
    }
  }

  /** The key goes first: between the two writes there is a pair that does not match, which is as good as none. */
  async keep({ chain, key }: ObtainedCertificate): Promise<void> {
    const files = acmeFilesOf(this.#plan);
    await this.#write(files.key, key);
    await this.#write(files.cert, chain);
  }

  async #write(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    // One that was there before may have been made by hand.
    await chmod(this.#plan.storage, DIRECTORY_MODE);
    const fresh = `${path}.new`;
    const file = await open(fresh, 'w', FILE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  }
}

/** @param chain PEM, the certificate first. @throws Error where it is none */
export function validityOf(chain: string): Validity {
  const { validFrom, validTo } = new X509Certificate(chain);
  return { beginsAt: Date.parse(validFrom), endsAt: Date.parse(validTo) };
}

/** @returns null: there is no such file */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
