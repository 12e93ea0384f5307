/** The order in which another configuration comes to count, and what becomes of one that cannot. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/config/plan.js';
import { BoardFullError } from '../../../src/control/board-plan.js';
import {
  APPLY_PATIENCE_MS,
  FIRST_PROBES_PATIENCE_MS,
  PlanSwitch,
  type PlanSwitchParts,
} from '../../../src/control/plan-switch.js';
import { StartFailure } from '../../../src/control/start-failure.js';
import type { Applied } from '../../../src/control/worker-answers.js';
import { ProxyError } from '../../../src/core/proxy-error.js';
import { configOf, SMALLEST } from '../config/loading.js';
import { FakeTime } from './fake-time.js';
import { plan, sessionListenerPlan } from './plans.js';

const config = configOf(SMALLEST);
const listener = (name: string, number: number) => ({ ...sessionListenerPlan(name), number });

/** Steps that are made to fail, by their names in the trace. */
type Fault = 'compile' | 'certificates' | 'open' | 'prepare' | 'over';

function rig(fault?: Fault) {
  const time = new FakeTime();
  const trace: string[] = [];
  const before = plan({ epoch: 4, listeners: [listener('gone', 0), listener('stays', 1)] });
  const next: Plan = plan({ epoch: 5, listeners: [listener('stays', 1), listener('new', 2)] });
  const awaited = new Set<number>();
  const changes = {
    slots: { kept: [], joined: [7], left: [3] },
    records: { joined: [{ kind: 'listener' as const, first: 2, length: 1 }], left: [] },
  };
  let answer: (applied: Applied) => void = () => {};
  const does =
    (step: string) =>
    (...facts: unknown[]) => {
      trace.push([step, ...facts].join(' '));
    };
  const parts: PlanSwitchParts = {
    board: {
      beginRecords: () => does('begin-records')(),
      control: { awaitsFirstProbe: (slot) => awaited.has(slot) },
    },
    plans: {
      edit: () => {
        if (fault === 'compile') throw new BoardFullError('endpoint');
        trace.push('compile');
        return {
          plan: next,
          commit: () => {
            trace.push('commit');
            return changes;
          },
          withdraw: does('withdraw-plan'),
        };
      },
    },
    certificates: {
      edit: (wanted) => {
        if (fault === 'certificates')
          throw new StartFailure('SLUICE_CONFIG', 'the key is not the one of the certificate');
        trace.push('certificates');
        return {
          plan: wanted,
          commit: () => {
            trace.push('commit-certificates');
            return does('close-contexts');
          },
          withdraw: does('withdraw-certificates'),
        };
      },
    },
    addresses: {
      edit: (wanted) => {
        if (fault === 'open') throw new StartFailure('SLUICE_ADDRESS_IN_USE', 'the port is taken');
        trace.push('open');
        return {
          plan: wanted,
          sessionListenings: {},
          descriptors: new Map([[2, 70]]),
          frozen: [],
          commit: () => {
            trace.push('commit-addresses');
            return does('close-gone');
          },
          withdraw: does('withdraw-addresses'),
        };
      },
    },
    handOffs: {
      uwsHeadBytes: null,
      prepare: () => {
        if (fault === 'prepare') throw new ProxyError('SLUICE_UWS_MISSING', {});
        trace.push('prepare');
      },
      leave: (gone) => does('leave')(...gone.map(({ name }) => name)),
      listenAt: (_listeners, descriptors) => does('listen')(...descriptors.keys()),
    },
    resolver: {
      replace: async (upstreams) => does(upstreams === next.upstreams ? 'resolve' : 'resolve-former')(),
      addresses: () => ({}),
    },
    keepers: { replace: (_upstreams, joined) => does('keepers')(...joined) },
    hashTables: { replace: async () => does('tables')() },
    supervisor: {
      publish: (change) => {
        trace.push(`publish ${change.plan.epoch}`);
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    },
    departures: { add: ({ slots }) => does('departures')(...slots.left) },
    timers: time,
    isOver: () => fault === 'over',
    take: ({ plan: taken }) => does('seed')(taken.epoch),
  };
  const planSwitch = new PlanSwitch(parts, { plan: before, sessionListenings: {} });
  const turn = async (): Promise<void> => {
    for (let step = 0; step < 20; step++) await Promise.resolve();
  };
  return { planSwitch, trace, time, turn, awaited, answer: (applied: Applied) => answer(applied) };
}

const BEFORE_APPLIED = [
  'compile',
  'certificates',
  'open',
  'prepare',
  'resolve',
  'commit',
  'commit-certificates',
  'commit-addresses',
  'begin-records',
  'keepers 7',
  'tables',
  'seed 5',
  'leave gone',
  'publish 5',
];

describe('plan switch', () => {
  it('opens before it commits, and listens, closes and gives back when all workers have answered', async () => {
    const { planSwitch, trace, turn, answer } = rig();
    const result = planSwitch.to(config);
    await turn();
    expect(trace).toEqual(BEFORE_APPLIED);
    answer({ failures: [] });
    expect(await result).toMatchObject({ ok: true, plan: { epoch: 5 }, needsRestart: [], failures: [], isLate: false });
    expect(trace.slice(BEFORE_APPLIED.length).sort()).toEqual([
      'close-contexts',
      'close-gone',
      'departures 3',
      'listen 2',
    ]);
  });

  it('waits for workers no longer than its patience, and gives back only when the last one has answered', async () => {
    const { planSwitch, trace, time, turn, answer } = rig();
    const result = planSwitch.to(config);
    await turn();
    await time.pass(APPLY_PATIENCE_MS);
    expect(await result).toMatchObject({ ok: true, isLate: true });
    expect(trace.slice(BEFORE_APPLIED.length)).toEqual(['listen 2', 'close-gone']);
    answer({ failures: [] });
    await turn();
    expect(trace.slice(-2)).toEqual(['departures 3', 'close-contexts']);
  });

  it('publishes when new endpoints that wait for their first probe have had it', async () => {
    const { planSwitch, trace, time, turn, awaited } = rig();
    awaited.add(7);
    void planSwitch.to(config);
    await turn();
    await time.pass(100);
    await turn();
    expect(trace).toContain('tables');
    expect(trace).not.toContain('publish 5');
    awaited.clear();
    await time.pass(20);
    await turn();
    expect(trace).toContain('publish 5');
  });

  it('does not wait for ever for a first probe', async () => {
    const { planSwitch, trace, time, turn, awaited } = rig();
    awaited.add(7);
    void planSwitch.to(config);
    for (let ms = 0; ms < FIRST_PROBES_PATIENCE_MS; ms += 20) {
      await turn();
      await time.pass(20);
    }
    await turn();
    expect(trace).toContain('publish 5');
  });

  it('tells what single workers could not do', async () => {
    const { planSwitch, turn, answer } = rig();
    const result = planSwitch.to(config);
    await turn();
    answer({ failures: [{ worker: 1, failure: { code: 'SLUICE_ADDRESS_IN_USE', message: 'somebody listens' } }] });
    expect(await result).toMatchObject({ failures: ['worker 1: somebody listens'] });
  });

  it.each([
    ['compile', /no room for so many more endpoints.*restart sluice/, []],
    ['certificates', /the key is not/, ['compile', 'withdraw-plan']],
    ['open', /the port is taken/, ['compile', 'certificates', 'withdraw-certificates', 'withdraw-plan']],
    [
      'prepare',
      /./,
      ['compile', 'certificates', 'open', 'withdraw-addresses', 'withdraw-certificates', 'withdraw-plan'],
    ],
    [
      'over',
      /sluice ends/,
      [
        'compile',
        'certificates',
        'open',
        'prepare',
        'resolve',
        'resolve-former',
        'withdraw-addresses',
        'withdraw-certificates',
        'withdraw-plan',
      ],
    ],
  ] as const)('takes everything back where it cannot go on: %s', async (fault, problem, steps) => {
    const { planSwitch, trace } = rig(fault);
    expect(await planSwitch.to(config)).toEqual({ ok: false, problem: expect.stringMatching(problem) });
    expect(trace).toEqual(steps);
  });

  it('takes no access log that it could not start with', async () => {
    const { planSwitch, trace } = rig();
    const logging = configOf(`${SMALLEST}\naccessLog: { file: /nowhere/access.log }\n`);
    expect(await planSwitch.to(logging)).toEqual({
      ok: false,
      problem: expect.stringMatching(/the directory of the access log .nowhere.access\.log does not exist/),
    });
    expect(trace).toEqual([]);
  });
});
