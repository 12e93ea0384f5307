/** Makes records clean whose number has another owner from now on. */
import type { Figures } from './figures.js';
import type { HashTableWriter } from './hash-table.js';
import type { Placement } from './layout.js';
import type { MappedBoard } from './shared-memory.js';

/** Records in a row; RecordKind of src/config/plan-records.ts, which the board does not know. */
export interface BegunRecords {
  readonly kind: 'upstream' | 'listener' | 'route' | 'turn' | 'hash table' | 'queue' | 'queue entry' | 'route breaker';
  readonly first: number;
  readonly length: number;
}

/** What the board keeps of records besides its memory. */
export interface RecordKeepers {
  readonly hashTables: readonly HashTableWriter[];
  readonly figures: Pick<Figures, 'begin'>;
}

/** Nobody refers to these records any more, or yet: the former owner's work has ended, and workers have not seen the new owner's plan. */
export function beginRecords(
  board: MappedBoard,
  { hashTables, figures }: RecordKeepers,
  all: readonly BegunRecords[],
): void {
  const { upstreamQueue, routeBreaker, retryBudget } = board.layout.board;
  const begin = (kind: Exclude<BegunRecords['kind'], 'turn' | 'queue entry'>, record: number): void => {
    switch (kind) {
      case 'upstream':
        clear(board, retryBudget, record);
        figures.begin(kind, record);
        return;
      case 'route':
      case 'listener':
        figures.begin(kind, record);
        return;
      case 'hash table':
        // Not its epoch: a reader that has seen the former owner's table must see that this one is another.
        hashTables[record]?.publish(new Int32Array(0), 0);
        return;
      case 'queue':
        clear(board, upstreamQueue, record);
        return;
      case 'route breaker':
        clear(board, routeBreaker, record);
        return;
    }
  };
  for (const { kind, first, length } of all) {
    // Where a cursor stands means nothing; places in queues are free, since nobody waited there when they were given back.
    if (kind === 'turn' || kind === 'queue entry') continue;
    for (let record = first; record < first + length; record++) begin(kind, record);
  }
}

function clear({ int32 }: MappedBoard, { base, stride }: Placement, record: number): void {
  int32.fill(0, base + record * stride, base + (record + 1) * stride);
}
