/** What the admin API is asked of, for tests of the API alone: a source with fixed views, and feeds that the test sets going. */
import { type AdminApi, type AdminApiOptions, startAdminApi } from '../../src/control/admin/admin-api.js';
import type { AdminSource, ReloadReport, StatusView } from '../../src/control/admin/admin-source.js';
import type { EndpointView } from '../../src/control/admin/endpoint-view.js';
import type { ReloadResult } from '../../src/control/reload-result.js';
import { systemTimers } from '../../src/core/timers.js';
import type { LiveFigures, TimelineEntry } from '../../src/observability/live-figures.js';

const NO_RATES = { perSecond: 0, errorShare: null, bytesInPerSecond: 0, bytesOutPerSecond: 0, latencyMs: null };

/** A proxy that does nothing. */
export const QUIET_FIGURES: LiveFigures = {
  version: '0.1.0',
  at: 1_000,
  uptimeMs: 5,
  windowMs: 10_000,
  epoch: 1,
  readiness: 'ready',
  totals: { ...NO_RATES, openConnections: 0, openExchanges: 0, openSessions: 0 },
  listeners: [],
  routes: [],
  upstreams: [],
  workers: [],
};

export const QUIET_STATUS: StatusView = {
  version: '0.1.0',
  pid: 1,
  uptimeMs: 5,
  epoch: 1,
  readiness: 'ready',
  listeners: [],
  workers: [],
  totals: {
    openConnections: 0,
    openExchanges: 0,
    openSessions: 0,
    requests: 0,
    sessions: 0,
    bytesFromClients: 0,
    bytesToClients: 0,
    attempts: 0,
    failures: 0,
    retries: 0,
    hedges: 0,
    retriesRefused: 0,
  },
  failuresByCode: {},
};

/** An entry of the timeline. */
export function entryOf(id: number, text = 'a worker serves again'): TimelineEntry {
  return {
    id,
    at: 1_000 + id,
    level: 'info',
    event: 'worker-serving',
    text,
    code: null,
    upstream: null,
    endpoint: null,
    count: 1,
  };
}

const NOTHING = { added: 0, changed: 0, removed: 0 };

/** What a reload comes to that finds the configuration as it was. */
export const UNCHANGED: ReloadReport = {
  isUnchanged: true,
  epoch: 1,
  listeners: NOTHING,
  upstreams: NOTHING,
  endpoints: NOTHING,
  needsRestart: [],
  warnings: [],
};

/** Who listens to a feed. */
class Feed<T> {
  readonly listeners = new Set<(item: T) => void>();

  readonly on = (listener: (item: T) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly tell = (item: T): void => {
    for (const listener of this.listeners) listener(item);
  };
}

/** A source whose views are fixed: an upstream "a b" with the endpoints h:1 and unix:/s. */
export class SourceDouble implements AdminSource {
  /** Changes that were asked for. */
  readonly changes: unknown[] = [];
  readonly entries: TimelineEntry[] = [];
  readonly figures = new Feed<LiveFigures>();
  readonly happened = new Feed<TimelineEntry>();
  readonly reloads = new Feed<ReloadReport>();
  isReadiness: ReturnType<AdminSource['readiness']> = 'ready';
  result: ReloadResult = { ok: true, ...UNCHANGED };
  explained: Awaited<ReturnType<AdminSource['explain']>> = undefined;

  readonly live: AdminSource['live'] = { now: () => QUIET_FIGURES, onFigures: this.figures.on };
  readonly timeline: AdminSource['timeline'];

  constructor() {
    const { entries, happened } = this;
    this.timeline = {
      get latestId() {
        return entries.at(-1)?.id ?? 0;
      },
      entries: (sinceId = 0) => entries.filter(({ id }) => id > sinceId),
      onEntry: happened.on,
    };
  }

  /** Something has happened. */
  happen(entry: TimelineEntry): void {
    this.entries.push(entry);
    this.happened.tell(entry);
  }

  readiness = () => this.isReadiness;
  status = () => ({ ...QUIET_STATUS, readiness: this.isReadiness });
  upstreams = () => [];
  endpoints = (name: string) => (name === 'a b' ? [] : undefined);
  endpoint = (upstream: string, name: string) =>
    upstream === 'a b' && (name === 'h:1' || name === 'unix:/s') ? ({ address: name } as EndpointView) : undefined;
  change: AdminSource['change'] = (...change) => {
    this.changes.push(change);
    return change[2].weight !== 9;
  };
  metrics: AdminSource['metrics'] = async (accept) => ({ contentType: 'text/plain', text: `accept ${accept}\n` });
  reload = async () => this.result;
  onReloaded = this.reloads.on;
  config = (): never => {
    throw new Error('not asked for here');
  };
  certificates: AdminSource['certificates'] = () => [];
  explain: AdminSource['explain'] = async () => this.explained;
}

/** Starts an API on a free port of the loopback interface. Always `close` it. */
export function startTestApi(source: AdminSource, more: Partial<AdminApiOptions> = {}): Promise<AdminApi> {
  return startAdminApi({
    host: '127.0.0.1',
    port: 0,
    access: () => ({ token: null, hosts: [] }),
    source,
    page: () => null,
    timers: systemTimers,
    nowMs: () => performance.now(),
    ...more,
  });
}
