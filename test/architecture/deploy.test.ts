/** What is shipped for running sluice as a service: that it is well-formed and names what exists. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.js';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

describe('the systemd unit', () => {
  const unit = read('deploy/sluice.service');

  it.skipIf(!has('systemd-analyze'))('is one to systemd (skipped without systemd-analyze)', () => {
    const { stdout, stderr } = spawnSync('systemd-analyze', [
      'verify',
      fileURLToPath(new URL('deploy/sluice.service', ROOT)),
    ]);
    // What it starts need not be installed where this runs.
    const complaints = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line !== '' && !line.includes('is not executable'));
    expect(complaints.filter((line) => line.includes('sluice.service'))).toEqual([]);
  });

  it('starts commands that there are', () => {
    const commands = [...unit.matchAll(/^Exec(?:Start|StartPre)=\S+ \S+main\.js (.+)$/gm)].map(
      ([, words]) => words ?? '',
    );
    expect(commands.map((words) => parseArguments(words.split(' ')).kind)).toEqual(['check', 'run']);
  });

  it('raises the limit of open files and waits longer than the default shutdown timeout', () => {
    expect(unit).toMatch(/^LimitNOFILE=1048576$/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(30);
  });
});

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  it('copies what a build makes, runs as a number that is not root, and starts the program', () => {
    const copied = [...dockerfile.matchAll(/^COPY --from=build \/src\/(\S+) /gm)].map(([, path]) => path);
    expect(copied).toEqual(['package.json', 'bundle', 'build/Release/sluice_engine.node', 'node_modules']);
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(JSON.parse(read('package.json')).bin.sluice).toBe('bundle/cli/main.js');
    expect(dockerfile).toContain('"/opt/sluice/bundle/cli/main.js"');
    const words = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
    expect(parseArguments(words)).toMatchObject({ kind: 'run', configFile: '/etc/sluice/sluice.yaml' });
  });

  it('runs a set-up that there is', () => {
    const script = /^RUN node (\S+)/m.exec(dockerfile)?.[1] ?? '';
    expect(existsSync(new URL(script, ROOT))).toBe(true);
  });
});
