/** Loads the native engine: the one place that knows where the .node file is. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ProxyError } from '../core/proxy-error.js';
import type { Addon } from './addon.js';

/** What mends a missing or unusable addon, typed in the package's root. */
const BUILD_COMMAND = 'npm run build:native';

/** Two folders up from here is the package's root, from dist/engine as from src/engine. */
const ADDON_FILE = fileURLToPath(new URL('../../build/Release/sluice_engine.node', import.meta.url));

/**
 * Loads the addon; later calls in the same thread give the same object. Each worker thread has its own. Thread: any.
 *
 * @param file the .node file; another one than the package's own is for tests
 * @throws ProxyError SLUICE_ADDON_MISSING: the file is not there, was built for another Node or system, or by another
 *   version of this package. The detail names the file, the cause and the command that mends it.
 */
export function loadEngine(file: string = ADDON_FILE): Addon {
  if (!existsSync(file)) throw addonMissing(file, 'the file does not exist');
  let exported: unknown;
  try {
    exported = createRequire(import.meta.url)(file);
  } catch (error) {
    throw addonMissing(file, error instanceof Error ? error.message : String(error), error);
  }
  if (!isAddon(exported)) throw addonMissing(file, 'it does not export what this version needs');
  return exported;
}

function addonMissing(file: string, reason: string, cause?: unknown): ProxyError {
  return new ProxyError('SLUICE_ADDON_MISSING', { file, reason, fix: BUILD_COMMAND }, { cause });
}

/** Looks at the names only: the rest is the compiler's and the integration tests' business. */
function isAddon(exported: unknown): exported is Addon {
  if (typeof exported !== 'object' || exported === null) return false;
  const names = [
    'Engine',
    'FrontEnd',
    'SessionEngine',
    'Acceptor',
    'AccessLines',
    'openListeningSocket',
    'reserveAddress',
    'freeFiles',
    'pauseAccepting',
    'countForeignWriters',
    'loopBusyShare',
    'silenceForeignHandles',
    'muteStandardOutputStream',
    'raiseFileLimit',
    'tlsSupport',
    'TlsServer',
    'TlsClient',
    'hashText',
    'hashBytes',
    'crc32Text',
    'buildKetama',
    'buildMaglev',
  ] satisfies readonly (keyof Addon)[];
  return names.every((name) => typeof Reflect.get(exported, name) === 'function');
}
