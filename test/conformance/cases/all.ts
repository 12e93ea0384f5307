/** All cases, by topic. */
import type { ConformanceCase } from '../case-format.js';
import { absoluteForm } from './absolute-form.js';
import { bounds } from './bounds.js';
import { chunked } from './chunked.js';
import { connections } from './connections.js';
import { contentLength } from './content-length.js';
import { fields } from './fields.js';
import { forwarded } from './forwarded.js';
import { interims } from './interims.js';
import { requestLine } from './request-line.js';
import { responses } from './responses.js';
import { smuggling } from './smuggling.js';

/** In the order in which a request is read. */
export const TOPICS: Readonly<Record<string, readonly ConformanceCase[]>> = {
  'request line': requestLine,
  'absolute form, OPTIONS and Max-Forwards': absoluteForm,
  'fields and Host': fields,
  'framing by Content-Length': contentLength,
  'framing by chunks': chunked,
  'request smuggling': smuggling,
  connections,
  'forwarded fields': forwarded,
  'Expect, interim responses and upgrades': interims,
  responses,
  'limits and timeouts': bounds,
};

export const CASES: readonly ConformanceCase[] = Object.values(TOPICS).flat();
