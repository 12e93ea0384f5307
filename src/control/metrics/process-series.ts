/** Series of workers, the process, its configuration and its logs in GET /metrics. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Board } from '../../board/board.js';
import type { Plan } from '../../config/plan.js';
import { type Exposition, labelText, NO_LABELS } from '../../observability/exposition.js';
import type { LiveFigures } from '../../observability/live-figures.js';
import type { LogSink } from '../../observability/log-sink.js';
import type { Timeline } from '../../observability/timeline.js';
import type { WorkerStatus } from '../supervisor.js';
import { writeHttp2 } from './http2-series.js';

const MS_PER_S = 1_000;
const US_PER_S = 1_000_000;

/** Where they come from. */
export interface ProcessSeriesParts {
  readonly plan: () => Plan;
  readonly board: Board;
  readonly workers: () => readonly WorkerStatus[];
  readonly timeline: Timeline;
  readonly sink: Pick<LogSink, 'droppedLines'>;
}

/** Thread: primary. */
export class ProcessSeries {
  readonly #parts: ProcessSeriesParts;
  #loopBefore = performance.eventLoopUtilization();

  constructor(parts: ProcessSeriesParts) {
    this.#parts = parts;
  }

  write(into: Exposition, plan: Plan, live: LiveFigures): void {
    this.#workers(into, live);
    this.#threads(into);
    this.#process(into, live);
    writeHttp2(into, plan, this.#parts.board);
    this.#config(into, plan, live);
    this.#logs(into);
  }

  #workers(into: Exposition, { workers }: LiveFigures): void {
    const rows = workers.map((worker) => ({ worker, labels: labelText(['worker', String(worker.index)]) }));
    into.family('sluice_open_connections');
    for (const { worker, labels } of rows) into.sample(labels, worker.openConnections);
    into.family('sluice_open_requests');
    for (const { worker, labels } of rows) into.sample(labels, worker.openExchanges);
    into.family('sluice_open_sessions');
    for (const { worker, labels } of rows) into.sample(labels, worker.openSessions);
    into.family('sluice_worker_up');
    for (const { worker, labels } of rows) into.sample(labels, Number(worker.state === 'serving'));
    into.family('sluice_worker_restarts_total');
    for (const { worker, labels } of rows) into.sample(labels, worker.restarts);
    into.family('sluice_upstream_connections');
    for (const { worker, labels } of rows) into.sample(labels, worker.upstreamConnections);
  }

  #threads(into: Exposition): void {
    const loop = performance.eventLoopUtilization();
    const primary = labelText(['thread', 'primary']);
    const rows = this.#parts.workers().map(({ index, stats }) => ({
      labels: labelText(['thread', `worker-${index}`]),
      stats,
    }));
    into.family('sluice_thread_busy_ratio');
    into.sample(primary, performance.eventLoopUtilization(loop, this.#loopBefore).utilization);
    for (const { labels, stats } of rows) into.sample(labels, stats.busyShare);
    into.family('sluice_thread_heap_bytes');
    into.sample(primary, getHeapStatistics().used_heap_size);
    for (const { labels, stats } of rows) if (stats.heapBytes > 0) into.sample(labels, stats.heapBytes);
    this.#loopBefore = loop;
  }

  #process(into: Exposition, { version, readiness, at, uptimeMs }: LiveFigures): void {
    into.family('sluice_build_info');
    into.sample(labelText(['version', version], ['node', process.versions.node]), 1);
    into.family('sluice_ready');
    into.sample(NO_LABELS, Number(readiness === 'ready' || readiness === 'degraded'));
    into.family('sluice_readiness');
    into.sample(labelText(['readiness', readiness]), 1);
    const { user, system } = process.cpuUsage();
    into.family('process_start_time_seconds');
    into.sample(NO_LABELS, startedAtS(at, uptimeMs));
    into.family('process_cpu_seconds_total');
    into.sample(NO_LABELS, (user + system) / US_PER_S);
    into.family('process_resident_memory_bytes');
    into.sample(NO_LABELS, process.memoryUsage.rss());
    into.family('process_open_fds');
    into.sample(NO_LABELS, openDescriptors());
    into.family('process_max_fds');
    into.sample(NO_LABELS, mostDescriptors());
  }

  #config(into: Exposition, { epoch }: Plan, { at, uptimeMs }: LiveFigures): void {
    const { timeline } = this.#parts;
    into.family('sluice_config_epoch');
    into.sample(NO_LABELS, epoch);
    into.family('sluice_config_reloads_total');
    into.sample(labelText(['result', 'reloaded']), timeline.countOf('reloaded'));
    into.sample(labelText(['result', 'unchanged']), timeline.countOf('reload-unchanged'));
    into.sample(labelText(['result', 'failed']), timeline.countOf('reload-failed'));
    const goodAt = Math.max(timeline.lastAt('reloaded') ?? 0, timeline.lastAt('reload-unchanged') ?? 0);
    const badAt = timeline.lastAt('reload-failed') ?? 0;
    into.family('sluice_config_last_reload_successful');
    into.sample(NO_LABELS, Number(badAt === 0 || goodAt > badAt));
    into.family('sluice_config_last_reload_success_timestamp_seconds');
    into.sample(NO_LABELS, goodAt === 0 ? startedAtS(at, uptimeMs) : goodAt / MS_PER_S);
  }

  #logs(into: Exposition): void {
    const { board, timeline, sink } = this.#parts;
    into.family('sluice_access_log_dropped_lines_total');
    into.sample(NO_LABELS, board.totals().traffic.accessLinesDropped);
    into.family('sluice_log_dropped_lines_total');
    into.sample(NO_LABELS, sink.droppedLines);
    into.family('sluice_events_total');
    for (const [event, count] of timeline.counts) into.sample(labelText(['event', event]), count);
    into.family('sluice_timeline_entries_total');
    into.sample(NO_LABELS, timeline.latestId);
    into.family('sluice_latencies_missed_total');
    into.sample(NO_LABELS, board.figures.missed);
  }
}

/** In whole seconds, so that it is the same at each scrape. */
function startedAtS(at: number, uptimeMs: number): number {
  return Math.round((at - uptimeMs) / MS_PER_S);
}

/** Linux from 6.2 on tells the number as the size of the directory; before that it says 0, and they have to be counted. */
function openDescriptors(): number | null {
  try {
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : readdirSync('/proc/self/fd').length;
  } catch {
    return null; // no /proc: a container may hide it
  }
}

function mostDescriptors(): number | null {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
