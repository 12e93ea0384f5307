/** Schema of the active checks of an upstream's endpoints. */
import {
  HEALTH_INITIAL,
  HEALTH_INTERVAL_MS,
  HEALTH_JITTER,
  HEALTH_METHOD,
  HEALTH_STATUSES,
  HEALTH_TIMEOUT_MS,
  HEALTHY_AFTER,
  UNHEALTHY_AFTER,
} from '../defaults.js';
import { choice, duration, type Field, percentage, section, text, textField, wholeNumber } from './field.js';
import { headerFields } from './header-fields.js';

const HOUR_MS = 3_600_000;

/** An inclusive range of statuses. */
export type StatusRange = readonly [from: number, to: number];

const STATUSES_EXPECTED = 'statuses such as "200", "200-399" or "200-299, 404", from 200 to 599';

/** Reads "200-299, 404". @returns null where it is not of this form */
function parseStatuses(written: string): StatusRange[] | null {
  const ranges: StatusRange[] = [];
  for (const part of written.split(',')) {
    const found = /^\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*$/.exec(part);
    const from = Number(found?.[1] ?? Number.NaN);
    const to = Number(found?.[2] ?? from);
    if (!(from >= 200 && to <= 599 && from <= to)) return null;
    ranges.push([from, to]);
  }
  return ranges;
}

function statuses(rules: { description: string }): Field<readonly StatusRange[]> {
  return textField<readonly StatusRange[]>({
    parse: (written) => {
      const ranges = parseStatuses(written);
      if (ranges !== null) return { ok: true, value: ranges };
      const isClass = /^[2-5]xx$/i.test(written);
      const hint = isClass
        ? `write "${written[0]}00-${written[0]}99"`
        : /^\d{3}$/.test(written)
          ? `write it in quotes: "${written}"`
          : null;
      return { ok: false, expected: STATUSES_EXPECTED, hint };
    },
    write: (ranges) => ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', '),
    expected: STATUSES_EXPECTED,
    description: rules.description,
    form: 'statuses and ranges in quotes, with commas between',
    json: { pattern: '^ *[2-5][0-9]{2}( *- *[2-5][0-9]{2})?( *, *[2-5][0-9]{2}( *- *[2-5][0-9]{2})?)* *$' },
  });
}

/** The active checker of an upstream. */
export const healthCheckSchema = section(
  {
    kind: choice({
      names: ['http', 'tcp', 'grpc'],
      description:
        '`http`: a request with a good answer is good. `tcp`: an accepted connection is good, with TLS a good handshake. `grpc`: `grpc.health.v1.Health/Check` that answers SERVING is good, over HTTP/2 whatever `protocol` says.',
    }).default('http'),
    path: text({
      pattern: /^\/[!-~]*$/,
      expected: 'a path that begins with /, such as /health',
      hint: (path) =>
        path === 'tcp' ? 'for a TCP check write kind: tcp' : path.startsWith('/') ? null : `did you mean /${path}?`,
      description: 'Path (and query) of the probe; needed by `http`, not allowed otherwise.',
      form: 'path',
    }).optional(),
    method: choice({
      names: ['GET', 'HEAD', 'OPTIONS', 'POST'],
      foreign: { get: 'GET', head: 'HEAD', options: 'OPTIONS', post: 'POST' },
      description: 'Method of an `http` probe; `POST` is sent without a body.',
    }).default(HEALTH_METHOD),
    host: text({
      pattern: /^[!-~]{1,255}$/,
      expected: 'a host such as example.com or example.com:8080',
      hint: (host) => (host === '' ? 'leave it out for the name of the endpoint' : null),
      description: 'Host that a probe of `http` or `grpc` names. Without it: the address of the endpoint.',
      form: 'host',
    }).optional(),
    headers: headerFields('Further headers of a probe of `http` or `grpc`.'),
    service: text({
      pattern: /^[!-~]{0,255}$/,
      expected: 'the name of a service such as shop.Cart',
      description: 'Service that a `grpc` probe asks for. Without it: the endpoint as a whole.',
      form: 'name',
    }).default(''),
    tls: choice({
      names: ['upstream', 'off'],
      description:
        '`upstream`: probes are made over TLS where the upstream has `tls`. `off`: plain, for a port of their own.',
    }).default('upstream'),
    expect: section(
      {
        statuses: statuses({ description: 'Good statuses.' }).prefault(HEALTH_STATUSES),
        body: text({
          pattern: /^[\s\S]{1,1024}$/,
          expected: 'text of 1 to 1024 characters',
          description: 'Text that the first 256 KiB of the body have to contain. Without it: any body.',
          form: 'text',
        }).optional(),
      },
      'What a good answer to an `http` probe looks like.',
    ).prefault({}),
    port: wholeNumber({
      min: 1,
      max: 65_535,
      description: "Port that is probed, on each endpoint's host. Without it: the endpoint's own.",
    }).optional(),
    interval: duration({
      minMs: 100,
      maxMs: 24 * HOUR_MS,
      description: 'Time between two probes of an endpoint.',
    }).default(HEALTH_INTERVAL_MS),
    unhealthyInterval: duration({
      minMs: 100,
      maxMs: 24 * HOUR_MS,
      description: 'Time between two probes of an unhealthy endpoint. Without it: `interval`.',
    }).optional(),
    jitter: percentage({
      min: 0,
      max: 100,
      off: true,
      description: 'Each pause differs from the interval by up to this part, so that probes spread out.',
    }).default(HEALTH_JITTER),
    timeout: duration({
      minMs: 10,
      maxMs: HOUR_MS,
      description: 'A probe must be answered in this time; at most the interval.',
    }).default(HEALTH_TIMEOUT_MS),
    slowerThan: duration({
      minMs: 1,
      maxMs: HOUR_MS,
      off: true,
      description: 'A good answer that took longer counts as a bad one.',
    }).default(0),
    healthyAfter: wholeNumber({
      min: 1,
      max: 100,
      description: 'Good probes in a row until an unhealthy endpoint is healthy.',
    }).default(HEALTHY_AFTER),
    unhealthyAfter: wholeNumber({
      min: 1,
      max: 100,
      description: 'Bad probes in a row until a healthy endpoint is unhealthy.',
    }).default(UNHEALTHY_AFTER),
    initial: choice({
      names: ['healthy', 'unknown'],
      foreign: { up: 'healthy', none: 'unknown' },
      description:
        'What endpoints count as before their first probe. `unknown`: they get nothing until it has passed, and it alone decides.',
    }).default(HEALTH_INITIAL),
  },
  'Active health checks.',
);
