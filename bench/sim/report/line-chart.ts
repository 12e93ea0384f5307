/** A chart of lines over time or another amount. Pure. */
import { invariant } from '../../../src/core/invariant.js';
import { linearAxis, logAxis, shortNumber } from './axis.js';
import {
  BOTTOM,
  escaped,
  HEIGHT,
  heading,
  horizontalLabel,
  LEFT,
  MOST_SERIES,
  picture,
  px,
  RIGHT,
  TOP,
  verticalScale,
  WIDTH,
} from './svg.js';

/** Points [x, y] from left to right. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** What is drawn; labels say what is measured and its unit. */
export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  /** Values above 0 on a scale of tens. */
  readonly isLogY?: boolean;
  readonly isLogX?: boolean;
  /** Vertical marks: something happens there. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
  /** A horizontal mark: a limit that was asked for. */
  readonly limit?: { readonly y: number; readonly text: string };
}

/** Draws it. @throws Error (invariant) with no points, or more lines than can be told apart */
export function drawLines(chart: LineChart): string {
  const { lines, marks = [], limit } = chart;
  invariant(lines.length <= MOST_SERIES, `a chart shows at most ${MOST_SERIES} lines`);
  const points = lines.flatMap((line) => line.points);
  invariant(points.length > 0, `the chart "${chart.title}" has points`);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y).concat(limit ? [limit.y] : []);
  const [leastX, mostX, leastY, mostY] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const xAxis = (chart.isLogX ? logAxis : linearAxis)(leastX, mostX, LEFT, WIDTH - RIGHT);
  const yAxis = chart.isLogY
    ? logAxis(leastY, mostY, HEIGHT - BOTTOM, TOP)
    : linearAxis(Math.min(0, leastY), mostY, HEIGHT - BOTTOM, TOP);
  const ticks = xAxis.steps.map(
    (step) =>
      `<text x="${px(xAxis.position(step))}" y="${HEIGHT - BOTTOM + 17}" text-anchor="middle">${shortNumber(step)}</text>`,
  );
  const drawn = lines.map(({ points }, index) => {
    const path = points.map(([x, y]) => `${px(xAxis.position(x))} ${px(yAxis.position(y))}`).join('L');
    return `<path class="line l${index}" d="M${path}"/>`;
  });
  const happenings = marks.map(
    ({ x, text }) =>
      `<path class="mark" d="M${px(xAxis.position(x))} ${TOP}V${HEIGHT - BOTTOM}"/><text class="note" x="${px(xAxis.position(x))}" y="${TOP - 5}" text-anchor="middle">${escaped(text)}</text>`,
  );
  const limits = limit ? `<path class="mark" d="M${LEFT} ${px(yAxis.position(limit.y))}H${WIDTH - RIGHT}"/>` : '';
  const names = lines.map(({ name }) => name);
  return picture(
    chart.title,
    [
      heading(chart.title, names, true, limit?.text),
      verticalScale(yAxis, chart.yLabel),
      horizontalLabel(chart.xLabel),
      ...ticks,
      ...drawn,
      ...happenings,
      limits,
    ].join('\n'),
  );
}
