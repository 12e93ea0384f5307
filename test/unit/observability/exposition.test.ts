/** The two text formats, and which one is asked for. */
import { describe, expect, it } from 'vitest';
import { boundTextsOf, Exposition, formatFor, labelText, NO_LABELS } from '../../../src/observability/exposition.js';

describe('exposition', () => {
  it('writes counters with their suffix in the samples, and in OpenMetrics not in the name of the family', () => {
    const textOf = (format: 'prometheus' | 'openmetrics') => {
      const into = new Exposition(format);
      into.family('sluice_from_clients_bytes_total');
      into.sample(labelText(['listener', 'web']), 12);
      return into
        .text()
        .split('\n')
        .filter((line) => !line.startsWith('# HELP'));
    };
    expect(textOf('prometheus')).toEqual([
      '# TYPE sluice_from_clients_bytes_total counter',
      'sluice_from_clients_bytes_total{listener="web"} 12',
      '',
    ]);
    expect(textOf('openmetrics')).toEqual([
      '# TYPE sluice_from_clients_bytes counter',
      '# UNIT sluice_from_clients_bytes bytes',
      'sluice_from_clients_bytes_total{listener="web"} 12',
      '# EOF',
      '',
    ]);
  });

  it('writes histograms with cumulative buckets, sum and count', () => {
    const into = new Exposition('prometheus');
    into.family('sluice_request_duration_seconds');
    const counts = { cumulative: [1, 3], count: 4, sum: 7.5 };
    into.histogram(labelText(['listener', 'web']), boundTextsOf([0.5, 1]), counts);
    expect(into.text().split('\n').slice(2)).toEqual([
      'sluice_request_duration_seconds_bucket{listener="web",le="0.5"} 1',
      'sluice_request_duration_seconds_bucket{listener="web",le="1.0"} 3',
      'sluice_request_duration_seconds_bucket{listener="web",le="+Inf"} 4',
      'sluice_request_duration_seconds_sum{listener="web"} 7.5',
      'sluice_request_duration_seconds_count{listener="web"} 4',
      '',
    ]);
  });

  it('leaves out what is not known, and families of which nothing is', () => {
    const into = new Exposition('prometheus');
    into.family('sluice_ready');
    into.sample(NO_LABELS, null);
    expect(into.text()).toBe('');
  });

  it('escapes values of labels', () => {
    expect(labelText(['route', 'a"b\\c\nd'])).toBe('route="a\\"b\\\\c\\nd"');
  });

  it('refuses to write a family in two pieces', () => {
    const into = new Exposition('prometheus');
    into.family('sluice_ready');
    expect(() => into.family('sluice_ready')).toThrow('stand together');
  });
});

describe('the format that is asked for', () => {
  it.each([
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'prometheus'],
    ['application/openmetrics-text;q=0,text/plain', 'prometheus'],
    ['application/openmetrics-text;q=0.3,text/plain;q=0.5', 'prometheus'],
    // Prometheus 2.42 and 3.0
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
  ])('for Accept: %s is %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format);
  });
});
