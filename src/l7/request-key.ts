/**
 * Finds keys in requests that TypeScript has as text; native/src/frontend/request_key.h says what each is, and finds the same.
 * Texts have a character for each byte. Pure.
 */

const DOUBLE_QUOTE = '"';

/** Fields that belong to one connection or frame the message: no keys, as FrontEnd.header tells none of them. */
const UNTOLD_FIELDS: ReadonlySet<string> = new Set([
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

/** @param name in lower case */
export function isToldField(name: string): boolean {
  return !UNTOLD_FIELDS.has(name);
}

/**
 * The value of the first cookie of a name, without the white space and one pair of quotes around it.
 *
 * @param field of all Cookie fields, joined by ";"
 */
export function cookieIn(field: string, name: string): string | null {
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=');
    if (equals >= 0 && trimBlanks(pair.slice(0, equals)) === name) return unquoted(trimBlanks(pair.slice(equals + 1)));
  }
  return null;
}

/** The value of the first parameter of a name, as it was sent. @param query without the "?" */
export function parameterIn(query: string, name: string): string | null {
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if ((equals < 0 ? pair : pair.slice(0, equals)) === name) return equals < 0 ? null : pair.slice(equals + 1);
  }
  return null;
}

function unquoted(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith(DOUBLE_QUOTE) && value.endsWith(DOUBLE_QUOTE);
  return isQuoted ? value.slice(1, -1) : value;
}

/** Spaces and tabs: String.trim takes more than HTTP does. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
