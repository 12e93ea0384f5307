/** The top of the page: is all well, what is not, and the totals with their last minutes. */
import type { LiveFigures } from '../src/observability/live-figures.js';
import { element, part, setAttribute, setChildren, setShown, setText, shape } from './document.js';
import { bytesText, countText, durationText, latencyText, percentText, rateText } from './format.js';
import { History, sparkOf } from './history.js';
import { type Trouble, type Verdict, verdictOf } from './verdict.js';

/** Troubles that are listed; the others are counted. */
const MOST_TROUBLES = 6;
const SVG = 'http://www.w3.org/2000/svg';

const MARKS = {
  good: 'M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1ZM7 11.2 3.8 8l1.3-1.3L7 8.6l4-4 1.3 1.3Z',
  warn: 'M8 1.2 15.2 14.5H.8ZM7.2 6v4.2h1.6V6ZM7.2 11.3v1.6h1.6v-1.6Z',
  bad: 'M5 1h6l4 4v6l-4 4H5l-4-4V5ZM5.4 4.3 4.3 5.4 6.9 8l-2.6 2.6 1.1 1.1L8 9.1l2.6 2.6 1.1-1.1L9.1 8l2.6-2.6-1.1-1.1L8 6.9Z',
} as const;

/** One figure of the totals. */
interface TilePlan {
  readonly title: string;
  readonly textOf: (figures: LiveFigures) => string;
  /** Under it, smaller. */
  readonly noteOf: (figures: LiveFigures) => string;
  /** What its line shows. */
  readonly valueOf: (figures: LiveFigures) => number | null;
}

const TILES: readonly TilePlan[] = [
  {
    title: 'Throughput',
    textOf: ({ totals }) => `${rateText(totals.perSecond)}/s`,
    noteOf: ({ windowMs }) => `mean of ${durationText(windowMs)}`,
    valueOf: ({ totals }) => totals.perSecond,
  },
  {
    title: 'Errors',
    textOf: ({ totals }) => percentText(totals.errorShare),
    noteOf: ({ totals }) => `${rateText(totals.perSecond * (totals.errorShare ?? 0))}/s`,
    valueOf: ({ totals }) => totals.perSecond * (totals.errorShare ?? 0),
  },
  {
    title: 'Latency p95',
    textOf: ({ totals }) => latencyText(totals.latencyMs?.p95),
    noteOf: ({ totals }) => `p50 ${latencyText(totals.latencyMs?.p50)}, p99 ${latencyText(totals.latencyMs?.p99)}`,
    valueOf: ({ totals }) => totals.latencyMs?.p95 ?? null,
  },
  {
    title: 'In flight',
    textOf: ({ totals }) => countText(totals.openExchanges + totals.openSessions),
    noteOf: ({ totals }) => `${countText(totals.openExchanges)} requests, ${countText(totals.openSessions)} sessions`,
    valueOf: ({ totals }) => totals.openExchanges + totals.openSessions,
  },
  {
    title: 'Connections',
    textOf: ({ totals }) => countText(totals.openConnections),
    noteOf: ({ workers }) =>
      `${countText(workers.reduce((sum, { upstreamConnections }) => sum + upstreamConnections, 0))} to endpoints`,
    valueOf: ({ totals }) => totals.openConnections,
  },
  {
    title: 'To clients',
    textOf: ({ totals }) => `${bytesText(totals.bytesOutPerSecond)}/s`,
    noteOf: ({ totals }) => `${bytesText(totals.bytesInPerSecond)}/s from them`,
    valueOf: ({ totals }) => totals.bytesOutPerSecond,
  },
];

/** The overview in its place on the page. */
export class Overview {
  readonly #verdict = part('verdict', HTMLElement);
  readonly #title = part('verdict-title', HTMLElement);
  readonly #detail = part('verdict-detail', HTMLElement);
  readonly #troubles = part('troubles', HTMLElement);
  readonly #mark = shape(MARKS.good);
  readonly #tiles: readonly Tile[];

  constructor() {
    part('verdict-mark', HTMLElement).append(this.#mark);
    this.#tiles = TILES.map((plan) => new Tile(plan));
    part('tiles', HTMLElement).append(...this.#tiles.map((tile) => tile.element));
  }

  /** Remembers what the small lines show, also of seconds that are not shown. */
  remember(figures: LiveFigures): void {
    for (const tile of this.#tiles) tile.remember(figures);
  }

  /** @param badFileSince as verdictOf() takes it */
  show(figures: LiveFigures, fromMs: number, untilMs: number, badFileSince: number | null): void {
    for (const tile of this.#tiles) tile.show(figures, fromMs, untilMs);
    this.#showVerdict(verdictOf(figures, badFileSince), figures);
  }

  clear(): void {
    for (const tile of this.#tiles) tile.clear();
  }

  #showVerdict({ tone, title, detail, troubles }: Verdict, { uptimeMs, epoch }: LiveFigures): void {
    setAttribute(this.#verdict, 'data-tone', tone);
    setText(this.#title, title);
    setText(this.#detail, `${detail}. Running for ${durationText(uptimeMs)} with plan ${epoch}.`);
    if (this.#mark.firstElementChild !== null) setAttribute(this.#mark.firstElementChild, 'd', MARKS[tone]);
    const listed = troubles.slice(0, MOST_TROUBLES).map(sentenceOf);
    const more = troubles.length - listed.length;
    const texts = more > 0 ? [...listed, `and ${countText(more)} more`] : listed;
    setShown(this.#troubles, texts.length > 0);
    const there = [...this.#troubles.children].map(({ textContent }) => textContent);
    if (there.length === texts.length && texts.every((text, index) => text === there[index])) return;
    setChildren(
      this.#troubles,
      texts.map((text, index) => element('li', { 'data-tone': troubles[index]?.tone }, text)),
    );
  }
}

function sentenceOf({ upstream, endpoint, text }: Trouble): string {
  if (upstream === null) return `sluice ${text}`;
  return endpoint === null ? `${upstream} ${text}` : `${endpoint} (${upstream}) ${text}`;
}

class Tile {
  readonly element: HTMLElement;
  readonly #plan: TilePlan;
  readonly #value = element('span', { class: 'value' });
  readonly #note = element('span', { class: 'note' });
  readonly #line = document.createElementNS(SVG, 'path');
  readonly #area = document.createElementNS(SVG, 'path');
  readonly #history = new History<number | null>();

  constructor(plan: TilePlan) {
    this.#plan = plan;
    const drawing = document.createElementNS(SVG, 'svg');
    const attributes = { viewBox: '0 0 100 30', preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'spark' };
    for (const [name, value] of Object.entries(attributes)) drawing.setAttribute(name, value);
    this.#area.classList.add('area');
    drawing.append(this.#area, this.#line);
    this.element = element(
      'div',
      { class: 'tile card' },
      element('dt', {}, plan.title),
      element('dd', {}, this.#value, this.#note),
    );
    this.element.lastElementChild?.append(drawing);
  }

  remember(figures: LiveFigures): void {
    this.#history.push(figures.at, this.#plan.valueOf(figures));
  }

  show(figures: LiveFigures, fromMs: number, untilMs: number): void {
    setText(this.#value, this.#plan.textOf(figures));
    setText(this.#note, this.#plan.noteOf(figures));
    const samples = this.#history.since(fromMs).filter(({ at }) => at <= untilMs);
    const { line, area } = sparkOf(samples, untilMs, untilMs - fromMs);
    setAttribute(this.#line, 'd', line);
    setAttribute(this.#area, 'd', area);
  }

  clear(): void {
    this.#history.clear();
  }
}
