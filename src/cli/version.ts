/** What this installation is made of: the version, and which native binaries it finds. */
import { readFileSync } from 'node:fs';
import { ProxyError } from '../core/proxy-error.js';
import type { Addon } from '../engine/addon.js';
import { tlsSupportText } from '../engine/tls-support.js';
import { loadUws } from '../l7/frontends/uws/load-uws.js';

/** The version in package.json, e.g. '0.1.0'. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}

/** The answer to `--version`. Loads the binaries; one that is missing is told, not fatal. Thread: primary. */
export function versionText(loadAddon: () => Addon): string {
  let tls = 'TLS and HTTP/2 cannot be used: the engine is missing';
  const engine = foundOrWhy(() => {
    tls = tlsSupportText(loadAddon().tlsSupport());
    return 'loaded';
  });
  const uws = foundOrWhy(() => {
    const { packageName, version } = loadUws();
    return `${version} (${packageName})`;
  });
  const { node, v8 } = process.versions;
  return [
    `sluice ${readVersion()}`,
    `node ${node} (v8 ${v8}, ${process.platform} ${process.arch})`,
    `engine ${engine}`,
    tls,
    `uWebSockets.js ${uws}`,
    '',
  ].join('\n');
}

function foundOrWhy(find: () => string): string {
  try {
    return find();
  } catch (error) {
    if (error instanceof ProxyError) return `missing: ${error.message}`;
    throw error;
  }
}
