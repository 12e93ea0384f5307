/** A sluice whose workers fail when a test says so. */
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProxyProcess, startProxy } from './proxy-process.js';

/** What a worker can be told to do: see the fixture faulty-worker.mjs. */
export type Fault = 'abort' | 'exhaust' | 'spin';

/** Always `stop` it. */
export interface FaultyProxy extends ProxyProcess {
  /** Has the worker do it within some ms. */
  fail(worker: number, fault: Fault): void;
  /** Has the worker taken the order? It fails at once then. */
  hasObeyed(): boolean;
}

const integration = (path: string): string => fileURLToPath(new URL(`../integration/${path}`, import.meta.url));

/** @param nodeFlags of the process, e.g. a limit of memory */
export async function startFaultyProxy(config: object, nodeFlags: readonly string[] = []): Promise<FaultyProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const orders = join(directory, 'order');
  const program = [process.execPath, ...nodeFlags, integration('control/fixtures/sluice-with-entry.mjs')];
  const main = ['env', `FAULT_FILE=${orders}`, ...program, integration('l7/fixtures/faulty-worker.mjs')];
  const proxy = await startProxy(config, { main }).catch((error: unknown) => {
    rmSync(directory, { recursive: true });
    throw error;
  });
  return {
    ...proxy,
    fail: (worker, fault) => {
      // Under its name when it is whole: a worker may read at any moment.
      writeFileSync(`${orders}.new`, `${worker} ${fault}`);
      renameSync(`${orders}.new`, orders);
    },
    hasObeyed: () => !existsSync(orders),
    stop: async (signal) => {
      const ending = await proxy.stop(signal);
      rmSync(directory, { recursive: true, force: true });
      return ending;
    },
  };
}
