/** Answers a request for a file of the dashboard. */
import { type AdminAnswer, failure } from './answer.js';
import { PAGE_SECURITY_POLICY, type PageFile } from './page.js';

/** May a page file be at this path? */
export function isPagePath(path: string): boolean {
  return path === '/' || path.startsWith('/assets/');
}

/** Pure. @param ifNoneMatch as received; undefined: absent */
export function pageAnswer(file: PageFile | null, ifNoneMatch: string | undefined): AdminAnswer {
  if (file === null) return failure(404, 'not-found', 'there is no such file; npm run build makes the dashboard');
  const { contentType, body, etag } = file;
  // Asked for anew each time, and answered in a few bytes: a newer version is seen at once.
  const headers = { etag, 'cache-control': 'no-cache', 'content-security-policy': PAGE_SECURITY_POLICY };
  const known = (ifNoneMatch ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  if (known.includes(etag)) return { status: 304, headers, contentType, text: '' };
  return { status: 200, headers, contentType, text: body };
}
