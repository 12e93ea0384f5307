/** A table whose rows have keys: each second only cells that differ are touched, and rows move only when their order changed. */
import { element, setAttribute, setChildren } from './document.js';

/** How long rows keep their order when only figures have changed. */
const ORDER_KEPT_MS = 5_000;

/** One column. */
export interface Column<Row> {
  readonly title: string;
  /** What `onSort` is called with; absent: not sortable by it. */
  readonly sortKey?: string;
  readonly isNumber?: boolean;
  /** Said to screen readers in place of the title, which is not shown then. */
  readonly isTitleUnseen?: boolean;
  /** Names the row for screen readers; one column has it. */
  readonly isRowHead?: boolean;
  /** Fills a new cell. @returns what brings it up to date with a row */
  fill(cell: HTMLElement): (row: Row) => void;
}

interface DrawnRow<Row> {
  readonly line: HTMLTableRowElement;
  readonly cells: readonly ((row: Row) => void)[];
}

/** How the table is sorted, for aria-sort. */
export interface ShownSorting {
  readonly key: string;
  readonly isDescending: boolean;
}

/** What a table is made with. */
export interface TablePlan<Row> {
  /** What the table holds; read out, not shown. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly onSort?: (key: string) => void;
}

/** The table; `element` goes into the page. */
export class KeyedTable<Row> {
  readonly element: HTMLElement;
  readonly #plan: TablePlan<Row>;
  readonly #body = element('tbody', { role: 'rowgroup' });
  readonly #heads: readonly HTMLTableCellElement[];
  readonly #drawn = new Map<string, DrawnRow<Row>>();
  #order: readonly string[] = [];
  #orderedAt = Number.NEGATIVE_INFINITY;

  constructor(plan: TablePlan<Row>) {
    this.#plan = plan;
    this.#heads = plan.columns.map((column) => this.#headOf(column));
    const head = element('tr', { role: 'row' }, ...this.#heads);
    // Roles are written out, because the narrow layout makes cards of the rows, and browsers take a table that is laid out otherwise for none.
    this.element = element(
      'table',
      { role: 'table' },
      element('caption', { class: 'unseen' }, plan.caption),
      element('thead', { role: 'rowgroup' }, head),
      this.#body,
    );
  }

  /** Shows these rows in this order. */
  show(rows: readonly Row[]): void {
    const keys = rows.map(this.#plan.keyOf);
    for (const [index, row] of rows.entries()) {
      const key = keys[index] ?? '';
      let drawn = this.#drawn.get(key);
      if (drawn === undefined) {
        drawn = this.#draw();
        this.#drawn.set(key, drawn);
      }
      for (const update of drawn.cells) update(row);
    }
    if (isSame(keys, this.#order)) return;
    const isOtherSet = !isSame([...keys].sort(), [...this.#order].sort());
    // A row that moves away under the pointer, or takes the focus with it, is worse than an order that is a moment old;
    // and rows that move each second cannot be read.
    const now = performance.now();
    if (!isOtherSet && (now - this.#orderedAt < ORDER_KEPT_MS || this.#isInUse())) return;
    this.#orderedAt = now;
    this.#order = keys;
    const kept = new Set(keys);
    for (const key of this.#drawn.keys()) if (!kept.has(key)) this.#drawn.delete(key);
    setChildren(
      this.#body,
      keys.flatMap((key) => this.#drawn.get(key)?.line ?? []),
    );
  }

  /** Says by which column the rows are sorted. */
  showSorting({ key, isDescending }: ShownSorting): void {
    this.#plan.columns.forEach(({ sortKey }, index) => {
      const head = this.#heads[index];
      if (head === undefined || sortKey === undefined) return;
      setAttribute(head, 'aria-sort', sortKey !== key ? undefined : isDescending ? 'descending' : 'ascending');
    });
    this.#order = []; // whoever asked for an order gets it at once
  }

  #isInUse(): boolean {
    return this.#body.contains(document.activeElement) || this.#body.matches(':hover');
  }

  #headOf({ title, sortKey, isNumber, isTitleUnseen }: Column<Row>): HTMLTableCellElement {
    const label = isTitleUnseen === true ? element('span', { class: 'unseen' }, title) : title;
    const content = sortKey === undefined ? label : element('button', { type: 'button', class: 'sort' }, label);
    if (content instanceof HTMLButtonElement && sortKey !== undefined) {
      content.addEventListener('click', () => this.#plan.onSort?.(sortKey));
    }
    return element(
      'th',
      { scope: 'col', role: 'columnheader', class: isNumber === true ? 'number' : undefined },
      content,
    );
  }

  #draw(): DrawnRow<Row> {
    const line = element('tr', { role: 'row' });
    const cells = this.#plan.columns.map((column) => {
      const attributes = {
        class: column.isNumber === true ? 'number' : undefined,
        'data-title': column.isTitleUnseen === true ? undefined : column.title,
      };
      const cell =
        column.isRowHead === true
          ? element('th', { ...attributes, scope: 'row', role: 'rowheader' })
          : element('td', { ...attributes, role: 'cell' });
      line.append(cell);
      return column.fill(cell);
    });
    return { line, cells };
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}
