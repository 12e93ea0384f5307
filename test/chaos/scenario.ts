/** What a chaos scenario is, and what it may do: the language in which scenarios are written. */
import type { Rng } from '../../src/core/rng.js';
import type { ProxyProcess } from '../harness/proxy-process.js';
import type { EndpointProcess, Execution } from './endpoint-process.js';
import type { Finding } from './judge.js';
import type { Network } from './network.js';
import type { LoadResult } from './request-load.js';
import type { ShareHistory } from './share-history.js';

/** Upstreams of the proxy, all of the same three endpoints; see stage-config.ts. */
export type StageUpstream =
  | 'even'
  | 'fast'
  | 'warming'
  | 'asking'
  | 'checked'
  | 'capped'
  | 'hedged'
  | 'breaking'
  /** Of the listener of mode l4. */
  | 'sessions';

/** A fault under load, and what must come of it. */
export interface Scenario {
  readonly name: string;
  /** What is done, in the words of a report. */
  readonly title: string;
  readonly upstream: StageUpstream;
  /** Played through both front ends also in short runs. */
  readonly isEssential?: boolean;
  /** Needs endpoints in network namespaces. */
  readonly isOfNetwork?: boolean;
  /** false: idempotent requests may fail here, e.g. where no endpoint is left. */
  readonly sparesIdempotent?: boolean;
  /** Most attempts for each request; without it 1.2. */
  readonly mostAttempts?: number;
  /** What is done while the load runs; endpoints are made good again after it. */
  act(scene: Scene): Promise<void>;
  /** What it promises beyond what all of them do. */
  judge?(outcome: SceneOutcome): readonly Finding[];
}

/** The scene while the load runs. */
export interface Scene {
  readonly proxy: ProxyProcess;
  readonly endpoints: readonly EndpointProcess[];
  /** null where endpoints are on the loopback interface. */
  readonly network: Network | null;
  readonly rng: Rng;
  readonly upstream: StageUpstream;
  readonly history: ShareHistory;
  /** Nothing is drawn that could make the scenario longer. */
  readonly isShort: boolean;
  /** Lets the load run on for so long, times the pace, and a drawn factor in long runs. */
  pass(ms: number): Promise<void>;
  /** The same without pace and draw: what is timed must last so long. */
  passExactly(ms: number): Promise<void>;
  /** Remembers when something was done, for the judge and the report. */
  mark(name: string, endpoint?: EndpointProcess): void;
  /** One endpoint, drawn. */
  draw(): EndpointProcess;
  /** PUT of the admin API. @param state draining, enabled or disabled */
  setState(endpoint: EndpointProcess, state: string): Promise<void>;
  /** Waits for a fact with a deadline, while the load runs. */
  until(what: string, fact: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>;
  /** A promise about what was seen on the way. */
  note(finding: Finding): void;
}

/** Something that was done. */
export interface Mark {
  readonly name: string;
  /** Unix time in ms. */
  readonly atMs: number;
  readonly endpoint: EndpointProcess | undefined;
}

/** What there is to judge when the load has ended and all is quiet. */
export interface SceneOutcome {
  readonly load: LoadResult;
  readonly endpoints: readonly EndpointProcess[];
  readonly executionsOf: ReadonlyMap<string, readonly Execution[]>;
  readonly history: ShareHistory;
  readonly marks: readonly Mark[];
  /** @throws Error where there is no such mark */
  mark(name: string): Mark;
}
