/** Kinds of columns that several tables have. */
import { element, setAttribute, setText } from './document.js';
import { percentText } from './format.js';
import type { Column } from './keyed-table.js';

/** What a column of text may have besides its title. */
type Options = Omit<Partial<Column<never>>, 'fill' | 'title'>;

/** A column of one text. */
export function textColumn<Row>(title: string, textOf: (row: Row) => string, options: Options = {}): Column<Row> {
  return {
    title,
    ...options,
    fill: (cell) => {
      const text = element('span', { class: 'text' });
      cell.append(text);
      return (row) => setText(text, textOf(row));
    },
  };
}

/** A column of one figure, aligned at the right. */
export function figureColumn<Row>(title: string, textOf: (row: Row) => string, options: Options = {}): Column<Row> {
  return textColumn(title, textOf, { isNumber: true, ...options });
}

/** Shares from which on failures are marked. */
const SOME_ERRORS = 0.001;
const MANY_ERRORS = 0.05;

/** Share of failures, marked from a certain size on; with an exclamation mark, so that it needs no colour. */
export function errorColumn<Row extends { readonly errorShare: number | null }>(options: Options = {}): Column<Row> {
  return {
    title: 'Errors',
    isNumber: true,
    ...options,
    fill: (cell) => {
      const text = element('span', { class: 'text' });
      cell.append(text);
      return ({ errorShare }) => {
        const share = errorShare ?? 0;
        setText(text, `${percentText(errorShare)}${share >= MANY_ERRORS ? ' !' : ''}`);
        setAttribute(text, 'data-tone', share >= MANY_ERRORS ? 'bad' : share >= SOME_ERRORS ? 'warn' : undefined);
      };
    },
  };
}

/** A share as a bar with its text; parts are of the whole width, 0..1. */
export interface BarFigures {
  readonly part: number;
  readonly text: string;
  /** Where the bar should end; null: nothing is expected. */
  readonly mark: number | null;
  readonly tone: 'good' | 'warn' | 'bad' | undefined;
}

/** A column of bars. The bar repeats what the text says, hence it is hidden from screen readers. */
export function barColumn<Row>(title: string, figuresOf: (row: Row) => BarFigures, options: Options = {}): Column<Row> {
  return {
    title,
    ...options,
    fill: (cell) => {
      const fill = element('span', { class: 'fill' });
      const mark = element('span', { class: 'mark' });
      const bar = element('span', { class: 'bar', 'aria-hidden': 'true' }, fill, mark);
      const text = element('span', { class: 'text' });
      cell.classList.add('barred');
      cell.append(text, bar);
      let shown = '';
      return (row) => {
        const figures = figuresOf(row);
        setText(text, figures.text);
        const place = `${percent(figures.part)} ${percent(figures.mark ?? 0)}`;
        if (place !== shown) {
          fill.style.width = percent(figures.part);
          mark.style.left = percent(figures.mark ?? 0);
          shown = place;
        }
        setAttribute(bar, 'data-tone', figures.tone);
        setAttribute(mark, 'hidden', figures.mark === null);
      };
    },
  };
}

/** Steps of half a percent: finer ones nobody sees, and each would be laid out. */
function percent(part: number): string {
  return `${Math.round(Math.min(Math.max(part, 0), 1) * 200) / 2}%`;
}
