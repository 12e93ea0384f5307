/** Reads header blocks (RFC 7541) strictly: the suite judges with it what proxies send. */

/** A field; bytes as latin1. */
export type HeaderField = readonly [name: string, value: string];

/** Appendix A: names with their values, from index 1 on. */
const STATIC_TABLE: readonly HeaderField[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  ...['200', '204', '206', '304', '400', '404', '500'].map((status): HeaderField => [':status', status]),
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...(
    'accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control ' +
    'content-disposition content-encoding content-language content-length content-location content-range content-type ' +
    'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since ' +
    'last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after ' +
    'server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate'
  )
    .split(' ')
    .map((name): HeaderField => [name, '']),
];

/** Appendix B: how many bits the code of each byte has, and that of EOS behind them, in digits to the base of 32. The codes follow from it: they are canonical. */
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6' +
  'f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';
const EOS = 256;

/** Symbol by length and code, as `length:code`. */
const SYMBOLS: ReadonlyMap<string, number> = (() => {
  const lengths = Array.from(CODE_LENGTHS, (digit) => Number.parseInt(digit, 32));
  const order = lengths.map((_, symbol) => symbol).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const symbols = new Map<string, number>();
  let code = 0;
  let length = 0;
  for (const symbol of order) {
    code *= 2 ** ((lengths[symbol] ?? 0) - length);
    length = lengths[symbol] ?? 0;
    symbols.set(`${length}:${code++}`, symbol);
  }
  return symbols;
})();

/** @throws Error on EOS, and on padding that is none */
export function huffmanText(bytes: Buffer): string {
  let text = '';
  let code = 0;
  let length = 0;
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const symbol = SYMBOLS.get(`${length}:${code}`);
      if (symbol === undefined) continue;
      if (symbol === EOS) throw new Error('EOS in a string');
      text += String.fromCharCode(symbol);
      code = 0;
      length = 0;
    }
  if (length > 7 || code !== 2 ** length - 1) throw new Error('padding that is no prefix of EOS');
  return text;
}

/** Size of an entry beyond its text (section 4.1). */
const ENTRY_BYTES = 32;
const FIRST_TABLE_BYTES = 4096;

/** Of one direction of one connection. */
export class HpackDecoder {
  readonly #dynamic: HeaderField[] = [];
  #limitBytes = FIRST_TABLE_BYTES;
  #tableBytes = FIRST_TABLE_BYTES;

  /** Takes what its side has announced (SETTINGS_HEADER_TABLE_SIZE) once that is acknowledged. A sender that had more must say so in its next block (section 4.2). */
  announce(bytes: number): void {
    this.#limitBytes = bytes;
  }

  /** @throws Error where the block is malformed */
  read(block: Buffer): HeaderField[] {
    const fields: HeaderField[] = [];
    let at = 0;
    const integer = (prefixBits: number): number => {
      const most = 2 ** prefixBits - 1;
      let value = (block[at++] ?? 0) & most;
      if (value < most) return value;
      for (let shift = 1; ; shift *= 128) {
        const byte = block[at++];
        if (byte === undefined || shift > 2 ** 28) throw new Error('an integer that is cut or too large');
        value += (byte & 127) * shift;
        if (byte < 128) return value;
      }
    };
    const string = (): string => {
      const isHuffman = ((block[at] ?? 0) & 0x80) !== 0;
      const length = integer(7);
      if (at + length > block.length) throw new Error('a string that is cut');
      const bytes = block.subarray(at, at + length);
      at += length;
      return isHuffman ? huffmanText(bytes) : bytes.toString('latin1');
    };
    while (at < block.length) {
      const first = block[at] ?? 0;
      if (this.#tableBytes > this.#limitBytes && !(first >= 0x20 && first < 0x40))
        throw new Error('a table that must shrink and does not');
      if (first >= 0x80) fields.push(this.#entry(integer(7)));
      else if (first >= 0x20 && first < 0x40) this.#resize(integer(5), fields.length);
      else {
        const isIndexed = first >= 0x40;
        const index = integer(isIndexed ? 6 : 4);
        const name = index === 0 ? string() : this.#entry(index)[0];
        const field: HeaderField = [name, string()];
        if (isIndexed) this.#add(field);
        fields.push(field);
      }
    }
    return fields;
  }

  #entry(index: number): HeaderField {
    const entry = STATIC_TABLE[index - 1] ?? this.#dynamic[index - 1 - STATIC_TABLE.length];
    if (entry === undefined) throw new Error(`index ${index} is not in the tables`);
    return entry;
  }

  #resize(bytes: number, fieldsBefore: number): void {
    if (fieldsBefore > 0) throw new Error('the table is resized behind a field');
    if (bytes > this.#limitBytes) throw new Error(`the table is resized to ${bytes}`);
    this.#tableBytes = bytes;
    this.#evict();
  }

  #add(field: HeaderField): void {
    this.#dynamic.unshift(field);
    this.#evict();
  }

  #evict(): void {
    const bytes = (): number =>
      this.#dynamic.reduce((sum, [name, value]) => sum + name.length + value.length + ENTRY_BYTES, 0);
    while (bytes() > this.#tableBytes) this.#dynamic.pop();
  }
}
