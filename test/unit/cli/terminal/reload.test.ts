/** What `sluice reload` says. */
import { describe, expect, it } from 'vitest';
import { AdminFailure } from '../../../../src/cli/terminal/admin-client.js';
import { reportLines, runReload } from '../../../../src/cli/terminal/reload.js';
import type { TerminalSurroundings } from '../../../../src/cli/terminal/terminal-surroundings.js';
import { UNCHANGED } from '../../../harness/admin-source.js';

/** Surroundings whose sluice answers this, or fails so. */
function surroundingsWith(answer: unknown): TerminalSurroundings & { readonly printed: string[] } {
  const printed: string[] = [];
  const post = async (): Promise<unknown> => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return {
    client: { post } as unknown as TerminalSurroundings['client'],
    out: { write: (text) => printed.push(`out: ${text}`) },
    err: { write: (text) => printed.push(`err: ${text}`) },
    isTerminal: false,
    isColoured: false,
    nowMs: () => 0,
    sleep: async () => {},
    printed,
  };
}

describe('reload', () => {
  it('tells what changed, what needs a restart, and what to mind', () => {
    const report = {
      ...UNCHANGED,
      isUnchanged: false,
      epoch: 4,
      listeners: { added: 1, changed: 0, removed: 0 },
      endpoints: { added: 2, changed: 1, removed: 1 },
      needsRestart: ['workers'],
      warnings: ['a.yaml:1:1: upstreams.x is not used'],
    };
    expect(reportLines(report)).toEqual([
      'plan 4 counts now: 1 listener new, 2 endpoints new, 1 endpoint changed, 1 endpoint gone',
      'needs a restart: workers',
      'warning: a.yaml:1:1: upstreams.x is not used',
    ]);
    expect(reportLines(UNCHANGED)).toEqual(['nothing has changed: plan 1 counts on']);
  });

  it('prints every problem of a configuration that cannot be used, and ends with 1', async () => {
    const problems = ['a.yaml:1:1: error: one', 'a.yaml:2:1: error: two'];
    const surroundings = surroundingsWith(new AdminFailure('refused', 'two problems', { status: 422, problems }));
    expect(await runReload(false, surroundings)).toBe(1);
    expect(surroundings.printed).toEqual([
      'err: sluice: two problems\n  a.yaml:1:1: error: one\n  a.yaml:2:1: error: two\n',
    ]);
  });

  it('prints JSON for both', async () => {
    const well = surroundingsWith(UNCHANGED);
    expect(await runReload(true, well)).toBe(0);
    expect(JSON.parse((well.printed[0] ?? '').replace('out: ', ''))).toEqual(UNCHANGED);
    const failed = surroundingsWith(new AdminFailure('refused', 'no', { status: 422, problems: ['one'] }));
    expect(await runReload(true, failed)).toBe(1);
    expect(JSON.parse((failed.printed[0] ?? '').replace('out: ', ''))).toMatchObject({ problems: ['one'] });
  });
});
