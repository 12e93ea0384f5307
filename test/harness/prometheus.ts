/** A real Prometheus that scrapes what a test runs. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DEADLINE_MS = 15_000;
const LOOK_MS = 100;

/** false: tests that need it are skipped. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

export interface Prometheus {
  /** Asks until an expression has the values, by their labels as JSON; throws with what it last had. */
  untilValues(expression: string, expected: Readonly<Record<string, number>>): Promise<void>;
  stop(): Promise<void>;
}

/** @param targets by the name of the job: host and port */
export async function startPrometheus(targets: Readonly<Record<string, string>>): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'));
  const scrapes = Object.entries(targets).map(([job, target]) => ({
    job_name: job,
    static_configs: [{ targets: [target] }],
  }));
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: scrapes };
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config)); // JSON is YAML
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const ended = once(child, 'close');
  const ask = async (expression: string): Promise<Readonly<Record<string, number>>> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as {
      readonly data?: {
        readonly result: readonly { readonly metric: object; readonly value: readonly [number, string] }[];
      };
    };
    const rows = answer.data?.result ?? [];
    return Object.fromEntries(rows.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
  };
  return {
    untilValues: async (expression, expected) => {
      const wanted = JSON.stringify(Object.entries(expected).sort());
      const until = Date.now() + DEADLINE_MS;
      for (;;) {
        const found = await ask(expression).catch(() => ({})); // it is still starting
        const have = JSON.stringify(Object.entries(found).sort());
        if (have === wanted) return;
        if (Date.now() > until) throw new Error(`${expression} is ${have} and not ${wanted}\n${told}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
