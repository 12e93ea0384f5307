/** Builds the fields of the schema: each reads what a user wrote, writes it back the same way, and describes itself to editors. */
import { z } from 'zod';
import {
  type BindAddress,
  type EndpointAddress,
  formatBindAddress,
  formatListenAddress,
  type ListenAddress,
  type Parsed,
  parseAddressRange,
  parseBindAddress,
  parseEndpointAddress,
  parseListenAddress,
} from '../address.js';
import { DURATION_PATTERN, formatDuration, parseDuration } from '../duration.js';
import { nearestName } from '../nearest-name.js';
import { listText } from '../problem.js';
import { formatSize, parseSize, SIZE_PATTERN } from '../size.js';

/** Stands in `params` of the zod issue that a field raises. */
export interface FieldIssue {
  /** Follows "but must be". */
  readonly expected: string;
  readonly hint: string | null;
}

/** What docs/configuration.md says of a field's values, e.g. "duration, 100ms to 1h". */
export const fieldForms = z.registry<{ form: string }>();

/** A field whose text form (in the file) and value (in the program) differ. */
export type Field<T> = z.ZodCodec<z.ZodUnknown, z.ZodCustom<T, T>>;

interface FieldRules<T> {
  readonly read: (value: unknown) => Parsed<T>;
  readonly write: (value: T) => unknown;
  readonly description: string;
  readonly form: string;
  /** Keywords of JSON Schema for the text form. */
  readonly json: Readonly<Record<string, unknown>>;
}

function field<T>(rules: FieldRules<T>): Field<T> {
  const codec = z.codec(z.unknown().meta({ ...rules.json }), z.custom<T>(), {
    decode: (input, payload) => {
      const parsed = rules.read(input);
      if (parsed.ok) return parsed.value;
      const params: FieldIssue = { expected: parsed.expected, hint: parsed.hint };
      payload.issues.push({ code: 'custom', input, params: { ...params } });
      return z.NEVER;
    },
    // zod writes what is absent, too, where a field is optional.
    encode: (value) => ((value as T | undefined) === undefined ? undefined : rules.write(value)),
  });
  return codec.meta({ description: rules.description }).register(fieldForms, { form: rules.form });
}

/** A field written as text, for a parser of text. */
export function textField<T>(
  rules: Omit<FieldRules<T>, 'read'> & { readonly parse: (text: string) => Parsed<T>; readonly expected: string },
): Field<T> {
  return field({
    ...rules,
    read: (value) => {
      if (typeof value === 'string') return rules.parse(value);
      // A bare number is the commonest slip: the parser knows which unit or form to propose.
      const proposal = typeof value === 'number' ? rules.parse(String(value)) : null;
      return { ok: false, expected: rules.expected, hint: proposal?.ok === false ? proposal.hint : null };
    },
    json: { type: 'string', ...rules.json },
  });
}

/**
 * A duration; the value is in ms.
 *
 * @param rules `off`: the word `off` is allowed, too, and reads as 0. `isWholeSeconds`: for the kernel, which takes no finer ones
 */
export function duration(rules: {
  minMs: number;
  maxMs: number;
  off?: boolean;
  isWholeSeconds?: boolean;
  description: string;
}): Field<number> {
  const { minMs, maxMs, off = false, isWholeSeconds = false, description } = rules;
  const bounds = `${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  const examples = isWholeSeconds ? 'of whole seconds such as 10s, 5m or 1h' : 'such as 500ms, 10s, 5m or 1h';
  const expected = `a duration ${examples}, from ${bounds}${off ? ', or off' : ''}`;
  return textField({
    parse: (text) => {
      if (off && text === 'off') return { ok: true, value: 0 };
      const parsed = parseDuration(text);
      if (!parsed.ok) return { ...parsed, expected };
      const isWhole = !isWholeSeconds || parsed.value % 1_000 === 0;
      if (parsed.value >= minMs && parsed.value <= maxMs && isWhole) return parsed;
      return { ok: false, expected, hint: off && parsed.value === 0 ? 'write off for no limit' : null };
    },
    write: (ms) => (off && ms === 0 ? 'off' : formatDuration(ms)),
    expected,
    description,
    form: `duration${isWholeSeconds ? ' of whole seconds' : ''}, ${bounds}${off ? ', or `off`' : ''}`,
    json: { pattern: off ? `^off$|${DURATION_PATTERN}` : DURATION_PATTERN },
  });
}

/**
 * A size; the value is in bytes.
 *
 * @param rules `word`: a word that is allowed, too, with the number it stands for in the program
 */
export function size(rules: {
  minBytes: number;
  maxBytes: number;
  word?: { readonly text: string; readonly value: number };
  description: string;
}): Field<number> {
  const { minBytes, maxBytes, word, description } = rules;
  const bounds = `${formatSize(minBytes)} to ${formatSize(maxBytes)}`;
  const expected = `a size such as 512B, 16KiB or 1MiB, from ${bounds}${word === undefined ? '' : `, or ${word.text}`}`;
  return textField({
    parse: (text) => {
      if (word !== undefined && text === word.text) return { ok: true, value: word.value };
      const parsed = parseSize(text);
      if (!parsed.ok) return { ...parsed, expected };
      return parsed.value >= minBytes && parsed.value <= maxBytes ? parsed : { ok: false, expected, hint: null };
    },
    write: (bytes) => (word !== undefined && bytes === word.value ? word.text : formatSize(bytes)),
    expected,
    description,
    form: `size, ${bounds}${word === undefined ? '' : `, or \`${word.text}\``}`,
    json: { pattern: word === undefined ? SIZE_PATTERN : `^${word.text}$|${SIZE_PATTERN}` },
  });
}

/**
 * A whole number.
 *
 * @param rules `word`: a word that is allowed, too, with the number it stands for in the program
 */
export function wholeNumber(rules: {
  min: number;
  max: number;
  word?: { readonly text: string; readonly value: number };
  description: string;
}): Field<number> {
  const { min, max, word, description } = rules;
  const expected = `a whole number from ${min} to ${max}${word === undefined ? '' : `, or ${word.text}`}`;
  const number = { type: 'integer', minimum: min, maximum: max };
  return field<number>({
    read: (value) => {
      if (word !== undefined && value === word.text) return { ok: true, value: word.value };
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max)
        return { ok: true, value };
      return { ok: false, expected, hint: numberHint(value, word) };
    },
    write: (value) => (word !== undefined && value === word.value ? word.text : value),
    description,
    form: `whole number, ${min} to ${max}${word === undefined ? '' : `, or \`${word.text}\``}`,
    json: word === undefined ? number : { anyOf: [{ const: word.text }, number] },
  });
}

/**
 * A number that need not be whole.
 *
 * @param rules `word`: a word that is allowed, too, with the number it stands for in the program
 */
export function decimal(rules: {
  min: number;
  max: number;
  word?: { readonly text: string; readonly value: number };
  description: string;
}): Field<number> {
  const { min, max, word, description } = rules;
  const expected = `a number from ${min} to ${max}${word === undefined ? '' : `, or ${word.text}`}`;
  const number = { type: 'number', minimum: min, maximum: max };
  return field<number>({
    read: (value) => {
      if (word !== undefined && value === word.text) return { ok: true, value: word.value };
      if (typeof value === 'number' && value >= min && value <= max) return { ok: true, value };
      const isQuoted = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value);
      return {
        ok: false,
        expected,
        hint: isQuoted ? `write the number without quotes: ${value}` : numberHint(value, word),
      };
    },
    write: (value) => (word !== undefined && value === word.value ? word.text : value),
    description,
    form: `number, ${min} to ${max}${word === undefined ? '' : `, or \`${word.text}\``}`,
    json: word === undefined ? number : { anyOf: [{ const: word.text }, number] },
  });
}

/**
 * A share, written as "50%"; the value is 0 to 1.
 *
 * @param rules min and max in percent. `off`: the word `off` is allowed, too, and reads as 0
 */
export function percentage(rules: { min: number; max: number; off?: boolean; description: string }): Field<number> {
  const { min, max, off = false, description } = rules;
  const expected = `a share such as 50%, from ${min}% to ${max}%${off ? ', or off' : ''}`;
  return field<number>({
    read: (value) => {
      if (off && value === 'off') return { ok: true, value: 0 };
      const digits = typeof value === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1] : undefined;
      const percent = Number(digits ?? Number.NaN);
      if (percent >= min && percent <= max) return { ok: true, value: percent / 100 };
      const isBare = digits === undefined && value !== '' && Number(value) >= 1 && Number(value) <= 100;
      return { ok: false, expected, hint: isBare ? `write ${String(value)}%` : null };
    },
    write: (value) => (off && value === 0 ? 'off' : `${Number((value * 100).toPrecision(12))}%`),
    description,
    form: `share in percent, ${min}% to ${max}%${off ? ', or `off`' : ''}`,
    json: { type: 'string', pattern: off ? '^off$|^[0-9]+(\\.[0-9]+)?%$' : '^[0-9]+(\\.[0-9]+)?%$' },
  });
}

function numberHint(
  value: unknown,
  word: { readonly text: string; readonly value: number } | undefined,
): string | null {
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return `write the number without quotes: ${value}`;
  if (word === undefined) return null;
  if (value === word.value) return `write ${word.text}`;
  return typeof value === 'string' && nearestName(value, [word.text]) !== null ? `did you mean ${word.text}?` : null;
}

/** true or false. */
export function fact(rules: { description: string }): Field<boolean> {
  return field<boolean>({
    read: (value) => {
      if (typeof value === 'boolean') return { ok: true, value };
      const isYes = typeof value === 'string' && /^(yes|on|true|y|1)$/i.test(value);
      const isNo = typeof value === 'string' && /^(no|off|false|n|0)$/i.test(value);
      return { ok: false, expected: 'true or false', hint: isYes ? 'write true' : isNo ? 'write false' : null };
    },
    write: (value) => value,
    description: rules.description,
    form: '`true` or `false`',
    json: { type: 'boolean' },
  });
}

/**
 * One of some names.
 *
 * @param rules `later`: names that belong to the design but not to this version; refused with a sentence of their own. `among`: all
 *   names that may stand here, of which `names` are those that this section is for. `foreign`: what other programs call these names. `leftOut`: names people may
 *   look for that there will not be, with the reason
 */
export function choice<const Name extends string>(rules: {
  names: readonly Name[];
  among?: readonly string[];
  later?: readonly string[];
  foreign?: Readonly<Record<string, string>>;
  leftOut?: Readonly<Record<string, string>>;
  description: string;
}): Field<Name> {
  const { names, among = names, later = [], foreign = {}, leftOut = {}, description } = rules;
  const expected = among.length === 1 ? `${among[0]}` : `one of ${listText(among)}`;
  return field<Name>({
    read: (value) => {
      const found = names.find((name) => name === value);
      if (found !== undefined) return { ok: true, value: found };
      if (typeof value !== 'string') {
        const meant = names.find((name) => name === String(value));
        return { ok: false, expected, hint: meant === undefined ? null : `write it in quotes: "${meant}"` };
      }
      if (later.includes(value)) return { ok: false, expected, hint: laterHint(value, among) };
      const reason = Object.hasOwn(leftOut, value) ? leftOut[value] : undefined;
      if (reason !== undefined) return { ok: false, expected, hint: reason };
      const nearest =
        (Object.hasOwn(foreign, value) ? foreign[value] : null) ?? nearestName(value, [...among, ...later]);
      if (nearest === null) return { ok: false, expected, hint: null };
      return {
        ok: false,
        expected,
        hint: later.includes(nearest)
          ? `${nearest}, if that was meant, is known, but not in this version`
          : `did you mean ${nearest}?`,
      };
    },
    write: (value) => value,
    description,
    form: names.map((name) => `\`${name}\``).join(', '),
    json: { type: 'string', enum: [...names] },
  });
}

function laterHint(name: string, available: readonly string[]): string {
  return `${name} is known, but not in this version; available: ${available.join(', ')}`;
}

/** Text that must match a pattern; `convert` brings it into its one form. */
export function text(rules: {
  pattern: RegExp;
  expected: string;
  hint?: (text: string) => string | null;
  convert?: (text: string) => string;
  description: string;
  form: string;
}): Field<string> {
  return textField({
    parse: (value) =>
      rules.pattern.test(value)
        ? { ok: true, value: rules.convert?.(value) ?? value }
        : { ok: false, expected: rules.expected, hint: rules.hint?.(value) ?? null },
    write: (value) => value,
    expected: rules.expected,
    description: rules.description,
    form: rules.form,
    json: { pattern: rules.pattern.source },
  });
}

/** An address to listen on. */
export function bindAddress(rules: { description: string }): Field<BindAddress> {
  return textField({
    parse: parseBindAddress,
    write: formatBindAddress,
    expected: 'an address such as 127.0.0.1:8080, :8080 or [::1]:8080',
    description: rules.description,
    form: '`host:port`, `[v6]:port`, `:port`',
    json: { pattern: ':[0-9]{1,5}$' },
  });
}

/** An address to listen on, a UNIX socket too. */
export function listenAddress(rules: { description: string }): Field<ListenAddress> {
  return textField({
    parse: parseListenAddress,
    write: formatListenAddress,
    expected: 'an address such as 127.0.0.1:8080, :8080, [::1]:8080, unix:/run/db.sock or unix:@name',
    description: rules.description,
    form: '`host:port`, `[v6]:port`, `:port`, `unix:/path`, `unix:@name`',
    json: { pattern: '^unix:[/@]|:[0-9]{1,5}$' },
  });
}

/** Permissions of a file in octal text; the value is the number. */
export function fileMode(rules: { description: string }): Field<number> {
  const expected = 'permissions in octal digits and in quotes, such as "0660"';
  return field<number>({
    read: (value) => {
      if (typeof value === 'string' && /^0?[0-7]{3}$/.test(value))
        return { ok: true, value: Number.parseInt(value, 8) };
      // YAML reads 0660 as the number 660, and 0o660 as 432: which was meant cannot be told any more.
      const hint = typeof value === 'number' ? 'put the digits in quotes: without them YAML reads a number' : null;
      return { ok: false, expected, hint };
    },
    write: formatFileMode,
    description: rules.description,
    form: 'octal permissions in quotes',
    json: { type: 'string', pattern: '^0?[0-7]{3}$' },
  });
}

/** Writes permissions the way a `fileMode` reads them: four octal digits. */
export function formatFileMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** An address to connect to. */
export function endpointAddress(rules: { description: string }): Field<EndpointAddress> {
  return textField({
    parse: parseEndpointAddress,
    write: (address) => address.text,
    expected: 'an address such as 10.0.0.1:9001, [::1]:9001 or unix:/run/api.sock',
    description: rules.description,
    form: '`host:port`, `[v6]:port`, `unix:/path`',
    json: { pattern: '^unix:/|:[0-9]{1,5}$' },
  });
}

/** A range of peer addresses, in CIDR form. */
export function addressRange(rules: { description: string }): Field<string> {
  return textField({
    parse: parseAddressRange,
    write: (range) => range,
    expected: 'a range of IP addresses such as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32',
    description: rules.description,
    form: 'CIDR range or IP address',
    json: { pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$' },
  });
}

/** A section: keys that are not in `shape` are errors. */
export function section<const Shape extends z.core.$ZodLooseShape>(shape: Shape, description: string) {
  return z.strictObject(shape).meta({ description });
}
