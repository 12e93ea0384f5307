/** The documentation of the log events and exit codes against the code. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/control/start-failure.js';
import { LOG_EVENTS } from '../../../src/observability/log-events.js';

const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

describe('docs/operations.md', () => {
  it('lists every log event with its meaning, and no other', () => {
    const section = page.split(/^## /m).find((text) => text.startsWith('Log\n'))!;
    const rows = [...section.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, name, meaning]) => [name, meaning]);
    expect(Object.fromEntries(rows)).toEqual(LOG_EVENTS);
  });

  it('explains every exit code', () => {
    for (const code of Object.values(ExitCode)) expect(page).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});
