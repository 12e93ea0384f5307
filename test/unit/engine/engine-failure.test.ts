/** The engine's failure numbers and the catalogue. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/engine/engine.js';
import { codeOfFailure } from '../../../src/engine/engine-failure.js';

describe('engine failure', () => {
  it('has a code of its own for every number', () => {
    const codes = Object.values(EngineError).map(codeOfFailure);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('refuses a number it does not know', () => {
    expect(() => codeOfFailure(99)).toThrow(/invariant/);
  });
});
