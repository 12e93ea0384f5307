/** Hands tables of hashes to a thread of their own: building one takes milliseconds that the primary's event loop should not stand still. */
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import type { BuiltTable } from '../engine/hashing.js';
import type { TableOrder } from './hash-table-task.js';

/** From dist/control as from bundle/chunks. */
const TASK_FILE = new URL('../control/hash-table-task.js', import.meta.url);

/** A thread without work ends after this: weights that move order tables one after the other, else hours pass between two. */
const THREAD_IDLE_MS = 10_000;

/** Builds tables elsewhere. */
export interface TableBuilder {
  /** Rejects with what the addon threw, or because the builder was closed. */
  build(order: TableOrder): Promise<BuiltTable>;
  /** Ends the thread; what is still being built is rejected. Idempotent; never rejects. */
  close(): Promise<void>;
}

/**
 * Makes a builder with at most one thread, which is started by the first order. Thread: primary.
 *
 * @param taskFile the compiled task; another than the package's own is for tests
 */
export function tableBuilder(taskFile: URL = TASK_FILE): TableBuilder {
  let pool: Promise<TablePool> | undefined;
  let isClosed = false;
  return {
    async build(order) {
      if (isClosed) throw new Error('the builder of tables is closed');
      pool ??= startPool(taskFile);
      const current = pool;
      try {
        return await (await current).run(order);
      } catch (error) {
        // Whatever broke, the next order has a new thread. Not waited for: who ordered wants to know.
        if (pool === current) pool = undefined;
        void end(current);
        throw error;
      }
    },
    async close() {
      isClosed = true;
      const current = pool;
      pool = undefined;
      await end(current);
    },
  };
}

/**
 * Threads, and who is told when one of them breaks outside of an order: the order itself would then never end. A race of each order with one
 * promise of the pool would do, too, but that promise would keep every table that was ever built.
 */
class TablePool {
  readonly #threads: Piscina<TableOrder, BuiltTable>;
  /** Of orders under way. */
  readonly #rejects = new Set<(error: unknown) => void>();
  /** Kept for the next order: between two of them nobody listens. */
  #breakage: { readonly error: unknown } | undefined;

  constructor(threads: Piscina<TableOrder, BuiltTable>) {
    this.#threads = threads;
    threads.on('error', (error: unknown) => {
      this.#breakage = { error };
      for (const reject of this.#rejects) reject(error);
    });
  }

  async run(order: TableOrder): Promise<BuiltTable> {
    if (this.#breakage !== undefined) throw this.#breakage.error;
    let rejectOrder: (error: unknown) => void = () => {};
    try {
      return await new Promise((resolve, reject) => {
        rejectOrder = reject;
        this.#rejects.add(reject);
        this.#threads.run(order, { name: 'buildTable' }).then(resolve, reject);
      });
    } finally {
      this.#rejects.delete(rejectOrder);
    }
  }

  /** Ends the threads; what is still being built is rejected. */
  destroy(): Promise<void> {
    return this.#threads.destroy();
  }
}

/** Loaded here and now: most configurations need no tables. */
async function startPool(taskFile: URL): Promise<TablePool> {
  const { Piscina } = await import('piscina');
  const threads = new Piscina<TableOrder, BuiltTable>({
    filename: fileURLToPath(taskFile),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: THREAD_IDLE_MS,
    recordTiming: false,
  });
  return new TablePool(threads);
}

/** A pool that could not be started has nothing to end: whoever ordered was told. */
async function end(pool: Promise<TablePool> | undefined): Promise<void> {
  await pool?.then((threads) => threads.destroy()).catch(() => {});
}
