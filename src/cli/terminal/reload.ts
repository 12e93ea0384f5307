/** The command `reload`: has a running sluice read its configuration again, and says what came of it. */
import type { ReloadReport } from '../../control/admin/admin-source.js';
import type { ChangeCounts } from '../../control/reload-result.js';
import { AdminFailure } from './admin-client.js';
import { counted } from './figures-text.js';
import { TerminalExit, type TerminalExitCode, type TerminalSurroundings } from './terminal-surroundings.js';

/** Reloads. @returns the exit code: 1 where the configuration cannot be used */
export async function runReload(
  isJson: boolean,
  { client, out, err }: TerminalSurroundings,
): Promise<TerminalExitCode> {
  try {
    const report = await client.post<ReloadReport>('/api/v1/reload', {});
    out.write(isJson ? `${JSON.stringify(report, null, 2)}\n` : `${reportLines(report).join('\n')}\n`);
    return TerminalExit.OK;
  } catch (error) {
    if (!(error instanceof AdminFailure) || error.problems.length === 0) throw error;
    const { message, problems } = error;
    if (isJson) out.write(`${JSON.stringify({ error: 'bad-config', message, problems }, null, 2)}\n`);
    else err.write(`sluice: ${[message, ...problems.map((problem) => `  ${problem}`)].join('\n')}\n`);
    return TerminalExit.REFUSED;
  }
}

/** What has changed, for people. Pure. */
export function reportLines(report: ReloadReport): string[] {
  const { isUnchanged, epoch, listeners, upstreams, endpoints, needsRestart, warnings } = report;
  const changes = [
    ...changesOf(listeners, 'listener'),
    ...changesOf(upstreams, 'upstream'),
    ...changesOf(endpoints, 'endpoint'),
  ];
  const what = changes.length === 0 ? 'no listener, upstream or endpoint is another than before' : changes.join(', ');
  return [
    isUnchanged ? `nothing has changed: plan ${epoch} counts on` : `plan ${epoch} counts now: ${what}`,
    ...needsRestart.map((setting) => `needs a restart: ${setting}`),
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
}

function changesOf({ added, changed, removed }: ChangeCounts, one: string): string[] {
  const counts: readonly (readonly [number, string])[] = [
    [added, 'new'],
    [changed, 'changed'],
    [removed, 'gone'],
  ];
  return counts.flatMap(([count, how]) => (count === 0 ? [] : [`${counted(count, one)} ${how}`]));
}
