/** Series of certificates in GET /metrics: when each of them ends. */
import { type Exposition, labelText } from '../../observability/exposition.js';
import type { CertificateInUse } from '../certificates/certificate-keeper.js';

/** Most series: of more certificates than this, those that end first are told. */
const SERIES_MAX = 500;
const NAME_MAX = 100;
const MS_PER_S = 1_000;

/** Where they come from. */
export interface CertificateSeriesParts {
  readonly certificates: () => readonly CertificateInUse[];
}

/** Thread: primary. */
export class CertificateSeries {
  readonly #parts: CertificateSeriesParts;

  constructor(parts: CertificateSeriesParts) {
    this.#parts = parts;
  }

  write(into: Exposition): void {
    const soonest = [...this.#parts.certificates()].sort((a, b) => a.facts.endsAt - b.facts.endsAt);
    into.family('sluice_certificate_expiry_seconds');
    const told = new Set<string>();
    for (const { owner, ownerName, facts } of soonest.slice(0, SERIES_MAX)) {
      const labels = labelText(
        ['listener', owner === 'listener' ? ownerName : ''],
        ['upstream', owner === 'upstream' ? ownerName : ''],
        ['name', (facts.names[0] ?? '').slice(0, NAME_MAX)],
        ['serial', facts.serial],
      );
      if (told.has(labels)) continue; // one certificate in two files
      told.add(labels);
      into.sample(labels, facts.endsAt / MS_PER_S);
    }
  }
}
