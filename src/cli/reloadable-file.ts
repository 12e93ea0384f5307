/** The configuration's file, which is read again while sluice runs, with the flags of the command line over it. */
import { createHash } from 'node:crypto';
import { type ConfigSource, type LoadedConfig, loadConfig } from '../config/load.js';
import type { WatchedFiles } from '../control/file-watch.js';
import type { ReadConfig } from '../control/reloader.js';
import { findingText } from './check-report.js';

/** Knows what the file said when it was last read. Thread: primary. */
export class ReloadableFile implements WatchedFiles {
  readonly path: string;
  readonly paths: readonly string[];
  readonly #source: Omit<ConfigSource, 'file'>;
  #digest: string | null = null;

  /** @param path as the user gave it */
  constructor(path: string, source: Omit<ConfigSource, 'file'>) {
    this.path = path;
    this.paths = [path];
    this.#source = source;
  }

  /** Reads and checks it. Never throws for anything that a user wrote. */
  load(): LoadedConfig {
    return loadConfig({
      ...this.#source,
      file: this.path,
      readFile: (file) => {
        const bytes = this.#source.readFile(file);
        this.#digest = digestOf(bytes);
        return bytes;
      },
    });
  }

  /** The same, with whole lines in place of problems and warnings. */
  read(): ReadConfig {
    const loaded = this.load();
    return loaded.ok
      ? { ok: true, config: loaded.config, warnings: loaded.warnings.map(findingText) }
      : { ok: false, problems: loaded.problems.map(findingText) };
  }

  /** Does it say something else than when it was last read? A file that cannot be read now says nothing. */
  hasChanged(): boolean {
    try {
      return digestOf(this.#source.readFile(this.path)) !== this.#digest;
    } catch {
      return false;
    }
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
