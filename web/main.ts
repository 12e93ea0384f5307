/** Starts the dashboard: reads the stream of figures, remembers the last minutes, and shows them, at most once a frame. */
import type { LiveFigures, TimelineEntry } from '../src/observability/live-figures.js';
import { AdminClient } from './admin-client.js';
import { CertificateTable } from './certificate-table.js';
import { Chart, chartFigure } from './charts.js';
import { closeByButtons, openDialog } from './dialogs.js';
import { part, setAttribute, setShown, setText } from './document.js';
import type { StreamEvent } from './event-stream.js';
import { ExplainView } from './explain-view.js';
import { countOf, latencyText, percentText, rateText } from './format.js';
import { HeatHistory } from './heat-history.js';
import { chartColumns, History } from './history.js';
import { LiveStream } from './live-stream.js';
import { Overview } from './overview.js';
import { listenerTable, routeTable, workerTable } from './plain-tables.js';
import { ConfigDialog, ReloadDialog } from './reload-dialog.js';
import { type ReloadAnswer, reloadReport } from './reload-report.js';
import { Scheme } from './scheme.js';
import { SteerDialog } from './steer-dialog.js';
import { type StreamState, streamStatus } from './stream-status.js';
import { badFileSince } from './timeline-entries.js';
import { TimelineView } from './timeline-view.js';
import { UpstreamList } from './upstream-list.js';

/** How long a sentence about something done stays. */
const NOTICE_MS = 8_000;
const THROUGHPUT_LINES = 2;
const LATENCY_LINES = 3;

/** The page; there is one. */
class Dashboard {
  readonly #client = new AdminClient(sessionStorage);
  readonly #stream: LiveStream;
  readonly #scheme: Scheme;
  readonly #overview = new Overview();
  readonly #timeline = new TimelineView();
  readonly #heat = new HeatHistory();
  readonly #lines = new History<readonly (number | null)[]>();
  readonly #steer: SteerDialog;
  readonly #explain: ExplainView;
  readonly #upstreams: UpstreamList;
  readonly #throughput: Chart;
  readonly #latency: Chart;
  readonly #workers = workerTable();
  readonly #listeners = listenerTable();
  readonly #routes = routeTable();
  readonly #certificates: CertificateTable;
  readonly #status = part('stream', HTMLElement);
  readonly #statusText = part('stream-text', HTMLElement);
  readonly #retry = part('retry', HTMLButtonElement);
  readonly #pause = part('pause', HTMLButtonElement);
  readonly #token = part('token-dialog', HTMLDialogElement);
  #state: StreamState = { kind: 'connecting' };
  #latest: LiveFigures | null = null;
  /** What is on the page; differs from the latest while paused. */
  #shown: LiveFigures | null = null;
  #pausedAt: number | null = null;
  #windowMs = 60_000;
  #isFramePending = false;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#scheme = new Scheme(part('scheme', HTMLButtonElement), () => this.#recolour());
    this.#stream = new LiveStream(this.#client, {
      onConnected: () => {
        this.#timeline.clear();
        this.#certificates.forget();
      },
      onState: (state) => this.#onState(state),
      onEvent: (event) => this.#onEvent(event),
    });
    this.#steer = new SteerDialog(this.#client, (sentence) => this.#notice(sentence));
    this.#explain = new ExplainView(this.#client);
    this.#certificates = new CertificateTable(this.#client);
    this.#upstreams = new UpstreamList((aim) => this.#steer.open(aim));
    const throughput = chartFigure('Throughput per second');
    const latency = chartFigure('Latency');
    part('charts', HTMLElement).append(throughput.figure, latency.figure);
    this.#throughput = new Chart(throughput.place, {
      valueText: rateText,
      lines: [
        { label: 'All', colour: '--accent', isFilled: true },
        { label: 'Errors', colour: '--bad', dash: [5, 3] },
      ],
    });
    this.#latency = new Chart(latency.place, {
      valueText: latencyText,
      lines: [
        { label: 'p50', colour: '--line-1' },
        { label: 'p95', colour: '--line-2', dash: [8, 3] },
        { label: 'p99', colour: '--line-3', dash: [2, 3] },
      ],
    });
    part('workers', HTMLElement).append(this.#workers.element);
    part('listeners', HTMLElement).append(this.#listeners.element);
    part('routes', HTMLElement).append(this.#routes.element);
    this.#listenToControls();
    setInterval(() => this.#showStatus(), 1_000);
    void this.#stream.run();
  }

  #listenToControls(): void {
    const reload = new ReloadDialog(this.#client);
    const config = new ConfigDialog(this.#client);
    part('reload', HTMLButtonElement).addEventListener('click', () => reload.open());
    part('config', HTMLButtonElement).addEventListener('click', () => void config.open());
    part('filter', HTMLInputElement).addEventListener('input', (event) => {
      this.#upstreams.filter = (event.target as HTMLInputElement).value.trim().toLowerCase(); // the input's own event
      this.#showSoon();
    });
    part('window', HTMLElement).addEventListener('change', (event) => {
      this.#windowMs = Number((event.target as HTMLInputElement).value) * 1_000; // index.html has radio buttons with seconds there
      this.#showSoon();
    });
    this.#pause.addEventListener('click', () => this.#setPaused(this.#pausedAt === null));
    this.#retry.addEventListener('click', () => {
      if (this.#state.kind === 'unauthorized') this.#askForToken();
      else this.#stream.retryNow();
    });
    closeByButtons(this.#token);
    part('token-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#client.setToken(part('token', HTMLInputElement).value.trim());
      this.#token.close();
      this.#stream.retryNow();
    });
    document.addEventListener('visibilitychange', () => this.#showSoon());
  }

  #onState(state: StreamState): void {
    this.#state = state;
    if (state.kind === 'unauthorized') this.#askForToken();
    this.#showStatus();
  }

  #askForToken(): void {
    part('token', HTMLInputElement).value = '';
    setShown(part('token-wrong', HTMLElement), this.#client.hasToken);
    openDialog(this.#token);
  }

  #onEvent({ name, data }: StreamEvent): void {
    // The API's own document says what these are.
    if (name === 'figures') this.#take(JSON.parse(data) as LiveFigures);
    if (name === 'happened') this.#timeline.add([JSON.parse(data) as TimelineEntry]);
    if (name === 'reloaded') {
      this.#certificates.forget();
      this.#notice(reloadReport(JSON.parse(data) as ReloadAnswer).sentence);
    }
  }

  #take(figures: LiveFigures): void {
    const isOtherProcess = this.#latest !== null && figures.uptimeMs < this.#latest.uptimeMs;
    if (isOtherProcess) this.#forget();
    this.#latest = figures;
    const { totals } = figures;
    const { p50 = null, p95 = null, p99 = null } = totals.latencyMs ?? {};
    this.#lines.push(figures.at, [totals.perSecond, totals.perSecond * (totals.errorShare ?? 0), p50, p95, p99]);
    this.#heat.push(figures);
    this.#overview.remember(figures);
    if (this.#pausedAt === null) this.#shown = figures;
    this.#showSoon();
  }

  /** Another process counts anew: its figures are not those of the one before. */
  #forget(): void {
    this.#lines.clear();
    this.#heat.clear();
    this.#overview.clear();
  }

  #setPaused(isPaused: boolean): void {
    this.#pausedAt = isPaused ? Date.now() : null;
    if (!isPaused) this.#shown = this.#latest;
    this.#timeline.freeze(isPaused);
    setAttribute(this.#pause, 'aria-pressed', String(isPaused));
    setText(this.#pause, isPaused ? 'Go on' : 'Pause');
    this.#showStatus();
    this.#showSoon();
  }

  #showSoon(): void {
    if (this.#isFramePending || document.hidden) return;
    this.#isFramePending = true;
    requestAnimationFrame(() => {
      this.#isFramePending = false;
      this.#show();
    });
  }

  #show(): void {
    const figures = this.#shown;
    if (figures === null) return;
    const untilMs = figures.at;
    const fromMs = untilMs - this.#windowMs;
    setShown(part('waiting', HTMLElement), false);
    setShown(part('figures', HTMLElement), true);
    setText(part('version', HTMLElement), figures.version);
    this.#overview.show(figures, fromMs, untilMs, badFileSince(this.#timeline.entries));
    this.#showCharts(figures, fromMs, untilMs);
    this.#upstreams.show(figures.upstreams, { fromMs, untilMs, heat: this.#heat, isDark: this.#scheme.isDark });
    this.#workers.show(figures.workers);
    this.#listeners.show(figures.listeners);
    this.#routes.show(figures.routes);
    this.#steer.update(figures.upstreams);
    this.#explain.update(figures.listeners);
    this.#certificates.look(figures.at);
  }

  #showCharts({ totals }: LiveFigures, fromMs: number, untilMs: number): void {
    const samples = this.#lines.since(fromMs).filter(({ at }) => at <= untilMs);
    const columns = chartColumns(samples, THROUGHPUT_LINES + LATENCY_LINES);
    const [moments, all = [], errors = [], ...latencies] = columns;
    const { perSecond, errorShare, latencyMs } = totals;
    const minutes = countOf(Math.round((untilMs - fromMs) / 60_000), 'minute');
    this.#throughput.show(
      [moments, all, errors],
      fromMs,
      untilMs,
      `Throughput of the last ${minutes}; now ${rateText(perSecond)} a second, ${percentText(errorShare)} errors`,
    );
    this.#latency.show(
      [moments, ...latencies],
      fromMs,
      untilMs,
      `Latency of the last ${minutes}; now p50 ${latencyText(latencyMs?.p50)}, p95 ${latencyText(latencyMs?.p95)}, p99 ${latencyText(latencyMs?.p99)}`,
    );
  }

  #showStatus(): void {
    const { text, tone, isStale } = streamStatus(this.#state, this.#pausedAt, Date.now());
    setAttribute(this.#status, 'data-tone', tone);
    setText(this.#statusText, text);
    setAttribute(this.#status, 'title', this.#state.kind === 'lost' ? this.#state.reason : undefined);
    setShown(this.#retry, this.#state.kind === 'lost' || this.#state.kind === 'unauthorized');
    setText(this.#retry, this.#state.kind === 'unauthorized' ? 'Give the token' : 'Try now');
    setAttribute(document.body, 'data-stale', isStale);
    // The countdown is not read out each second: only that the figures are not live any more, or are again.
    const told = isStale ? 'The figures are not live.' : 'The figures are live.';
    setText(part('stream-told', HTMLElement), this.#shown === null ? '' : told);
  }

  #recolour(): void {
    this.#throughput.recolour();
    this.#latency.recolour();
    this.#showSoon();
  }

  #notice(sentence: string): void {
    const place = part('notice', HTMLElement);
    setText(place, sentence);
    setAttribute(place, 'data-shown', true);
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => setAttribute(place, 'data-shown', false), NOTICE_MS);
  }
}

new Dashboard();
