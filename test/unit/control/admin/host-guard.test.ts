/** Who may talk to the admin API. */
import { describe, expect, it } from 'vitest';
import { isHostAllowed } from '../../../../src/control/admin/host-guard.js';

const loopback = { boundHost: '127.0.0.1', names: ['sluice.internal'] };

describe('isHostAllowed', () => {
  it.each(['127.0.0.1:9900', '127.0.0.1', 'localhost:9900', '[::1]:9900', 'Localhost', 'Sluice.internal:443'])(
    'takes %s',
    (host) => expect(isHostAllowed(host, loopback)).toBe(true),
  );
  it.each([
    undefined,
    '',
    'evil.test',
    'evil.test:9900',
    '127.0.0.1.evil.test',
    'sluice.internal.evil.test',
    '10.0.0.1:9900',
    'localhost:99999999',
    '[evil.test]',
    'a:b:c',
  ])('refuses %s', (host) => expect(isHostAllowed(host, loopback)).toBe(false));

  it.each(['10.0.0.1:9900', '[2001:db8::1]'])('takes the address %s where it listens on all', (host) =>
    expect(isHostAllowed(host, { boundHost: '0.0.0.0', names: [] })).toBe(true),
  );
  it('refuses a name that nobody allowed where it listens on all', () =>
    expect(isHostAllowed('evil.test', { boundHost: '::', names: [] })).toBe(false));
});
