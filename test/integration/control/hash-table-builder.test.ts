/** Building tables in a thread of piscina, with the compiled task and the addon. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { type TableBuilder, tableBuilder } from '../../../src/control/hash-table-builder.js';
import type { TableOrder } from '../../../src/control/hash-table-task.js';
import { loadEngine } from '../../../src/engine/load-engine.js';

const TASK = new URL('../../../dist/control/hash-table-task.js', import.meta.url);

const order = (kind: TableOrder['kind']): TableOrder => ({
  kind,
  names: ['10.0.0.1:80', '10.0.0.2:80'],
  slots: Uint16Array.from([4, 5]),
  weights: Uint32Array.from([100, 200]),
  mostPoints: 4_096,
});

describe('builder of tables', () => {
  let builder: TableBuilder | undefined;
  afterEach(() => builder?.close());

  it('gives the tables that the addon gives in this thread', async () => {
    builder = tableBuilder(TASK);
    const { names, slots, weights, mostPoints } = order('ketama');
    expect(await builder.build(order('ketama'))).toEqual(loadEngine().buildKetama(names, slots, weights, mostPoints));
    expect(await builder.build(order('maglev'))).toEqual(loadEngine().buildMaglev(names, slots, weights, 65_537));
  });

  it('keeps none of the tables that it has built', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    builder = tableBuilder(TASK);
    const built: WeakRef<object>[] = [];
    for (let count = 0; count < 5; count++) built.push(new WeakRef((await builder.build(order('maglev'))).words));
    await expect
      .poll(() => {
        collectGarbage();
        return built.filter((table) => table.deref() !== undefined).length;
      })
      .toBeLessThan(2); // the last one may still be on its way
  });

  it('rejects with what the addon says', async () => {
    builder = tableBuilder(TASK);
    await expect(builder.build({ ...order('ketama'), mostPoints: 1 })).rejects.toThrow('room for one of each endpoint');
  });

  it('rejects when there is no such task', async () => {
    builder = tableBuilder(new URL('missing.js', TASK));
    await expect(builder.build(order('maglev'))).rejects.toThrow('missing.js');
  });

  it('ends a thread that is building', async () => {
    for (let pauseMs = 0; pauseMs < 5; pauseMs++) {
      const closed = tableBuilder(TASK);
      const large = () => ({ ...order('ketama'), weights: new Uint32Array(2).fill(100_000), mostPoints: 2 ** 18 });
      await closed.build(order('maglev'));
      const builds = Promise.allSettled([closed.build(large()), closed.build(large())]);
      await new Promise((resolve) => setTimeout(resolve, 10 * pauseMs));
      await closed.close();
      await builds;
    }
  });

  it('ends its thread when it is closed, twice or before it had one, and builds no more', async () => {
    builder = tableBuilder(TASK);
    await builder.build(order('maglev'));
    await builder.close();
    await builder.close();
    await expect(builder.build(order('maglev'))).rejects.toThrow('closed');
    await tableBuilder(TASK).close();
  });
});
