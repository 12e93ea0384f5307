/** Warns of certificates that end soon, or have ended: each once a day. */
import { daysLeft, lifeOf } from '../../core/certificate-life.js';
import type { Cancel, Timers } from '../../core/timers.js';
import type { Logger } from '../../observability/logger.js';
import type { CertificateInUse } from './certificate-keeper.js';

const DAY_MS = 86_400_000;
/** Looks so often, so that what comes by a reload is not told a day late. */
const LOOK_MS = 3_600_000;

/** What it needs from outside. */
export interface ExpiryWatchParts {
  readonly inUse: () => readonly CertificateInUse[];
  /** Milliseconds since 1970. */
  readonly wallClockMs: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Thread: primary. */
export class ExpiryWatch {
  readonly #parts: ExpiryWatchParts;
  /** When each was told of, by owner and fingerprint. */
  #toldAt: ReadonlyMap<string, number> = new Map();
  #cancel: Cancel = () => {};

  constructor(parts: ExpiryWatchParts) {
    this.#parts = parts;
  }

  /** Looks now, and then again and again. */
  start(): void {
    this.#cancel();
    this.look();
    this.#cancel = this.#parts.timers.after(LOOK_MS, () => this.start());
  }

  /** Looks once, e.g. because there are other certificates. */
  look(): void {
    const { inUse, wallClockMs } = this.#parts;
    const nowMs = wallClockMs();
    const toldAt = new Map<string, number>();
    for (const certificate of inUse()) {
      const { owner, ownerName, facts } = certificate;
      if (lifeOf(facts.endsAt, nowMs) === 'good') continue;
      const key = `${owner} ${ownerName} ${facts.fingerprint}`;
      const before = this.#toldAt.get(key);
      const isDue = before === undefined || nowMs - before >= DAY_MS;
      toldAt.set(key, isDue ? nowMs : before);
      if (isDue) this.#tell(certificate, nowMs);
    }
    this.#toldAt = toldAt;
  }

  /** Idempotent. */
  close(): void {
    this.#cancel();
  }

  #tell({ owner, ownerName, facts, source }: CertificateInUse, nowMs: number): void {
    const endsAt = new Date(facts.endsAt).toISOString();
    const days = daysLeft(facts.endsAt, nowMs);
    const said = { [owner]: ownerName, names: facts.names, source, endsAt };
    const which = `the certificate for ${facts.names.join(', ')} of ${owner} ${ownerName} (${source})`;
    if (facts.endsAt <= nowMs) {
      const text = `${which} ended on ${endsAt}: ${owner === 'listener' ? 'clients' : 'endpoints'} refuse it`;
      this.#parts.logger.error({ event: 'certificate-expired', ...said }, text);
    } else {
      const left = days === 1 ? '1 day' : `${days} days`;
      this.#parts.logger.warn(
        { event: 'certificate-expiring', days, ...said },
        `${which} ends in ${left}, on ${endsAt}`,
      );
    }
  }
}
