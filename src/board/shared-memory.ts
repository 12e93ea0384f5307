/** The memory under the board: allocated once by the primary, mapped by every worker, described by its own header. */
import { invariant } from '../core/invariant.js';
import type { BoardCapacities } from './capacities.js';
import { BOARD_MAGIC, type BoardLayout, Header, LAYOUT_VERSION, layoutFor, PAGE_BYTES } from './layout.js';

// Node has it; the type libraries of ES2023 and @types/node 20 do not.
declare const WebAssembly: {
  readonly Memory: new (size: {
    initial: number;
    maximum: number;
    shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
};

/** Key of the hash over clients: two int32 words, low and high. */
export type HashKey = readonly [number, number];

/** The board's memory with its layout and the views that all tables use. */
export interface MappedBoard {
  readonly buffer: SharedArrayBuffer;
  readonly layout: BoardLayout;
  readonly int32: Int32Array<SharedArrayBuffer>;
  readonly float64: Float64Array<SharedArrayBuffer>;
  /** For words that two int32 make together, the lower one first (x64 and arm64 are little-endian). */
  readonly int64: BigInt64Array<SharedArrayBuffer>;
}

/**
 * Allocates a zeroed board and writes its header. WebAssembly memory begins on a 64-KiB boundary, where a plain
 * SharedArrayBuffer is only 16-byte aligned (docs/adr/0002-memory-of-the-board.md): without it the cache-line borders would not be where the
 * layout says. Thread: primary.
 *
 * @param hashKey two words that nobody outside knows
 * @throws RangeError when the system has no such memory
 */
export function allocateBoard(capacities: BoardCapacities, hashKey: HashKey): MappedBoard {
  const layout = layoutFor(capacities);
  const { buffer } = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages, shared: true });
  const mapped = viewsOver(buffer, layout);
  for (const [field, value] of Object.entries(headerOf(layout, hashKey))) {
    mapped.int32[layout.board.header.base + Header.field[field as keyof typeof Header.field]] = value;
  }
  return mapped;
}

/**
 * Maps a board that another thread allocated. Thread: any.
 *
 * @param buffer what the primary passed in workerData
 * @throws Error (invariant) when it is not a board, or one of another build's layout
 */
export function mapBoard(buffer: SharedArrayBuffer): MappedBoard {
  const header = new Int32Array(buffer, 0, Math.min(Header.words, buffer.byteLength >>> 2));
  const read = (field: keyof typeof Header.field): number => header[Header.field[field]] ?? 0;
  invariant(read('magic') === BOARD_MAGIC, 'the memory given to this worker is a board (its magic number is missing)');
  invariant(
    read('layoutVersion') === LAYOUT_VERSION,
    `the board has layout version ${LAYOUT_VERSION}, as this worker's code (found ${read('layoutVersion')}: all threads must run the same build)`,
  );
  const layout = layoutFor({
    endpointSlots: read('endpointSlots'),
    upstreams: read('upstreams'),
    workers: read('workers'),
    turns: read('turns'),
    hashTables: read('hashTables'),
    hashTableWords: read('hashTableWords'),
    queues: read('queues'),
    queueEntries: read('queueEntries'),
    routeBreakers: read('routeBreakers'),
    routes: read('routes'),
    listeners: read('listeners'),
    clientEntries: read('clientEntries'),
  });
  const bytes = read('bytes') >>> 0; // above 2 GiB with the largest tables of hashes
  invariant(
    bytes === layout.bytes && buffer.byteLength >= layout.bytes,
    `the board has ${layout.bytes} bytes, as its capacities need (header says ${bytes}, memory has ${buffer.byteLength})`,
  );
  return viewsOver(buffer, layout);
}

function headerOf(layout: BoardLayout, [hashKeyLow, hashKeyHigh]: HashKey): Record<keyof typeof Header.field, number> {
  return {
    magic: BOARD_MAGIC,
    layoutVersion: LAYOUT_VERSION,
    ...layout.capacities,
    bytes: layout.bytes,
    hashKeyLow,
    hashKeyHigh,
  };
}

function viewsOver(buffer: SharedArrayBuffer, layout: BoardLayout): MappedBoard {
  invariant(buffer.byteLength % PAGE_BYTES === 0, 'the board is WebAssembly memory, which has whole pages');
  return {
    buffer,
    layout,
    int32: new Int32Array(buffer),
    float64: new Float64Array(buffer),
    int64: new BigInt64Array(buffer),
  };
}
