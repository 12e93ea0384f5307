/** Refuses TLS and HTTP/2 where this Node lacks what the engine needs for them: at the check, not at first use. Pure. */
import type { Examination, FileFinding } from './load.js';
import type { Config } from './schema/config.js';

/** What this Node lacks, in words that follow "needs TLS, and "; null: nothing. */
export interface NodeLacks {
  readonly tls: string | null;
  readonly http2: string | null;
}

const HINT = 'run sluice with a Node from nodejs.org, whose binary exports OpenSSL and nghttp2, or remove the setting';

/** Makes the examination of a configuration. @param read called where TLS or HTTP/2 is configured only: the engine is loaded for it */
export function nodeExamination(read: () => NodeLacks): (config: Config) => Examination {
  return (config) => {
    const ofTls = tlsPaths(config);
    const ofHttp2 = http2Paths(config);
    if (ofTls.length + ofHttp2.length === 0) return { problems: [], warnings: [] };
    const { tls, http2 } = read();
    return { problems: [...findings(ofTls, 'TLS', tls), ...findings(ofHttp2, 'HTTP/2', http2)], warnings: [] };
  };
}

function findings(paths: readonly FileFinding['path'][], what: string, lack: string | null): FileFinding[] {
  if (lack === null) return [];
  return paths.map((path) => ({ path, sentence: `needs ${what}, and ${lack}`, hint: HINT }));
}

/** Where TLS of the engine is configured; the uws front end brings its own. */
function tlsPaths(config: Config): FileFinding['path'][] {
  const listeners = config.listeners.flatMap((listener, index) =>
    listener.tls !== 'off' && !isUws(listener) ? [['listeners', index, 'tls']] : [],
  );
  const upstreams = Object.entries(config.upstreams).flatMap(([name, upstream]) =>
    upstream.tls === 'off' ? [] : [['upstreams', name, 'tls']],
  );
  return [...listeners, ...upstreams];
}

function http2Paths(config: Config): FileFinding['path'][] {
  const listeners = config.listeners.flatMap((listener, index) => {
    if (listener.mode !== 'l7' || isUws(listener)) return [];
    const own = ['listeners', index];
    const isOffered = listener.tls !== 'off' && (listener.tls.alpn ?? ['h2']).includes('h2');
    return [
      ...(listener.http2.clearText ? [[...own, 'http2', 'clearText']] : []),
      ...(isOffered ? [[...own, 'tls', 'alpn']] : []),
    ];
  });
  const upstreams = Object.entries(config.upstreams).flatMap(([name, { protocol }]) =>
    protocol === 'h1' ? [] : [['upstreams', name, 'protocol']],
  );
  return [...listeners, ...upstreams];
}

function isUws(listener: Config['listeners'][number]): boolean {
  return listener.mode === 'l7' && listener.frontend === 'uws';
}
