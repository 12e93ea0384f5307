/** Series of HTTP/2 with clients in GET /metrics. */
import type { Board } from '../../board/board.js';
import type { ListenerPlan, Plan } from '../../config/plan.js';
import { HTTP2_FLOODS } from '../../core/http2-floods.js';
import { type Exposition, joinLabels, labelText, NO_LABELS } from '../../observability/exposition.js';

const FLOODS = HTTP2_FLOODS.map((flood) => [flood, labelText(['kind', flood])] as const);

/** Thread: primary. */
export function writeHttp2(into: Exposition, plan: Plan, board: Pick<Board, 'figures' | 'totals'>): void {
  into.family('sluice_http2_connections');
  into.sample(NO_LABELS, board.totals().http2Connections);
  const rows = plan.listeners.filter(mayHaveStreams).map(({ name, number }) => {
    return { labels: labelText(['listener', name]), http2: board.figures.http2(number) };
  });
  if (rows.length === 0) return;
  into.family('sluice_http2_streams_total');
  for (const { labels, http2 } of rows) into.sample(labels, http2.streams);
  into.family('sluice_http2_refused_streams_total');
  for (const { labels, http2 } of rows) into.sample(labels, http2.refusedStreams);
  into.family('sluice_http2_errors_total');
  for (const { labels, http2 } of rows) into.sample(labels, http2.errors);
  into.family('sluice_http2_floods_total');
  for (const { labels, http2 } of rows)
    for (const [flood, label] of FLOODS) into.sample(joinLabels(labels, label), http2.floods[flood]);
}

function mayHaveStreams(listener: ListenerPlan): boolean {
  if (listener.mode === 'l4' || listener.frontend !== 'native') return false;
  return listener.http2.isClearText || listener.tls?.alpn.includes('h2') === true;
}
