/** The same traffic once for each way of picking, and the tables that most stories make of it. */
import type { PickingPlan } from '../../../src/config/picking-plan.js';
import { FAILED, percentile, type Recording, TURNED_AWAY } from '../model/recording.js';
import { playWith, type Scenario } from '../model/scenario.js';
import { ms, percent, type Table } from '../report/table.js';
import type { Telling } from '../story.js';

/** One way of picking in a contest. */
export interface Contender {
  readonly name: string;
  readonly picking: Partial<PickingPlan>;
}

/** A contender that went through the scenario. */
export interface Told {
  readonly name: string;
  readonly recording: Recording;
}

/** Balancers with nothing but their name set. */
export function plain(...names: PickingPlan['balance'][]): Contender[] {
  return names.map((balance) => ({ name: balance, picking: { balance } }));
}

/** Plays the scenario once for each; every one of them meets the same requests. */
export function contest(scenario: Scenario, contenders: readonly Contender[], telling: Telling): Told[] {
  return contenders.map(({ name, picking }) => {
    const recording = playWith({ ...scenario, seed: telling.seed }, picking);
    telling.step(name);
    return { name, recording };
  });
}

/** The one of that name. @throws Error when it is not among them */
export function told(all: readonly Told[], name: string): Recording {
  const found = all.find((one) => one.name === name);
  if (!found) throw new Error(`${name} is a contender`);
  return found.recording;
}

/** Latency of served requests that arrived in a stretch of time, for each contender, with more columns behind. */
export function latencyTable(
  all: readonly Told[],
  [fromMs, toMs]: readonly [number, number],
  more: readonly { readonly head: string; readonly cell: (recording: Recording) => string }[] = [],
): Table {
  return {
    head: ['balancer', 'P50', 'P95', 'P99', ...more.map(({ head }) => head)],
    rows: all.map(({ name, recording }) => {
      const latencies = recording.latencies(fromMs, toMs);
      return [
        name,
        ...[50, 95, 99].map((rank) => ms(percentile(latencies, rank))),
        ...more.map(({ cell }) => cell(recording)),
      ];
    }),
  };
}

/** Share of requests that failed or were turned away. */
export function failedShare(recording: Recording, fromMs: number, toMs: number): number {
  const failed = recording.count(FAILED, fromMs, toMs) + recording.count(TURNED_AWAY, fromMs, toMs);
  return failed / (failed + recording.latencies(fromMs, toMs).length);
}

/** A column with an endpoint's share of the attempts. */
export function shareColumn(head: string, endpoint: number, [fromMs, toMs]: readonly [number, number]) {
  return { head, cell: (recording: Recording) => percent(recording.share(endpoint, fromMs, toMs)) };
}

/** Percentiles of a contest for a chart of bars. */
export function percentileSeries(all: readonly Told[], [fromMs, toMs]: readonly [number, number]) {
  return [50, 95, 99].map((rank) => ({
    name: `P${rank}`,
    values: all.map(({ recording }) => percentile(recording.latencies(fromMs, toMs), rank)),
  }));
}

const MS_PER_S = 1_000;

/** An endpoint's share over time, in seconds and per cent, for a chart of lines. */
export function shareLines(all: readonly Told[], endpoint: number, durationMs: number, windowMs = MS_PER_S) {
  return all.map(({ name, recording }) => ({
    name,
    points: recording
      .shareOverTime(endpoint, 0, durationMs, windowMs)
      .map(([atMs, share]) => [atMs / MS_PER_S, share * 100] as const),
  }));
}
