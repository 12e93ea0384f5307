/** Lines over time: throughput with errors, and percentiles of latency, drawn by uPlot. */
import uPlot from 'uplot';
import { element, setAttribute } from './document.js';
import type { ChartColumns } from './history.js';

/** A line of a chart. */
export interface ChartLine {
  readonly label: string;
  /** Name of the custom property of the style sheet that has its colour. */
  readonly colour: string;
  /** A line that is dashed can be told from others without colours. */
  readonly dash?: readonly number[];
  readonly isFilled?: boolean;
}

/** What a chart shows. */
export interface ChartPlan {
  readonly lines: readonly ChartLine[];
  /** A figure with its unit. */
  readonly valueText: (value: number | null) => string;
}

const HEIGHT_PX = 180;
const AXIS_PX = 64;

/** Time of the day at the ticks of the x axis: with seconds where these matter. */
const TICKS: uPlot.Axis.Values = (_, moments, __, ___, stepS) =>
  moments.map((moment) => new Date(moment * 1_000).toTimeString().slice(0, stepS < 60 ? 8 : 5));

/** One chart in a place of the page. */
export class Chart {
  readonly #plan: ChartPlan;
  readonly #place: HTMLElement;
  #plot: uPlot | null = null;
  #columns: ChartColumns;
  #range: readonly [number, number] = [0, 1];

  constructor(place: HTMLElement, plan: ChartPlan) {
    this.#plan = plan;
    this.#place = place;
    this.#columns = [[], ...plan.lines.map(() => [])];
    setAttribute(place, 'role', 'img');
    new ResizeObserver(() => this.#fit()).observe(place);
  }

  /** Shows columns in the time from `fromMs` to `untilMs`, ms since 1970. */
  show(columns: ChartColumns, fromMs: number, untilMs: number, description: string): void {
    setAttribute(this.#place, 'aria-label', description);
    this.#columns = columns;
    this.#range = [fromMs / 1_000, untilMs / 1_000];
    this.#plot ??= this.#make();
    if (this.#plot === null) return;
    this.#plot.batch(() => {
      this.#plot?.setData(columns as unknown as uPlot.AlignedData, false); // readonly arrays, which uPlot does not change
      this.#plot?.setScale('x', { min: this.#range[0], max: this.#range[1] });
    });
    this.#showLast();
  }

  /** Draws anew with the colours that count now. */
  recolour(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#plot = this.#make();
    this.#showLast();
  }

  #make(): uPlot | null {
    const width = this.#place.clientWidth;
    if (width === 0) return null; // not laid out yet: the next figures find it so
    const colourOf = (name: string): string => resolvedColour(this.#place, name);
    const { lines, valueText } = this.#plan;
    const axis = { stroke: colourOf('--muted'), font: '11px system-ui, sans-serif' };
    const grid = { stroke: colourOf('--line'), width: 1 };
    const options: uPlot.Options = {
      width,
      height: HEIGHT_PX,
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: (): uPlot.Range.MinMax => [this.#range[0], this.#range[1]] },
        y: { range: (_, __, most): uPlot.Range.MinMax => [0, most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        { ...axis, grid, ticks: { show: false }, space: 70, size: 28, values: TICKS },
        {
          ...axis,
          grid,
          ticks: { show: false },
          size: AXIS_PX,
          space: 34,
          values: (_, values) => values.map((value) => valueText(value)),
        },
      ],
      series: [
        {
          label: 'Time',
          value: (_, moment) => (moment === null ? '' : new Date(moment * 1_000).toTimeString().slice(0, 8)),
        },
        ...lines.map((line) => this.#seriesOf(line, colourOf)),
      ],
    };
    const plot = new uPlot(options, this.#columns as unknown as uPlot.AlignedData, this.#place);
    return plot;
  }

  #seriesOf({ label, colour, dash, isFilled }: ChartLine, colourOf: (name: string) => string): uPlot.Series {
    return {
      label,
      stroke: colourOf(colour),
      width: 1.75,
      points: { show: false },
      value: (_, value) => this.#plan.valueText(value),
      ...(dash === undefined ? {} : { dash: [...dash] }),
      ...(isFilled === true ? { fill: withAlpha(colourOf(colour), 0.12) } : {}),
    };
  }

  /** While nobody points at the chart its legend has the latest figures. */
  #showLast(): void {
    const plot = this.#plot;
    const last = this.#columns[0].length - 1;
    if (plot !== null && last >= 0 && (plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: last });
  }

  #fit(): void {
    const width = this.#place.clientWidth;
    if (this.#plot !== null && width > 0 && width !== this.#plot.width)
      this.#plot.setSize({ width, height: HEIGHT_PX });
  }
}

/** What a custom property stands for in the scheme that counts: a canvas knows neither properties nor light-dark(). */
function resolvedColour(place: HTMLElement, property: string): string {
  const probe = element('span');
  probe.style.color = `var(${property})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** @param colour 'rgb(r, g, b)', as browsers compute it */
function withAlpha(colour: string, alpha: number): string {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}

/** A place for a chart under a heading. */
export function chartFigure(title: string): { readonly figure: HTMLElement; readonly place: HTMLElement } {
  const place = element('div', { class: 'plot' });
  return { figure: element('figure', { class: 'card chart' }, element('figcaption', {}, title), place), place };
}
