/** Looks into OCSP responses (RFC 6960): whether one is for a certificate, and still good. Its signature is for clients to verify. Pure. */
import type { X509Certificate } from 'node:crypto';
import { type DerElement, DerTag, derElements, derInside, derTime } from './der.js';

/** What a response says of a certificate. Times in ms since 1970. */
export type OcspFinding =
  | { readonly kind: 'good'; readonly endsAt: number | null }
  | { readonly kind: 'outdated'; readonly endsAt: number }
  | { readonly kind: 'wrong'; readonly why: string };

const STATUS_TAGS = { GOOD: 0x80, REVOKED: 0xa1 } as const;
/** Clocks of responders may be ahead by so much. */
const CLOCK_SKEW_MS = 300_000;
const BASIC_RESPONSE = '2b0601050507300101';
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

/** @param nowMs since 1970 */
export function readOcsp(bytes: Uint8Array, leaf: X509Certificate, nowMs: number): OcspFinding {
  const whole = derInside(derElements(bytes)?.[0], DerTag.SEQUENCE);
  const [status, wrapped] = whole ?? [];
  if (status?.tag !== DerTag.ENUMERATED) return wrong('is no OCSP response (DER)');
  const refusal = status.content[0] ?? 0;
  if (refusal !== 0)
    return wrong(`is the responder's refusal ${REFUSALS[refusal] ?? refusal}, and says nothing of any certificate`);
  const singles = singleResponses(wrapped);
  if (singles === null) return wrong('is no OCSP response that can be read');
  const own = singles.find(({ serial }) => serial === normalSerial(leaf.serialNumber));
  if (own === undefined) {
    const serials = singles.map(({ serial }) => serial).join(', ');
    return wrong(
      `is for the certificate of serial number ${serials}, not for this one (${normalSerial(leaf.serialNumber)})`,
    );
  }
  if (own.status === STATUS_TAGS.REVOKED) return wrong('says that the certificate is revoked');
  if (own.status !== STATUS_TAGS.GOOD) return wrong('says that its responder does not know the certificate');
  if (own.startsAt > nowMs + CLOCK_SKEW_MS) return wrong(`counts from ${new Date(own.startsAt).toISOString()} only`);
  if (own.endsAt !== null && own.endsAt <= nowMs) return { kind: 'outdated', endsAt: own.endsAt };
  return { kind: 'good', endsAt: own.endsAt };
}

interface SingleResponse {
  readonly serial: string;
  readonly status: number;
  readonly startsAt: number;
  readonly endsAt: number | null;
}

function wrong(why: string): OcspFinding {
  return { kind: 'wrong', why };
}

function singleResponses(wrapped: DerElement | undefined): readonly SingleResponse[] | null {
  const [type, response] = derInside(derInside(wrapped, DerTag.FIRST)?.[0], DerTag.SEQUENCE) ?? [];
  if (type === undefined || Buffer.from(type.content).toString('hex') !== BASIC_RESPONSE) return null;
  if (response?.tag !== DerTag.OCTET_STRING) return null;
  const basic = derInside(derElements(response.content)?.[0], DerTag.SEQUENCE);
  const data = derInside(basic?.[0], DerTag.SEQUENCE);
  // The only SEQUENCE among version, responder, time, responses and extensions.
  const list = derInside(
    data?.find(({ tag }) => tag === DerTag.SEQUENCE),
    DerTag.SEQUENCE,
  );
  const read = list?.map(singleResponse) ?? [];
  const found = read.filter((single) => single !== null);
  return found.length === 0 || found.length < read.length ? null : found;
}

function singleResponse(element: DerElement): SingleResponse | null {
  const [id, status, startsAt, ends] = derInside(element, DerTag.SEQUENCE) ?? [];
  const serial = derInside(id, DerTag.SEQUENCE)?.[3];
  const start = derTime(startsAt);
  if (serial?.tag !== DerTag.INTEGER || status === undefined || start === null) return null;
  const end = derTime(derInside(ends, DerTag.FIRST)?.[0]);
  return {
    serial: normalSerial(Buffer.from(serial.content).toString('hex')),
    status: status.tag,
    startsAt: start,
    endsAt: end,
  };
}

/** Without leading zeros, upper case. */
function normalSerial(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, '');
}
