/** Story: predictive beside least-time, where there is something to learn and where there is not. */
import { poisson } from '../model/arrivals.js';
import { bimodal, constant, lognormal, type Sampler } from '../model/distributions.js';
import { changing, fleetOf, sharing, sound } from '../model/endpoints.js';
import { mean, percentile, type Recording } from '../model/recording.js';
import type { Scenario } from '../model/scenario.js';
import type { EndpointModel } from '../model/simulated-endpoint.js';
import { difference, ms, percent } from '../report/table.js';
import type { Story, Telling } from '../story.js';
import { contest, plain, told } from './contest.js';

const CONTENDERS = plain('least-conn', 'least-time', 'predictive');
const DAY_MS = 86_400_000;
const CHANGE_MS = 30_000;

const aboutEqual = (median: number): Sampler => lognormal(median, 0.2);
const minutes = (telling: Telling, quick: number, full: number) => (telling.isQuick ? quick : full) * 60_000;

/** Slowness by class of requests. */
function specialist(ofClass: readonly number[]): EndpointModel {
  return {
    places: 16,
    conduct: (_nowMs, _busy, { routeClass }) => ({ kind: 'serves', slowness: ofClass[routeClass] ?? 1 }),
  };
}

/** As slow as the sun is high, or low: 1 to 3, once a day. */
function daily(shift: number): EndpointModel {
  return {
    places: Infinity,
    conduct: (nowMs) => ({ kind: 'serves', slowness: 2 + Math.sin((2 * Math.PI * nowMs) / DAY_MS + shift) }),
  };
}

/** Two endpoints that do not mind load, two that do; 10 ms of work, 300 requests a second. */
function loadScenario(telling: Telling, steadySlowness: number, perBusy: number): Scenario {
  return {
    endpoints: [...fleetOf(2, sound(Infinity, steadySlowness)), ...fleetOf(2, sharing(1, perBusy))],
    arrivals: poisson(300),
    requests: { work: aboutEqual(10) },
    durationMs: minutes(telling, 0.5, 4),
    seed: telling.seed,
  };
}

interface Case {
  readonly name: string;
  readonly what: string;
  readonly scenario: (telling: Telling) => Scenario;
  /** Requests before this are not counted: learning and filling. */
  readonly fromMs: (durationMs: number) => number;
}

const CASES: readonly Case[] = [
  {
    name: 'classes',
    what: 'two routes, pages (10 ms, nine of ten) and reports (150 ms); two endpoints take three times as long for reports, the other two three times as long for pages',
    scenario: (telling) => ({
      endpoints: [...fleetOf(2, specialist([1, 3])), ...fleetOf(2, specialist([3, 1]))],
      arrivals: poisson(400),
      requests: {
        work: constant(0),
        routeClass: bimodal(0, 1, 0.1),
        workOfClass: [aboutEqual(10), aboutEqual(150)],
      },
      durationMs: minutes(telling, 0.5, 4),
      seed: telling.seed,
    }),
    fromMs: (durationMs) => durationMs / 3,
  },
  {
    name: 'load',
    what: 'two endpoints that take 15 ms whatever they have in flight, two that take 10 ms alone and as long again for each request beside it',
    scenario: (telling) => loadScenario(telling, 1.5, 1),
    fromMs: (durationMs) => durationMs / 3,
  },
  {
    name: 'detour',
    what: 'as *load*, but 40 ms whatever they have in flight, and half as long again for each request',
    scenario: (telling) => loadScenario(telling, 4, 0.5),
    fromMs: (durationMs) => durationMs / 3,
  },
  {
    name: 'day',
    what: 'two endpoints that are three times as slow at noon as at midnight, two the other way round; one request a second for three days, the third counts',
    scenario: (telling) => ({
      endpoints: [...fleetOf(2, daily(0)), ...fleetOf(2, daily(Math.PI))],
      arrivals: poisson(telling.isQuick ? 0.1 : 1),
      requests: { work: aboutEqual(50) },
      durationMs: 3 * DAY_MS,
      seed: telling.seed,
    }),
    fromMs: (durationMs) => (durationMs * 2) / 3,
  },
  {
    name: 'noise',
    what: 'four equal endpoints, work lognormal with sigma 1: nothing to be learned',
    scenario: (telling) => ({
      endpoints: fleetOf(4, sound(8)),
      arrivals: poisson(300),
      requests: { work: lognormal(30, 1) },
      durationMs: minutes(telling, 0.5, 4),
      seed: telling.seed,
    }),
    fromMs: (durationMs) => durationMs / 3,
  },
  {
    name: 'change',
    what: 'four endpoints of 50 ms; after 30 s one of them takes 400 ms, without a warning; the 30 s behind that count',
    scenario: (telling) => ({
      endpoints: [
        { model: changing(Infinity, CHANGE_MS, { kind: 'serves', slowness: 8 }) },
        ...fleetOf(3, sound(Infinity)),
      ],
      arrivals: poisson(200),
      requests: { work: aboutEqual(50) },
      durationMs: 2 * CHANGE_MS,
      seed: telling.seed,
    }),
    fromMs: () => CHANGE_MS,
  },
];

export const PREDICTIVE: Story = {
  name: 'predictive',
  title: 'Predictive: where it wins and where it does not',
  model: [
    'Six cases, each with the same requests for all balancers, through 4 workers:',
    CASES.map(({ name, what }) => `- **${name}**: ${what}.`).join('\n'),
  ],
  steps: CASES.length * CONTENDERS.length,
  tell(telling) {
    const results = CASES.map(({ name, scenario, fromMs }) => {
      const played = scenario(telling);
      return { name, from: fromMs(played.durationMs), all: contest(played, CONTENDERS, telling) };
    });
    const figure = (recording: Recording, from: number, rank: number) => {
      const latencies = recording.latencies(from);
      return rank === 0 ? mean(latencies) : percentile(latencies, rank);
    };
    const meansOf = (balancer: string) => results.map(({ all, from }) => figure(told(all, balancer), from, 0));
    const leastTime = meansOf('least-time');
    const predictive = meansOf('predictive');
    const ratio = (name: string) => {
      const at = CASES.findIndex((one) => one.name === name);
      return predictive[at]! / leastTime[at]!;
    };
    const changed = results.find(({ name }) => name === 'change')!;
    const slowShare = (balancer: string) => told(changed.all, balancer).share(0, CHANGE_MS + 5_000);
    const against = (wanted: string, name: string, most: number) => ({
      what: `mean latency of predictive against least-time, ${name}`,
      wanted,
      found: percent(ratio(name)),
      isMet: ratio(name) <= most,
    });
    return {
      tables: [
        {
          head: [
            'case',
            ...CONTENDERS.map(({ name }) => `mean, ${name}`),
            ...CONTENDERS.map(({ name }) => `P99, ${name}`),
            'mean of predictive against least-time',
          ],
          rows: results.map(({ name, all, from }, at) => [
            name,
            ...all.map(({ recording }) => ms(figure(recording, from, 0))),
            ...all.map(({ recording }) => ms(figure(recording, from, 99))),
            difference(leastTime[at]!, predictive[at]!),
          ]),
        },
        {
          caption: 'Case *change*: share of the endpoint that has become slow, from 5 s after it did:',
          head: ['balancer', 'share'],
          rows: CONTENDERS.map(({ name }) => [name, percent(slowShare(name))]),
        },
      ],
      charts: [
        {
          name: '',
          kind: 'bars',
          chart: {
            title: 'Mean latency: predictive beside least-time and least-conn',
            xLabel: 'case',
            yLabel: 'mean latency in ms',
            groups: CASES.map(({ name }) => name),
            series: CONTENDERS.map(({ name }) => ({ name, values: meansOf(name) })),
          },
        },
      ],
      targets: [
        against('at most 90 %', 'classes', 0.9),
        against('at most 95 %', 'load', 0.95),
        against('at most 105 %: no worse but for chance', 'noise', 1.05),
        against('at most 110 %', 'change', 1.1),
      ],
      notes: [
        'It wins where a single latency for each endpoint says too little: which endpoint is good at *what* (classes), and how load really counts (load). In the latter `least-time` takes the steady endpoints for overloaded.',
        'It does not win with noise and after a sudden change, where it is `least-time` by its guard or as fast as that, and not from the time of day as long as requests come often enough for the latency to follow by itself.',
        'It loses in *detour*: each request goes where it is served first itself, and makes all others there slower. What is best for each is not best for all; the factor (1 + in flight) of `least-time` happens to leave more room. A balancer that minimizes the time of all would have to know by how much one more request slows down the others.',
      ],
    };
  },
};
