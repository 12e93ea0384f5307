/** Schema of how an upstream picks beyond its balancer: keys, affinity, slow start, panic, weights that move, labels. */
import { z } from 'zod';
import {
  AFFINITY_COOKIE_PATH,
  AGENT_INTERVAL_MS,
  AGENT_TIMEOUT_MS,
  LATENCY_OF,
  LOAD_FACTOR,
  PANIC_THRESHOLD,
  PREFER_OWN_ZONE,
  SLOW_START_AGGRESSION,
  SLOW_START_LEAST_WEIGHT,
} from '../defaults.js';
import { choice, decimal, duration, fact, percentage, section, text, wholeNumber } from './field.js';
import { keySource } from './key-source.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A label's name, and the characters of its value. */
export const LABEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const LABEL_VALUE = /^[ -~]{0,255}$/;
/** A token of RFC 9110, as RFC 6265 wants it for the name of a cookie. */
const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** A path of printable ASCII, without what ends an attribute. Browsers pass over one that does not begin with / (RFC 6265 5.2.4). */
const COOKIE_PATH = /^\/[!-:<-~]{0,254}$/;
const SECRET = /^[ -~]{16,256}$/;

/** Labels by name. @param meaning what they are for */
export function labels(meaning: string) {
  return z
    .record(
      z.string().regex(LABEL_NAME),
      text({
        pattern: LABEL_VALUE,
        expected: 'text in quotes, at most 255 printable ASCII characters',
        description: 'Value of the label.',
        form: 'text',
      }),
    )
    .meta({ description: meaning });
}

const cookieSchema = section(
  {
    name: text({
      pattern: COOKIE_NAME,
      expected: 'the name of a cookie, at most 64 characters without blanks, = and ;',
      description:
        'Name of the cookie that the proxy sets. Without it: `sluice-` and the name of the upstream, so that two upstreams of one site do not overwrite each other.',
      form: 'cookie name',
    }).optional(),
    path: text({
      pattern: COOKIE_PATH,
      expected: 'a path that begins with /, without blanks and ;',
      hint: (path) => (path.startsWith('/') ? null : `did you mean /${path}?`),
      description: 'Its `Path`.',
      form: 'path',
    }).default(AFFINITY_COOKIE_PATH),
    domain: text({
      pattern: /^\.?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
      expected: 'a domain such as example.com',
      description: 'Its `Domain`. Without it: the host that was asked for.',
      form: 'domain',
    }).optional(),
    maxAge: duration({
      minMs: 1_000,
      maxMs: 400 * DAY_MS,
      off: true,
      isWholeSeconds: true,
      description: 'Its `Max-Age`. `off`: until the browser closes.',
    }).default(0),
    secure: fact({ description: 'Its `Secure`: sent over TLS only.' }).default(false),
    httpOnly: fact({ description: 'Its `HttpOnly`: not for scripts of the page.' }).default(true),
    sameSite: choice({
      names: ['strict', 'lax', 'none', 'unset'],
      description: 'Its `SameSite`; `none` needs `secure`. `unset` leaves it out.',
    }).default('lax'),
    secret: text({
      pattern: SECRET,
      expected: 'text of 16 to 256 printable ASCII characters',
      description:
        'Key of the signature (HMAC-SHA256). The same on all machines that share clients; without it a random one, and clients are spread anew when sluice starts anew.',
      form: 'text, 16 to 256 characters',
    }).optional(),
  },
  'A signed cookie that names the endpoint; set with the first answer, and whenever the endpoint changes.',
);

/** How a client stays with its endpoint. */
export const affinitySchema = z
  .union([
    z.literal('off'),
    section(
      {
        cookie: cookieSchema
          .optional()
          .meta({ description: 'By a cookie that the proxy sets; `{}` for one with all defaults. For requests.' }),
        key: keySource({
          description:
            'By a key of the request: the endpoint that rendezvous hashing names for it. Sessions have `client-ip` only.',
        }).optional(),
      },
      'A client stays with its endpoint while that is eligible; one of `cookie` and `key`.',
    ),
  ])
  .default('off')
  .meta({ description: 'How a client stays with its endpoint; broken by drain, ejection, and a full endpoint.' });

/** How the weight of an endpoint that joined or recovered grows. */
export const slowStartSchema = z
  .union([
    z.literal('off'),
    section(
      {
        window: duration({ minMs: 100, maxMs: HOUR_MS, description: 'Time until its full weight.' }),
        aggression: decimal({
          min: 0.1,
          max: 10,
          description:
            'Shape: 1 is linear, above 1 faster at first, below 1 slower (share = (time / window)^(1 / aggression)).',
        }).default(SLOW_START_AGGRESSION),
        minWeight: percentage({
          min: 1,
          max: 100,
          description: 'Share of its weight that it begins with.',
        }).default(SLOW_START_LEAST_WEIGHT),
      },
      'Slow start: weight and `maxConns` of an endpoint that joined or recovered grow over a while.',
    ),
  ])
  .default('off')
  .meta({ description: 'Slow start of endpoints that join or recover; not at the start of sluice.' });

/** Who moves the weights. */
export const weightsSchema = z
  .union([
    z.enum(['fixed', 'performance', 'reported']),
    section(
      {
        label: text({
          pattern: LABEL_NAME,
          expected: 'the name of a label',
          description: 'Weights are what this label says (a number, e.g. of cores), times `weight`.',
          form: 'label',
        }).optional(),
        agent: section(
          {
            port: wholeNumber({ min: 1, max: 65_535, description: "Port of the agent, on each endpoint's host." }),
            interval: duration({ minMs: 100, maxMs: HOUR_MS, description: 'Time between two questions.' }).default(
              AGENT_INTERVAL_MS,
            ),
            timeout: duration({ minMs: 10, maxMs: HOUR_MS, description: 'Time for an answer.' }).default(
              AGENT_TIMEOUT_MS,
            ),
          },
          "An agent beside each endpoint that answers a connection with one line, in the words of HAProxy's agent-check: `75%`, `drain`, `ready`, `maint`, `up`, `down`, `maxconn:30` …",
        ).optional(),
      },
      'Weights from a label or from an agent; one of the two.',
    ),
  ])
  .default('fixed')
  .meta({
    description:
      'Who moves the weights while sluice runs. `fixed`: nobody. `performance`: observed latency and errors, in small steps. `reported`: the endpoints, in the response header `endpoint-load-metrics` (ORCA).',
  });

/** Keys of an upstream that say how it picks. */
export const pickingFields = {
  hashKey: keySource({
    description:
      'What `hash`, `ketama`, `maglev` and `rendezvous` hash. Sessions (mode `l4`) have `client-ip`, and the certificate of their client where their listener asks for it. A request without its key goes anywhere.',
  }).default({ kind: 'client-ip' }),
  loadFactor: decimal({
    min: 1.01,
    max: 100,
    word: { text: 'off', value: 0 },
    description:
      'Bounded load of the balancers that hash: an endpoint with more than this times the mean in flight is passed over; 1.25 is a good one.',
  }).default(LOAD_FACTOR),
  latencyOf: choice({
    names: ['first-byte', 'last-byte'],
    description: 'Up to where `least-time`, `peak-ewma`, `predictive` and moving weights measure a request.',
  }).default(LATENCY_OF),
  affinity: affinitySchema,
  slowStart: slowStartSchema,
  panicThreshold: percentage({
    min: 0,
    max: 100,
    off: true,
    description: 'Below this share of healthy endpoints health is ignored, rather than that the rest is overrun.',
  }).default(PANIC_THRESHOLD),
  weights: weightsSchema,
  preferOwnZone: fact({
    description:
      'Endpoints whose label `zone` is the `zone` of this sluice are picked while they have capacity, others of the same priority behind them.',
  }).default(PREFER_OWN_ZONE),
};
