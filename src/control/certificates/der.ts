/** Reads elements of DER (X.690), as far as certificates, revocation lists and OCSP responses need it. Pure. */

/** One element. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

export const DerTag = {
  INTEGER: 0x02,
  OCTET_STRING: 0x04,
  OBJECT: 0x06,
  ENUMERATED: 0x0a,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  /** [0] of a constructed element. */
  FIRST: 0xa0,
} as const;

/** Longest length that is read: files of megabytes are none of these. */
const LENGTH_BYTES_MAX = 4;

/** The elements that stand side by side; null: it is no DER. */
export function derElements(bytes: Uint8Array): readonly DerElement[] | null {
  const found: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    if (element === null) return null;
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

/** The elements inside of the first one at this place, if it has that tag; null otherwise. */
export function derInside(element: DerElement | undefined, tag: number): readonly DerElement[] | null {
  return element?.tag === tag ? derElements(element.content) : null;
}

/** Milliseconds since 1970 of UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5); null: it is neither. */
export function derTime(element: DerElement | undefined): number | null {
  if (element === undefined) return null;
  const text = Buffer.from(element.content).toString('latin1');
  const short = element.tag === DerTag.UTC_TIME;
  if (!short && element.tag !== DerTag.GENERALIZED_TIME) return null;
  const match = /^(\d{2})?(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null || (match[1] === undefined) !== short) return null;
  const [, century, year = '', month, day, hour, minute, second] = match;
  const years = `${century ?? (Number(year) >= 50 ? '19' : '20')}${year}`;
  const time = Date.parse(`${years}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? null : time;
}

function elementAt(bytes: Uint8Array, at: number): DerElement | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  let length = first;
  let begin = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > LENGTH_BYTES_MAX) return null;
    length = 0;
    for (const byte of bytes.subarray(begin, begin + count)) length = length * 256 + byte;
    begin += count;
  }
  const end = begin + length;
  return end > bytes.length ? null : { tag, content: bytes.subarray(begin, end), whole: bytes.subarray(at, end) };
}
