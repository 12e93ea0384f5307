/** Reloads of a sluice that runs: another configuration is written, SIGHUP is sent, and its end is waited for. */
import type { LogLine, ProxyProcess } from './proxy-process.js';
import { until } from './wire.js';

/** How a reload can end. */
const ENDINGS: readonly unknown[] = ['reloaded', 'reload-unchanged', 'reload-failed'];

/** For the configurations of these tests: nothing but the signal has them read, so each is read once. */
export const BY_SIGNAL_ONLY = { watch: false } as const;

/** @returns the line that the log has of its end: `reloaded`, `reload-unchanged` or `reload-failed` */
export async function endOfReload(proxy: ProxyProcess, config: object): Promise<LogLine> {
  const ends = (): readonly LogLine[] => proxy.log.filter(({ event }) => ENDINGS.includes(event));
  const before = ends().length;
  proxy.reload({ ...BY_SIGNAL_ONLY, ...config });
  await until('the end of the reload', () => ends().length > before, 10_000);
  return ends()[before] as LogLine;
}

/** @returns what `reloaded` says. @throws Error when it did not succeed, or changed nothing */
export async function reloadWith(proxy: ProxyProcess, config: object): Promise<LogLine> {
  const line = await endOfReload(proxy, config);
  if (line.event !== 'reloaded') throw new Error(`not reloaded: ${JSON.stringify(line)}`);
  return line;
}
