/** The fields that the proxy adds to a response whose head passes through TypeScript; of native/src/frontend/added_fields.h the same in TypeScript. */

/** Most bytes of all lines that are added to one response, line ends included. */
export const ADDED_FIELDS_BYTES = 16 * 1024;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, blanks and tabs: what RFC 9110 5.5 wants new fields to keep to. */
const VALUE = /^[\t\x20-\x7e]*$/;
/** Fields that frame a message or belong to one connection. */
const OWN_FIELDS = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const LINE_BYTES = '\r\n: '.length;

/** At most one field of each name, in the order in which they first came. Thread: worker. */
export class ResponseFields {
  readonly #fields = new Map<string, { readonly name: string; readonly value: string }>();
  #bytes = 0;

  /**
   * Adds a field; another one of its name, in any case, gives it its place.
   *
   * @param value null: takes the field away
   * @throws TypeError where the name is no token or about framing or the connection, the value holds something else than printable
   * ASCII, or all added fields would be more than ADDED_FIELDS_BYTES
   */
  set(name: string, value: string | null): void {
    const key = name.toLowerCase();
    const before = this.#fields.get(key);
    const otherBytes = this.#bytes - (before === undefined ? 0 : lineBytes(before.name, before.value));
    const bytes = value === null ? otherBytes : otherBytes + lineBytes(name, value);
    const isAllowed = TOKEN.test(name) && !OWN_FIELDS.has(key) && (value === null || VALUE.test(value));
    if (!isAllowed || bytes > ADDED_FIELDS_BYTES)
      throw new TypeError(
        `addResponseField: '${name}' cannot be added: it is no token, or is about framing or this connection, or its value holds something else than printable ASCII, or all added fields are more than 16 KiB`,
      );
    this.#bytes = bytes;
    if (value === null) this.#fields.delete(key);
    else this.#fields.set(key, { name, value });
  }

  /** "\r\nname: value" for each: what goes behind a head without its last line end. */
  get lines(): string {
    let lines = '';
    for (const { name, value } of this.#fields.values()) lines += `\r\n${name}: ${value}`;
    return lines;
  }
}

/** @param head "200 OK\r\nname: value…" without the last line end. @returns it with the added fields behind it, itself where there are none */
export function headWith(fields: ResponseFields | null, head: Uint8Array | string): Uint8Array | string {
  const lines = fields === null ? '' : fields.lines;
  if (lines === '') return head;
  return typeof head === 'string' ? head + lines : Buffer.concat([head, Buffer.from(lines, 'latin1')]);
}

/** @param head as in headWith. @returns it with this Strict-Transport-Security alone */
export function headWithHsts(hsts: string, head: Uint8Array | string): Uint8Array | string {
  const text =
    typeof head === 'string' ? head : Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  const whole = `${text.replace(HSTS_LINES, '')}\r\nstrict-transport-security: ${hsts}`;
  return typeof head === 'string' ? whole : Buffer.from(whole, 'latin1');
}

const HSTS_LINES = /\r\nstrict-transport-security[\t ]*:[^\r]*/gi;

function lineBytes(name: string, value: string): number {
  return name.length + value.length + LINE_BYTES;
}
