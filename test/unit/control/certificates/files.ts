/** Files, an environment and a wall clock that tests of certificates make up. */
import { CertificateReader, type CertificateSources } from '../../../../src/control/certificates/certificate-reader.js';

/** What the clock on the wall says unless told otherwise: the certificates of the harness count then. */
export const NOW_MS = Date.parse('2026-11-23T12:00:00Z');

export class MadeUpFiles implements CertificateSources {
  readonly environment: Record<string, string | undefined> = {};
  readonly #files = new Map<string, { readonly bytes: Uint8Array; readonly stamp: string }>();
  nowMs = NOW_MS;
  permissions = 0o600;
  #writes = 0;

  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    this.write(files);
  }

  /** Writes or replaces them; null: takes one away. */
  write(files: Readonly<Record<string, string | Uint8Array | null>>): void {
    for (const [path, content] of Object.entries(files)) {
      this.#writes += 1;
      if (content === null) this.#files.delete(path);
      else this.#files.set(path, { bytes: Buffer.from(content), stamp: String(this.#writes) });
    }
  }

  readonly readFile = (path: string): Uint8Array => {
    const file = this.#files.get(path);
    if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return file.bytes;
  };

  readonly permissionsOf = (): number => this.permissions;
  readonly stampOf = (path: string): string => this.#files.get(path)?.stamp ?? '';
  readonly wallClockMs = (): number => this.nowMs;

  reader(): CertificateReader {
    return new CertificateReader(this);
  }
}
