/** The command `top`: the endpoints of a running sluice, live on a terminal; one snapshot where there is none. */
import type { LiveFigures } from '../../observability/live-figures.js';
import { AdminFailure } from './admin-client.js';
import { AlternateScreen, type KeyStream } from './alternate-screen.js';
import type { TerminalCommand } from './terminal-arguments.js';
import { TerminalExit, type TerminalExitCode, type TerminalSurroundings } from './terminal-surroundings.js';
import { afterKey, keysOf } from './top-keys.js';
import {
  mostScroll,
  type ScreenPaint,
  type ScreenSize,
  screenLines,
  shownUpstreams,
  type TopView,
} from './top-screen.js';
import { TrendBook } from './trends.js';

/** Where the terminal does not say how large it is (VT100). */
const DEFAULT_SIZE: ScreenSize = { columns: 80, rows: 24 };
/** Rows of a snapshot: all of them. */
const ALL_ROWS = 100_000;
/** Between two attempts to reach a sluice that was there before. */
const RETRY_MS = 1_000;
/** Lines that are not of the table. */
const FRAME_ROWS = 5;

const ALL_FIGURES = '/api/v1/live?only=figures';

const PLAIN: ScreenPaint = { heading: same, good: same, bad: same, faint: same };
const COLOURED: ScreenPaint = { heading: sgr(1), good: sgr(32), bad: sgr(31), faint: sgr(2) };

/** What `top` touches besides. */
export interface TopSurroundings extends TerminalSurroundings {
  readonly keys: KeyStream;
  /** The terminal's size has changed. @returns what ends listening */
  readonly onResize: (listener: () => void) => () => void;
  /** Stops the process as Ctrl-Z does; resolves when it goes on. */
  readonly suspend: () => Promise<void>;
}

/** Shows it until somebody quits. @returns the exit code */
export async function runTop(
  { sort, only }: Extract<TerminalCommand, { name: 'top' }>,
  surroundings: TopSurroundings,
): Promise<TerminalExitCode> {
  const view: TopView = {
    sort,
    isReversed: false,
    only,
    isPaused: false,
    trend: 'rps',
    scroll: 0,
    isHelping: false,
    notice: null,
  };
  const first = await surroundings.client.get<LiveFigures>('/api/v1/live/now');
  if (only !== null && shownUpstreams(first, view).length === 0) {
    const names = first.upstreams.map(({ name }) => name).join(', ');
    throw new AdminFailure('refused', `there is no upstream ${only}; there are ${names}`);
  }
  if (surroundings.isTerminal) return await new TopScreen(first, view, surroundings).run();
  return printSnapshot(first, view, surroundings);
}

function printSnapshot(figures: LiveFigures, view: TopView, { out }: TopSurroundings): TerminalExitCode {
  const size = { columns: out.columns ?? DEFAULT_SIZE.columns, rows: ALL_ROWS };
  const lines = screenLines(figures, { ...view, notice: '' }, () => [], size, PLAIN);
  out.write(`${lines.join('\n').trimEnd()}\n`);
  return TerminalExit.OK;
}

/** The screen while it is shown. */
class TopScreen {
  readonly #surroundings: TopSurroundings;
  readonly #screen: AlternateScreen;
  readonly #trends = new TrendBook();
  readonly #over = new AbortController();
  #figures: LiveFigures;
  #view: TopView;

  constructor(figures: LiveFigures, view: TopView, surroundings: TopSurroundings) {
    this.#figures = figures;
    this.#view = view;
    this.#surroundings = surroundings;
    this.#screen = new AlternateScreen(surroundings.out, surroundings.keys);
  }

  async run(): Promise<TerminalExitCode> {
    const { keys, onResize } = this.#surroundings;
    const onData = (data: Buffer): void => this.#take(keysOf(data.toString('utf8')));
    const stopListening = onResize(() => this.#draw());
    keys.on('data', onData);
    try {
      this.#screen.enter();
      this.#draw();
      await this.#follow();
    } finally {
      keys.off('data', onData);
      stopListening();
      this.#screen.leave();
    }
    return TerminalExit.OK;
  }

  /** Reads the stream, again and again, until somebody quits. */
  async #follow(): Promise<void> {
    const { client, sleep } = this.#surroundings;
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        for await (const { name, data } of client.events(ALL_FIGURES, signal)) {
          if (name === 'figures') this.#show(JSON.parse(data) as LiveFigures); // the API's own document says what it is
        }
        this.#lose(`sluice at ${client.place} has ended the connection`);
      } catch (error) {
        if (!(error instanceof AdminFailure)) throw error;
        if (error.status === 401) throw error;
        this.#lose(error.message);
      }
      if (!signal.aborted) await Promise.race([sleep(RETRY_MS), over(signal)]);
    }
  }

  #show(figures: LiveFigures): void {
    this.#trends.add(figures);
    const isOver = this.#view.notice !== null;
    if (isOver) this.#view = { ...this.#view, notice: null };
    if (this.#view.isPaused && !isOver) return;
    this.#figures = figures;
    this.#draw();
  }

  #lose(why: string): void {
    this.#view = { ...this.#view, notice: `NOT LIVE: ${why}; trying again (q quits)` };
    this.#draw();
  }

  #take(keys: readonly string[]): void {
    for (const key of keys) {
      const size = this.#size();
      const result = afterKey(this.#view, key, {
        upstreams: this.#figures.upstreams.map(({ name }) => name),
        mostScroll: mostScroll(this.#figures, this.#view, size),
        pageRows: Math.max(1, size.rows - FRAME_ROWS),
      });
      if (result.kind === 'quit') return this.#over.abort();
      if (result.kind === 'suspend') return void this.#suspend();
      if (result.kind === 'view') this.#view = result.view;
    }
    this.#draw();
  }

  async #suspend(): Promise<void> {
    this.#screen.leave();
    await this.#surroundings.suspend();
    if (this.#over.signal.aborted) return;
    this.#screen.enter();
    this.#draw();
  }

  #draw(): void {
    const paint = this.#surroundings.isColoured ? COLOURED : PLAIN;
    this.#screen.draw(screenLines(this.#figures, this.#view, this.#trends.valuesOf, this.#size(), paint));
  }

  #size(): ScreenSize {
    const { columns, rows } = this.#surroundings.out;
    // A pseudo terminal that nobody has given a size says 0.
    return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows };
  }
}

function over(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function same(text: string): string {
  return text;
}

function sgr(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}
