/** Sees that files say something else than before, however they were written: that of the configuration, and those of certificates. */
import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Cancel, Timers } from '../core/timers.js';

/** Editors write in several steps, and whoever swaps links does so right after: looks at the file when nothing has happened for this long. */
const SETTLE_MS = 100;
/** Looks without having been told: file systems of the network tell nobody, and directories come and go. */
const LOOK_INTERVAL_MS = 5_000;
/** Of other files in a directory, between two looks: where more happens, being told of each costs more than it brings. */
const MOST_FOREIGN_EVENTS = 1_000;

/** The files that are watched. */
export interface WatchedFiles {
  /** They may be others from one look to the next. */
  readonly paths: readonly string[];
  /** Does one of them say something else than when it was last read? false for one that cannot be read now. */
  hasChanged(): boolean;
}

/**
 * Watches directories and not the file: editors put a new file into its place, and Kubernetes swaps a link beside it, of which a watch on the
 * file itself would hear nothing. Both the directory that a path names and the one where the file really lies are watched. Thread: primary.
 */
export class FileWatch {
  readonly #files: WatchedFiles;
  readonly #timers: Timers;
  readonly #changed: () => void;
  #watchers: readonly FSWatcher[] = [];
  #cancelSettling: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  #isOn = false;

  /** @param changed called when one of them says something else; it is to be read then */
  constructor(files: WatchedFiles, timers: Timers, changed: () => void) {
    this.#files = files;
    this.#timers = timers;
    this.#changed = changed;
  }

  /** Watches, or does not; other files than before from the next look on. Idempotent. */
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
    if (this.#files.hasChanged()) this.#changed();
  }

  #watch(): void {
    const places = this.#files.paths.flatMap(placesOf);
    const names = new Set(places.map((place) => basename(place)));
    this.#watchers = [...new Set(places.map((place) => dirname(place)))].flatMap((directory) => {
      try {
        let foreignEvents = 0;
        const watcher = watch(directory, { persistent: false }, (kind, name) => {
          if (name !== null && !names.has(name) && ++foreignEvents > MOST_FOREIGN_EVENTS) {
            watcher.close(); // until the next look
            return;
          }
          // Whatever is made, moved or removed may be a link on the way; a log that is written there is not.
          if (kind === 'rename' || name === null || names.has(name)) this.#settle();
        });
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

/** The path, and where the file really lies. */
function placesOf(path: string): readonly string[] {
  const named = resolve(path);
  try {
    return [named, realpathSync(path)];
  } catch {
    return [named];
  }
}
