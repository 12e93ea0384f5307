/** Reads the other files of TLS: authorities, revocation lists, and ticket keys. */
import { valueText } from '../../config/problem.js';
import { type CertificateReader, certificatesIn, type PartFinding } from './certificate-reader.js';
import { placeText } from './chain.js';
import { DerTag, derElements, derInside, derTime } from './der.js';
import { pemBlocks, whyWithout } from './pem.js';

/** A file as the engine takes it, or everything that is wrong. */
export type FileReading<Part extends string, T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly PartFinding<Part>[] }
  | { readonly ok: false; readonly problems: readonly PartFinding<Part>[] };

/** Bytes of a ticket key: name, HMAC key and AES key, as nginx and HAProxy share them. */
export const TICKET_KEY_BYTES = 80;

/** Everybody's and the group's permissions. */
const OTHERS = 0o077;

/** Reads authorities. @returns their PEM text */
export function readAuthorities<Part extends string>(
  reader: CertificateReader,
  path: string,
  part: Part,
): FileReading<Part, string> {
  const problems: PartFinding<Part>[] = [];
  const bytes = reader.file(path, part, problems);
  const found = bytes === null ? null : certificatesIn(bytes, path, part, problems);
  if (found === null) return { ok: false, problems };
  const nowMs = reader.sources.wallClockMs();
  const warnings = found.flatMap((one): PartFinding<Part>[] => {
    const endsAt = Date.parse(one.certificate.validTo);
    if (endsAt > nowMs) return [];
    const sentence = `has the authority ${placeText(one)} that ended on ${new Date(endsAt).toISOString()}: what it issued is refused`;
    return [{ part, sentence, hint: 'replace it, or remove it' }];
  });
  return { ok: true, value: found.map(({ certificate }) => certificate.toString()).join(''), warnings };
}

/** Reads revocation lists. @returns their PEM text */
export function readRevocations<Part extends string>(
  reader: CertificateReader,
  path: string,
  part: Part,
): FileReading<Part, string> {
  const problems: PartFinding<Part>[] = [];
  const bytes = reader.file(path, part, problems);
  if (bytes === null) return { ok: false, problems };
  const blocks = pemBlocks(Buffer.from(bytes).toString('latin1')).filter(({ label }) => label === 'X509 CRL');
  const hint = 'a list begins with -----BEGIN X509 CRL-----; DER becomes PEM with openssl crl -inform der';
  if (blocks.length === 0) {
    const sentence = `is ${valueText(path)}, which has no revocation list: ${whyWithout(bytes)}`;
    return { ok: false, problems: [{ part, sentence, hint }] };
  }
  const warnings: PartFinding<Part>[] = [];
  for (const { text, line } of blocks) {
    const endsAt = endOfList(text);
    if (endsAt === undefined) {
      problems.push({ part, sentence: `is ${valueText(path)}, whose list in line ${line} cannot be read`, hint });
    } else if (endsAt !== null && endsAt <= reader.sources.wallClockMs()) {
      const sentence = `has a revocation list (line ${line}) that is outdated since ${new Date(endsAt).toISOString()}: all certificates of its authority are refused`;
      warnings.push({ part, sentence, hint: 'fetch the next one from the authority' });
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: blocks.map(({ text }) => `${text}\n`).join(''), warnings };
}

/** Reads ticket keys. @returns each of 80 bytes; the first seals */
export function readTicketKeys<Part extends string>(
  reader: CertificateReader,
  path: string,
  part: Part,
): FileReading<Part, readonly Uint8Array[]> {
  const problems: PartFinding<Part>[] = [];
  const bytes = reader.file(path, part, problems);
  if (bytes === null) return { ok: false, problems };
  if (bytes.length === 0 || bytes.length % TICKET_KEY_BYTES !== 0) {
    const sentence = `is ${valueText(path)}, which has ${bytes.length} bytes, but must have ${TICKET_KEY_BYTES} for each key`;
    return { ok: false, problems: [{ part, sentence, hint: `make one: openssl rand ${TICKET_KEY_BYTES} > FILE` }] };
  }
  const keys = Array.from({ length: bytes.length / TICKET_KEY_BYTES }, (_, index) =>
    Uint8Array.from(bytes.subarray(index * TICKET_KEY_BYTES, (index + 1) * TICKET_KEY_BYTES)),
  );
  const permissions = reader.sources.permissionsOf(path);
  const isOpen = permissions !== null && (permissions & OTHERS) !== 0;
  const warnings: PartFinding<Part>[] = isOpen
    ? [
        {
          part,
          sentence: `is ${valueText(path)}, which others than its owner may read (${permissions.toString(8)}): who has these keys can read connections`,
          hint: 'chmod 600 FILE',
        },
      ]
    : [];
  return { ok: true, value: keys, warnings };
}

/** When a list should have been followed by the next; null: it does not say; undefined: it is none (RFC 5280 section 5.1). */
function endOfList(text: string): number | null | undefined {
  const bytes = Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
  const body = derInside(derInside(derElements(bytes)?.[0], DerTag.SEQUENCE)?.[0], DerTag.SEQUENCE);
  if (body === null) return undefined;
  const times = body.map(derTime).filter((time) => time !== null);
  return times.length === 0 ? undefined : (times[1] ?? null);
}
