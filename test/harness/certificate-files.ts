/** Certificates as files, as configurations name them. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MadeCertificate } from './certificate-maker.js';

/** A directory of PEM files. Always `close` it. */
export class CertificateFiles {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));

  /** Writes certificate and key under this name, whole at once. @returns their paths, as configurations have them */
  write(
    name: string,
    { cert, key }: Pick<MadeCertificate, 'cert' | 'key'>,
  ): { readonly cert: string; readonly key: string } {
    return { cert: this.#put(`${name}.pem`, cert), key: this.#put(`${name}.key`, key) };
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #put(file: string, text: string): string {
    const path = join(this.directory, file);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return path;
  }
}
