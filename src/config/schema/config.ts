/** Schema of a whole configuration. Reading it fills in every default; writing it back gives a file that reads the same. */
import { z } from 'zod';
import { LOG_LEVEL, SHUTDOWN_TIMEOUT_MS, WATCH } from '../defaults.js';
import { choice, duration, fact, section, text, wholeNumber } from './field.js';
import { listenerSchema } from './listener.js';
import { NAME_PATTERN } from './name.js';
import { accessLogSchema, adminSchema, tracingSchema } from './observing.js';
import { upstreamSchema } from './upstream.js';

/** Most worker threads. */
export const WORKERS_MAX = 256;

/** What `workers: auto` reads as; the number of processors takes its place when the plan is compiled. */
export const AUTO_WORKERS = 0;

const HOUR_MS = 3_600_000;

/** Names of log levels, the most talkative first (pino's). */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** A whole configuration. */
export const configSchema = section(
  {
    $schema: text({
      pattern: /^/,
      expected: 'the path or URL of the JSON Schema',
      description: 'Where editors find config.schema.json; sluice itself passes it over.',
      form: 'path or URL',
    }).optional(),
    listeners: z.array(listenerSchema).min(1).meta({ description: 'Where clients connect.' }),
    upstreams: z
      .record(z.string().regex(NAME_PATTERN), upstreamSchema)
      .meta({ description: 'Where requests and sessions go, by name.' }),
    zone: text({
      pattern: /^[!-~]{1,255}$/,
      expected: 'the name of a zone, printable ASCII without blanks',
      description: 'Where this sluice runs, for upstreams with `preferOwnZone`.',
      form: 'text',
    }).optional(),
    workers: wholeNumber({
      min: 1,
      max: WORKERS_MAX,
      word: { text: 'auto', value: AUTO_WORKERS },
      description: 'Worker threads. `auto`: as many as processors this process may use.',
    }).default(AUTO_WORKERS),
    shutdownTimeout: duration({
      minMs: 0,
      maxMs: 24 * HOUR_MS,
      description:
        'After SIGTERM, exchanges in flight and sessions have this long to finish; what is left then is cut.',
    }).default(SHUTDOWN_TIMEOUT_MS),
    admin: adminSchema,
    accessLog: accessLogSchema,
    tracing: tracingSchema,
    watch: fact({
      description:
        'Changes of the configuration file take effect by themselves. `false`: on SIGHUP, `sluice reload` or the API alone.',
    }).default(WATCH),
    log: section(
      {
        level: choice({ names: LOG_LEVELS, description: 'Least important messages that are logged.' }).default(
          LOG_LEVEL,
        ),
      },
      'The log of the process itself, on standard error.',
    ).prefault({}),
  },
  'Configuration of sluice.',
);

/** A validated configuration: what the user wrote, with every default filled in. Plain, readonly by convention. */
export type Config = z.output<typeof configSchema>;
