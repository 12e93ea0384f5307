/** Every story of the simulator, told shortly: its targets hold, and the page has its figures. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SEED } from '../../../bench/sim/arguments.js';
import { chapterOf } from '../../../bench/sim/report/chapter.js';
import { partsOf } from '../../../bench/sim/report/page.js';
import { STORIES } from '../../../bench/sim/stories/known.js';

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));
const QUICK = { seed: DEFAULT_SEED, isQuick: true, step: () => {} };

/** Each takes a second or two of one processor; a machine that tests much else at the time gives them less. */
const DEADLINE_MS = 90_000;

describe('a story', { timeout: DEADLINE_MS }, () => {
  it.each(STORIES.map((story) => [story.name, story] as const))('meets its targets: %s', (_name, story) => {
    const { targets } = story.tell(QUICK);
    expect(targets.filter(({ isMet }) => !isMet)).toEqual([]);
  });

  it('gives the same figures for the same seed, and others for another', () => {
    const story = STORIES.find(({ name }) => name === 'fast-failure')!;
    expect(story.tell(QUICK)).toEqual(story.tell(QUICK));
    expect(story.tell({ ...QUICK, seed: DEFAULT_SEED + 1 }).tables).not.toEqual(story.tell(QUICK).tables);
  });
});

describe('the page of balancing', () => {
  const page = readFileSync(`${DOCS}balancing.md`, 'utf8');

  it('has a part for each story, in their order', () => {
    expect(partsOf(page)).toEqual(STORIES.map(({ name }) => name));
  });

  it('shows every picture that there is', () => {
    const files = readdirSync(`${DOCS}images/balancing`);
    expect(files.filter((file) => !page.includes(`images/balancing/${file}`))).toEqual([]);
  });

  it('tells the models as they are now', () => {
    for (const { model } of STORIES) for (const paragraph of model) expect(page).toContain(paragraph);
  });
});

it('a chapter of a story names its pictures after it', () => {
  const story = STORIES[0]!;
  const { pictures } = chapterOf(story, story.tell(QUICK), 'images/');
  expect(pictures.every(({ file }) => file.startsWith(story.name))).toBe(true);
});
