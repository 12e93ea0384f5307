/** What the admin API shows and does: the views it answers with, and the source that it asks for them. */

import type { Config } from '../../config/schema/config.js';
import type { ErrorCode } from '../../core/error-catalog.js';
import type { LiveFigures, TimelineEntry } from '../../observability/live-figures.js';
import type { ExplainRequest, Explanation } from '../../worker/explaining.js';
import type { EndpointChange } from '../endpoint-operator.js';
import type { ReloadResult } from '../reload-result.js';
import type { CertificateView } from './certificate-view.js';
import type { EndpointView } from './endpoint-view.js';

/**
 * Where the proxy is, as far as the API tells. `starting`: no worker serves, or not all have served yet; `degraded`: some
 * are being restarted, the others serve.
 */
export type Readiness = 'starting' | 'ready' | 'degraded' | 'draining';

/** GET /api/v1/status. */
export interface StatusView {
  readonly version: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly epoch: number;
  readonly readiness: Readiness;
  readonly listeners: readonly ListenerView[];
  readonly workers: readonly {
    readonly index: number;
    readonly state: string;
    readonly restarts: number;
    readonly openConnections: number;
    readonly openExchanges: number;
    readonly openSessions: number;
    readonly upstreamConnections: number;
    /** Part of its time that the worker's loop was busy in the last second, 0..1. */
    readonly busyShare: number;
    /** Since the start of the process, over all threads that this worker had. */
    readonly requests: number;
    readonly sessions: number;
  }[];
  /** `attempts` and `failures` are those on endpoints; a request or a session may have several attempts, or none. */
  readonly totals: {
    readonly openConnections: number;
    readonly openExchanges: number;
    readonly openSessions: number;
    readonly requests: number;
    readonly sessions: number;
    /** Relayed in sessions, those that are open included. */
    readonly bytesFromClients: number;
    readonly bytesToClients: number;
    readonly attempts: number;
    readonly failures: number;
    /** Attempts after the first one of their exchange or session, hedges among them. */
    readonly retries: number;
    readonly hedges: number;
    /** Retries and hedges that the budgets of upstreams did not allow. */
    readonly retriesRefused: number;
  };
  /** Exchanges and sessions that ended with each error code since the start; codes that never occurred are absent. */
  readonly failuresByCode: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** One listener in GET /api/v1/status, with its real port. */
export type ListenerView = {
  readonly name: string;
} & ({ readonly mode: 'l7'; readonly frontend: string } | { readonly mode: 'l4'; readonly relay: string }) &
  ({ readonly host: string; readonly port: number } | { readonly path: string });

/** One row of GET /api/v1/upstreams. */
export interface UpstreamView {
  readonly name: string;
  readonly balance: string;
  readonly healthCheck: string | null;
  readonly endpoints: number;
  readonly eligibleEndpoints: number;
  /** Left alone for what they did to traffic; those on trial are not among them. */
  readonly ejectedEndpoints: number;
  /** Ejections, and those that were not made because too many endpoints would have been out; since the start, over all endpoints. */
  readonly ejections: number;
  readonly suppressedEjections: number;
  /** Endpoints whose breaker is open or half-open. */
  readonly brokenEndpoints: number;
  /** Is health ignored now, and how often did it come to that? As the primary sees it once a second. */
  readonly panicking: boolean;
  readonly panics: number;
  /** Requests and sessions that wait for a place now, of at most so many; null: none can wait. */
  readonly waiting: number | null;
  readonly queueLength: number | null;
  /** Attempts on its endpoints that were not the first of their exchange or session. */
  readonly retries: number;
}

/** The figures of each second. */
export interface LiveFeed {
  /** As of now. */
  now(): LiveFigures;
  /** Calls back with each second's figures. @returns what ends that; idempotent */
  onFigures(listener: (figures: LiveFigures) => void): () => void;
}

/** What has happened lately. */
export interface TimelineFeed {
  /** Id of the latest entry since the start of the process; 0: there was none. */
  readonly latestId: number;
  /** Those kept that have a higher id, the oldest first; absent: all that are kept. */
  entries(sinceId?: number): readonly TimelineEntry[];
  /** Calls back with each new entry. @returns what ends that; idempotent */
  onEntry(listener: (entry: TimelineEntry) => void): () => void;
}

/** An exposition of /metrics. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** A configuration that counts now: the answer of POST /api/v1/reload, and the data of each `reloaded` event. */
export type ReloadReport = Omit<Extract<ReloadResult, { readonly ok: true }>, 'ok'>;

/** What the API reads and does; each call looks anew. Thread: primary. */
export interface AdminSource {
  readiness(): Readiness;
  status(): StatusView;
  upstreams(): readonly UpstreamView[];
  /** undefined: no upstream of this name. */
  endpoints(upstreamName: string): readonly EndpointView[] | undefined;
  /** undefined: no such upstream, or no such endpoint in it. */
  endpoint(upstreamName: string, endpointName: string): EndpointView | undefined;
  /**
   * Changes an endpoint that endpoint() knows.
   *
   * @returns false where the change has a time for a drain, and there is no drain
   */
  change(upstreamName: string, endpointName: string, change: EndpointChange): boolean;
  readonly live: LiveFeed;
  readonly timeline: TimelineFeed;
  /** @param accept the Accept field of who asks; '' without */
  metrics(accept: string): Promise<MetricsText>;
  /** Reads the configuration again. Waits until every worker goes by it, or it was refused. */
  reload(): Promise<ReloadResult>;
  /** Calls back after each reload that changed something, whoever asked for it. @returns what ends that; idempotent */
  onReloaded(listener: (report: ReloadReport) => void): () => void;
  /** The configuration that counts, secrets included. */
  config(): Config;
  /** Those that are in use, those of listeners first. */
  certificates(): readonly CertificateView[];
  /** null: no l7 listener that fits; undefined: no worker serves now, or it did not answer in time. */
  explain(request: ExplainRequest): Promise<Explanation | null | undefined>;
}
