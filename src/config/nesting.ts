/** Finds nesting that no configuration has, before the recursive part of the YAML library meets it. */
import { type CST, Parser } from 'yaml';

/**
 * Where the text first nests deeper than `limit` sections and lists, or null. Works without recursion: a thousand brackets in a
 * row would exhaust the stack of the library's composer and end the process, which no handler could catch.
 *
 * @returns characters from the start of the text
 */
export function tooDeepAt(text: string, limit: number): number | null {
  let first: number | null = null;
  const open: (readonly [CST.Token | null | undefined, number])[] = [];
  for (const token of new Parser().parse(text)) open.push([token, 0]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [token, depth] = next;
    if (token === null || token === undefined) continue;
    if (token.type === 'document') open.push([token.value, depth]);
    if (!('items' in token)) continue;
    if (depth >= limit) {
      first = Math.min(first ?? token.offset, token.offset);
      continue;
    }
    for (const { key, value } of token.items) open.push([key, depth + 1], [value, depth + 1]);
  }
  return first;
}
