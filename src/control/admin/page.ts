/** The files of the dashboard, as the admin API serves them: read once, kept in memory, known by their names. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file of the page. */
export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
  /** Strong, with its quotes: what ETag says and If-None-Match asks. */
  readonly etag: string;
}

/**
 * What the page may do: load from where it came from, and nothing else. Without inline scripts and styles, a name of an endpoint that looks
 * like markup stays text even where a program error would let it into the page. (Content Security Policy Level 3.)
 */
export const PAGE_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

/** Where scripts/page.mjs puts them, seen from bundle/<folder>/ and from dist/control/admin/. */
const PAGE_FOLDERS = ['../web/', '../../web/'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));

/** The first page of a folder has its name; everything else is an asset. */
const FIRST_PAGE = 'index.html';

let filesByPath: ReadonlyMap<string, PageFile> | null = null;

/**
 * The file at a path of the admin address. Thread: primary.
 *
 * @param path without query: '/' or '/assets/NAME'; nothing of it reaches the file system
 * @returns null: there is no such file, or the page has not been built (`npm run build` does it)
 */
export function pageFile(path: string): PageFile | null {
  filesByPath ??= readFirstOf(PAGE_FOLDERS);
  return filesByPath.get(path) ?? null;
}

/**
 * Reads the page from the first of some folders that has one.
 *
 * @returns the files by their paths; none when no folder has a page
 */
export function readFirstOf(folders: readonly string[]): ReadonlyMap<string, PageFile> {
  for (const folder of folders) {
    const names = namesIn(folder);
    if (!names.includes(FIRST_PAGE)) continue;
    return new Map(
      names.flatMap((name) => {
        const contentType = CONTENT_TYPES[extname(name)];
        if (contentType === undefined) return [];
        const body = readFileSync(join(folder, name));
        const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
        return [[name === FIRST_PAGE ? '/' : `/assets/${name}`, { contentType, body, etag }]];
      }),
    );
  }
  return new Map();
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there, as one of the two never is
  }
}
