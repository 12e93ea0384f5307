/** Schema of a route: what it matches, and where its requests go. */
import { z } from 'zod';
import { ROUTE_HOST, ROUTE_PATH, TARGET_WEIGHT } from '../defaults.js';
import { section, text, wholeNumber } from './field.js';
import { keySource } from './key-source.js';
import { upstreamName } from './name.js';
import { labels } from './picking.js';
import { routeResilienceFields } from './route-resilience.js';

/** `*`, an exact host, `*.suffix`, or an IPv6 address in brackets; no port. */
const HOST = /^(?:\*|(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])$/;

/** Largest weight of a target: fine enough for 0.01 %. */
const TARGET_WEIGHT_MAX = 10_000;

/** Printable ASCII from `/` on, without query, fragment or space. */
const PATH = /^\/[!"$->@-~]*$/;

function hostHint(host: string): string | null {
  if (host === '') return 'write * for all hosts';
  if (host.includes('://')) return 'leave out the scheme';
  if (/:\d*$/.test(host)) return 'leave out the port: a route matches all ports of its listener';
  if (host.endsWith('.')) return 'leave out the dot at the end';
  if (host.includes('/')) return 'the path belongs to match.path';
  if (host.includes('*')) return 'a wildcard is a whole first label: *.example.com';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is meant
  if (/[^\u0000-\u007f]/.test(host)) return 'write international names in their ASCII form (xn--…)';
  return null;
}

function pathHint(path: string): string | null {
  if (path === '') return 'write / for all paths';
  if (!path.startsWith('/')) return `did you mean /${path}?`;
  if (path.includes('?') || path.includes('#')) return 'routes match the path only, not the query';
  return 'write other characters percent-encoded, as clients send them';
}

/** One route of an l7 listener. */
export const routeSchema = section(
  {
    match: section(
      {
        host: text({
          pattern: HOST,
          expected: 'a host such as example.com, *.example.com or * for all',
          hint: hostHint,
          convert: (host) => host.toLowerCase(),
          description:
            'Host of the request: an exact name, `*.suffix` for all names below it, or `*` for all. The most specific host wins.',
          form: 'host, `*.suffix` or `*`',
        }).default(ROUTE_HOST),
        path: text({
          pattern: PATH,
          expected: 'a path prefix that begins with /',
          hint: pathHint,
          description:
            'Path prefix. `/api/` takes everything below it; `/api` takes itself and everything below, but not `/apix`. The longest prefix wins.',
          form: 'path prefix',
        }).default(ROUTE_PATH),
      },
      'Which requests take this route. Without it: all.',
    ).prefault({}),
    upstream: upstreamName({
      description: 'Name of the upstream that gets the requests; or write `split`.',
    }).optional(),
    subset: labels('Only endpoints of the upstream that have all these labels; without it all of them.').optional(),
    split: z
      .array(
        section(
          {
            upstream: upstreamName({ description: 'Name of the upstream.' }),
            weight: wholeNumber({
              min: 0,
              max: TARGET_WEIGHT_MAX,
              description: 'Its share of the keys, relative to the other targets; 0: none.',
            }).default(TARGET_WEIGHT),
            subset: labels('Only endpoints of the upstream that have all these labels.').optional(),
          },
          'A target of a split.',
        ),
      )
      .min(1)
      .optional()
      .meta({ description: 'Several upstreams that share the requests by weight, in place of `upstream`.' }),
    splitKey: keySource({
      description: 'By what requests are told apart in a split: those with the same key go to the same upstream.',
    }).default({ kind: 'client-ip' }),
    ...routeResilienceFields,
  },
  'A route: what it matches, and where its requests go.',
);

export type Route = z.output<typeof routeSchema>;
