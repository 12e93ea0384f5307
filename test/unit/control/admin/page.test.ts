/** The files of the dashboard by their paths. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PAGE_SECURITY_POLICY, readFirstOf } from '../../../../src/control/admin/page.js';

describe('readFirstOf', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
    mkdirSync(join(folder, 'web'));
    writeFileSync(join(folder, 'web/index.html'), '<!doctype html>');
    writeFileSync(join(folder, 'web/dashboard.js'), 'let a;');
    writeFileSync(join(folder, 'web/.draft'), 'not to be served');
    writeFileSync(join(folder, 'secret.html'), 'not of the page');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('knows the page and its assets by their paths, and nothing else', () => {
    const files = readFirstOf([join(folder, 'web')]);
    expect([...files.keys()].sort()).toEqual(['/', '/assets/dashboard.js']);
    expect(files.get('/')).toMatchObject({ contentType: 'text/html; charset=utf-8' });
    expect(files.get('/assets/dashboard.js')?.body.toString()).toBe('let a;');
    expect(files.get('/assets/../../secret.html')).toBeUndefined();
  });

  it('gives each content a tag of its own, the same for the same', () => {
    const before = readFirstOf([join(folder, 'web')]);
    writeFileSync(join(folder, 'web/dashboard.js'), 'let b;');
    const after = readFirstOf([join(folder, 'web')]);
    expect(after.get('/')?.etag).toBe(before.get('/')?.etag);
    expect(after.get('/assets/dashboard.js')?.etag).not.toBe(before.get('/assets/dashboard.js')?.etag);
    expect(after.get('/')?.etag).toMatch(/^"[\w-]{22}"$/);
  });

  it('takes the first folder that has a page, and none where none has', () => {
    expect(readFirstOf([folder, join(folder, 'gone'), join(folder, 'web')]).size).toBe(2);
    expect(readFirstOf([folder]).size).toBe(0);
  });
});

describe('PAGE_SECURITY_POLICY', () => {
  it('lets no inline script, no inline style and no other origin in', () => {
    expect(PAGE_SECURITY_POLICY).toContain("default-src 'none'");
    expect(PAGE_SECURITY_POLICY).not.toMatch(/unsafe|https?:|\*/);
  });
});
