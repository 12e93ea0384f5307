/** Turns the notation of HTTP/2 cases into bytes: one line is one frame. The grammar stands in test/conformance/README.md. */

export const FRAME_TYPES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const;

/** RFC 9113 section 7, by code. */
export const ERROR_CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

/** RFC 9113 section 6.5.2 and RFC 8441, by number. */
export const SETTINGS: Readonly<Record<string, number>> = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
};

export const FLAGS = { ES: 0x1, ACK: 0x1, EH: 0x4, PADDED: 0x8, PRIO: 0x20 } as const;

/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** One frame to be sent; `type` and `length` as they go onto the wire. */
export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  readonly bytes: Buffer;
}

/** Indexed fields and one literal without indexing: GET and POST of "/" at a.test, the smallest requests. */
const shortRequest = (method: 0x82 | 0x83, scheme: 0x86 | 0x87): Buffer =>
  Buffer.concat([Buffer.of(method, scheme, 0x84, 0x01, 6), Buffer.from('a.test')]);

/** Length of a string without Huffman (RFC 7541 section 5.1, 7 bits of prefix). */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const size: number[] = [];
  if (bytes.length < 127) size.push(bytes.length);
  else {
    size.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) size.push((rest % 128) + 128);
    size.push(rest);
  }
  return Buffer.concat([Buffer.from(size), bytes]);
}

function number(bits: number, value: number): Buffer {
  const bytes = Buffer.alloc(bits / 8);
  bytes.writeUIntBE(value, 0, bits / 8);
  return bytes;
}

/** `{a*3}` is aaa; in answers of endpoints and in what must come, too. */
export function unfolded(text: string): string {
  return text.replace(/\{(.)\*(\d+)\}/gs, (_, letter: string, count: string) => letter.repeat(Number(count)));
}

const ITEM = /\[[^\]]*\]|"[^"]*"|[^\s]+/gs;

function itemBytes(item: string, isTls: boolean): Buffer {
  if (item === '@get') return shortRequest(0x82, isTls ? 0x87 : 0x86);
  if (item === '@post') return shortRequest(0x83, isTls ? 0x87 : 0x86);
  if (item === '@scheme') return Buffer.of(isTls ? 0x87 : 0x86);
  if (item.startsWith('[')) {
    const at = item.indexOf(': ', 1);
    if (at < 0) throw new Error(`no ": " in ${item}`);
    const value = unfolded(item.slice(at + 2, -1));
    return Buffer.concat([Buffer.of(0), literal(unfolded(item.slice(1, at))), literal(value)]);
  }
  if (item.startsWith('"')) return Buffer.from(unfolded(item.slice(1, -1)), 'latin1');
  const code = ERROR_CODES.indexOf(item as (typeof ERROR_CODES)[number]);
  if (code >= 0) return number(32, code);
  const hex = /^x((?:[0-9a-f]{2})+)(?:\*(\d+))?$/.exec(item);
  if (hex !== null) return Buffer.from((hex[1] ?? '').repeat(Number(hex[2] ?? 1)), 'hex');
  const counted = /^(z|a|u8|u16|u24|u32):(\d+)$/.exec(item);
  if (counted !== null) {
    const value = Number(counted[2]);
    if (counted[1] === 'z') return Buffer.alloc(value);
    if (counted[1] === 'a') return Buffer.alloc(value, 'a');
    return number(Number(counted[1]?.slice(1)), value);
  }
  const setting = /^([A-Z_]+|0x[0-9a-f]{1,4})=(\d+)$/.exec(item);
  if (setting !== null) {
    const id = SETTINGS[setting[1] ?? ''] ?? Number(setting[1]);
    if (Number.isNaN(id)) throw new Error(`no setting is called ${setting[1]}`);
    return Buffer.concat([number(16, id), number(32, Number(setting[2]))]);
  }
  throw new Error(`not an item of a frame: ${item}`);
}

/** @throws Error where it is no frame of the notation */
export function frameOf(line: string, isTls: boolean): SentFrame {
  const [typeName = '', streamText = '', ...items] = line.match(ITEM) ?? [];
  const known = FRAME_TYPES.indexOf(typeName as (typeof FRAME_TYPES)[number]);
  const type = known >= 0 ? known : Number(typeName);
  const stream = Number(streamText);
  if (!/^0x/.test(typeName) && known < 0) throw new Error(`not a frame: ${line}`);
  if (Number.isNaN(stream) || streamText === '') throw new Error(`no stream: ${line}`);
  let flags = 0;
  let length: number | undefined;
  const parts: Buffer[] = [];
  for (const item of items) {
    if (item.startsWith('+')) flags |= FLAGS[item.slice(1) as keyof typeof FLAGS] ?? Number(item.slice(1));
    else if (item.startsWith('len:')) length = Number(item.slice(4));
    else parts.push(itemBytes(item, isTls));
  }
  const payload = Buffer.concat(parts);
  const head = Buffer.concat([number(24, length ?? payload.length), Buffer.of(type, flags), number(32, stream)]);
  return { type, flags, stream: stream % 2 ** 31, payload, bytes: Buffer.concat([head, payload]) };
}

/**
 * All of what one step sends.
 *
 * @param step a frame, `preface`, `raw` with items, `repeat N` or `each FROM-TO` (odd numbers, `$` in the line) before a frame, or before several with ` && ` between
 */
export function sentBy(step: string, isTls: boolean): readonly (SentFrame | Buffer)[] {
  if (step === 'preface') return [Buffer.from(PREFACE)];
  if (step.startsWith('raw ')) return (step.slice(4).match(ITEM) ?? []).map((item) => itemBytes(item, isTls));
  const repeated = /^repeat (\d+) (.*)$/s.exec(step);
  if (repeated !== null) {
    const frame = frameOf(repeated[2] ?? '', isTls);
    return Array.from({ length: Number(repeated[1]) }, () => frame);
  }
  const each = /^each (\d+)-(\d+) (.*)$/s.exec(step);
  if (each === null) return [frameOf(step, isTls)];
  const frames: SentFrame[] = [];
  for (let stream = Number(each[1]); stream <= Number(each[2]); stream += 2)
    for (const line of (each[3] ?? '').split(' && ')) frames.push(frameOf(line.replaceAll('$', String(stream)), isTls));
  return frames;
}
