/** The catalogue of errors and its page. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CATALOG } from '../../../src/core/error-catalog.js';

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');

/** What the page says of each code. */
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [code = '', , sentence = '', , facts = '', advice = ''] = section.split('\n');
      return [code, { sentence, facts, advice }] as const;
    }),
);

describe('docs/errors.md', () => {
  it('has a section for every code of the catalogue and no other', () => {
    expect([...sections.keys()].sort()).toEqual(Object.keys(ERROR_CATALOG).sort());
  });

  it.each(Object.entries(ERROR_CATALOG))('says of %s what the catalogue says, and what to do', (code, kind) => {
    const section = sections.get(code);
    expect(section?.sentence.toLowerCase()).toBe(`${kind.text.toLowerCase()}.`);
    expect(section?.facts).toBe(`- status: ${kind.status || 'none'} · fault: ${kind.fault} · retry: ${kind.retry}`);
    expect(section?.advice.length).toBeGreaterThan(30);
  });
});
