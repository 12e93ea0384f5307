/** Reloads one after the other, and what they answer. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema/config.js';
import type { Refreshing } from '../../../src/control/certificates/certificate-keeper.js';
import type { SwitchResult } from '../../../src/control/plan-switch.js';
import { type ReadConfig, Reloader } from '../../../src/control/reloader.js';
import { configOf, SMALLEST } from '../config/loading.js';
import { captureLog } from './log-capture.js';
import { plan } from './plans.js';

const first = configOf(SMALLEST);
const other: Config = { ...first, shutdownTimeout: first.shutdownTimeout + 1_000 };

function rig(parts: { noFile?: boolean; isOver?: boolean; ready?: Promise<void>; refreshing?: Refreshing } = {}) {
  const log = captureLog();
  let found: ReadConfig = { ok: true, config: other, warnings: [] };
  let epoch = 1;
  const taken: Config[] = [];
  const switched: Config[] = [];
  const waiting: ((result: SwitchResult) => void)[] = [];
  let reads = 0;
  const reloader = new Reloader({
    read: parts.noFile
      ? null
      : () => {
          reads += 1;
          return found;
        },
    config: first,
    planSwitch: {
      to: (config) => {
        switched.push(config);
        return new Promise((resolve) => waiting.push(resolve));
      },
    },
    refreshCertificates: () => parts.refreshing ?? { problems: [], isHalf: false, needsPlan: false },
    epoch: () => epoch,
    ready: parts.ready ?? Promise.resolve(),
    isOver: () => parts.isOver ?? false,
    taken: (config) => taken.push(config),
    logger: log.logger,
  });
  const turn = async (): Promise<void> => {
    for (let step = 0; step < 10; step++) await Promise.resolve();
  };
  return {
    reloader,
    log,
    taken,
    switched,
    turn,
    reads: () => reads,
    says: (next: ReadConfig) => {
      found = next;
    },
    /** Ends the switch that is under way. */
    async finish(result: Partial<SwitchResult & { ok: true }> | { ok: false; problem: string } = {}) {
      await turn();
      if (!('ok' in result && result.ok === false)) epoch += 1;
      const good = { ok: true as const, plan: plan({ epoch }), needsRestart: [], failures: [], isLate: false };
      waiting.shift()?.({ ...good, ...result } as SwitchResult);
      await turn();
    },
  };
}

describe('reloader', () => {
  it('has another configuration count, and tells what is different', async () => {
    const { reloader, finish, log, taken } = rig();
    const heard: unknown[] = [];
    const stop = reloader.onReloaded((report) => heard.push(report));
    const reload = reloader.reload('signal');
    await finish({ needsRestart: ['workers'] });
    expect(await reload).toMatchObject({ ok: true, isUnchanged: false, epoch: 2, needsRestart: ['workers'] });
    expect([reloader.config, taken]).toEqual([other, [other]]);
    expect(log.events()).toEqual(['reload-begun', 'reloaded']);
    expect(heard).toMatchObject([{ epoch: 2 }]);
    stop();
  });

  it('does nothing where the configuration says what it said', async () => {
    const { reloader, says, log, switched } = rig();
    says({ ok: true, config: structuredClone(first), warnings: [] });
    expect(await reloader.reload('file')).toMatchObject({ ok: true, isUnchanged: true, epoch: 1 });
    expect(switched).toEqual([]);
    expect(log.events()).toEqual(['reload-begun', 'reload-unchanged']);
  });

  it('has other certificates count, and switches only where they need another plan', async () => {
    const same: ReadConfig = { ok: true, config: structuredClone(first), warnings: [] };
    const bad = rig({ refreshing: { problems: ['no key'], isHalf: false, needsPlan: false } });
    bad.says(same);
    expect(await bad.reloader.reload('api')).toEqual({ ok: false, problems: ['no key'] });
    const { reloader, says, switched, finish } = rig({ refreshing: { problems: [], isHalf: false, needsPlan: true } });
    says(same);
    const reload = reloader.reload('signal');
    await finish();
    expect(await reload).toMatchObject({ ok: true, isUnchanged: false });
    expect(switched).toHaveLength(1);
  });

  it('changes nothing for a configuration with problems, and says them', async () => {
    const { reloader, says, log, switched } = rig();
    says({ ok: false, problems: ['sluice.yaml:1:1: no'] });
    expect(await reloader.reload('api')).toEqual({ ok: false, problems: ['sluice.yaml:1:1: no'] });
    expect([switched, reloader.config]).toEqual([[], first]);
    expect(log.records.at(-1)).toMatchObject({ event: 'reload-failed', by: 'api', problems: ['sluice.yaml:1:1: no'] });
  });

  it('keeps the former configuration where the switch fails', async () => {
    const { reloader, finish, taken } = rig();
    const reload = reloader.reload('file');
    await finish({ ok: false, problem: 'the port is taken' });
    expect(await reload).toEqual({ ok: false, problems: ['the port is taken'] });
    expect([reloader.config, taken]).toEqual([first, []]);
  });

  it('runs one at a time, and one more for all who ask meanwhile', async () => {
    const { reloader, finish, reads, turn } = rig();
    const one = reloader.reload('file');
    await turn();
    const two = reloader.reload('signal');
    const three = reloader.reload('api');
    await turn();
    expect(reads()).toBe(1);
    await finish();
    expect(await one).toMatchObject({ isUnchanged: false });
    expect(await Promise.all([two, three])).toMatchObject([{ isUnchanged: true }, { isUnchanged: true }]);
    expect(reads()).toBe(2);
  });

  it('waits until every worker accepts', async () => {
    let announce = (): void => {};
    const ready = new Promise<void>((resolve) => {
      announce = resolve;
    });
    const { reloader, reads, turn } = rig({ ready });
    void reloader.reload('signal');
    await turn();
    expect(reads()).toBe(0);
    announce();
    await turn();
    expect(reads()).toBe(1);
  });

  it('is refused while the process drains, and where there is no file', async () => {
    const ending = await rig({ isOver: true }).reloader.reload('api');
    expect(ending).toMatchObject({ ok: false, problems: [expect.stringContaining('sluice ends')] });
    const flags = await rig({ noFile: true }).reloader.reload('signal');
    expect(flags).toMatchObject({ ok: false, problems: [expect.stringContaining('flags alone')] });
  });

  it('tells of workers that have not answered in time', async () => {
    const { reloader, finish, log } = rig();
    const reload = reloader.reload('signal');
    await finish({ isLate: true });
    expect(await reload).toMatchObject({ ok: true, warnings: [expect.stringContaining('busy')] });
    expect(log.events()).toContain('plan-late');
  });
});
