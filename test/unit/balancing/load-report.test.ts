/** Reports of load in both forms, malformed ones, and any text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadReport, REPORT_CHARACTERS } from '../../../src/balancing/load-report.js';

function read(text: string): readonly [utilization: number, rate: number, errorRate: number] | null {
  const report = new LoadReport();
  return report.read(text) ? [report.utilization, report.rate, report.errorRate] : null;
}

describe('load report', () => {
  it.each<[string, readonly [number, number, number]]>([
    [
      'TEXT cpu_utilization=0.3, mem_utilization=0.8, rps_fractional=10.5, eps=1, named_metrics.queue=4',
      [0.3, 10.5, 1],
    ],
    ['TEXT cpu_utilization=0.3,application_utilization=0.9', [0.9, 0, 0]],
    ['TEXT cpu_utilization=0.3,application_utilization=0', [0.3, 0, 0]],
    ['TEXT  rps_fractional = 1e2 ', [0, 100, 0]],
    ['TEXT eps=.5', [0, 0, 0.5]],
    ['JSON {"cpu_utilization":0.3,"rps_fractional":10.5,"eps":1,"named_metrics":{"queue":4}}', [0.3, 10.5, 1]],
    ['JSON {"cpuUtilization":0.3,"applicationUtilization":1.5,"rpsFractional":7}', [1.5, 7, 0]],
  ])('is read: %s', (text, figures) => {
    expect(read(text)).toEqual(figures);
  });

  it.each([
    '',
    'TEXT',
    'TEXT ',
    'text cpu_utilization=0.3',
    'TEXT cpu_utilization',
    'TEXT cpu_utilization=',
    'TEXT cpu_utilization=x',
    'TEXT cpu_utilization=-1',
    'TEXT cpu_utilization=Infinity',
    'TEXT cpu_utilization=0x1',
    'TEXT cpu_utilization=1e13',
    'TEXT cpu_utilization=0.3, cpu_utilization=0.4',
    'TEXT cpu_utilization=0.3,',
    'TEXT cpu_utilization=0.3,,eps=1',
    'TEXT mem_utilization=0.3',
    'JSON',
    'JSON {',
    'JSON 7',
    'JSON null',
    'JSON []',
    'JSON {}',
    'JSON {"cpu_utilization":"0.3"}',
    'JSON {"cpu_utilization":-0.1}',
    'JSON {"cpu_utilization":0.3,"cpuUtilization":0.3}',
    'BIN CZqZmZmZmbk/',
    'cpu_utilization=0.3',
    `TEXT cpu_utilization=0.3, x=${'1'.repeat(REPORT_CHARACTERS)}`,
  ])('is refused: %s', (text) => {
    expect(read(text)).toBeNull();
  });

  it('leaves nothing of the one before it', () => {
    const report = new LoadReport();
    expect(report.read('TEXT application_utilization=0.9, rps_fractional=5, eps=2')).toBe(true);
    expect(report.read('TEXT cpu_utilization=0.1')).toBe(true);
    expect([report.utilization, report.rate, report.errorRate]).toEqual([0.1, 0, 0]);
  });

  it('says the same in both forms', () => {
    const metric = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(metric, metric, metric, metric, (cpu, application, rate, errors) => {
        const metrics = {
          cpu_utilization: cpu,
          application_utilization: application,
          rps_fractional: rate,
          eps: errors,
        };
        const pairs = Object.entries(metrics).map(([name, value]) => `${name}=${value}`);
        const figures = read(`JSON ${JSON.stringify(metrics)}`);
        expect(figures).toEqual([application > 0 ? application : cpu, rate, errors]);
        expect(read(`TEXT ${pairs.join(', ')}`)).toEqual(figures);
      }),
    );
  });

  it('never gives a figure that is none', () => {
    const piece = fc.oneof(
      fc.constantFrom('TEXT ', 'JSON ', 'cpu_utilization', 'eps', 'rps_fractional', '=', ',', ', ', '{', '}', '"', ':'),
      fc.constantFrom('1', '0.5', '-1', '1e400', 'NaN', '__proto__', 'null'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        for (const figure of read(pieces.join('')) ?? []) {
          expect(figure).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(figure)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
