/** Finds out where a running sluice is asked, and with which token: from flags, the environment, and a configuration file. */
import { ADMIN_ADDRESS } from '../../config/defaults.js';
import { readDocument } from '../../config/document.js';
import { adminSchema } from '../../config/schema/observing.js';
import { valueAt } from '../../config/schema/walk.js';
import { placeText } from '../../control/start-failure.js';
import type { GivenTarget } from './terminal-arguments.js';

/** Where to ask. */
export interface AdminTarget {
  /** Without a slash at the end, e.g. 'http://127.0.0.1:9900'. */
  readonly url: string;
  /** null: none is sent. */
  readonly token: string | null;
}

/** Where to ask, or a sentence that says why nobody knows. */
export type FoundTarget =
  | { readonly ok: true; readonly target: AdminTarget }
  | { readonly ok: false; readonly sentence: string };

/** What is read besides the command line. */
export interface TargetSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a whole file; throws as `readFileSync` does. */
  readonly readFile: (path: string) => Uint8Array;
}

/** The flags count first, then the environment (SLUICE_TOKEN), then the file, then the default address. */
export function findTarget(given: GivenTarget, { environment, readFile }: TargetSurroundings): FoundTarget {
  const written = given.configFile === null ? NOTHING_WRITTEN : readAdmin(given.configFile, readFile);
  if ('sentence' in written) return { ok: false, sentence: written.sentence };
  const url = given.address === null ? (written.url ?? urlOf(ADMIN_ADDRESS)) : urlOf(given.address);
  if (url === null) {
    return {
      ok: false,
      sentence: `--admin is "${given.address}", which is no address: write 127.0.0.1:9900, :9900 or https://sluice.example`,
    };
  }
  const fromEnvironment = environment.SLUICE_TOKEN ?? '';
  const token = given.token ?? (fromEnvironment === '' ? written.token : fromEnvironment);
  // A field of a request: what is no such value was no token to begin with.
  if (token !== null && !/^[!-~]+$/.test(token)) {
    return { ok: false, sentence: 'the token holds characters that no token has: blanks, or what is not ASCII' };
  }
  return { ok: true, target: { url, token } };
}

/** What a file says of the admin API; null: nothing. */
interface WrittenAdmin {
  readonly url: string | null;
  readonly token: string | null;
}

const NOTHING_WRITTEN: WrittenAdmin = { url: null, token: null };

/** '[HOST]:PORT' or a URL of http or https; an address that stands for all is asked on this machine. null: neither */
function urlOf(text: string): string | null {
  const whole = /^https?:\/\//i.test(text) ? text : `http://${text.startsWith(':') ? '127.0.0.1' : ''}${text}`;
  if (!URL.canParse(whole)) return null;
  const { protocol, hostname, port, pathname, search, username } = new URL(whole);
  const isBare = pathname === '/' && search === '' && username === '';
  if (!isBare || hostname === '' || (port === '' && !/^https?:\/\//i.test(text) && !/:80$/.test(text))) return null;
  return `${protocol}//${thisMachine(hostname)}${port === '' ? '' : `:${port}`}`;
}

function thisMachine(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '[::]' ? '[::1]' : host;
}

/**
 * Reads the section `admin` alone: the rest may be wrong, which is for sluice to say when it reloads.
 *
 * @returns what it says, or a sentence that says why it cannot be known
 */
function readAdmin(
  file: string,
  readFile: TargetSurroundings['readFile'],
): WrittenAdmin | { readonly sentence: string } {
  let bytes: Uint8Array;
  try {
    bytes = readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { sentence: `${file} cannot be read (${code}): check the path, or say with --admin where sluice is asked` };
  }
  const { document, problems } = readDocument(file, bytes);
  const admin = adminSchema.safeParse(document === null ? null : valueAt(document.value, ['admin']));
  if (document === null || problems.length > 0 || !admin.success) {
    return { sentence: `the section admin of ${file} cannot be read: say with --admin where sluice is asked` };
  }
  if (admin.data === 'off') return { sentence: `${file} says admin: off, so that sluice cannot be asked` };
  const { bind, token } = admin.data;
  return { url: urlOf(placeText(bind.host, bind.port)), token: token ?? null };
}
