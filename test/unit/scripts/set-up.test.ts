/** The parts of the set-up that must hold when builds are interrupted, run twice at once, or lack a compiler. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { filesUnder, fingerprintOf } from '../../../scripts/set-up/fingerprint.mjs';
import { acquireLock } from '../../../scripts/set-up/lock.mjs';
import { readStamp, removeStamp, writeStamp } from '../../../scripts/set-up/stamp.mjs';
import { nodeHeadersFolder, requireToolchain } from '../../../scripts/set-up/toolchain.mjs';
import { missingOutputs } from '../../../scripts/set-up/typescript.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-set-up-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a program into `folder`/bin that prints `output`. */
function plantProgram(name: string, output = ''): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/sh\necho '${output}'\n`);
  chmodSync(path, 0o755);
}

describe('fingerprintOf', () => {
  const fingerprint = () => fingerprintOf(folder, filesUnder([join(folder, 'src')]), ['fact']);
  beforeEach(() => {
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src/a.cc'), 'a');
    writeFileSync(join(folder, 'src/b.cc'), 'b');
  });

  it('stays the same while nothing changes', () => {
    expect(fingerprint()).toBe(fingerprint());
  });

  it.each([
    ['content', () => writeFileSync(join(folder, 'src/a.cc'), 'c')],
    ['a new file', () => writeFileSync(join(folder, 'src/c.cc'), '')],
    ['a removed file', () => rmSync(join(folder, 'src/b.cc'))],
    [
      'a byte moved from one file to the next',
      () => {
        writeFileSync(join(folder, 'src/a.cc'), '');
        writeFileSync(join(folder, 'src/b.cc'), 'ab');
      },
    ],
  ])('changes with %s', (_what, change) => {
    const before = fingerprint();
    change();
    expect(fingerprint()).not.toBe(before);
  });

  it('changes with the facts that are not in files', () => {
    expect(fingerprintOf(folder, [], ['v20'])).not.toBe(fingerprintOf(folder, [], ['v22']));
  });
});

describe('stamp', () => {
  it('gives back what was written, until it is removed', () => {
    const path = join(folder, 'build/.stamp');
    writeStamp(path, { sources: 'abc' });
    expect(readStamp(path)).toEqual({ sources: 'abc' });
    removeStamp(path);
    removeStamp(path);
    expect(readStamp(path)).toEqual({});
  });

  it('is no stamp when it is cut short', () => {
    writeFileSync(join(folder, 'stamp'), '{"sources":"a');
    expect(readStamp(join(folder, 'stamp'))).toEqual({});
  });
});

describe('missingOutputs', () => {
  it('names the compiled files that are not there', () => {
    const [src, dist] = [join(folder, 'src'), join(folder, 'dist')];
    for (const path of ['src/cli', 'dist/cli']) mkdirSync(join(folder, path), { recursive: true });
    for (const path of ['src/a.ts', 'src/cli/b.ts', 'src/types.d.ts', 'dist/a.js', 'dist/cli/b.js']) {
      writeFileSync(join(folder, path), '');
    }
    expect(missingOutputs(src, dist)).toEqual([]);
    rmSync(join(dist, 'cli/b.js'));
    expect(missingOutputs(src, dist)).toEqual([join(dist, 'cli/b.js')]);
  });
});

describe('acquireLock', () => {
  const never = () => {
    throw new Error('had to wait');
  };

  it('is free again after it was given back, twice if need be', async () => {
    const path = join(folder, 'lock');
    const giveBack = await acquireLock(path, never);
    giveBack();
    giveBack();
    (await acquireLock(path, never))();
    expect(existsSync(path)).toBe(false);
  });

  it('makes the second wait until the first is done', async () => {
    const path = join(folder, 'lock');
    const events: string[] = [];
    const giveBack = await acquireLock(path, never);
    const second = acquireLock(path, (owner: string) => events.push(`waits for ${owner}`)).then((giveBackSecond) => {
      events.push('second');
      giveBackSecond();
    });
    await vi.waitUntil(() => events.length > 0, { timeout: 15_000 });
    events.push('first gives back');
    giveBack();
    await second;
    expect(events).toEqual([`waits for ${process.pid}`, 'first gives back', 'second']);
  });

  it('takes over from a process that died with it', async () => {
    const path = join(folder, 'lock');
    const lockModule = new URL('../../../scripts/set-up/lock.mjs', import.meta.url).href;
    const code = `(await import(${JSON.stringify(lockModule)})).acquireLock(${JSON.stringify(path)}).then(() => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' }), 'exit');
    expect(existsSync(path)).toBe(true);
    (await acquireLock(path, never))();
  });

  it('takes over where the process id belongs to somebody else by now', async () => {
    const path = join(folder, 'lock');
    writeFileSync(path, `${process.pid} 1`);
    (await acquireLock(path, never))();
  });

  it('lets only one of many processes in at a time', async () => {
    const path = join(folder, 'lock');
    const log = join(folder, 'log');
    writeFileSync(path, '999999999 1');
    const lockModule = new URL('../../../scripts/set-up/lock.mjs', import.meta.url).href;
    const code = `
      import { appendFileSync } from 'node:fs';
      import { setImmediate } from 'node:timers/promises';
      const { acquireLock } = await import(${JSON.stringify(lockModule)});
      for (let round = 0; round < 3; round += 1) {
        const giveBack = await acquireLock(${JSON.stringify(path)}, () => {});
        appendFileSync(${JSON.stringify(log)}, 'in ');
        for (let turn = 0; turn < 50; turn += 1) await setImmediate();
        appendFileSync(${JSON.stringify(log)}, 'out ');
        giveBack();
      }`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' }),
    );
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(readFileSync(log, 'utf8')).toBe('in out '.repeat(12));
  });
});

describe('requireToolchain', () => {
  it('names everything that is missing, and the command that installs it, in one sentence', () => {
    plantProgram('apt-get');
    const env = { PATH: join(folder, 'bin') };
    expect(() => requireToolchain(env)).toThrow(
      /lacks a C\+\+ compiler \(g\+\+\) and make and python3: run `(sudo )?apt-get install g\+\+ make python3`/,
    );
  });

  it('names only what is missing', () => {
    plantProgram('g++', '12');
    plantProgram('python3');
    expect(() => requireToolchain({ PATH: join(folder, 'bin') })).toThrow(/this machine lacks make: run/);
  });

  it('refuses a compiler without C++20', () => {
    for (const name of ['make', 'python3']) plantProgram(name);
    plantProgram('g++', '9');
    expect(() => requireToolchain({ PATH: join(folder, 'bin') })).toThrow(
      /g\+\+ here is version 9: install version 11/,
    );
  });

  it('tells the build to use clang where there is no g++', () => {
    for (const name of ['make', 'python3']) plantProgram(name);
    plantProgram('clang++', '14.0.6');
    expect(requireToolchain({ PATH: join(folder, 'bin') }).env).toMatchObject({ CC: 'clang', CXX: 'clang++' });
  });

  it('says so when CXX names a compiler that is not there', () => {
    for (const name of ['make', 'python3', 'g++']) plantProgram(name, '12');
    expect(() => requireToolchain({ PATH: join(folder, 'bin'), CXX: 'g++-99' })).toThrow(/g\+\+-99 \(named by CXX\)/);
  });
});

describe('nodeHeadersFolder', () => {
  const header = (abi: string) => {
    mkdirSync(join(folder, 'include/node'), { recursive: true });
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, 'bin/node'), '');
    writeFileSync(join(folder, 'include/node/node_version.h'), `#define NODE_MODULE_VERSION ${abi}\n`);
    return join(folder, 'bin/node');
  };

  it('is where this Node was installed', () => {
    expect(nodeHeadersFolder(header(process.versions.modules))).toBe(folder);
  });

  it('is not the headers of another Node', () => {
    expect(nodeHeadersFolder(header('1'))).not.toBe(folder);
  });
});
