/** Who may talk to the admin API. */
import { describe, expect, it } from 'vitest';
import { isHostAllowed } from '../../../../src/control/admin/host-guard.js';

describe('isHostAllowed', () => {
  it.each(['127.0.0.1:9900', '127.0.0.1', 'localhost:9900', '[::1]:9900', 'Localhost'])('takes %s', (host) =>
    expect(isHostAllowed(host, '127.0.0.1')).toBe(true),
  );
  it.each([
    undefined,
    '',
    'evil.test',
    'evil.test:9900',
    '127.0.0.1.evil.test',
    'localhost:99999999',
    '[evil.test]',
    'a:b:c',
  ])('refuses %s', (host) => expect(isHostAllowed(host, '127.0.0.1')).toBe(false));
});
