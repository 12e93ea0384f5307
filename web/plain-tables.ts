/** The tables of workers, listeners and routes. */
import type { LiveListener, LiveRoute, LiveWorker } from '../src/observability/live-figures.js';
import { bytesText, countText, latencyText, percentText, rateText } from './format.js';
import { KeyedTable } from './keyed-table.js';
import { barColumn, errorColumn, figureColumn, textColumn } from './table-columns.js';

/** A worker with the most connections that one of all has: the whole width of a bar. */
interface WorkerRow {
  readonly worker: LiveWorker;
  readonly mostConnections: number;
}

/** Shares of a worker's time from which on it is nearly, or wholly, used up. */
const BUSY_SHARE = 0.8;
const FULL_SHARE = 0.95;

/** Connections and load of each worker. */
export function workerTable(): { readonly element: HTMLElement; show(workers: readonly LiveWorker[]): void } {
  const table = new KeyedTable<WorkerRow>({
    caption: 'Workers',
    keyOf: ({ worker }) => String(worker.index),
    columns: [
      textColumn('Worker', ({ worker }) => `Worker ${worker.index}`, { isRowHead: true }),
      textColumn('State', ({ worker }) => worker.state),
      barColumn('Connections', ({ worker, mostConnections }) => ({
        part: mostConnections === 0 ? 0 : worker.openConnections / mostConnections,
        text: countText(worker.openConnections),
        mark: null,
        tone: 'good',
      })),
      figureColumn('Requests open', ({ worker }) => countText(worker.openExchanges)),
      figureColumn('Sessions open', ({ worker }) => countText(worker.openSessions)),
      figureColumn('To endpoints', ({ worker }) => countText(worker.upstreamConnections)),
      barColumn('Busy', ({ worker: { busyShare } }) => ({
        part: busyShare,
        text: percentText(busyShare),
        mark: null,
        tone: busyShare >= FULL_SHARE ? 'bad' : busyShare >= BUSY_SHARE ? 'warn' : 'good',
      })),
      figureColumn('Restarts', ({ worker }) => countText(worker.restarts)),
    ],
  });
  return {
    element: table.element,
    show: (workers) => {
      const mostConnections = workers.reduce((most, { openConnections }) => Math.max(most, openConnections), 0);
      table.show(workers.map((worker) => ({ worker, mostConnections })));
    },
  };
}

/** Addresses that sluice accepts on, with their traffic. */
export function listenerTable(): KeyedTable<LiveListener> {
  return new KeyedTable<LiveListener>({
    caption: 'Listeners',
    keyOf: ({ name }) => name,
    columns: [
      textColumn('Listener', ({ name }) => name, { isRowHead: true }),
      textColumn('Address', ({ address }) => address),
      textColumn('Mode', ({ mode, kind }) => `${mode}, ${kind}`),
      figureColumn('Per second', ({ perSecond }) => rateText(perSecond)),
      errorColumn(),
      figureColumn('p50', ({ latencyMs }) => latencyText(latencyMs?.p50)),
      figureColumn('p95', ({ latencyMs }) => latencyText(latencyMs?.p95)),
      figureColumn('p99', ({ latencyMs }) => latencyText(latencyMs?.p99)),
      figureColumn('From clients', ({ bytesInPerSecond }) => `${bytesText(bytesInPerSecond)}/s`),
      figureColumn('To clients', ({ bytesOutPerSecond }) => `${bytesText(bytesOutPerSecond)}/s`),
    ],
  });
}

/** Routes with their traffic. */
export function routeTable(): KeyedTable<LiveRoute> {
  return new KeyedTable<LiveRoute>({
    caption: 'Routes',
    keyOf: ({ listener, host, path }) => JSON.stringify([listener, host, path]),
    columns: [
      textColumn('Route', ({ host, path }) => `${host === '*' ? '' : host}${path}` || 'everything', {
        isRowHead: true,
      }),
      textColumn('Listener', ({ listener }) => listener),
      textColumn('To', ({ upstreams }) => upstreams.join(', ')),
      figureColumn('Per second', ({ perSecond }) => rateText(perSecond)),
      errorColumn(),
      figureColumn('p50', ({ latencyMs }) => latencyText(latencyMs?.p50)),
      figureColumn('p95', ({ latencyMs }) => latencyText(latencyMs?.p95)),
      figureColumn('p99', ({ latencyMs }) => latencyText(latencyMs?.p99)),
    ],
  });
}
