/** Reads the samples of an exposition of either format, for tests. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Name and labels, these in the order of the alphabet. */
  readonly series: string;
  readonly value: number;
}

export function readExposition(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', inside = '', value = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
      if (name === '') throw new Error(`no sample: ${line}`);
      const pairs = [...inside.matchAll(/([a-z_]+)="((?:\\.|[^"\\])*)"/g)].map(
        ([, label = '', text = '']) =>
          [label, text.replace(/\\(.)/g, (_, each) => (each === 'n' ? '\n' : each))] as const,
      );
      const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
      const braced = sorted.length === 0 ? '' : `{${sorted.map(([label, text]) => `${label}="${text}"`).join(',')}}`;
      return { name, labels: Object.fromEntries(pairs), series: `${name}${braced}`, value: Number(value) };
    });
}
