/** Every route of the admin API. */
import { z } from 'zod';
import type { AdminSource } from './admin-source.js';
import { type AdminAnswer, failure, ok, tooEarly } from './answer.js';
import { CHANGE_EXAMPLE, changeSchema, readEndpointChange } from './endpoint-change.js';
import { EXPLAIN_EXAMPLE, explainSchema, readExplain } from './explain-body.js';
import { maskedConfig, maskedYaml } from './masked-config.js';
import type { AdminRoute, AnswerKind, RoutedRequest } from './routes.js';
import { certificateSchema } from './schemas/certificate-schema.js';
import { liveFiguresSchema, timelineEntrySchema } from './schemas/live-schema.js';
import {
  endpointSchema,
  healthSchema,
  readinessSchema,
  statusSchema,
  upstreamSchema,
} from './schemas/status-schema.js';
import { explanationSchema, failureSchema, reloadReportSchema } from './schemas/steering-schema.js';

const json = (meaning: string, schema: z.ZodType): AnswerKind => ({ meaning, content: { 'application/json': schema } });
const refused = (meaning: string): AnswerKind => json(meaning, failureSchema);

/** What most routes are like. */
const PLAIN = { method: 'GET', isOpen: false, query: [], body: null } as const;

const endpointAnswer = json('The endpoint as it is now.', z.object({ upstream: z.string(), endpoint: endpointSchema }));
const NOT_FOUND = refused('There is no upstream, or no endpoint, of this name.');
const ENDPOINT_PATH = '/api/v1/upstreams/{upstream}/endpoints/{endpoint}';

/** The table, in the order of the document. The document itself is at OPENAPI_PATH and not among them. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  {
    ...PLAIN,
    path: '/healthz',
    operation: 'getHealth',
    summary: 'Does the process live?',
    isOpen: true,
    answers: { 200: json('It does.', healthSchema) },
    answer: () => ok({ status: 'alive' }),
  },
  {
    ...PLAIN,
    path: '/readyz',
    operation: 'getReadiness',
    summary: 'Do workers serve?',
    isOpen: true,
    answers: {
      200: json('Workers serve, or some of them while others are being restarted.', readinessSchema),
      503: json('It starts, or it ends.', readinessSchema),
    },
    answer: (_request, source) => {
      const readiness = source.readiness();
      const takesTraffic = readiness === 'ready' || readiness === 'degraded';
      return { status: takesTraffic ? 200 : 503, headers: {}, body: { status: readiness } };
    },
  },
  {
    ...PLAIN,
    path: '/metrics',
    operation: 'getMetrics',
    summary: 'Figures for Prometheus.',
    answers: {
      200: {
        meaning: 'In the format that Accept asks for.',
        content: { 'text/plain': null, 'application/openmetrics-text': null },
      },
    },
    answer: async ({ accept }, source) => ({ status: 200, headers: {}, ...(await source.metrics(accept)) }),
  },
  {
    ...PLAIN,
    path: '/api/v1/status',
    operation: 'getStatus',
    summary: 'Version, listeners, workers, totals since the start.',
    answers: { 200: json('As of now.', statusSchema) },
    answer: (_request, source) => ok(source.status()),
  },
  {
    ...PLAIN,
    path: '/api/v1/upstreams',
    operation: 'listUpstreams',
    summary: 'All upstreams.',
    answers: { 200: json('In the order of the configuration.', z.object({ upstreams: z.array(upstreamSchema) })) },
    answer: (_request, source) => ok({ upstreams: source.upstreams() }),
  },
  {
    ...PLAIN,
    path: '/api/v1/upstreams/{upstream}/endpoints',
    operation: 'listEndpoints',
    summary: 'All endpoints of an upstream.',
    answers: {
      200: json(
        'In the order of the configuration.',
        z.object({ upstream: z.string(), endpoints: z.array(endpointSchema) }),
      ),
      404: NOT_FOUND,
    },
    answer: ({ path: { upstream = '' } }, source) => {
      const endpoints = source.endpoints(upstream);
      return endpoints === undefined ? noUpstream(upstream) : ok({ upstream, endpoints });
    },
  },
  {
    ...PLAIN,
    path: ENDPOINT_PATH,
    operation: 'getEndpoint',
    summary: 'One endpoint.',
    answers: { 200: endpointAnswer, 404: NOT_FOUND },
    answer: ({ path }, source) => endpointView(path, source),
  },
  {
    ...PLAIN,
    method: 'PUT',
    path: ENDPOINT_PATH,
    operation: 'changeEndpoint',
    summary: 'Enables, drains or disables an endpoint, or sets its weight, until the process ends.',
    body: { schema: changeSchema, example: CHANGE_EXAMPLE, isRequired: true },
    answers: {
      200: endpointAnswer,
      400: refused('Not understood; nothing is changed.'),
      404: NOT_FOUND,
      409: refused('drainTimeout is for an endpoint that drains.'),
    },
    answer: changeEndpoint,
  },
  {
    ...PLAIN,
    path: '/api/v1/live',
    operation: 'watchLive',
    summary:
      'Events for as long as both sides wish: figures each second, happened for each entry of the timeline, reloaded after a reload. Begins with the entries behind Last-Event-ID, or with all that are kept.',
    query: [{ name: 'only', schema: z.literal('figures'), meaning: 'Leaves the other events out.' }],
    answers: {
      200: { meaning: 'Server-sent events.', content: { 'text/event-stream': null } },
      503: refused('Too many streams are open.'),
    },
    answer: 'live',
  },
  {
    ...PLAIN,
    path: '/api/v1/live/now',
    operation: 'getLiveFigures',
    summary: 'What each figures event of /api/v1/live has.',
    answers: { 200: json('States as of now, rates of the last seconds.', liveFiguresSchema) },
    answer: (_request, source) => ok(source.live.now()),
  },
  {
    ...PLAIN,
    path: '/api/v1/timeline',
    operation: 'getTimeline',
    summary: 'What has happened lately, the oldest first.',
    query: [{ name: 'after', schema: z.int().min(0), meaning: 'Only entries with a higher id.' }],
    answers: {
      200: json('Those that are kept.', z.object({ latestId: z.int().min(0), entries: z.array(timelineEntrySchema) })),
      400: refused('The query is not understood.'),
    },
    answer: timelineView,
  },
  {
    ...PLAIN,
    method: 'POST',
    path: '/api/v1/reload',
    operation: 'reload',
    summary: 'Reads the configuration again. Answers when every worker goes by it.',
    answers: {
      200: json('What has changed; nothing has with isUnchanged.', reloadReportSchema),
      422: refused('The configuration cannot be used, for all of problems; everything goes on as it was.'),
    },
    answer: (_request, source) => reload(source),
  },
  {
    ...PLAIN,
    path: '/api/v1/config',
    operation: 'getConfig',
    summary: 'The effective configuration with every default filled in and secrets masked.',
    query: [{ name: 'format', schema: z.enum(['json', 'yaml']), meaning: 'Takes the place of Accept.' }],
    answers: {
      200: {
        meaning: 'As one would write it.',
        content: { 'application/json': z.record(z.string(), z.unknown()), 'application/yaml': null },
      },
      400: refused('The query is not understood.'),
    },
    answer: configView,
  },
  {
    ...PLAIN,
    path: '/api/v1/certificates',
    operation: 'listCertificates',
    summary: 'Certificates that clients and endpoints are shown, without their keys.',
    answers: {
      200: json('Those of listeners first.', z.object({ certificates: z.array(certificateSchema) })),
    },
    answer: (_request, source) => ok({ certificates: source.certificates() }),
  },
  {
    ...PLAIN,
    method: 'POST',
    path: '/api/v1/explain',
    operation: 'explain',
    summary: 'Where would this request go now, and why? Nothing is sent.',
    body: { schema: explainSchema, example: EXPLAIN_EXAMPLE, isRequired: true },
    answers: {
      200: json('As one worker sees it.', explanationSchema),
      400: refused('Not understood.'),
      404: refused('There is no l7 listener that fits.'),
      503: refused('No worker serves now.'),
    },
    answer: explain,
  },
];

function noUpstream(upstream: string): AdminAnswer {
  return failure(404, 'not-found', `there is no upstream ${JSON.stringify(upstream)}`);
}

function endpointView({ upstream = '', endpoint = '' }: RoutedRequest['path'], source: AdminSource): AdminAnswer {
  if (source.endpoints(upstream) === undefined) return noUpstream(upstream);
  const view = source.endpoint(upstream, endpoint);
  if (view !== undefined) return ok({ upstream, endpoint: view });
  return failure(404, 'not-found', `upstream ${JSON.stringify(upstream)} has no endpoint ${JSON.stringify(endpoint)}`);
}

function changeEndpoint({ path, body }: RoutedRequest, source: AdminSource): AdminAnswer {
  const { upstream = '', endpoint = '' } = path;
  if (source.endpoint(upstream, endpoint) === undefined) return endpointView(path, source);
  const read = readEndpointChange(body);
  if (!read.ok) return failure(400, 'bad-change', read.problems.join('; '));
  if (source.change(upstream, endpoint, read.change)) return endpointView(path, source);
  return failure(409, 'not-draining', 'drainTimeout is for an endpoint that drains: add "state": "draining"');
}

function timelineView({ query }: RoutedRequest, source: AdminSource): AdminAnswer {
  const after = query.get('after') ?? '0';
  if (!/^\d{1,15}$/.test(after)) return failure(400, 'bad-query', 'after must be the id of an entry, such as after=57');
  return ok({ latestId: source.timeline.latestId, entries: source.timeline.entries(Number(after)) });
}

async function reload(source: AdminSource): Promise<AdminAnswer> {
  const result = await source.reload();
  if (result.ok) {
    const { ok: _ok, ...report } = result;
    return ok(report);
  }
  const { problems } = result;
  const what = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return failure(422, 'bad-config', `the configuration has ${what}; everything goes on as it was`, { problems });
}

function configView({ query, accept }: RoutedRequest, source: AdminSource): AdminAnswer {
  const format = query.get('format') ?? (/\byaml\b/i.test(accept) ? 'yaml' : 'json');
  if (format === 'json') return ok(maskedConfig(source.config()));
  if (format !== 'yaml') return failure(400, 'bad-query', 'format must be json or yaml');
  return { status: 200, headers: {}, contentType: 'application/yaml', text: maskedYaml(source.config()) };
}

async function explain({ body }: RoutedRequest, source: AdminSource): Promise<AdminAnswer> {
  const read = readExplain(body);
  if (!read.ok) return failure(400, 'bad-request', read.problems.join('; '));
  const explanation = await source.explain(read.request);
  if (explanation === undefined) return tooEarly(503, 'no-worker', 'no worker serves now that could tell', 1);
  if (explanation !== null) return ok(explanation);
  const { listener } = read.request;
  return failure(
    404,
    'no-listener',
    listener === null
      ? 'there is no listener of mode l7'
      : `there is no listener ${JSON.stringify(listener)} of mode l7`,
  );
}
