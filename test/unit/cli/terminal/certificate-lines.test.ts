/** The table of certificates that `sluice status` ends with. */
import { describe, expect, it } from 'vitest';
import { certificateLines } from '../../../../src/cli/terminal/certificate-lines.js';
import type { CertificateView } from '../../../../src/control/admin/certificate-view.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const PAINT = { ending: (text: string) => `<${text}>`, ended: (text: string) => `[${text}]` };

const certificate = (names: readonly string[], endsAt: string, upstream: string | null = null): CertificateView => ({
  listener: upstream === null ? 'web' : null,
  upstream,
  names,
  issuer: 'CN=A',
  serial: '01',
  startsAt: '2026-01-01T00:00:00.000Z',
  endsAt,
  fingerprint: '00',
  keyType: 'ec',
  source: 'acme',
});

describe('the table of certificates', () => {
  it('says for whom, until when and how long, and marks what needs somebody', () => {
    const all = [
      certificate(['a.test'], '2027-11-23T12:00:00.000Z'),
      certificate(['b.test', 'c.test', 'd.test', 'e.test'], '2026-12-01T12:00:00.000Z'),
      certificate(['\u001b[2Jf.test'], '2026-11-01T00:00:00.000Z', 'api'),
    ];
    expect(certificateLines(all, NOW, PAINT)).toEqual([
      'CERTIFICATE                OF            ENDS ON     LEFT      FROM',
      'a.test                     listener web  2027-11-23  365 days  acme',
      '<b.test, c.test and 2 more  listener web  2026-12-01  8 days !  acme>',
      expect.stringMatching(/^\[.*f\.test {2,}upstream api {2}2026-11-01 {2}ended !! {2}acme\]$/),
    ]);
    expect(certificateLines(all, NOW, PAINT).join('')).not.toContain('\u001b');
  });

  it('is not there without certificates', () => {
    expect(certificateLines([], NOW, PAINT)).toEqual([]);
  });
});
