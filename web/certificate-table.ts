/** The table of certificates in use: asked for now and then, since they change seldom. */
import type { CertificateView } from '../src/control/admin/certificate-view.js';
import { type CertificateLife, lifeOf, lifeText } from '../src/core/certificate-life.js';
import type { AdminClient } from './admin-client.js';
import { element, part, setAttribute, setShown, setText } from './document.js';
import { KeyedTable } from './keyed-table.js';
import { textColumn } from './table-columns.js';

/** So often they are asked for; a reload asks at once. */
const ASK_EVERY_MS = 60_000;

/** A certificate, and the moment that the days are counted from. */
interface Row {
  readonly certificate: CertificateView;
  readonly nowMs: number;
}

const TONES: Readonly<Record<CertificateLife, string | undefined>> = { good: undefined, ending: 'warn', ended: 'bad' };
/** So that it needs no colour. */
const MARKS: Readonly<Record<CertificateLife, string>> = { good: '', ending: ' !', ended: ' !!' };

/** The card of the page that has them; not shown without any. */
export class CertificateTable {
  readonly #client: AdminClient;
  readonly #table = new KeyedTable<Row>({
    caption: 'Certificates',
    keyOf: ({ certificate: { listener, upstream, fingerprint, source } }) =>
      JSON.stringify([listener, upstream, fingerprint, source]),
    columns: [
      textColumn('Names', ({ certificate }) => certificate.names.join(', '), { isRowHead: true }),
      textColumn('Of', ({ certificate: { listener, upstream } }) =>
        listener === null ? `upstream ${upstream}` : `listener ${listener}`,
      ),
      textColumn('Ends on', ({ certificate }) => certificate.endsAt.slice(0, '2026-11-23'.length)),
      {
        title: 'Left',
        fill: (cell) => {
          const text = element('span', { class: 'text' });
          cell.append(text);
          return ({ certificate, nowMs }) => {
            const endsAtMs = Date.parse(certificate.endsAt);
            const life = lifeOf(endsAtMs, nowMs);
            setText(text, `${lifeText(endsAtMs, nowMs)}${MARKS[life]}`);
            setAttribute(text, 'data-tone', TONES[life]);
          };
        },
      },
      textColumn('Key', ({ certificate }) => certificate.keyType),
      textColumn('Issuer', ({ certificate }) => certificate.issuer),
      textColumn('From', ({ certificate }) => certificate.source),
    ],
  });
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(client: AdminClient) {
    this.#client = client;
    part('certificates', HTMLElement).append(this.#table.element);
  }

  /** They may be others: the next look asks. */
  forget(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  /** The page is being shown. @param nowMs of the proxy, since 1970 */
  look(nowMs: number): void {
    const askedAt = performance.now();
    if (askedAt - this.#askedAt < ASK_EVERY_MS) return;
    this.#askedAt = askedAt;
    void this.#ask(nowMs);
  }

  /** Without an answer the page shows what it had: the stream of figures says that nobody answers. */
  async #ask(nowMs: number): Promise<void> {
    try {
      const answer = await this.#client.get<{ certificates: readonly CertificateView[] }>('/api/v1/certificates');
      setShown(part('certificates-card', HTMLElement), answer.certificates.length > 0);
      this.#table.show(answer.certificates.map((certificate) => ({ certificate, nowMs })));
    } catch {
      return;
    }
  }
}
