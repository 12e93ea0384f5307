/** Schema of HSTS, a one-line option of l7 listeners with TLS. */
import { formatDuration, parseDuration } from '../duration.js';
import { textField } from './field.js';

const HSTS_WORDS: readonly string[] = ['includeSubDomains', 'preload'];
const HSTS_MOST_MS = 10 * 365 * 24 * 3_600_000;
const HSTS_EXPECTED =
  'off, or a time such as 8760h (a year), with includeSubDomains and preload behind it if they are meant';

/** Strict-Transport-Security as a listener says it: `max-age=…` and what follows; '' for none. */
export function hsts(rules: { description: string }) {
  return textField<string>({
    parse: (written) => {
      if (written === 'off') return { ok: true, value: '' };
      const [time = '', ...words] = written.trim().split(/\s+/);
      const maxAge = parseDuration(time);
      const isKnown = words.every((word, index) => HSTS_WORDS.includes(word) && words.indexOf(word) === index);
      if (maxAge.ok && maxAge.value % 1000 === 0 && maxAge.value <= HSTS_MOST_MS && isKnown)
        return { ok: true, value: [`max-age=${maxAge.value / 1000}`, ...words].join('; ') };
      const hint = maxAge.ok ? null : maxAge.hint;
      return { ok: false, expected: HSTS_EXPECTED, hint };
    },
    write: (value) => {
      if (value === '') return 'off';
      const [maxAge = '', ...words] = value.split('; ');
      return [formatDuration(Number(maxAge.slice('max-age='.length)) * 1000), ...words].join(' ');
    },
    expected: HSTS_EXPECTED,
    description: rules.description,
    form: '`off`, or duration of whole seconds, then `includeSubDomains`, `preload`',
    json: { pattern: '^(off|[0-9]+(\\.[0-9]+)?(ms|s|m|h)( includeSubDomains| preload)*)$' },
  });
}
