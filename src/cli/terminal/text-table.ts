/** Lays text out in columns of a terminal. Pure. */

/** Marks what is cut. */
const ELLIPSIS = '…';

/** A column: its heading, and on which side its cells stand. */
export interface Column {
  readonly heading: string;
  readonly isNumber: boolean;
}

/** Lines of a table as wide as its cells, headings first; two blanks between columns, none at the ends. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => padded(cell, widths[index] ?? 0, columns[index]?.isNumber ?? false))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ heading }) => heading)), ...rows.map(line)];
}

/** A cell of this width: cut, or filled with blanks in front of a number and behind a text. */
export function padded(text: string, width: number, isNumber: boolean): string {
  const fitting = isNumber ? cut(text, width) : cutInside(text, width);
  return isNumber ? fitting.padStart(width) : fitting.padEnd(width);
}

/** The begin of a text that is too long. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : `${text.slice(0, width - 1)}${ELLIPSIS}`;
}

/** Both ends of a text that is too long: of an address the port says as much as the host. */
export function cutInside(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width < 3) return cut(text, width);
  const front = Math.floor((width - 1) / 2);
  return `${text.slice(0, front)}${ELLIPSIS}${text.slice(text.length - (width - 1 - front))}`;
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * A line of bars, the latest value at its right end.
 *
 * @param values oldest first; null: nothing was measured, a blank
 * @param width  columns; older values are left out
 */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const highest = Math.max(0, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) => {
    if (value === null) return ' ';
    const level = highest === 0 ? 0 : Math.round((value / highest) * (BARS.length - 1));
    return BARS[level] ?? ' ';
  });
  return bars.join('').padStart(width);
}
