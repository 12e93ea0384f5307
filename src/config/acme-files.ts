/** Where what ACME brings lies in its storage. */
import { join } from 'node:path';
import type { AcmePlan } from './tls-plan.js';

/** Files of one certificate that came by ACME: PEM, the key not encrypted. */
export interface AcmeFiles {
  readonly directory: string;
  readonly cert: string;
  readonly key: string;
}

/** The files of the certificate that has these names, wherever it is used: the first name says where. Pure. */
export function acmeFilesOf({ storage, names, keyType }: Pick<AcmePlan, 'storage' | 'names' | 'keyType'>): AcmeFiles {
  const directory = join(storage, 'certificates', `${names[0] ?? ''}-${keyType}`);
  return { directory, cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
}
