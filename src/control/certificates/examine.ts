/** Examines the files of TLS that a configuration names, so that `sluice check`, a start and a reload tell what is wrong with them. */
import { compileListenerTls, compileUpstreamTls } from '../../config/compile-tls.js';
import type { Examination, FileFinding } from '../../config/load.js';
import type { Path } from '../../config/problem.js';
import type { Config } from '../../config/schema/config.js';
import type { CertificateReader } from './certificate-reader.js';
import { type MaterialReading, readListenerMaterial, readUpstreamMaterial } from './material.js';

/** Reads all of them. Never throws for what stands in files. Thread: primary. */
export function certificateExamination(reader: CertificateReader): (config: Config) => Examination {
  return (config) => {
    const problems: FileFinding[] = [];
    const warnings: FileFinding[] = [];
    const add = (reading: MaterialReading<unknown>, path: Path): void => {
      const found = reading.ok ? warnings : problems;
      for (const { path: below, ...finding } of reading.ok ? reading.warnings : reading.problems)
        found.push({ path: [...path, 'tls', ...below], ...finding });
    };
    for (const [index, listener] of config.listeners.entries()) {
      const plan = compileListenerTls(listener.tls, listener.mode === 'l4' ? 'l4' : listener.frontend);
      if (plan !== null) add(readListenerMaterial(reader, plan), ['listeners', index]);
    }
    for (const [name, { tls }] of Object.entries(config.upstreams)) {
      const plan = compileUpstreamTls(tls);
      if (plan !== null) add(readUpstreamMaterial(reader, plan), ['upstreams', name]);
    }
    return { problems, warnings };
  };
}
