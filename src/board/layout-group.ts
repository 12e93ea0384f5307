/** What a group of records on the board is made of: who writes it, how many there are, and which field is where. */

/** Shape of one group of records. */
export interface Group<Field extends string = string> {
  /** `lock holder`: every worker, one at a time. */
  readonly writer: 'primary' | 'every worker' | 'lock holder' | 'owning worker';
  /** How many records there are. */
  readonly per:
    | 'board'
    | 'worker'
    | 'upstream'
    | 'turn'
    | 'slot'
    | 'hash table'
    | 'hash table word'
    | 'queue'
    | 'queue entry'
    | 'route breaker'
    | 'route'
    | 'listener'
    | 'client bucket'
    | 'client entry';
  readonly word: 'int32' | 'float64';
  /** `line`: every record on lines of its own, because several threads write it. `packed`: side by side, one writer at a time. */
  readonly spacing: 'line' | 'packed';
  /** Words from the start of a record. */
  readonly field: Readonly<Record<Field, number>>;
  readonly words: number;
}

/** A field of one word, or a row of words that begins at the field. */
type FieldShape = string | readonly [name: string, words: number];
type NameOf<Shape extends FieldShape> = Shape extends readonly [infer Name extends string, number]
  ? Name
  : Extract<Shape, string>;

/**
 * Describes a group: its fields lie in their order, one behind the other. What is replaced as 64 bits (circuit-table.ts) has to begin at an
 * even word.
 */
export function group<const Fields extends readonly FieldShape[]>(
  shape: Pick<Group, 'writer' | 'per' | 'word' | 'spacing'>,
  fields: Fields,
): Group<NameOf<Fields[number]>> {
  const field: Record<string, number> = {};
  let words = 0;
  for (const each of fields) {
    const [name, length] = typeof each === 'string' ? [each, 1] : each;
    field[name] = words;
    words += length;
  }
  return { ...shape, field: field as Record<NameOf<Fields[number]>, number>, words }; // a key for each of `fields`
}
