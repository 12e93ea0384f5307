/** Tables of figures as Markdown. Pure. */

/** Cells by row; the first row of `rows` stands below the head. */
export interface Table {
  readonly caption?: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Writes it; columns after the first are aligned to the right when all of their cells begin with a figure. */
export function markdownTable({ caption, head, rows }: Table): string {
  const isFigure = head.map((_, column) => rows.every((row) => /^[-+±≤≥]?\d|^–$/.test(String(row[column] ?? ''))));
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const rule = line(head.map((_, column) => (column > 0 && isFigure[column] ? '---:' : '---')));
  return [...(caption === undefined ? [] : [caption, '']), line(head), rule, ...rows.map(line)].join('\n');
}

/** A share as a percentage. @param share 0 .. 1 */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** Milliseconds, without digits that mean nothing. */
export function ms(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return `${value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2)} ms`;
}

/** Ours against a published figure: +1.2 %. */
export function difference(published: number, ours: number): string {
  const relative = ((ours - published) / published) * 100;
  return `${relative >= 0 ? '+' : ''}${relative.toFixed(Math.abs(relative) < 10 ? 1 : 0)} %`;
}
