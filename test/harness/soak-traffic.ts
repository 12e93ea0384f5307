/** The traffic of a soak: clients in lanes, endpoints that are stopped and started again, and what the process looks like meanwhile. */
import { type Rng, seededRng } from '../../src/core/rng.js';
import { memoryBytes, openSockets } from './process-facts.js';
import { runSoakClient, type SoakClientOptions } from './soak-client.js';
import type { SoakEndpoint } from './soak-endpoint.js';
import type { SoakLedger } from './soak-ledger.js';
import { rest } from './soak-pieces.js';
import { pipelinedScript, randomScript, type SoakMix, type SoakScript } from './soak-script.js';

export interface SoakOptions {
  readonly port: number;
  /** Of the proxy's process. */
  readonly pid: number;
  readonly mix: SoakMix;
  readonly ledger: SoakLedger;
  readonly endpoints: readonly SoakEndpoint[];
  /** The same seed makes the same exchanges in each lane. */
  readonly seed: number;
  /** New connections begin for so long; then those that are open come to their ends. */
  readonly durationMs: number;
  readonly lanes: number;
  /** Between two stops of an endpoint. */
  readonly restartEveryMs: number;
  readonly stallMs: number;
  /** A line for people, every `progressEveryMs`. */
  readonly tell?: (line: string) => void;
  readonly progressEveryMs?: number;
}

/** The process's resident memory, in bytes, once a second. */
export type MemorySamples = readonly number[];

const EXCHANGE_TIMEOUT_MS = 20_000;
const MAX_DOWN_MS = 800;
const MAX_GROUPS = 8;
const MAX_PIPELINED = 5;
/** Lanes rest between connections, at most so long: the soak looks for leaks, not for the limits of the machine. */
const MAX_LANE_REST_MS = 40;
const SAMPLE_EVERY_MS = 1_000;

/** @returns when the time is over, every client is closed and every endpoint runs */
export async function runSoak(options: SoakOptions): Promise<MemorySamples> {
  const endsAt = Date.now() + options.durationMs;
  const isOver = (): boolean => Date.now() >= endsAt;
  const lanes = Array.from({ length: options.lanes }, (_, index) => runLane(options, index, isOver));
  const restarting = restartEndpoints(options, isOver);
  const sampling = sample(options, isOver);
  await Promise.all([...lanes, restarting]);
  return sampling;
}

async function runLane(options: SoakOptions, lane: number, isOver: () => boolean): Promise<void> {
  const rng = seededRng(options.seed + lane * 0x9e3779b9);
  const client: SoakClientOptions = {
    port: options.port,
    mix: options.mix,
    ledger: options.ledger,
    rng,
    exchangeTimeoutMs: EXCHANGE_TIMEOUT_MS,
    stallMs: options.stallMs,
  };
  let number = 0;
  const nextId = (): string => `${options.seed}-${lane}-${number++}`;
  while (!isOver()) {
    await runSoakClient(client, randomGroups(rng, options.mix, nextId));
    await rest(rng.below(MAX_LANE_REST_MS));
  }
}

/** What one connection does: requests one by one, and now and then some at once. */
function randomGroups(rng: Rng, mix: SoakMix, nextId: () => string): SoakScript[][] {
  return Array.from({ length: 1 + rng.below(MAX_GROUPS) }, () => {
    if (!mix.isFull || rng.below(6) !== 0) return [randomScript(nextId(), rng, mix)];
    return Array.from({ length: 2 + rng.below(MAX_PIPELINED - 1) }, () => pipelinedScript(nextId(), rng, mix));
  });
}

async function restartEndpoints(options: SoakOptions, isOver: () => boolean): Promise<void> {
  const rng = seededRng(options.seed ^ 0x5eed);
  for (let nextAt = Date.now() + options.restartEveryMs; ; nextAt = Date.now() + options.restartEveryMs) {
    while (Date.now() < nextAt && !isOver()) await rest(50);
    if (isOver()) return;
    const endpoint = options.endpoints[rng.below(options.endpoints.length)] as SoakEndpoint; // below() stays below the length
    await endpoint.stop(rng.below(2) === 0);
    await rest(rng.below(MAX_DOWN_MS));
    await endpoint.startAgain();
  }
}

async function sample(options: SoakOptions, isOver: () => boolean): Promise<MemorySamples> {
  const samples: number[] = [];
  const startedAt = Date.now();
  let toldAt = startedAt;
  while (!isOver()) {
    await rest(SAMPLE_EVERY_MS);
    samples.push(memoryBytes(options.pid));
    if (Date.now() - toldAt < (options.progressEveryMs ?? Number.POSITIVE_INFINITY)) continue;
    toldAt = Date.now();
    options.tell?.(progressLine(options, Math.round((toldAt - startedAt) / 1000), samples.at(-1) ?? 0));
  }
  return samples;
}

function progressLine({ ledger, pid }: SoakOptions, seconds: number, rssBytes: number): string {
  const outcomes = Object.entries(ledger.outcomes).map(([name, count]) => `${name} ${count}`);
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  return `${seconds} s: ${ledger.exchanges} exchanges (${outcomes.join(', ')}), up ${mib(ledger.sentBytes)} MiB, down ${mib(
    ledger.receivedBytes,
  )} MiB, ${ledger.restarts} restarts, ${ledger.faultCount} faults, RSS ${mib(rssBytes)} MiB, ${openSockets(pid)} sockets`;
}
