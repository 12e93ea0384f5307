/** Asks the engine what of TLS and HTTP/2 this Node lacks. */
import type { NodeLacks } from '../config/node-examination.js';
import { ProxyError } from '../core/proxy-error.js';
import type { Addon } from '../engine/addon.js';
import type { TlsSupport } from '../engine/tls.js';
import { lackText, missingByUse, tlsSupportText } from '../engine/tls-support.js';

/** What a start says of it, as `--version` does; null: nothing is missing. Pure. */
export function nodeLackText(support: TlsSupport): string | null {
  return support.tls === null || support.http2 === null ? tlsSupportText(support) : null;
}

/** Loads the engine. One that is missing lacks nothing here: the start tells of it, and a check needs none. Thread: primary. */
export function nodeLacks(loadAddon: () => Addon): NodeLacks {
  try {
    const support = loadAddon().tlsSupport();
    const missing = missingByUse(support);
    return {
      tls: support.tls === null ? lackText(missing.tls) : null,
      http2: support.http2 === null ? lackText(missing.http2) : null,
    };
  } catch (error) {
    if (error instanceof ProxyError) return { tls: null, http2: null };
    throw error;
  }
}
