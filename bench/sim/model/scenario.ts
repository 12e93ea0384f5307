/** Plays one scenario: requests arrive, are steered, served or not, tried again, and written down. */
import type { PickingPlan } from '../../../src/config/picking-plan.js';
import { seededRng } from '../../../src/core/rng.js';
import type { Arrivals } from './arrivals.js';
import { Clockwork } from './clockwork.js';
import type { Sampler } from './distributions.js';
import { type EndpointSetting, Fleet } from './fleet.js';
import { FAILED, type Observer, Recording, SERVED, TURNED_AWAY } from './recording.js';
import { REFUSED, type SimulatedRequest, type Steering } from './request.js';
import { type AttemptEnds, type EndpointModel, SimulatedEndpoint } from './simulated-endpoint.js';

/** What arrives, apart from when. */
export interface RequestModel {
  /** ms that an endpoint of speed 1 is busy with it. */
  readonly work: Sampler;
  /** Number of the key, as from zipf(); absent: every request has another key. */
  readonly key?: Sampler;
  /** Class of requests of about the same cost; absent: all are of one. */
  readonly routeClass?: Sampler;
  /** Work of the classes, by their number; absent: all do `work`. */
  readonly workOfClass?: readonly Sampler[];
  readonly bodyBytes?: (routeClass: number) => number;
}

/** One endpoint: how it is configured and how it behaves. */
export interface ScenarioEndpoint extends EndpointSetting {
  readonly model: EndpointModel;
}

/** Something that happens at a moment of simulated time. */
export interface Happening {
  readonly atMs: number;
  readonly act: (play: Play) => void;
}

/** A scenario without its balancer. */
export interface Scenario {
  readonly endpoints: readonly ScenarioEndpoint[];
  readonly arrivals: Arrivals;
  readonly requests: RequestModel;
  readonly durationMs: number;
  /** Workers of the proxy; each request comes to a random one. Default 4. */
  readonly workers?: number;
  readonly isApart?: boolean;
  /** The proxy gives up an attempt after this. Default: never. */
  readonly timeoutMs?: number;
  /** Attempts of one request where an endpoint refused the connection. Default 3. */
  readonly connectAttempts?: number;
  readonly happenings?: readonly Happening[];
  readonly seed: number;
}

/** What happenings may reach. */
export interface Play {
  readonly fleet: Fleet | null;
  readonly endpoints: readonly SimulatedEndpoint[];
  readonly nowMs: number;
}

const DEFAULT_WORKERS = 4;
const DEFAULT_CONNECT_ATTEMPTS = 3;
/** Streams of random numbers that do not depend on each other: another balancer meets exactly the same requests. */
const STREAM = { arrivals: 11, work: 23, key: 37, worker: 41, classes: 53 } as const;
const SEED_STEP = 7_919;
/** Odd: 2^32 divided by the golden ratio, to spread the numbers of keys over all hashes. */
const GOLDEN = 0x9e37_79b1;

/** Plays it with the real balancer of that name. */
export function playWith(scenario: Scenario, picking: Partial<PickingPlan>): Recording {
  const recording = new Recording();
  const fleet = fleetFor(scenario, picking);
  play(scenario, fleet, recording, fleet);
  return recording;
}

/** The real balancers, set up for a scenario. */
export function fleetFor(scenario: Scenario, picking: Partial<PickingPlan>): Fleet {
  return new Fleet({
    endpoints: scenario.endpoints,
    picking,
    workers: scenario.workers ?? DEFAULT_WORKERS,
    isApart: scenario.isApart ?? false,
    seed: scenario.seed,
  });
}

/** Plays it with whatever steers. @param fleet what happenings act on; null: they need none */
export function play(scenario: Scenario, steering: Steering, observer: Observer, fleet: Fleet | null = null): void {
  const clockwork = new Clockwork();
  const connectAttempts = scenario.connectAttempts ?? DEFAULT_CONNECT_ATTEMPTS;
  const ends: AttemptEnds = {
    answered(request, status, retryAfterMs) {
      steering.answered(request, status, clockwork.nowMs - request.attemptedMs, clockwork.nowMs, retryAfterMs);
      end(request, status < 400 ? SERVED : FAILED);
    },
    failed(request, kind) {
      steering.failed(request, kind, clockwork.nowMs - request.attemptedMs, clockwork.nowMs);
      if (kind === 'refused' && request.attempts < connectAttempts) attempt(request);
      else end(request, FAILED);
    },
  };
  const endpoints = scenario.endpoints.map(
    ({ model }) => new SimulatedEndpoint(model, clockwork, scenario.timeoutMs ?? Infinity, ends),
  );

  function attempt(request: SimulatedRequest): void {
    const before = request.endpoint;
    const endpoint = steering.pick(request, clockwork.nowMs);
    if (endpoint === REFUSED) {
      request.endpoint = before;
      end(request, request.attempts === 0 ? TURNED_AWAY : FAILED);
      return;
    }
    request.endpoint = endpoint;
    request.attempts += 1;
    request.attemptedMs = clockwork.nowMs;
    observer.attempt(clockwork.nowMs, endpoint, request.hash);
    endpoints[endpoint]!.accept(request);
  }

  function end(request: SimulatedRequest, ending: number): void {
    steering.ended(request, clockwork.nowMs);
    observer.end(request.arrivedMs, clockwork.nowMs, request.endpoint, ending, request.routeClass);
  }

  const scene: Play = {
    fleet,
    endpoints,
    get nowMs() {
      return clockwork.nowMs;
    },
  };
  for (const { atMs, act } of scenario.happenings ?? []) clockwork.after(atMs, () => act(scene));
  scheduleArrivals(scenario, clockwork, attempt);
  clockwork.run();
}

function scheduleArrivals(scenario: Scenario, clockwork: Clockwork, arrive: (request: SimulatedRequest) => void): void {
  const { arrivals, requests, durationMs, seed } = scenario;
  const streamOf = (stream: number) => seededRng(seed * SEED_STEP + stream);
  const arrivalRng = streamOf(STREAM.arrivals);
  const workRng = streamOf(STREAM.work);
  const keyRng = streamOf(STREAM.key);
  const workerRng = streamOf(STREAM.worker);
  const classRng = streamOf(STREAM.classes);
  const workers = scenario.workers ?? DEFAULT_WORKERS;
  let number = 0;
  const next = (): void => {
    const gapMs = arrivals(arrivalRng, clockwork.nowMs);
    if (clockwork.nowMs + gapMs >= durationMs) return;
    clockwork.after(gapMs, () => {
      const routeClass = requests.routeClass?.(classRng) ?? 0;
      const work = requests.workOfClass?.[routeClass] ?? requests.work;
      const key = requests.key?.(keyRng);
      arrive({
        number: number++,
        arrivedMs: clockwork.nowMs,
        work: work(workRng),
        worker: workerRng.below(workers),
        hash: key === undefined ? hashBits(keyRng.nextBits()) : hashBits(key),
        hashHigh: key === undefined ? hashBits(keyRng.nextBits()) : hashBits(key ^ GOLDEN),
        routeClass,
        bodyBytes: requests.bodyBytes?.(routeClass) ?? 0,
        handle: -1,
        endpoint: REFUSED,
        attemptedMs: 0,
        attempts: 0,
      });
      next();
    });
  };
  next();
}

/** 32 well-mixed bits of a number: MurmurHash3's finalizer. @returns unsigned */
export function hashBits(number: number): number {
  let bits = number ^ GOLDEN;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
