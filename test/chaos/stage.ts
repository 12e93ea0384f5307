/** The stage of chaos scenarios: a proxy, three endpoints and a load, each a process, on which one scenario after the other is played. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FrontEndName } from '../../src/config/plan.js';
import { type Rng, seededRng } from '../../src/core/rng.js';
import { openSockets } from '../harness/process-facts.js';
import { statusFacts, untilIdle } from '../harness/proxy-counts.js';
import { badLines, type ProxyProcess, startProxy } from '../harness/proxy-process.js';
import { until } from '../harness/wire.js';
import { DIES_WITH_PARENT } from './child-process.js';
import { EndpointProcess } from './endpoint-process.js';
import { attemptsAtMost, type Finding, loadHeld, noFailedIdempotent, none, noWrongAnswer, postsOnce } from './judge.js';
import { Network } from './network.js';
import { type LoadResult, RequestLoad } from './request-load.js';
import type { Mark, Scenario, Scene, SceneOutcome } from './scenario.js';
import { ShareHistory } from './share-history.js';
import { SESSION_LISTENER, stageConfig } from './stage-config.js';

export interface StageOptions {
  readonly frontend: FrontEndName;
  /** The same seed makes the same load, and draws the same faults at the same times. */
  readonly seed: number;
  /** Endpoints in network namespaces (needs root), else on addresses of the loopback interface. */
  readonly isOfNetwork: boolean;
  /** Faults last so many times as long as scenarios say; above 1 their times and details are drawn. */
  readonly pace: number;
}

/** What came of one scenario. */
export interface SceneReport {
  readonly scenario: string;
  readonly title: string;
  readonly frontend: FrontEndName;
  readonly index: number;
  readonly findings: readonly Finding[];
  /** What was done when, in ms since the load began. */
  readonly marks: readonly { readonly name: string; readonly atMs: number }[];
  readonly load: Pick<LoadResult, 'sent' | 'durationMs' | 'pausedMs' | 'outcomes' | 'mostLateMs' | 'mostConnections'>;
  readonly attempts: number;
  readonly executions: number;
}

const ENDPOINTS = 3;
/** What the issue wants at least, and a little more. */
const PER_SECOND = 2_300;
export const LEAST_PER_SECOND = 2_000;
/** A client gives up after this. Nothing that the proxy promises takes longer. */
const PATIENCE_MS = 8_000;
/** Long enough for what is still being ended, on a busy machine. */
const QUIET_MS = 10_000;
const MOST_ATTEMPTS = 1.2;
const WARM_UP_MS = 400;
/** Drawn times are 0.7 to 1.3 times as long. */
const LEAST_FACTOR = 0.7;
const FACTORS = 600;
/** Random ports of outgoing connections begin above, on every Linux. */
const HIGHEST_PORT = 32_000;

/** Always `close` it. */
export class Stage {
  #nextId = 1;
  #baselineSockets = 0;

  private constructor(
    private readonly options: StageOptions,
    private readonly directory: string,
    readonly network: Network | null,
    readonly endpoints: readonly EndpointProcess[],
    readonly proxy: ProxyProcess,
    /** Of the listener of mode l4. */
    private readonly sessionPort: number,
    private readonly load: RequestLoad,
  ) {}

  static async open(options: StageOptions): Promise<Stage> {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-chaos-'));
    const started: { close(): Promise<void> }[] = [];
    const kept = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
      const one = await starting;
      started.push(one);
      return one;
    };
    try {
      const network = options.isOfNetwork ? await kept(Network.create(ENDPOINTS)) : null;
      const hosts = await hostsFor(network);
      const endpoints = await Promise.all(
        hosts.map(({ host, port }, index) => {
          const name = `e${index}`;
          const wrap = network?.wrapOf(index) ?? [];
          const journal = join(directory, `${name}.journal`);
          return kept(EndpointProcess.start({ name, host, port, journal, seed: options.seed + index, wrap }));
        }),
      );
      const load = await kept(RequestLoad.launch());
      const config = stageConfig(
        options.frontend,
        endpoints.map(({ address }) => address),
      );
      const proxy = await startProxy(config, { wrap: [...DIES_WITH_PARENT] });
      started.push({ close: async () => void (await proxy.stop()) });
      const sessions = await proxy.lineWhere(
        (line) => line.event === 'listening' && line['listener'] === SESSION_LISTENER,
      );
      const stage = new Stage(options, directory, network, endpoints, proxy, Number(sessions['port']), load);
      await stage.#warmUp();
      return stage;
    } catch (error) {
      for (const one of started.reverse()) await one.close();
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** @returns its findings; what could not even be played is one of them */
  async play(scenario: Scenario, index: number): Promise<SceneReport> {
    const rng = seededRng(this.options.seed * 1_000_003 + index);
    for (const endpoint of this.endpoints) endpoint.forget();
    const before = (await statusFacts(this.proxy)).totals;
    const logged = this.proxy.log.length;
    const marks: Mark[] = [];
    const notes: Finding[] = [];
    const firstId = this.#nextId;
    const history = new ShareHistory(this.proxy, scenario.upstream);
    await this.load.start(this.#loadOptions(firstId, scenario.upstream));
    const scene = this.#scene(scenario, rng, history, marks, notes);
    try {
      await scenario.act(scene);
    } catch (error) {
      notes.push(none('what could not be done', [error instanceof Error ? error.message : String(error)]));
    }
    await this.#recover(notes);
    const load = await this.load.stop();
    await history.close();
    this.#nextId += load.sent;
    notes.push(await this.#quiet(scenario.upstream));
    const after = (await statusFacts(this.proxy)).totals;
    const executionsOf = new Map(this.endpoints.map((endpoint) => [endpoint.name, endpoint.executions()]));
    const executions = [...executionsOf.values()].flat();
    const attempts = after.attempts - before.attempts;
    const mark = (name: string): Mark => {
      const found = marks.find((one) => one.name === name);
      if (found === undefined) throw new Error(`nothing was marked as ${name}`);
      return found;
    };
    const outcome: SceneOutcome = { load, endpoints: this.endpoints, executionsOf, history, marks, mark };
    const mostAttempts = scenario.mostAttempts ?? MOST_ATTEMPTS;
    const findings = [
      ...(scenario.sparesIdempotent === false ? [] : [noFailedIdempotent(load)]),
      postsOnce(load, executions),
      noWrongAnswer(load),
      ...attemptsAtMost(mostAttempts, load, attempts, executions),
      ...judged(scenario, outcome),
      ...notes,
      none(
        'errors and crashes in the log of the proxy',
        badLines(this.proxy.log.slice(logged)).map((line) => JSON.stringify(line)),
      ),
      loadHeld(load, LEAST_PER_SECOND),
    ];
    return {
      scenario: scenario.name,
      title: scenario.title,
      frontend: this.options.frontend,
      index,
      findings,
      marks: marks.map(({ name, atMs, endpoint }) => ({
        name: endpoint === undefined ? name : `${name} ${endpoint.name}`,
        atMs: Math.round(atMs - load.startedAtMs),
      })),
      load,
      attempts,
      executions: executions.length,
    };
  }

  /** @throws Error when the proxy does not end as it should; all is closed by then */
  async close(): Promise<void> {
    await this.load.close();
    const code = await this.proxy.stop();
    for (const endpoint of this.endpoints) await endpoint.close();
    await this.network?.close();
    rmSync(this.directory, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the proxy ended with ${code}, not 0`);
  }

  #scene(scenario: Scenario, rng: Rng, history: ShareHistory, marks: Mark[], notes: Finding[]): Scene {
    const { endpoints, proxy, network } = this;
    const { pace } = this.options;
    const isShort = pace <= 1;
    const passExactly = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    return {
      proxy,
      endpoints,
      network,
      rng,
      history,
      isShort,
      upstream: scenario.upstream,
      passExactly,
      pass: (ms) => passExactly(ms * pace * (isShort ? 1 : LEAST_FACTOR + rng.below(FACTORS) / 1_000)),
      mark: (name, endpoint) => void marks.push({ name, atMs: Date.now(), endpoint }),
      draw: () => endpoints[rng.below(endpoints.length)] as EndpointProcess, // below() stays below the length
      setState: (endpoint, state) => setState(proxy, scenario.upstream, endpoint.address, state),
      until: (what, fact, timeoutMs = QUIET_MS) => until(what, fact, timeoutMs),
      note: (finding) => void notes.push(finding),
    };
  }

  #loadOptions(firstId: number, upstream: string): Parameters<RequestLoad['start']>[0] {
    return {
      port: upstream === 'sessions' ? this.sessionPort : this.proxy.port,
      host: '127.0.0.1',
      perSecond: PER_SECOND,
      seed: this.options.seed,
      firstId,
      prefix: `/${upstream}/`,
      patienceMs: PATIENCE_MS,
    };
  }

  /** What any load leaves in heaps and tables is there before the first scenario. */
  async #warmUp(): Promise<void> {
    for (const upstream of ['even', 'fast']) {
      await this.load.start(this.#loadOptions(this.#nextId, upstream));
      await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS / 2));
      this.#nextId += (await this.load.stop()).sent;
    }
    await untilIdle(this.proxy, QUIET_MS, 'fast');
    await until(
      'no connection to an endpoint in any worker',
      async () => (await statusFacts(this.proxy)).workers.every(({ upstreamConnections }) => upstreamConnections === 0),
      QUIET_MS,
    );
    this.#baselineSockets = openSockets(this.proxy.child.pid as number);
  }

  async #recover(notes: Finding[]): Promise<void> {
    for (const [index, endpoint] of this.endpoints.entries()) {
      try {
        await this.network?.heal(index);
        await endpoint.recover();
      } catch (error) {
        notes.push(none(`what keeps ${endpoint.name} from recovering`, [String(error)]));
      }
    }
  }

  /** Nothing is left behind: exchanges, places in flight and in the queue, connections to endpoints, descriptors. */
  async #quiet(upstream: string): Promise<Finding> {
    const pid = this.proxy.child.pid as number;
    try {
      await untilIdle(this.proxy, QUIET_MS, upstream);
      // Connections to endpoints are among them: workers tell theirs only once a second.
      await until('sockets as before', () => openSockets(pid) <= this.#baselineSockets, QUIET_MS).catch(() => {
        throw new Error(`${openSockets(pid)} sockets of the proxy are open, ${this.#baselineSockets} before`);
      });
      return none('what is left open in the proxy', []);
    } catch (error) {
      return none('what is left open in the proxy', [error instanceof Error ? error.message : String(error)]);
    }
  }
}

function judged(scenario: Scenario, outcome: SceneOutcome): readonly Finding[] {
  try {
    return scenario.judge?.(outcome) ?? [];
  } catch (error) {
    return [none('what could not be judged', [error instanceof Error ? error.message : String(error)])];
  }
}

/** @throws Error with the admin API's own words when it refuses */
async function setState(proxy: ProxyProcess, upstream: string, address: string, state: string): Promise<void> {
  const path = `/api/v1/upstreams/${upstream}/endpoints/${encodeURIComponent(address)}`;
  const response = await fetch(`http://127.0.0.1:${proxy.adminPort}${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ state }),
  });
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
}

/**
 * An address for each endpoint. On loopback they are of a net of this run's own, and ports are below those of outgoing connections: while
 * an endpoint is away, nobody else takes its address.
 */
async function hostsFor(network: Network | null): Promise<{ host: string; port: number }[]> {
  const net = `127.${1 + (process.pid % 250)}.${Math.floor(process.pid / 250) % 250}`;
  for (let port = HIGHEST_PORT - (process.pid % 10_000); ; port--) {
    const hosts = Array.from({ length: ENDPOINTS }, (_, index) => network?.hostOf(index) ?? `${net}.${index + 1}`);
    if (network !== null || (await Promise.all(hosts.map((host) => isFree(host, port)))).every(Boolean))
      return hosts.map((host) => ({ host, port }));
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(false))
      .listen(port, host, () => probe.close(() => resolve(true)));
  });
}
