/** Schema of watching and steering: the admin API, the access log, tracing. */
import { z } from 'zod';
import { parseBindAddress } from '../address.js';
import { ADMIN_ADDRESS } from '../defaults.js';
import { ACCESS_LOG_BUFFER_BYTES, ACCESS_LOG_FORMAT, TRACING_SERVICE, TRACING_SHARE } from '../observing-defaults.js';
import { ACCESS_FIELDS } from '../observing-plan.js';
import { bindAddress, choice, percentage, section, size, text } from './field.js';

const adminDefault = parseBindAddress(ADMIN_ADDRESS);
if (!adminDefault.ok) throw new Error(`the default admin address ${ADMIN_ADDRESS} is malformed`);

/** Shorter ones can be guessed. */
const TOKEN_LEAST = 16;

/** The admin API, or `off`. */
export const adminSchema = z
  .union([
    z.literal('off'),
    section(
      {
        bind: bindAddress({
          description: 'Address of the admin API; one that is not of the loopback interface needs a `token`.',
        }).default(adminDefault.value),
        token: text({
          pattern: new RegExp(`^[!-~]{${TOKEN_LEAST},512}$`),
          expected: `${TOKEN_LEAST} to 512 printable ASCII characters without blanks`,
          hint: (value) => (value.length < TOKEN_LEAST ? 'make one with: openssl rand -hex 32' : null),
          description:
            'What every request has to bring as `Authorization: Bearer TOKEN`. Without it the API answers everybody who reaches its address.',
          form: 'text',
        }).optional(),
        hosts: z
          .array(
            text({
              pattern: /^[A-Za-z0-9.-]{1,253}$/,
              expected: 'a host name without port',
              convert: (value) => value.toLowerCase(),
              description: 'A name.',
              form: 'host name',
            }),
          )
          .default([])
          .meta({
            description:
              'Names under which the API may be asked, besides the address that it listens on and localhost; requests with any other Host are refused.',
          }),
      },
      'The admin API.',
    ),
  ])
  .default({ bind: adminDefault.value, hosts: [] })
  .meta({
    description: 'The admin API: dashboard, metrics, status, changes of endpoints, reload. `off` to have none.',
  });

/** Where the access log goes and what its lines hold, or `off`. */
export const accessLogSchema = z
  .union([
    z.literal('off'),
    section(
      {
        file: text({
          pattern: /^(-|\/?[^\0]{1,4095})$/,
          expected: 'the path of a file, or - for standard output',
          description: '`-`: standard output; else a file, which is made if it is not there. SIGUSR1 opens it anew.',
          form: 'path, `-`',
        }),
        format: choice({
          names: ['combined', 'json'],
          description:
            '`combined`: the format of Apache and nginx, with the request’s id and time behind it. `json`: one object a line, with the `fields`.',
        }).default(ACCESS_LOG_FORMAT),
        fields: z
          .array(choice({ names: ACCESS_FIELDS, description: 'A fact.' }))
          .min(1)
          .default([...ACCESS_FIELDS])
          .meta({ description: 'Facts of a line in format `json`, in this order. What does not apply is left out.' }),
        share: percentage({
          min: 0,
          max: 100,
          description: 'Share of the exchanges and sessions without failure that are written; failures always are.',
        }).default(1),
        buffer: size({
          minBytes: 64 * 1024,
          maxBytes: 1024 ** 3,
          description:
            'Most that waits to be written. Traffic never waits for the log: lines beyond are dropped and counted.',
        }).default(ACCESS_LOG_BUFFER_BYTES),
      },
      'The access log: a line for each exchange and session that has ended.',
    ),
  ])
  .default('off')
  .meta({ description: 'The access log: a line for each exchange and session. `off` to have none.' });

/** Where spans go, or `off`. */
export const tracingSchema = z
  .union([
    z.literal('off'),
    section(
      {
        endpoint: text({
          pattern: /^https?:\/\/[^\s]+$/,
          expected: 'a URL such as http://127.0.0.1:4318/v1/traces',
          description: 'The collector: OTLP over HTTP.',
          form: 'URL',
        }),
        headers: z
          .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string())
          .default({})
          .meta({ description: 'Fields of requests to the collector, e.g. its key.' }),
        service: text({
          pattern: /^[ -~]{1,255}$/,
          expected: 'printable ASCII',
          description: '`service.name` of the spans.',
          form: 'text',
        }).default(TRACING_SERVICE),
        share: percentage({
          min: 0,
          max: 100,
          description:
            'Share of the traces begun here that are recorded. For a trace that a client has begun its own decision counts.',
        }).default(TRACING_SHARE),
      },
      'Spans of exchanges for OpenTelemetry.',
    ),
  ])
  .default('off')
  .meta({
    description:
      'Spans of exchanges for OpenTelemetry. `off`: none, and a `traceparent` of clients is passed on as it is.',
  });

export type Admin = z.output<typeof adminSchema>;
export type AccessLog = z.output<typeof accessLogSchema>;
export type Tracing = z.output<typeof tracingSchema>;
