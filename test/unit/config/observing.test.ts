/** What a file may say of admin API, access log, tracing and watching, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { compilePlan } from '../../../src/config/compile.js';
import { ACCESS_FIELDS } from '../../../src/config/observing-plan.js';
import type { Plan } from '../../../src/config/plan.js';
import { FreshRecords } from '../../../src/config/plan-records.js';
import { configOf, problemsOf, SMALLEST } from './loading.js';

function planOf(settings: string): Plan {
  const assignSlot = () => ({ slot: 0, generation: 1 });
  const options = {
    assignSlot,
    records: new FreshRecords(),
    epoch: 1,
    processors: 1,
    affinitySecret: 'sixteen-letters!',
  };
  return compilePlan(configOf(`${SMALLEST}${settings}\n`), options);
}

const TOKEN = '0123456789abcdef';
const wrong = (settings: string) => problemsOf(`${SMALLEST}${settings}\n`);

describe('the admin API in a file', () => {
  it.each([
    [
      'admin: { bind: "0.0.0.0:9900", token: 0123456789abcdef }',
      { host: '0.0.0.0', port: 9900, token: TOKEN, hosts: [] },
    ],
    ['admin: { hosts: [ Proxy.Internal ] }', { host: '127.0.0.1', port: 9900, token: null, hosts: ['proxy.internal'] }],
    ['admin: off', null],
  ])('is compiled: %s', (settings, admin) => {
    expect(planOf(settings).admin).toEqual(admin);
  });

  it.each([
    [
      'admin: { token: short }',
      'sluice.yaml:6:17 admin.token is "short", but must be 16 to 512 printable ASCII characters without blanks | make one with: openssl rand -hex 32',
    ],
    [
      'admin: { bind: ":9900" }',
      'sluice.yaml:6:16 admin.bind is ":9900", where strangers may reach it, but there is no admin.token | add a token (openssl rand -hex 32), or listen on 127.0.0.1:9900',
    ],
    ['admin: { hosts: [ "a:1" ] }', 'sluice.yaml:6:19 admin.hosts[0] is "a:1", but must be a host name without port'],
  ])('is refused: %s', (settings, problem) => {
    expect(wrong(settings)).toEqual([problem]);
  });
});

describe('the access log in a file', () => {
  it('has everything a worker needs', () => {
    expect(planOf('accessLog: { file: /var/log/a }').accessLog).toEqual({
      file: '/var/log/a',
      format: 'combined',
      fields: [...ACCESS_FIELDS],
      share: 1,
      bufferBytes: 8 * 1024 ** 2,
    });
    expect(
      planOf('accessLog: { file: "-", format: json, fields: [ path, time, path ], share: 5%, buffer: 64KiB }')
        .accessLog,
    ).toEqual({ file: '-', format: 'json', fields: ['path', 'time'], share: 0.05, bufferBytes: 65_536 });
    expect(planOf('').accessLog).toBeNull();
  });

  it('can leave a listener out', () => {
    const text = SMALLEST.replace('name: web,', 'name: web, accessLog: false,');
    expect(configOf(text).listeners[0]?.accessLog).toBe(false);
    expect(planOf('').listeners[0]?.isLogged).toBe(true);
  });

  it.each([
    ['{ file: a, fields: [] }', /fields/],
    ['{ file: a, fields: [ stauts ] }', /did you mean status/],
    ['{ file: a, format: jsn }', /did you mean json/],
    ['{ file: a, share: 101% }', /a share such as 50%/],
    ['{ file: a, buffer: 1KiB }', /from 64KiB to 1GiB/],
    ['{ format: json }', /accessLog.file is missing/],
  ])('is refused: %s', (setting, problem) => {
    expect(wrong(`accessLog: ${setting}`)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('tracing in a file', () => {
  it('has everything an exporter needs', () => {
    expect(
      planOf('tracing: { endpoint: "http://h:4318/v1/traces", headers: { x-key: k }, share: 10% }').tracing,
    ).toEqual({
      endpoint: 'http://h:4318/v1/traces',
      headers: { 'x-key': 'k' },
      service: 'sluice',
      share: 0.1,
    });
    expect(planOf('').tracing).toBeNull();
  });

  it.each([
    ['{ endpoint: "h:4318" }', /must be a URL such as/],
    ['{}', /tracing.endpoint is missing/],
    ['{ endpoint: "http://h", service: "" }', /tracing.service/],
  ])('is refused: %s', (setting, problem) => {
    expect(wrong(`tracing: ${setting}`)).toEqual([expect.stringMatching(problem)]);
  });
});

describe('watching the file', () => {
  it('is on unless told', () => {
    expect(configOf(SMALLEST).watch).toBe(true);
    expect(configOf(`${SMALLEST}watch: false\n`).watch).toBe(false);
    expect(wrong('watch: off')).toEqual(['sluice.yaml:6:8 watch is "off", but must be true or false | write false']);
  });
});
