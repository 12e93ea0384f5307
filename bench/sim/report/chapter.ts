/** One story as Markdown and pictures. Pure. */
import type { Chart, Outcome, Story } from '../story.js';
import { drawBars } from './bar-chart.js';
import { drawLines } from './line-chart.js';
import { markdownTable } from './table.js';

/** A picture, with its file's name. */
export interface Picture {
  readonly file: string;
  readonly svg: string;
}

/** What the page and the folder of pictures get. */
export interface Chapter {
  readonly text: string;
  readonly pictures: readonly Picture[];
}

/** @param imagesPath path from the page to its pictures, with a slash at the end */
export function chapterOf(story: Story, outcome: Outcome, imagesPath: string): Chapter {
  const targets = outcome.targets.map(({ what, wanted, found, isMet }) => [
    what,
    wanted,
    found,
    isMet ? 'met' : '**missed**',
  ]);
  const parts = [
    ...story.model,
    ...outcome.tables.map(markdownTable),
    ...(targets.length === 0 ? [] : [markdownTable({ head: ['target', 'wanted', 'found', ''], rows: targets })]),
    ...outcome.charts.flatMap((chart) =>
      chart.kind === 'drawn' ? [] : [`![${chart.chart.title}](${imagesPath}${fileOf(story, chart)})`],
    ),
    ...outcome.notes,
  ];
  const pictures = outcome.charts.map((chart) => ({ file: fileOf(story, chart), svg: drawn(chart) }));
  return { text: parts.join('\n\n'), pictures };
}

function fileOf(story: Story, chart: Chart): string {
  return chart.name === '' ? `${story.name}.svg` : `${story.name}-${chart.name}.svg`;
}

function drawn(chart: Chart): string {
  if (chart.kind === 'drawn') return chart.svg;
  return chart.kind === 'lines' ? drawLines(chart.chart) : drawBars(chart.chart);
}
