/** A proxy without threads and sockets, for tests of what is seen of it: a board for a configuration, and the workers' side of it in the test's hands. */
import { attachBoard, type WorkerBoard } from '../../../src/board/worker-board.js';
import { loadConfig } from '../../../src/config/load.js';
import type { EndpointPlan, Plan } from '../../../src/config/plan.js';
import { makeBoardAndPlan } from '../../../src/control/board-plan.js';
import { LiveSource } from '../../../src/control/live-source.js';
import { Metrics } from '../../../src/control/metrics/metrics.js';
import type { WorkerStatus } from '../../../src/control/supervisor.js';
import { createLogger } from '../../../src/observability/logger.js';
import { Timeline } from '../../../src/observability/timeline.js';
import { NO_STATS } from '../../../src/worker/data-plane.js';
import { FakeTime } from './fake-time.js';

const WORKERS = 2;

export function observedProxy(yaml: string, options: { readonly mostDetailed?: number } = {}) {
  const loaded = loadConfig({
    file: 'sluice.yaml',
    flags: {},
    readFile: () => Buffer.from(yaml),
    machine: { processors: WORKERS, firstOpenPort: 0 },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const made = makeBoardAndPlan({ ...loaded.config, workers: WORKERS }, WORKERS);
  const { board } = made;
  const workerBoards: WorkerBoard[] = Array.from({ length: WORKERS }, (_, index) => attachWorker(board, index));
  const time = new FakeTime();
  const state: { plan: Plan; readiness: 'starting' | 'ready' | 'degraded' | 'draining'; workers: WorkerStatus[] } = {
    plan: made.plan,
    readiness: 'ready',
    workers: workerBoards.map((_, index) => ({ index, state: 'serving' as const, restarts: 0, stats: NO_STATS })),
  };
  const panicking = new Set<string>();
  const seen = {
    plan: () => state.plan,
    board,
    clock: time,
    workers: () => state.workers,
    facts: {
      rampProgress: () => null,
      panicsOf: ({ name }: { readonly name: string }) => ({ isPanicking: panicking.has(name), panics: 0 }),
    },
  };
  const timeline = new Timeline({ timers: time });
  const live = new LiveSource({
    ...seen,
    version: '1.2.3',
    timers: time,
    startedAt: time.nowMs(),
    readiness: () => state.readiness,
    wallClockMs: () => 1_700_000_000_000 + time.nowMs(),
  });
  const metrics = new Metrics({
    ...seen,
    live,
    timeline,
    sink: { droppedLines: 0 },
    certificates: () => [],
    ...options,
  });
  const logger = createLogger('info', { write: (line) => timeline.hear(line) });
  const endpoint = (upstream: string, name: string): EndpointPlan => {
    const found = state.plan.upstreams
      .find((each) => each.name === upstream)
      ?.endpoints.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no endpoint ${name} in ${upstream}`);
    return found;
  };
  return { board, workerBoards, time, state, panicking, timeline, logger, live, metrics, endpoint };
}

function attachWorker(board: ReturnType<typeof makeBoardAndPlan>['board'], index: number): WorkerBoard {
  return attachBoard(board.buffer, index, board.figures.memoryOf(index));
}
