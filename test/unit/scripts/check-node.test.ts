/** The sentence that somebody with an old Node or another system reads. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemWith } from '../../../scripts/check-node.cjs';
import { ROOT } from '../../architecture/source-files.js';

describe('check-node', () => {
  it.each(['v20.0.0', 'v20.20.2', 'v22.11.0', 'v100.0.0'])('has nothing against Node %s on Linux', (version) => {
    expect(problemWith(version, 'linux')).toBe('');
  });

  it.each(['v18.20.4', 'v0.10.48', 'v8.0.0', 'v19.9.0', 'nonsense'])(
    'refuses Node %s and says what to do',
    (version) => {
      const problem = problemWith(version, 'linux');
      expect(problem).toContain(`sluice needs Node 20 or later, and this is ${version}: install one`);
      expect(problem).not.toContain('\n');
    },
  );

  it('refuses systems other than Linux', () => {
    expect(problemWith('v20.0.0', 'darwin')).toContain('Linux only');
  });

  it('uses nothing that an old Node cannot read', () => {
    const code = readFileSync(join(ROOT, 'scripts/check-node.cjs'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    expect(code).not.toMatch(/\b(?:const|let|class|async|await|import)\b|=>|\?\.|\?\?|\$\{/);
  });

  it('asks for the version that package.json asks for', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ engines: { node: '>=20' } });
  });
});
