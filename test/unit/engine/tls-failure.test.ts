/** The words for TLS that failed, and what is told apart by numbers. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TlsFailure } from '../../../src/engine/tls.js';
import { isTlsRefusal, TLS_ALERTS, tlsFailureOf, tlsFailureText, tlsReason } from '../../../src/engine/tls-failure.js';

describe('tlsFailureText', () => {
  it('has words of its own for every failure that the engine can tell', () => {
    const { NONE: _none, ...failures } = TlsFailure;
    const texts = Object.values(failures).map((failure) => tlsFailureText(failure, 0, ''));

    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) expect(text).not.toMatch(/^failure \d/);
  });

  it('names the alert, or tells its number', () => {
    expect(tlsFailureText(TlsFailure.ALERT, 48, '')).toContain('unknown_ca');
    expect(tlsFailureText(TlsFailure.ALERT, 200, '')).toContain('200');
  });

  it('tells what is wrong with a certificate', () => {
    expect(tlsFailureText(TlsFailure.BAD_CERTIFICATE, 0, 'certificate has expired')).toContain(
      'certificate has expired',
    );
  });
});

describe('tlsReason', () => {
  it('tells alerts, faults of certificates and errnos by name', () => {
    expect(tlsReason((TlsFailure.ALERT << 16) | 116)).toBe('the endpoint refused the handshake: certificate_required');
    expect(tlsReason((TlsFailure.BAD_CERTIFICATE << 16) | 10)).toMatch(/it has expired/);
    expect(tlsReason((TlsFailure.PEER_LEFT << 16) | 104)).toMatch(/ECONNRESET/);
  });

  it('takes what tlsFailureOf makes of errors of node:tls', () => {
    expect(
      tlsReason(tlsFailureOf(Object.assign(new Error(), { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }))),
    ).toMatch(/certificate_required/);
  });
});

describe('isTlsRefusal', () => {
  it('knows the alerts that native/src/upstream/wire.cc takes for a refusal', () => {
    const source = readFileSync(new URL('../../../native/src/upstream/wire.cc', import.meta.url), 'utf8');
    const named = [...source.matchAll(/case (?:SSL|TLS13)_AD_([A-Z_]+):/g)].map(([, name]) => name?.toLowerCase());
    const known = [...TLS_ALERTS].filter(([alert]) => isTlsRefusal((TlsFailure.ALERT << 16) | alert));
    expect(named.length).toBeGreaterThan(5);
    expect(known.map(([, name]) => name).sort()).toEqual(named.sort());
  });
});
