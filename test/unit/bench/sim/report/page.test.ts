/** Tables, generated parts of a page, the bar of progress and the command line. */
import { describe, expect, it } from 'vitest';
import { chosen, DEFAULT_SEED, simulateArguments } from '../../../../../bench/sim/arguments.js';
import { chapterOf } from '../../../../../bench/sim/report/chapter.js';
import { partsOf, withPart } from '../../../../../bench/sim/report/page.js';
import { Progress } from '../../../../../bench/sim/report/progress.js';
import { difference, markdownTable, ms, percent } from '../../../../../bench/sim/report/table.js';
import { atMost, type Story } from '../../../../../bench/sim/story.js';

describe('a table', () => {
  it('aligns figures to the right', () => {
    const table = markdownTable({
      caption: 'Figures:',
      head: ['name', 'P99', 'note'],
      rows: [
        ['a', '5 ms', 'well'],
        ['b', '–', 'ill'],
      ],
    });
    expect(table).toBe('Figures:\n\n| name | P99 | note |\n| --- | ---: | --- |\n| a | 5 ms | well |\n| b | – | ill |');
  });

  it('writes figures with the digits that mean something', () => {
    expect([ms(1_234.5), ms(12.34), ms(1.234), ms(Number.NaN)]).toEqual(['1,235 ms', '12.3 ms', '1.23 ms', '–']);
    expect([percent(0.1234), difference(10, 10.5), difference(10, 8)]).toEqual(['12.3 %', '+5.0 %', '-20 %']);
  });
});

describe('a page', () => {
  const page =
    '# Top\n\n<!-- simulate: a -->\nold\n<!-- end: a -->\n\nby hand\n\n<!-- simulate: b -->\n<!-- end: b -->\n';

  it('gets a part anew, and keeps the rest', () => {
    const next = withPart(page, 'a', 'new\n');
    expect(next).toContain('<!-- simulate: a -->\n\nnew\n\n<!-- end: a -->\n\nby hand');
    expect(next).not.toContain('old');
    expect(withPart(next, 'a', 'new')).toBe(next);
  });

  it('tells its parts', () => {
    expect(partsOf(page)).toEqual(['a', 'b']);
  });

  it('says which lines it lacks', () => {
    expect(() => withPart(page, 'c', '')).toThrow('<!-- simulate: c -->');
  });
});

describe('a chapter', () => {
  const story: Story = {
    name: 'tale',
    title: 'A tale',
    model: ['The model.'],
    steps: 1,
    tell: () => ({
      tables: [{ head: ['a'], rows: [['1']] }],
      charts: [
        {
          name: '',
          kind: 'lines',
          chart: { title: 'Picture', xLabel: 'x', yLabel: 'y', lines: [{ name: 'a', points: [[0, 1]] }] },
        },
        { name: 'x', kind: 'drawn', svg: '<svg/>' },
      ],
      targets: [atMost('share', 0.05, 0.1, percent)],
      notes: ['The note.'],
    }),
  };

  it('has model, tables, targets, pictures and notes in this order, and says what was missed', () => {
    const { text, pictures } = chapterOf(story, story.tell({ seed: 1, isQuick: true, step: () => {} }), 'images/');
    const order = ['The model.', '| a |', '**missed**', '![Picture](images/tale.svg)', 'The note.'].map((part) =>
      text.indexOf(part),
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBe(0);
    expect(pictures.map(({ file }) => file)).toEqual(['tale.svg', 'tale-x.svg']);
    expect(text).not.toContain('tale-x.svg');
  });
});

describe('progress', () => {
  function screen(isTTY: boolean) {
    const written: string[] = [];
    return { isTTY, written, write: (text: string) => written.push(text) };
  }

  it('is one line that is rewritten on a terminal', () => {
    const terminal = screen(true);
    const progress = new Progress(terminal, 2);
    progress.begin('first');
    progress.step('first');
    progress.close();
    progress.close();
    expect(terminal.written.every((text) => text.startsWith('\r\x1b[2K'))).toBe(true);
    expect(terminal.written.at(-1)).toBe('\r\x1b[2K');
    expect(terminal.written[1]).toContain('1/2 first');
    expect(terminal.written).toHaveLength(3);
  });

  it('is a plain line for each step elsewhere', () => {
    const file = screen(false);
    const progress = new Progress(file, 2);
    progress.begin('first');
    progress.step('first');
    progress.step('second');
    progress.close();
    expect(file.written).toEqual(['[1/2] first\n', '[2/2] second\n']);
  });
});

describe('the command line', () => {
  it('has a seed of its own, and takes names in one word or several', () => {
    const wanted = simulateArguments(['--story', 'a,b', '--story', 'c', '--quick']);
    expect(wanted).toEqual({
      stories: ['a', 'b', 'c'],
      isList: false,
      isHelp: false,
      isQuick: true,
      seed: DEFAULT_SEED,
      out: null,
    });
  });

  it('refuses a seed that is none, and options it does not know', () => {
    expect(() => simulateArguments(['--seed', 'x'])).toThrow('--seed is x');
    expect(() => simulateArguments(['--quik'])).toThrow('--quik');
  });

  it('chooses stories by name', () => {
    const all = [{ name: 'a' }, { name: 'b' }];
    expect(chosen(all, [])).toBe(all);
    expect(chosen(all, ['b'])).toEqual([{ name: 'b' }]);
    expect(() => chosen(all, ['c'])).toThrow('there is no story "c"');
  });
});
