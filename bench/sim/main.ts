/** The program behind `npm run simulate`: tells stories, prints what came out, and writes the page. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosen, simulateArguments, USAGE } from './arguments.js';
import { type Chapter, chapterOf } from './report/chapter.js';
import { withPart } from './report/page.js';
import { Progress } from './report/progress.js';
import { STORIES } from './stories/known.js';
import type { Story, Target } from './story.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCS = join(ROOT, 'docs');
const IMAGES = 'images/balancing/';

/** @returns exit code: 0 well, 1 a target was missed, 2 it could not be run */
export async function main(words: readonly string[]): Promise<number> {
  try {
    const wanted = simulateArguments(words);
    if (wanted.isHelp) {
      console.log(USAGE);
      return 0;
    }
    if (wanted.isList) {
      // In one write: a reader that has seen enough, such as head, leaves no second one to fail.
      console.log(STORIES.map(({ name, title }) => `${name.padEnd(20)} ${title}`).join('\n'));
      return 0;
    }
    return run(chosen(STORIES, wanted.stories), wanted);
  } catch (error) {
    console.error(`simulate: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

function run(stories: readonly Story[], wanted: ReturnType<typeof simulateArguments>): number {
  const progress = new Progress(
    process.stderr,
    stories.reduce((sum, { steps }) => sum + steps, 0),
  );
  const chapters = new Map<Story, Chapter>();
  let isAllMet = true;
  for (const story of stories) {
    progress.begin(story.title);
    const outcome = story.tell({
      seed: wanted.seed,
      isQuick: wanted.isQuick,
      step: (what) => progress.step(`${story.name}: ${what}`),
    });
    progress.close();
    console.log(`\n${story.title}`);
    for (const target of outcome.targets) console.log(`  ${written(target)}`);
    if (outcome.targets.some(({ isMet }) => !isMet)) isAllMet = false;
    chapters.set(story, chapterOf(story, outcome, IMAGES));
  }
  write(chapters, wanted);
  return isAllMet ? 0 : 1;
}

function written({ what, wanted, found, isMet }: Target): string {
  return `${isMet ? 'met   ' : 'MISSED'} ${what}: ${found}, wanted ${wanted}`;
}

function write(chapters: ReadonlyMap<Story, Chapter>, { out, isQuick }: ReturnType<typeof simulateArguments>): void {
  if (out === null && isQuick) {
    console.log('\nNothing written: short runs are not for the documentation (--out DIR writes them elsewhere).');
    return;
  }
  const folder = out === null ? DOCS : resolve(out);
  mkdirSync(join(folder, IMAGES), { recursive: true });
  for (const { pictures } of chapters.values())
    for (const { file, svg } of pictures) writeFileSync(join(folder, IMAGES, file), svg);
  const page = join(folder, 'balancing.md');
  writeFileSync(page, out === null ? pageWith(chapters, readFileSync(page, 'utf8')) : pageOf(chapters));
  console.log(`\nWritten: ${relative(process.cwd(), page)} and ${relative(process.cwd(), join(folder, IMAGES))}/`);
}

function pageWith(chapters: ReadonlyMap<Story, Chapter>, page: string): string {
  return [...chapters].reduce((text, [{ name }, chapter]) => withPart(text, name, chapter.text), page);
}

function pageOf(chapters: ReadonlyMap<Story, Chapter>): string {
  return [...chapters].map(([{ title }, { text }]) => `## ${title}\n\n${text}\n`).join('\n');
}
