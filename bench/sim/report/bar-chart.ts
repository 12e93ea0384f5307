/** A chart of bars in groups, with the values written on them. Pure. */
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

/** What is drawn: one group of bars for each name, one bar in it for each series. */
export interface BarChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly groups: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly isLogY?: boolean;
  readonly limit?: { readonly y: number; readonly text: string };
}

/** Values are written on bars that are at least so wide, in pixels. */
const LEAST_LABELLED = 15;

/** Draws it. @throws Error (invariant) when a series has not as many values as there are groups */
export function drawBars(chart: BarChart): string {
  const { groups, series, limit } = chart;
  invariant(series.length <= MOST_SERIES, `a chart shows at most ${MOST_SERIES} series`);
  for (const { values } of series) invariant(values.length === groups.length, `${chart.title}: a value for each group`);
  const values = series.flatMap((one) => one.values).concat(limit ? [limit.y] : []);
  const positive = values.filter((value) => value > 0);
  const yAxis = chart.isLogY
    ? logAxis(Math.min(...positive), Math.max(...positive), HEIGHT - BOTTOM, TOP)
    : linearAxis(0, Math.max(...values), HEIGHT - BOTTOM, TOP);
  const room = (WIDTH - LEFT - RIGHT) / groups.length;
  const width = Math.min(46, (room * 0.82) / series.length);
  const bars = groups.flatMap((group, at) => {
    const middle = LEFT + room * (at + 0.5);
    const own = series.map(({ values }, index) => {
      const x = middle + (index - series.length / 2) * width;
      const value = values[at]!;
      const y = Math.min(yAxis.position(value), HEIGHT - BOTTOM);
      const label =
        width >= LEAST_LABELLED
          ? `<text x="${px(x + width / 2)}" y="${px(y - 4)}" text-anchor="middle" style="font-size:${width < 30 ? 9 : 11}px">${shortNumber(Number(value.toPrecision(3)))}</text>`
          : '';
      return `<rect class="f${index}" x="${px(x + 0.5)}" y="${px(y)}" width="${px(width - 1)}" height="${px(HEIGHT - BOTTOM - y)}"/>${label}`;
    });
    return [
      ...own,
      `<text x="${px(middle)}" y="${HEIGHT - BOTTOM + 17}" text-anchor="middle">${escaped(group)}</text>`,
    ];
  });
  const limits = limit ? `<path class="mark" d="M${LEFT} ${px(yAxis.position(limit.y))}H${WIDTH - RIGHT}"/>` : '';
  return picture(
    chart.title,
    [
      heading(
        chart.title,
        series.map(({ name }) => name),
        false,
        limit?.text,
      ),
      verticalScale(yAxis, chart.yLabel),
      ...bars,
      horizontalLabel(chart.xLabel),
      limits,
    ].join('\n'),
  );
}
