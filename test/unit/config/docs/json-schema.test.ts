/** The JSON Schema for editors: fresh, closed, and with the text forms of durations, sizes and defaults. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, configJsonSchemaText } from '../../../../src/config/docs/json-schema.js';
import { BALANCERS } from '../../../../src/config/schema/upstream.js';

type Node = { readonly [key: string]: unknown };

/** Every schema inside a schema, with its path. */
function nodesOf(node: unknown, path = '#'): readonly (readonly [string, Node])[] {
  if (typeof node !== 'object' || node === null) return [];
  if (Array.isArray(node)) return node.flatMap((one, index) => nodesOf(one, `${path}/${index}`));
  return [
    [path, node as Node],
    ...Object.entries(node).flatMap(([key, value]) => (key === 'default' ? [] : nodesOf(value, `${path}/${key}`))),
  ];
}

const at = (path: string): Node => {
  const found = nodesOf(configJsonSchema()).find(([own]) => own === path);
  if (found === undefined) throw new Error(`no schema at ${path}`);
  return found[1];
};

const LISTENER = '#/properties/listeners/items/else/properties';
const L4_LISTENER = '#/properties/listeners/items/then/properties';
const UPSTREAM = '#/properties/upstreams/additionalProperties/properties';

describe('docs/config.schema.json', () => {
  it('is what the schema generates; run node scripts/generate-config-docs.mjs after a build', () => {
    expect(readFileSync(new URL('../../../../docs/config.schema.json', import.meta.url), 'utf8')).toBe(
      configJsonSchemaText(),
    );
  });

  it('names its dialect', () => {
    expect(at('#').$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  });

  it('refuses unknown keys in every section', () => {
    const open = nodesOf(configJsonSchema()).filter(
      ([, node]) => node.properties !== undefined && node.type === 'object' && node.additionalProperties !== false,
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it('describes every setting', () => {
    const silent = nodesOf(configJsonSchema()).filter(
      ([path, node]) => /\/properties\/[^/]+$/.test(path) && typeof node.description !== 'string',
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it('requires what has no default', () => {
    expect(at('#').required).toEqual(['listeners', 'upstreams']);
    expect(at('#/properties/listeners/items/else').required).toEqual(['name', 'bind']);
    expect(at('#/properties/listeners/items/then').required).toEqual(['name', 'mode', 'bind']);
    expect(at('#/properties/upstreams/additionalProperties').required).toEqual(['endpoints']);
    expect(at(`${UPSTREAM}/endpoints/items`).required).toEqual(['address']);
    expect(at(`${LISTENER}/routes/items`).required).toBeUndefined();
  });

  it.each([
    [`${LISTENER}/timeouts/properties/keepAlive`, '75s'],
    [`${LISTENER}/limits/properties/headBytes`, '16KiB'],
    [`${LISTENER}/limits/properties/bodyBytes`, 'unlimited'],
    [`${LISTENER}/routes/items/properties/timeouts/properties/exchange`, 'off'],
    [`${UPSTREAM}/pool/properties/keepAliveIdle`, '4s'],
    [`${UPSTREAM}/endpoints/items/properties/maxConns`, 'unlimited'],
    [`${L4_LISTENER}/timeouts/properties/sessionIdle`, '10m'],
    [`${L4_LISTENER}/deferAccept`, 'off'],
    [`${L4_LISTENER}/socketMode`, '0666'],
    [`${L4_LISTENER}/limits/properties/newSessionsPerClient`, 'unlimited'],
    ['#/properties/workers', 'auto'],
    ['#/properties/admin', { bind: '127.0.0.1:9900', hosts: [] }],
  ])('has the default of %s as it is written', (path, written) => {
    expect(at(path).default).toEqual(written);
  });

  it.each([
    [`${LISTENER}/timeouts/properties/keepAlive`, ['10s', '1.5m', '500ms', '1h'], ['10', '10 s', 's', '-1s', '1d']],
    [`${LISTENER}/limits/properties/bodyBytes`, ['1MiB', 'unlimited', '0B'], ['1MB', '1', 'unlimited!', 'UNLIMITED']],
    [`${LISTENER}/bind`, [':8080', '127.0.0.1:0', '[::1]:80'], ['8080', 'localhost']],
    [`${L4_LISTENER}/bind`, [':8080', '[::1]:80', 'unix:/run/a', 'unix:@a'], ['8080', 'unix:run/a', 'localhost']],
    [`${L4_LISTENER}/socketMode`, ['0660', '660'], ['0o660', '0888', '66']],
    [
      `${L4_LISTENER}/routes/items/properties/match/properties/sni`,
      ['*', 'a.example', '*.a.example', 'a_b.c'],
      ['', '10.0.0.1', 'a:1', 'a*.b', 'a..b', 'a.'],
    ],
    [`${LISTENER}/name`, ['web', 'web-2', 'a.b_c'], ['', '-web', 'a b']],
    [`${UPSTREAM}/endpoints/items/properties/address`, ['h:1', 'unix:/run/a'], ['h', 'unix:run']],
    [`${LISTENER}/routes/items/properties/match/properties/path`, ['/', '/api/'], ['api', '/a?b', '']],
  ])('has a pattern at %s that takes and refuses the right texts', (path, good, bad) => {
    const { type, pattern } = at(path);
    expect(type).toBe('string');
    const matches = (text: string) => new RegExp(String(pattern), 'u').test(text);
    expect(good.filter((text) => !matches(text))).toEqual([]);
    expect(bad.filter(matches)).toEqual([]);
  });

  it('lists the names of this version only', () => {
    expect(at(`${UPSTREAM}/balance`).enum).toEqual([...BALANCERS]);
    expect(at(`${LISTENER}/mode`).enum).toEqual(['l7']);
    expect(at(`${L4_LISTENER}/mode`).enum).toEqual(['l4']);
    expect(at(`${L4_LISTENER}/relay`).enum).toEqual(['adaptive', 'copy', 'splice']);
  });

  it('lets the mode of a listener choose its schema', () => {
    const { if: condition } = at('#/properties/listeners/items') as { readonly if: Node };
    expect(condition).toMatchObject({ properties: { mode: { const: 'l4' } }, required: ['mode'] });
  });

  it('takes a whole number or a word where both are allowed', () => {
    expect(at('#/properties/workers').anyOf).toEqual([
      { const: 'auto' },
      { type: 'integer', minimum: 1, maximum: 256 },
    ]);
  });
});
