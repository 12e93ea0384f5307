/** Everything that looks at certificates from time to time: whether their files changed, and whether they end. */
import type { Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import type { CertificateInUse, CertificateKeeper, Refreshing } from './certificate-keeper.js';
import { CertificateWatch } from './certificate-watch.js';
import { ExpiryWatch } from './expiry-watch.js';

/** What they need from outside. */
export interface CertificateWatchesParts {
  readonly keeper: CertificateKeeper;
  readonly timers: Timers;
  readonly logger: Logger;
  /** As CertificateWatchParts has it. */
  readonly republish: () => void;
}

/** Thread: primary. */
export class CertificateWatches {
  readonly #keeper: CertificateKeeper;
  readonly #files: CertificateWatch;
  readonly #expiry: ExpiryWatch;

  constructor(parts: CertificateWatchesParts) {
    this.#keeper = parts.keeper;
    this.#files = new CertificateWatch(parts);
    this.#expiry = new ExpiryWatch({ ...parts, inUse: () => this.inUse, wallClockMs: Date.now });
  }

  /** All certificates that are in use. */
  get inUse(): readonly CertificateInUse[] {
    return this.#keeper.inUse;
  }

  /** Another configuration counts: it may name other files, and other certificates may end soon. @param isWatching its `watch` */
  follow(isWatching: boolean): void {
    this.#files.set(false);
    this.#files.set(isWatching);
    this.#expiry.start();
  }

  /** Reads all files now, for whoever asked. */
  refresh(): Refreshing {
    const found = this.#files.refresh();
    this.#expiry.look();
    return found;
  }

  /** Idempotent. */
  close(): void {
    this.#files.set(false);
    this.#expiry.close();
  }
}
