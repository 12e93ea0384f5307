/** What GET /metrics of a running sluice says, for tests that compare it with what they have sent. */
import type { ProxyProcess } from './proxy-process.js';

/** Samples of one scrape, by name and labels as they are written: 'name{a="b"}'. */
export type Samples = ReadonlyMap<string, number>;

export async function scrape(proxy: ProxyProcess): Promise<Samples> {
  const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

/** Adds up the samples of a name that have all of these labels; 0: there is none. */
export function sumOf(samples: Samples, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let sum = 0;
  for (const [sample, value] of samples) {
    const isNamed = sample === name || sample.startsWith(`${name}{`);
    if (isNamed && wanted.every((label) => sample.includes(label))) sum += value;
  }
  return sum;
}
