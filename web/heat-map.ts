/** A map of how many answers took how long over the last minutes, on a canvas. */
import { LATENCY_BOUNDS_MS } from '../src/observability/live-figures.js';
import { element, setAttribute, setText } from './document.js';
import { clockText, countText } from './format.js';
import { boundText, HEAT_ROWS, HEAT_STEPS, heatColours, heatRowText, heatStep } from './heat-scale.js';
import type { Sample } from './history.js';

const HEIGHT_PX = 182;
const LABELS_PX = 52;
const TIMES_PX = 20;
/** Longest time that one second's figures stand for, where the next are late. */
const MOST_CELL_MS = 2_500;

/** What was drawn, for the pointer. */
interface Drawn {
  readonly samples: readonly Sample<readonly number[]>[];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A heat map; `element` goes into the page. */
export class HeatMap {
  readonly element: HTMLElement;
  readonly #canvas = element('canvas', { role: 'img' });
  readonly #told = element('p', { class: 'told', 'aria-hidden': 'true' });
  #drawn: Drawn = { samples: [], fromMs: 0, untilMs: 1 };
  /** In CSS pixels; asked of the observer, because asking the element would lay the page out in the middle of a frame. */
  #width = 0;
  #labels: { readonly isDark: boolean; readonly colour: string } | null = null;

  constructor() {
    this.element = element('div', { class: 'heat' }, this.#canvas, this.#told);
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width === this.#width) return;
      this.#width = width;
      if (this.#labels !== null) this.#draw(this.#labels.isDark);
    }).observe(this.element);
    this.#canvas.addEventListener('pointermove', (event) => this.#tell(event));
    this.#canvas.addEventListener('pointerleave', () => setText(this.#told, ''));
  }

  /** Draws the samples (answers in each of HEAT_ROWS rows) that fall in the time from `fromMs` to `untilMs`. */
  show(samples: readonly Sample<readonly number[]>[], fromMs: number, untilMs: number, isDark: boolean): void {
    this.#drawn = { samples, fromMs, untilMs };
    if (this.#labels?.isDark !== isDark) this.#labels = { isDark, colour: getComputedStyle(this.element).color };
    this.#draw(isDark);
  }

  #draw(isDark: boolean): void {
    const { samples, fromMs, untilMs } = this.#drawn;
    const width = this.#width;
    const paint = width > LABELS_PX ? this.#prepare(width) : null;
    if (paint === null) return;
    const colours = heatColours(isDark);
    const most = samples.reduce((max, { value }) => Math.max(max, ...value), 0);
    const plotWidth = width - LABELS_PX;
    const rowHeight = (HEIGHT_PX - TIMES_PX) / HEAT_ROWS;
    const xOf = (at: number): number => LABELS_PX + ((at - fromMs) / (untilMs - fromMs)) * plotWidth;
    samples.forEach(({ at, value }, index) => {
      const nextAt = Math.min(samples[index + 1]?.at ?? untilMs, at + MOST_CELL_MS);
      const left = Math.max(Math.floor(xOf(at)), LABELS_PX);
      const right = Math.max(Math.floor(xOf(nextAt)), left + 1);
      value.forEach((count, row) => {
        if (count <= 0) return;
        paint.fillStyle = colours[heatStep(count, most)] ?? 'gray';
        const top = Math.round((HEAT_ROWS - 1 - row) * rowHeight);
        const bottom = Math.round((HEAT_ROWS - row) * rowHeight);
        paint.fillRect(left, top, right - left, bottom - top);
      });
    });
    this.#label(paint, rowHeight, width);
    setAttribute(this.#canvas, 'aria-label', describe(samples, most));
  }

  #prepare(width: number): CanvasRenderingContext2D | null {
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    const canvas = this.#canvas;
    const [widthPx, heightPx] = [Math.round(width * ratio), Math.round(HEIGHT_PX * ratio)];
    if (canvas.width !== widthPx || canvas.height !== heightPx) {
      canvas.width = widthPx;
      canvas.height = heightPx;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${HEIGHT_PX}px`;
    }
    const paint = canvas.getContext('2d');
    paint?.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint?.clearRect(0, 0, width, HEIGHT_PX);
    return paint;
  }

  #label(paint: CanvasRenderingContext2D, rowHeight: number, width: number): void {
    paint.fillStyle = this.#labels?.colour ?? 'gray';
    paint.font = '11px system-ui, sans-serif';
    paint.textBaseline = 'middle';
    paint.textAlign = 'right';
    // A bound lies between two rows.
    LATENCY_BOUNDS_MS.forEach((bound, row) => {
      if (row % 3 === 0) paint.fillText(boundText(bound), LABELS_PX - 6, (HEAT_ROWS - 1 - row) * rowHeight);
    });
    const bottom = HEIGHT_PX - TIMES_PX / 2 + 2;
    paint.fillText(clockText(this.#drawn.untilMs), width, bottom);
    paint.textAlign = 'left';
    paint.fillText(clockText(this.#drawn.fromMs), LABELS_PX, bottom);
  }

  #tell(event: PointerEvent): void {
    const { samples, fromMs, untilMs } = this.#drawn;
    const box = this.#canvas.getBoundingClientRect();
    const at = fromMs + ((event.clientX - box.left - LABELS_PX) / (box.width - LABELS_PX)) * (untilMs - fromMs);
    const row = HEAT_ROWS - 1 - Math.floor(((event.clientY - box.top) / (HEIGHT_PX - TIMES_PX)) * HEAT_ROWS);
    const sample = samples.findLast((each) => each.at <= at);
    const isThere = sample !== undefined && at - sample.at < MOST_CELL_MS && row >= 0 && row < HEAT_ROWS;
    const count = isThere ? (sample.value[row] ?? 0) : 0;
    setText(this.#told, isThere ? `${clockText(sample.at)}: ${countText(count)} answers took ${heatRowText(row)}` : '');
  }
}

/** The colours of a heat map from few to many, as a legend. */
export class HeatLegend {
  readonly element: HTMLElement;
  readonly #steps = Array.from({ length: HEAT_STEPS / 4 }, () => element('i'));

  constructor() {
    this.element = element('span', { class: 'legend', 'aria-hidden': 'true' }, 'few', ...this.#steps, 'many answers');
  }

  recolour(isDark: boolean): void {
    const colours = heatColours(isDark);
    this.#steps.forEach((step, index) => {
      step.style.background = colours[index * 4 + 2] ?? '';
    });
  }
}

function describe(samples: readonly Sample<readonly number[]>[], most: number): string {
  if (most === 0) return 'Heat map of latency: no answers in this time';
  const sums = Array.from({ length: HEAT_ROWS }, (_, row) =>
    samples.reduce((sum, { value }) => sum + (value[row] ?? 0), 0),
  );
  const fullest = sums.indexOf(Math.max(...sums));
  const slowest = sums.findLastIndex((sum) => sum > 0);
  return `Heat map of latency: most answers took ${heatRowText(fullest)}, the slowest ${heatRowText(slowest)}`;
}
