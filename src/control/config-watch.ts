/** Sees that the configuration's file says something else than before, however it was written. */
import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Cancel, Timers } from '../core/timers.js';

/** Editors write in several steps, and whoever swaps links does so right after: looks at the file when nothing has happened for this long. */
const SETTLE_MS = 100;
/** Looks without having been told: file systems of the network tell nobody, and directories come and go. */
const LOOK_INTERVAL_MS = 5_000;

/** The file that is watched. */
export interface WatchedFile {
  readonly path: string;
  /** Does it say something else than when it was last read? false for one that cannot be read now. */
  hasChanged(): boolean;
}

/**
 * Watches directories and not the file: editors put a new file into its place, and Kubernetes swaps a link beside it, of which a watch on the
 * file itself would hear nothing. Both the directory that the path names and the one where the file really lies are watched. Thread: primary.
 */
export class ConfigWatch {
  readonly #file: WatchedFile;
  readonly #timers: Timers;
  readonly #changed: () => void;
  #watchers: readonly FSWatcher[] = [];
  #cancelSettling: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  #isOn = false;

  /** @param changed called when the file says something else; it is to be read then */
  constructor(file: WatchedFile, timers: Timers, changed: () => void) {
    this.#file = file;
    this.#timers = timers;
    this.#changed = changed;
  }

  /** Watches, or does not. Idempotent. */
  set(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#cancelLook();
    this.#cancelSettling();
    this.#unwatch();
    if (!isOn) return;
    this.#watch();
    this.#lookLater();
  }

  #lookLater(): void {
    this.#cancelLook = this.#timers.after(LOOK_INTERVAL_MS, () => {
      // Anew each time: what is watched may be a directory that is gone.
      this.#unwatch();
      this.#watch();
      this.#look();
      this.#lookLater();
    });
  }

  #settle(): void {
    this.#cancelSettling();
    this.#cancelSettling = this.#timers.after(SETTLE_MS, () => this.#look());
  }

  #look(): void {
    if (this.#file.hasChanged()) this.#changed();
  }

  #watch(): void {
    this.#watchers = [...directoriesOf(this.#file.path)].flatMap((directory) => {
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#settle());
        watcher.on('error', () => watcher.close()); // the next look watches anew
        return [watcher];
      } catch {
        return []; // it is not there now, or there are no watches left: the looks remain
      }
    });
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }
}

function directoriesOf(path: string): Set<string> {
  const named = dirname(resolve(path));
  try {
    return new Set([named, dirname(realpathSync(path))]);
  } catch {
    return new Set([named]);
  }
}
