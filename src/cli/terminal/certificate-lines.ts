/** The certificates of a running sluice as a table, those that end soon marked. Pure. */
import type { CertificateView } from '../../control/admin/certificate-view.js';
import { type CertificateLife, lifeOf, lifeText } from '../../core/certificate-life.js';
import { plainText } from './figures-text.js';
import { type Column, tableLines } from './text-table.js';

const COLUMNS: readonly Column[] = [
  { heading: 'CERTIFICATE', isNumber: false },
  { heading: 'OF', isNumber: false },
  { heading: 'ENDS ON', isNumber: false },
  { heading: 'LEFT', isNumber: false },
  { heading: 'FROM', isNumber: false },
];

/** Names that a line has room for; the others are counted. */
const SHOWN_NAMES = 2;
const DATE_LENGTH = '2026-11-23'.length;

/** Marks, so that it needs no colour. */
const MARKS: Readonly<Record<CertificateLife, string>> = { good: '', ending: ' !', ended: ' !!' };

/** How a line is painted that is not good. */
export type CertificatePaint = Readonly<Record<Exclude<CertificateLife, 'good'>, (text: string) => string>>;

/** @returns none where there are no certificates */
export function certificateLines(
  certificates: readonly CertificateView[],
  nowMs: number,
  paint: CertificatePaint,
): string[] {
  if (certificates.length === 0) return [];
  const lives = certificates.map(({ endsAt }) => lifeOf(Date.parse(endsAt), nowMs));
  const [heading = '', ...lines] = tableLines(
    COLUMNS,
    certificates.map((certificate, index) => cellsOf(certificate, lives[index] ?? 'good', nowMs)),
  );
  return [
    heading,
    ...lines.map((line, index) => {
      const life = lives[index] ?? 'good';
      return life === 'good' ? line : paint[life](line);
    }),
  ];
}

function cellsOf(certificate: CertificateView, life: CertificateLife, nowMs: number): string[] {
  const { listener, upstream, names, endsAt, source } = certificate;
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  return [
    plainText(`${names.slice(0, SHOWN_NAMES).join(', ')}${more}`),
    plainText(listener === null ? `upstream ${upstream}` : `listener ${listener}`),
    endsAt.slice(0, DATE_LENGTH),
    `${lifeText(Date.parse(endsAt), nowMs)}${MARKS[life]}`,
    plainText(source),
  ];
}
