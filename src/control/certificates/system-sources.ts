/** Where certificates are read from in a running sluice: the file system, the environment, the clock on the wall. */
import { statSync } from 'node:fs';
import type { CertificateSources } from './certificate-reader.js';

const PERMISSION_BITS = 0o777;

/** Thread: primary. */
export function systemSources(from: Pick<CertificateSources, 'readFile' | 'environment'>): CertificateSources {
  return {
    ...from,
    permissionsOf: (path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? null : found.mode & PERMISSION_BITS;
    },
    stampOf: (path) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
        return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
      } catch {
        return '';
      }
    },
    wallClockMs: Date.now,
  };
}
