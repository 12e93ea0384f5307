/** Help texts and usage errors. */
import { describe, expect, it } from 'vitest';
import { COMMANDS, FLAGS } from '../../../src/cli/flags.js';
import { flagTitle, helpText, usageErrorText } from '../../../src/cli/usage.js';

describe('help', () => {
  it.each([null, ...COMMANDS])('of %s has its flags and no others', (command) => {
    const help = helpText(command);
    for (const flag of FLAGS) {
      const isShown = help.includes(`  ${flagTitle(flag)}\n`);
      expect(isShown, flag.name).toBe(!flag.isLater && flag.commands.includes(command ?? 'run'));
    }
  });

  it.each([null, ...COMMANDS])('of %s fits a terminal, with examples, and ends its last line', (command) => {
    const lines = helpText(command).split('\n');
    expect(lines.filter((line) => line.length > 106)).toEqual([]);
    expect(lines).toContain('Examples:');
    expect(lines.at(-1)).toBe('');
  });

  it('of sluice names every command', () => {
    for (const command of COMMANDS) expect(helpText(null)).toMatch(new RegExp(`^ {2}${command} `, 'm'));
  });

  it('shows values and defaults', () => {
    expect(helpText('run')).toContain(
      '  -w, --workers N\n      Worker threads; auto: as many as processors this process may use. Default: auto.\n',
    );
  });
});

describe('a usage error', () => {
  it('has every problem with its hint, and where to read more', () => {
    const problems = [
      { sentence: 'one', hint: 'mend it' },
      { sentence: 'two', hint: null },
    ];
    expect(usageErrorText('check', problems)).toBe('sluice: one\n  mend it\nsluice: two\nTry: sluice check --help\n');
    expect(usageErrorText(null, problems)).toMatch(/Try: sluice --help\n$/);
  });
});
