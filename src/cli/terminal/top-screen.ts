/** Draws `sluice top`: one screen of text from the figures of a second, the history of endpoints, and what the viewer chose. Pure. */
import type { LiveEndpoint, LiveFigures, LiveUpstream } from '../../observability/live-figures.js';
import { countText, durationText, msText, plainText, shareText } from './figures-text.js';
import { TAKES_WORK } from './status.js';
import { cut, padded, sparkline } from './text-table.js';
import { inOrder, type SortKey } from './top-order.js';

/** What the bars at the end of a row show. */
export type TrendKind = 'rps' | 'p99';

/** What the viewer chose. */
export interface TopView {
  readonly sort: SortKey;
  readonly isReversed: boolean;
  /** Name of the upstream that is shown alone; null: all. */
  readonly only: string | null;
  readonly isPaused: boolean;
  readonly trend: TrendKind;
  /** Lines of the table that have gone out at its top. */
  readonly scroll: number;
  readonly isHelping: boolean;
  /** Said in place of the keys, e.g. that nothing is heard; null: nothing. */
  readonly notice: string | null;
}

/** Values of the last seconds of one endpoint, oldest first; null: nothing was measured. */
export type Trends = (upstream: string, address: string, kind: TrendKind) => readonly (number | null)[];

/** Of the terminal. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** How a line, or a part of it, is painted. */
export interface ScreenPaint {
  readonly heading: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

interface ScreenColumn {
  readonly heading: string;
  /** What the heading is marked for. */
  readonly key: SortKey | null;
  readonly width: number;
  readonly isNumber: boolean;
  readonly cell: (endpoint: LiveEndpoint) => string;
}

const NUMBER_COLUMNS: readonly ScreenColumn[] = [
  { heading: 'WGT', key: 'weight', width: 5, isNumber: true, cell: ({ effectiveWeight }) => String(effectiveWeight) },
  { heading: 'REQ/S', key: 'rps', width: 6, isNumber: true, cell: ({ perSecond }) => countText(perSecond) },
  { heading: 'ERR', key: 'errors', width: 5, isNumber: true, cell: ({ errorShare }) => shareText(errorShare) },
  { heading: 'P50', key: 'p50', width: 4, isNumber: true, cell: ({ latencyMs }) => msText(latencyMs?.p50 ?? null) },
  { heading: 'P95', key: 'p95', width: 4, isNumber: true, cell: ({ latencyMs }) => msText(latencyMs?.p95 ?? null) },
  { heading: 'P99', key: 'p99', width: 4, isNumber: true, cell: ({ latencyMs }) => msText(latencyMs?.p99 ?? null) },
  { heading: 'OPEN', key: 'inflight', width: 5, isNumber: true, cell: ({ inFlight }) => countText(inFlight) },
  { heading: 'SHARE', key: 'share', width: 6, isNumber: true, cell: ({ share }) => shareText(share) },
];
const STATE: ScreenColumn = {
  heading: 'STATE',
  key: 'state',
  width: 9,
  isNumber: false,
  cell: ({ condition }) => (condition === 'warming-up' ? 'warming' : condition),
};

/** An address such as 127.0.0.1:19001, with a blank before it; then all columns fit in 80. */
const NAME_WIDTH = 16;
const LONGEST_NAME = 44;
const TREND_WIDTH = 6;
const LONGEST_TREND = 60;
/** Lines that are not of the table: three of the head, one of headings, one at the end. */
const FRAME_ROWS = 5;

/** Upstreams that are shown. */
export function shownUpstreams({ upstreams }: LiveFigures, { only }: Pick<TopView, 'only'>): readonly LiveUpstream[] {
  return only === null ? upstreams : upstreams.filter(({ name }) => name === only);
}

/** How far the table can be scrolled. */
export function mostScroll(figures: LiveFigures, view: TopView, { rows }: ScreenSize): number {
  const lines = shownUpstreams(figures, view).reduce((sum, { endpoints }) => sum + 1 + endpoints.length, 0);
  return Math.max(0, lines - Math.max(1, rows - FRAME_ROWS));
}

/** At most `rows` lines of at most `columns` characters, painted or not. */
export function screenLines(
  figures: LiveFigures,
  view: TopView,
  trends: Trends,
  size: ScreenSize,
  paint: ScreenPaint,
): string[] {
  const layout = layoutFor(size.columns);
  const head = headLines(figures, view, size.columns);
  const body = view.isHelping
    ? HELP_LINES.map((line) => cut(line, size.columns))
    : shownUpstreams(figures, view).flatMap((upstream) => [
        paint.heading(cut(upstreamText(upstream), size.columns)),
        ...inOrder(upstream.endpoints, view.sort, view.isReversed).map((endpoint) =>
          endpointLine(endpoint, trends(upstream.name, endpoint.address, view.trend), layout, paint),
        ),
      ]);
  const room = Math.max(1, size.rows - FRAME_ROWS);
  const scroll = Math.min(view.scroll, Math.max(0, body.length - room));
  const shown = body.slice(scroll, scroll + room);
  const filled = [...shown, ...Array.from({ length: room - shown.length }, () => '')];
  const foot = view.notice ?? `${view.isPaused ? 'PAUSED  ' : ''}${KEYS_LINE}`;
  const lines = [
    ...head,
    paint.faint(cut(headingLine(view, layout), size.columns)),
    ...filled,
    cut(foot, size.columns),
  ];
  return lines.slice(0, size.rows);
}

const KEYS_LINE = 'q quit  ←→ order  v turn  u upstream  p pause  m bars  ? keys';

const HELP_LINES: readonly string[] = [
  '  q, Ctrl-C   ends',
  '  ← →         order by another column; v turns it round',
  '  n s w r e   order by name, state, weight, requests a second, errors',
  '  5 9 l i h   … P50, P95, P99 (latency), open, share; c as in the configuration',
  '  u           one upstream after the other, then all',
  '  ↑ ↓ PgUp PgDn  scroll',
  '  m           bars of requests a second, or of P99',
  '  p, blank    pause',
  '  ?           these keys',
  '',
  '  Rates and latencies are of the last seconds; latencies in ms, to the first byte.',
];

/** Columns that go first where a terminal is too narrow for all. */
const DISPENSABLE: readonly SortKey[] = ['p50', 'weight', 'share', 'p95', 'errors', 'inflight', 'state', 'p99', 'rps'];

interface Layout {
  readonly columns: readonly ScreenColumn[];
  readonly name: number;
  readonly trend: number;
}

/** What is left goes to names first, then to bars. */
function layoutFor(width: number): Layout {
  const widthOf = (columns: readonly ScreenColumn[]): number =>
    columns.reduce((sum, column) => sum + 1 + column.width, NAME_WIDTH);
  const columns = DISPENSABLE.reduce<readonly ScreenColumn[]>(
    (kept, key) => (widthOf(kept) <= width ? kept : kept.filter((column) => column.key !== key)),
    [STATE, ...NUMBER_COLUMNS],
  );
  const left = Math.max(0, width - widthOf(columns));
  const spare = left - 1 - TREND_WIDTH;
  if (spare < 0) return { columns, name: Math.min(NAME_WIDTH + left, width), trend: 0 };
  const name = NAME_WIDTH + Math.min(Math.ceil(spare / 2), LONGEST_NAME - NAME_WIDTH);
  return { columns, name, trend: Math.min(left - 1 - (name - NAME_WIDTH), LONGEST_TREND) };
}

function headLines(figures: LiveFigures, { only }: TopView, columns: number): string[] {
  const { version, readiness, uptimeMs, epoch, totals, workers } = figures;
  const serving = workers.filter(({ state }) => state === 'serving').length;
  const { latencyMs } = totals;
  return [
    `sluice ${version}  ${readiness}  up ${durationText(uptimeMs)}  plan ${epoch}  workers ${serving}/${workers.length}`,
    `${countText(totals.perSecond)}/s  errors ${shareText(totals.errorShare)}  p50 ${msText(latencyMs?.p50 ?? null)}  p95 ${msText(latencyMs?.p95 ?? null)}  p99 ${msText(latencyMs?.p99 ?? null)} ms`,
    `open ${totals.openConnections} connections, ${totals.openExchanges} exchanges, ${totals.openSessions} sessions${only === null ? '' : `  only ${plainText(only)}`}`,
  ].map((line) => cut(line, columns));
}

function headingLine({ sort, isReversed, trend }: TopView, { columns, name, trend: trendWidth }: Layout): string {
  const marked = ({ heading, key, width, isNumber }: ScreenColumn): string =>
    padded(key !== null && key === sort ? `${isReversed ? '▴' : '▾'}${heading}` : heading, width, isNumber);
  const first: ScreenColumn = { heading: 'ENDPOINT', key: 'name', width: name, isNumber: false, cell: () => '' };
  const bars = padded(trend === 'rps' ? 'REQ/S' : 'P99', trendWidth, false);
  return [...[first, ...columns].map(marked), bars].join(' ').trimEnd();
}

function upstreamText({
  name,
  balance,
  panicking,
  waiting,
  queueLength,
  cv,
  perSecond,
  errorShare,
  endpoints,
}: LiveUpstream): string {
  const eligible = endpoints.filter(({ condition }) => TAKES_WORK.has(condition)).length;
  return [
    plainText(name),
    balance,
    `${eligible}/${endpoints.length}`,
    `${countText(perSecond)}/s`,
    `errors ${shareText(errorShare)}`,
    ...(cv === null ? [] : [`cv ${cv.toFixed(2)}`]),
    ...(waiting === null ? [] : [`waiting ${waiting}/${queueLength ?? 0}`]),
    ...(panicking ? ['PANIC'] : []),
  ].join('  ');
}

function endpointLine(
  endpoint: LiveEndpoint,
  trend: readonly (number | null)[],
  { columns, name, trend: trendWidth }: Layout,
  paint: ScreenPaint,
): string {
  const { condition, address, backup } = endpoint;
  const painted = condition === 'healthy' ? paint.good : TAKES_WORK.has(condition) ? (text: string) => text : paint.bad;
  const cells = columns.map((column) => {
    const text = padded(column.cell(endpoint), column.width, column.isNumber);
    return column === STATE ? painted(text) : text;
  });
  const first = padded(` ${plainText(address)}${backup ? ' b' : ''}`, name, false);
  return `${[first, ...cells].join(' ')} ${sparkline(trend, trendWidth)}`.trimEnd();
}
