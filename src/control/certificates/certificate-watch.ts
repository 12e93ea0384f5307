/** Has changed files of certificates count: sees that they changed, reads them again, and tells what is wrong with them. */
import type { Cancel, Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import { FileWatch, type WatchedFiles } from '../file-watch.js';
import type { CertificateKeeper, Refreshing } from './certificate-keeper.js';

/** A certificate and its key are replaced one after the other: so long it is not told that they do not match. */
const HALF_PATIENCE_MS = 5_000;
const HALF_LOOK_MS = 250;
/** What passes by itself (an OCSP response that is outdated) is looked for so often. */
const LOOK_ANYWAY_MS = 3_600_000;

/** What it needs from outside. */
export interface CertificateWatchParts {
  readonly keeper: Pick<CertificateKeeper, 'files' | 'hasChanged' | 'refresh'>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Brings the same configuration to workers as another plan. */
  readonly republish: () => void;
}

/** Thread: primary. */
export class CertificateWatch implements WatchedFiles {
  readonly #parts: CertificateWatchParts;
  readonly #watch: FileWatch;
  #cancelRetry: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  /** What the log was told last. */
  #told = '';
  #isOn = false;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
    this.#watch = new FileWatch(this, parts.timers, () => this.#changed());
  }

  get paths(): readonly string[] {
    return this.#parts.keeper.files;
  }

  /** Has a file been replaced or written since it was read? One that is not there now has not. */
  hasChanged(): boolean {
    return this.#parts.keeper.hasChanged();
  }

  /** Watches, or does not. Idempotent. */
  set(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#cancelRetry();
    this.#cancelLook();
    this.#watch.set(isOn);
    if (isOn) this.#lookLater();
  }

  /** Reads all files now, whether they changed or not, for whoever asked. @returns as CertificateKeeper.refresh */
  refresh(): Refreshing {
    this.#cancelRetry();
    const found = this.#parts.keeper.refresh();
    this.#told = found.problems.join('; ');
    return found;
  }

  #lookLater(): void {
    this.#cancelLook = this.#parts.timers.after(LOOK_ANYWAY_MS, () => {
      this.#changed();
      this.#lookLater();
    });
  }

  #changed(): void {
    this.#cancelRetry();
    this.#try(HALF_PATIENCE_MS);
  }

  /** @param patienceMs until halves are told of */
  #try(patienceMs: number): void {
    const { keeper, timers, logger, republish } = this.#parts;
    const { problems, isHalf, needsPlan } = keeper.refresh();
    if (needsPlan) republish();
    if (isHalf && patienceMs > 0) {
      this.#cancelRetry = timers.after(HALF_LOOK_MS, () => this.#try(patienceMs - HALF_LOOK_MS));
      return;
    }
    const reason = problems.join('; ');
    if (reason !== '' && reason !== this.#told) {
      logger.error(
        { event: 'certificates-failed', reason },
        `changed certificates cannot be used, and the former ones stay: ${reason}`,
      );
    }
    this.#told = reason;
  }
}
