/** The supervisor with doubles of threads and board, and time moved by hand. */
import { describe, expect, it } from 'vitest';
import { OneShotGate } from '../../../src/board/one-shot-gate.js';
import type { StartFailure } from '../../../src/control/start-failure.js';
import { Supervisor } from '../../../src/control/supervisor.js';
import { SUPERVISION } from '../../../src/control/worker-life.js';
import type { SpawnWorker, WorkerThreadEvents } from '../../../src/control/worker-thread.js';
import type { ToWorker } from '../../../src/worker/messages.js';
import { FakeTime } from './fake-time.js';
import { captureLog } from './log-capture.js';

/** A thread that does what the test says. */
class ThreadDouble {
  readonly posted: ToWorker[] = [];
  isTerminated = false;
  #isGone = false;

  constructor(
    readonly workerIndex: number,
    readonly events: WorkerThreadEvents,
  ) {}

  post(message: ToWorker): void {
    this.posted.push(message);
  }

  terminate(): void {
    this.isTerminated = true;
    this.exit(1);
  }

  accept(): void {
    this.events.message({ kind: 'accepts', handOffPlaces: [] });
  }

  crash(): void {
    this.events.failed(new Error('boom'));
    this.exit(1);
  }

  exit(exitCode: number): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.events.exited(exitCode);
  }
}

function supervise(
  parts: {
    workers?: number;
    onSpawn?: (thread: ThreadDouble) => void;
    reclaim?: () => boolean;
    hasHandOff?: boolean;
    endsStuck?: boolean;
  } = {},
) {
  const time = new FakeTime();
  const log = captureLog();
  const threads: ThreadDouble[] = [];
  const trace: string[] = [];
  const failures: StartFailure[] = [];
  const beats: number[] = [];
  const spawn: SpawnWorker = (workerIndex, events) => {
    const thread = new ThreadDouble(workerIndex, events);
    threads.push(thread);
    trace.push(`spawn ${workerIndex}`);
    queueMicrotask(() => parts.onSpawn?.(thread));
    return thread;
  };
  const supervisor = new Supervisor({
    workers: parts.workers ?? 2,
    spawn,
    stripes: {
      reclaim: (index) => {
        const isDone = parts.reclaim?.() ?? true;
        trace.push(`reclaim ${index}${isDone ? '' : ' later'}`);
        return isDone;
      },
      resetStripe: (index) => trace.push(`reset ${index}`),
      stripe: (index) => ({ life: () => ({ heartbeatAt: beats[index] ?? 0 }) }),
    },
    handOff: parts.hasHandOff
      ? {
          add: (index) => trace.push(`hand to ${index}`),
          remove: (index) => trace.push(`hand nothing to ${index}`),
          stop: () => trace.push('hand nothing'),
        }
      : undefined,
    clock: time,
    timers: time,
    settings: SUPERVISION,
    endsStuck: () => parts.endsStuck ?? true,
    logger: log.logger,
    writeLine: (line) => trace.push(`line ${line}`),
    onReady: () => trace.push('ready'),
    onFailed: (failure) => failures.push(failure),
    onEnded: () => trace.push('ended'),
  });
  return { supervisor, time, log, threads, trace, failures, beats };
}

describe('supervisor with a hand-off', () => {
  it('hands connections to workers that serve, and takes a worker out before it ends', async () => {
    const { supervisor, threads, trace } = supervise({ hasHandOff: true });
    supervisor.start();
    for (const thread of threads) thread.accept();
    expect(trace.filter((step) => step.startsWith('hand'))).toEqual(['hand to 0', 'hand to 1']);
    const gate = new OneShotGate();
    threads[0]!.events.message({ kind: 'leaving', gate: gate.buffer });
    expect(trace.at(-1)).toBe('hand nothing to 0');
    expect(gate.wait(0)).toBe(true);
    supervisor.drain();
    expect(trace.at(-1)).toBe('hand nothing');
  });

  it('takes a worker out that it ends by force', async () => {
    const { supervisor, trace } = supervise({ hasHandOff: true });
    supervisor.start();
    void supervisor.terminate();
    expect(trace.slice(trace.indexOf('hand nothing'))).toEqual([
      'hand nothing',
      ...['hand nothing to 0', 'hand nothing to 0'], // before its end, and behind it
      ...['hand nothing to 1', 'hand nothing to 1'],
    ]);
  });

  it('takes a worker out that is gone without a word, before it starts another', async () => {
    const { supervisor, threads, trace, time } = supervise({ hasHandOff: true, onSpawn: (thread) => thread.accept() });
    supervisor.start();
    await time.pass(2_000);
    threads[0]!.crash();
    await time.pass(150);
    expect(trace.indexOf('hand nothing to 0')).toBeGreaterThan(trace.indexOf('hand to 0'));
    expect(trace.lastIndexOf('spawn 0')).toBeGreaterThan(trace.indexOf('hand nothing to 0'));
    expect(trace.lastIndexOf('hand to 0')).toBeGreaterThan(trace.lastIndexOf('spawn 0'));
  });
});

describe('supervisor', () => {
  it('is ready when every worker accepts', async () => {
    const { supervisor, threads, trace } = supervise();
    supervisor.start();
    threads[0]!.accept();
    expect(trace).not.toContain('ready');
    threads[1]!.accept();
    expect(trace.at(-1)).toBe('ready');
  });

  it('takes back what a crashed worker held, then restarts it, and leaves the others alone', async () => {
    const { supervisor, threads, trace, time, log } = supervise({ onSpawn: (thread) => thread.accept() });
    supervisor.start();
    await time.pass(2_000);
    threads[1]!.crash();
    await time.pass(150);
    expect(trace).toEqual(['spawn 0', 'spawn 1', 'ready', 'reclaim 1', 'reset 1', 'spawn 1']);
    expect(threads[0]!.isTerminated).toBe(false);
    expect(supervisor.status().map(({ state, restarts }) => [state, restarts])).toEqual([
      ['serving', 0],
      ['serving', 1],
    ]);
    expect(log.events()).toEqual(['worker-error', 'worker-exited', 'worker-restarting', 'worker-serving']);
  });

  it('does not start a worker again before everything has been taken back', async () => {
    let isBusy = true;
    const { supervisor, threads, trace, time } = supervise({
      workers: 1,
      onSpawn: (thread) => thread.accept(),
      reclaim: () => !isBusy,
    });
    supervisor.start();
    await time.pass(2_000);
    threads[0]!.crash();
    await time.pass(500);
    expect(threads).toHaveLength(1);
    isBusy = false;
    await time.pass(100);
    expect(trace.slice(-3)).toEqual(['reclaim 0', 'reset 0', 'spawn 0']);
  });

  it('gives up with one message when a worker reports that it cannot start', async () => {
    const failing = { kind: 'start-failed', code: 'SLUICE_UWS_MISSING', message: 'no binary' } as const;
    const { supervisor, failures, threads, time } = supervise({
      workers: 4,
      onSpawn: (thread) => thread.events.message(failing),
    });
    supervisor.start();
    await time.pass(60_000);
    expect(failures.map(({ code, message }) => [code, message])).toEqual([['SLUICE_UWS_MISSING', 'no binary']]);
    expect(threads.every(({ isTerminated }) => isTerminated)).toBe(true);
    expect(threads).toHaveLength(4);
  });

  it('ends in a clear message when workers crash right after their start', async () => {
    const { supervisor, failures, time } = supervise({ workers: 2, onSpawn: (thread) => thread.crash() });
    supervisor.start();
    await time.pass(10_000);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: 'SLUICE_WORKER_CRASH_LOOP', exitCode: 2 });
  });

  it('keeps the others serving when one worker falls into a crash loop later', async () => {
    let isBroken = false;
    const { supervisor, threads, failures, log, time } = supervise({
      onSpawn: (thread) => (thread.workerIndex === 1 && isBroken ? thread.crash() : thread.accept()),
    });
    supervisor.start();
    await time.pass(2_000);
    isBroken = true;
    threads[1]!.crash();
    await time.pass(120_000);
    expect(failures).toEqual([]);
    expect(supervisor.status().map(({ state }) => state)).toEqual(['serving', 'crash-loop']);
    expect(log.events().filter((event) => event === 'worker-crash-loop')).toHaveLength(1);
  });

  it('ends a worker that never accepts, and starts it again', async () => {
    const { supervisor, threads, time } = supervise({ workers: 1 });
    supervisor.start();
    await time.pass(10_000);
    expect(threads[0]!.isTerminated).toBe(true);
    await time.pass(100);
    expect(threads).toHaveLength(2);
  });

  it('tells every thread what is broadcast, and writes the lines of workers', () => {
    const { supervisor, threads, trace } = supervise();
    supervisor.start();
    supervisor.broadcast({ kind: 'addresses', slot: 3, addresses: ['10.0.0.1:80'] });
    expect(threads.map(({ posted }) => posted.length)).toEqual([1, 1]);
    threads[0]!.events.message({ kind: 'log', line: '{}\n' });
    expect(trace.at(-1)).toBe('line {}\n');
  });

  it('drains: serving workers finish, starting ones end at once, and it says when all are gone', async () => {
    const { supervisor, threads, trace, time } = supervise();
    supervisor.start();
    threads[0]!.accept();
    supervisor.drain();
    supervisor.drain();
    expect(threads[0]!.posted).toEqual([{ kind: 'drain' }]);
    expect(threads[1]!.isTerminated).toBe(true);
    expect(trace).not.toContain('ended');
    threads[0]!.exit(0);
    expect(trace.filter((step) => step === 'ended')).toHaveLength(1);
    await time.pass(60_000);
    expect(threads).toHaveLength(2);
  });

  it('ends a worker that is stuck for long, and starts another one', async () => {
    const { supervisor, threads, beats, time, trace } = supervise({ workers: 1, hasHandOff: true });
    supervisor.start();
    threads[0]!.accept();
    beats[0] = time.nowTick();
    await time.pass(33_000);
    expect(threads[0]!.isTerminated).toBe(true);
    expect(trace).toContain('reclaim 0');
    expect(threads).toHaveLength(2);
  });

  it('leaves a stuck worker alone where ending it may end the process', async () => {
    const { supervisor, threads, beats, time } = supervise({ workers: 1, endsStuck: false });
    supervisor.start();
    threads[0]!.accept();
    beats[0] = time.nowTick();
    await time.pass(60_000);
    expect(threads[0]!.isTerminated).toBe(false);
  });

  it('hears what workers have said while the primary was blocked before it takes them for crashed', async () => {
    const { supervisor, threads, time } = supervise({ workers: 1 });
    supervisor.start();
    // The loop turns again long after the deadline of the start: timers come before messages.
    time.block(SUPERVISION.readyWithinMs + 5_000);
    await time.pass(0);
    expect(threads[0]!.isTerminated).toBe(false);
    threads[0]!.accept();
    await time.pass(1_000);
    expect(threads[0]!.isTerminated).toBe(false);
    expect(supervisor.status()[0]?.state).toBe('serving');
  });

  it('takes a worker for crashed that has said nothing in that time', async () => {
    const { supervisor, threads, time } = supervise({ workers: 1 });
    supervisor.start();
    time.block(SUPERVISION.readyWithinMs + 5_000);
    await time.pass(50);
    expect(threads[0]!.isTerminated).toBe(true);
  });

  it('can be terminated twice and in any state', () => {
    const { supervisor, threads } = supervise();
    supervisor.terminate();
    supervisor.start();
    supervisor.terminate();
    supervisor.terminate();
    expect(threads.every(({ isTerminated }) => isTerminated)).toBe(true);
  });
});
