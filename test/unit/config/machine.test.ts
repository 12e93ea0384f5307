/** Facts of the machine, read from files that a test writes. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { readMachine } from '../../../src/config/machine.js';

const reading = (files: Readonly<Record<string, string>>) => (path: string) => {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
  return text;
};

describe('processors', () => {
  it.each([
    ['no cgroup', {}, 8],
    ['no quota', { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, 8],
    ['two processors', { '/sys/fs/cgroup/cpu.max': '200000 100000\n' }, 2],
    ['one and a half', { '/sys/fs/cgroup/cpu.max': '150000 100000\n' }, 2],
    ['a tenth', { '/sys/fs/cgroup/cpu.max': '10000 100000\n' }, 1],
    ['more than there are', { '/sys/fs/cgroup/cpu.max': '6400000 100000\n' }, 8],
    [
      'a quota of the own group',
      { '/proc/self/cgroup': '0::/a/b\n', '/sys/fs/cgroup/a/b/cpu.max': '300000 100000\n' },
      3,
    ],
    [
      'a tighter quota above',
      {
        '/proc/self/cgroup': '0::/a/b\n',
        '/sys/fs/cgroup/a/b/cpu.max': '300000 100000',
        '/sys/fs/cgroup/a/cpu.max': '100000 100000',
      },
      1,
    ],
    [
      'cgroup v1',
      { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '400000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      4,
    ],
    [
      'cgroup v1 without a quota',
      { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      8,
    ],
    ['nonsense', { '/sys/fs/cgroup/cpu.max': 'what?\n', '/proc/self/cgroup': '???' }, 8],
  ])('with %s', (_, files, processors) => {
    expect(readMachine(reading(files), 8).processors).toBe(processors);
  });

  it('are those of this machine unless told otherwise', () => {
    expect(readMachine(reading({})).processors).toBe(availableParallelism());
  });
});

const status = (mask: string) => ({ '/proc/self/status': `Name:\tnode\nCapEff:\t${mask}\n` });

describe('the first port that needs no privilege', () => {
  it.each([
    ['nothing known', {}, 1024],
    ['no capabilities', status('0000000000000000'), 1024],
    ['all capabilities', status('000001ffffffffff'), 0],
    ['CAP_NET_BIND_SERVICE alone', status('0000000000000400'), 0],
    [
      'a kernel that opens all',
      { ...status('0000000000000000'), '/proc/sys/net/ipv4/ip_unprivileged_port_start': '0\n' },
      0,
    ],
    ['a kernel that opens from 80', { '/proc/sys/net/ipv4/ip_unprivileged_port_start': '80\n' }, 80],
  ])('with %s', (_, files, firstOpenPort) => {
    expect(readMachine(reading(files), 1).firstOpenPort).toBe(firstOpenPort);
  });
});
