/** Makes up seconds of a proxy for the dashboard's tests and pictures: calm ones, bad ones and impossible ones. */
import { seededRng } from '../../src/core/rng.js';
import type {
  EndpointCondition,
  LatencyFigures,
  LiveEndpoint,
  LiveFigures,
  LiveUpstream,
  LiveWorker,
  TimelineEntry,
} from '../../src/observability/live-figures.js';
import { LATENCY_BOUNDS_MS } from '../../src/observability/live-figures.js';

/** What kind of seconds. */
export type Scene = 'calm' | 'trouble' | 'many' | 'down' | 'huge' | 'empty' | 'markup';

/** Text that would become an element, and run, wherever it were taken for markup. */
export const MARKUP = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>';

interface EndpointShape {
  readonly address: string;
  readonly condition: EndpointCondition;
  readonly weight: number;
  readonly backup: boolean;
  readonly cap: number | null;
  /** Median of its latency; failures a share. */
  readonly medianMs: number;
  readonly errorShare: number;
}

interface UpstreamShape {
  readonly name: string;
  readonly balance: string;
  readonly perSecond: number;
  readonly endpoints: readonly EndpointShape[];
  readonly queueLength: number | null;
}

const IN_SERVICE = new Set<EndpointCondition>(['healthy', 'warming-up', 'on-trial']);

function endpoint(address: string, more: Partial<EndpointShape> = {}): EndpointShape {
  return { address, condition: 'healthy', weight: 1, backup: false, cap: 100, medianMs: 8, errorShare: 0, ...more };
}

function upstreamsOf(scene: Scene): readonly UpstreamShape[] {
  switch (scene) {
    case 'empty':
      return [];
    case 'many':
      return [
        {
          name: 'fleet',
          balance: 'least-time',
          perSecond: 42_000,
          queueLength: null,
          endpoints: Array.from({ length: 300 }, (_, index) =>
            endpoint(`10.0.${Math.floor(index / 100)}.${(index % 100) + 1}:9001`, {
              weight: 1 + (index % 4),
              medianMs: 3 + (index % 17),
              condition: index % 50 === 49 ? 'unhealthy' : 'healthy',
            }),
          ),
        },
      ];
    case 'down':
      return calm.map((upstream) => ({
        ...upstream,
        endpoints: upstream.endpoints.map((each) => ({ ...each, condition: 'unhealthy' as const, errorShare: 1 })),
      }));
    case 'huge':
      return [
        {
          name: 'huge',
          balance: 'round-robin',
          perSecond: 3.2e9,
          queueLength: 1e6,
          endpoints: [
            endpoint('huge.example.com:65535', { weight: 65_535, cap: 1_000_000, medianMs: 4_000_000 }),
            endpoint(`${'long-name.'.repeat(20)}example.com:443`, { cap: null }),
          ],
        },
      ];
    case 'markup':
      return [
        {
          name: MARKUP,
          balance: MARKUP,
          perSecond: 100,
          queueLength: null,
          endpoints: [endpoint(MARKUP), endpoint('10.0.0.1:9001')],
        },
      ];
    case 'trouble':
      return trouble;
    case 'calm':
      return calm;
  }
}

const calm: readonly UpstreamShape[] = [
  {
    name: 'api',
    balance: 'least-time',
    perSecond: 2_340,
    queueLength: 200,
    endpoints: [
      endpoint('10.0.0.1:9001', { weight: 2, cap: 200 }),
      endpoint('10.0.0.2:9001', { medianMs: 9 }),
      endpoint('10.0.0.3:9001', { medianMs: 11 }),
      endpoint('10.0.0.4:9001', { medianMs: 8.5 }),
      endpoint('10.0.9.1:9001', { backup: true, cap: null }),
    ],
  },
  {
    name: 'pages',
    balance: 'round-robin',
    perSecond: 610,
    queueLength: null,
    endpoints: [
      endpoint('10.0.1.1:9001', { medianMs: 3, cap: null }),
      endpoint('10.0.1.2:9001', { medianMs: 3.4, cap: null }),
      endpoint('10.0.1.3:9001', { medianMs: 3.2, cap: null, condition: 'warming-up' }),
    ],
  },
];

const trouble: readonly UpstreamShape[] = [
  {
    name: 'api',
    balance: 'least-time',
    perSecond: 2_120,
    queueLength: 200,
    endpoints: [
      endpoint('10.0.0.1:9001', { weight: 2, cap: 200, medianMs: 13 }),
      endpoint('10.0.0.2:9001', { medianMs: 38, errorShare: 0.062, condition: 'on-trial' }),
      endpoint('10.0.0.3:9001', { condition: 'ejected', medianMs: 180, errorShare: 0.41 }),
      endpoint('10.0.0.4:9001', { medianMs: 12 }),
      endpoint('10.0.9.1:9001', { backup: true, cap: null }),
    ],
  },
  {
    name: 'pages',
    balance: 'round-robin',
    perSecond: 590,
    queueLength: null,
    endpoints: [
      endpoint('10.0.1.1:9001', { medianMs: 3, cap: null }),
      endpoint('10.0.1.2:9001', { medianMs: 3.4, cap: null, condition: 'draining' }),
      endpoint('10.0.1.3:9001', { medianMs: 3.2, cap: null, condition: 'unhealthy', errorShare: 1 }),
    ],
  },
];

const EVENTS: readonly Omit<TimelineEntry, 'id' | 'at' | 'count'>[] = [
  { level: 'info', event: 'ready', text: 'ready: 2 workers accept', code: null, upstream: null, endpoint: null },
  {
    level: 'info',
    event: 'reloaded',
    text: 'the configuration was reloaded: 1 endpoint added',
    code: null,
    upstream: null,
    endpoint: null,
  },
  {
    level: 'warn',
    event: 'attempt-failed',
    text: 'an attempt on 10.0.0.3:9001 failed: the endpoint did not answer in time',
    code: 'SLUICE_FIRST_BYTE_TIMEOUT',
    upstream: 'api',
    endpoint: '10.0.0.3:9001',
  },
  {
    level: 'warn',
    event: 'endpoint-ejected',
    text: '10.0.0.3:9001 is ejected for 30 s: 5 failures in a row',
    code: null,
    upstream: 'api',
    endpoint: '10.0.0.3:9001',
  },
  {
    level: 'error',
    event: 'exchange-failed',
    text: 'an exchange failed: no endpoint answered in time',
    code: 'SLUICE_CONNECT_TIMEOUT',
    upstream: 'pages',
    endpoint: '10.0.1.3:9001',
  },
  {
    level: 'warn',
    event: 'endpoint-unhealthy',
    text: '10.0.1.3:9001 fails its health check: the connection was refused',
    code: null,
    upstream: 'pages',
    endpoint: '10.0.1.3:9001',
  },
  {
    level: 'info',
    event: 'endpoint-draining',
    text: '10.0.1.2:9001 gets no new work; 14 are in flight',
    code: null,
    upstream: 'pages',
    endpoint: '10.0.1.2:9001',
  },
];

/** What happened up to a moment, in a scene; oldest first. */
export function generatedTimeline(scene: Scene, at: number): TimelineEntry[] {
  if (scene === 'empty') return [];
  const events = scene === 'calm' ? EVENTS.slice(0, 2) : EVENTS;
  const text = (plain: string): string => (scene === 'markup' ? MARKUP : plain);
  return events.map((event, index) => ({
    ...event,
    text: text(event.text),
    id: index + 1,
    at: at - (events.length - index) * 11_000,
    count: event.event === 'attempt-failed' ? 37 : 1,
  }));
}

/** Makes seconds of one scene, the same ones for the same seed. */
export class FigureGenerator {
  readonly #scene: Scene;
  readonly #random: () => number;
  readonly #startedAt: number;
  /** What the operator has changed, by upstream and address. */
  readonly changes = new Map<string, { state?: LiveEndpoint['state']; weight?: number }>();
  epoch = 1;

  constructor(scene: Scene, startedAt: number, seed = 7) {
    this.#scene = scene;
    const rng = seededRng(seed);
    this.#random = () => rng.nextBits() / 2 ** 31;
    this.#startedAt = startedAt;
  }

  at(at: number): LiveFigures {
    const wave = 1 + 0.18 * Math.sin(at / 21_000) + 0.06 * (this.#random() - 0.5);
    const upstreams = upstreamsOf(this.#scene).map((shape) => this.#upstream(shape, wave));
    const perSecond = upstreams.reduce((sum, upstream) => sum + upstream.perSecond, 0);
    const errors = upstreams.reduce((sum, upstream) => sum + upstream.perSecond * (upstream.errorShare ?? 0), 0);
    const medianMs = this.#scene === 'trouble' ? 14 : 7;
    const total = {
      perSecond,
      errorShare: perSecond === 0 ? null : errors / perSecond,
      bytesInPerSecond: perSecond * 420,
      bytesOutPerSecond: perSecond * 6_200,
      latencyMs: perSecond === 0 ? null : this.#latency(medianMs),
    };
    const openConnections = Math.round(Math.min(perSecond, 4_000) * 0.2);
    return {
      version: '0.1.0',
      at,
      uptimeMs: at - this.#startedAt + 3 * 3_600_000,
      windowMs: 10_000,
      epoch: this.epoch,
      readiness: 'ready',
      totals: {
        ...total,
        openConnections,
        openExchanges: upstreams.reduce(
          (sum, { endpoints }) => sum + endpoints.reduce((all, e) => all + e.inFlight, 0),
          0,
        ),
        openSessions: this.#scene === 'empty' ? 0 : 12,
      },
      listeners: [
        { ...total, name: 'web', mode: 'l7', address: '0.0.0.0:8080', kind: 'native' },
        { ...scaled(total, 0.004), name: 'db', mode: 'l4', address: '0.0.0.0:5432', kind: 'splice' },
      ],
      routes: upstreams.map(
        ({ name, perSecond: rate, errorShare, bytesInPerSecond, bytesOutPerSecond, latencyMs }) => ({
          perSecond: rate,
          errorShare,
          bytesInPerSecond,
          bytesOutPerSecond,
          latencyMs,
          listener: 'web',
          host: '*',
          path: `/${name}/`,
          upstreams: [name],
        }),
      ),
      upstreams,
      workers: [0, 1].map((index) => this.#worker(index, openConnections)),
    };
  }

  #upstream({ name, balance, perSecond, endpoints: shapes, queueLength }: UpstreamShape, wave: number): LiveUpstream {
    const states = shapes.map((shape) => this.#steered(name, shape));
    const works = ({ condition, backup, weight }: EndpointShape): boolean =>
      IN_SERVICE.has(condition) && !backup && weight > 0;
    const weights = states.map((shape) => (works(shape) ? shape.weight * (0.95 + this.#random() * 0.1) : 0));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    const rate = sum === 0 ? 0 : perSecond * wave;
    const endpoints = states.map((shape, index) =>
      this.#endpoint(
        shape,
        this.changes.get(`${name} ${shape.address}`)?.state ?? null,
        rate,
        sum === 0 ? 0 : (weights[index] ?? 0) / sum,
      ),
    );
    const errors = endpoints.reduce((all, each) => all + each.perSecond * (each.errorShare ?? 0), 0);
    return {
      name,
      balance,
      panicking: this.#scene === 'down',
      waiting: queueLength === null ? null : this.#scene === 'trouble' ? 26 : 0,
      queueLength,
      cv: sum === 0 ? null : this.#scene === 'trouble' ? 0.34 : 0.03,
      perSecond: rate,
      errorShare: rate === 0 ? null : errors / rate,
      bytesInPerSecond: rate * 420,
      bytesOutPerSecond: rate * 6_200,
      latencyMs: rate === 0 ? null : this.#latency(shapes[0]?.medianMs ?? 1),
      endpoints,
    };
  }

  #steered(upstream: string, shape: EndpointShape): EndpointShape {
    const { state, weight = shape.weight } = this.changes.get(`${upstream} ${shape.address}`) ?? {};
    if (state === undefined || state === 'enabled') return { ...shape, weight };
    return { ...shape, weight, condition: state };
  }

  #endpoint(shape: EndpointShape, state: LiveEndpoint['state'] | null, rate: number, share: number): LiveEndpoint {
    const { address, condition, weight, backup, cap, medianMs, errorShare } = shape;
    const perSecond = rate * share;
    const inFlight = Math.min(Math.round((perSecond * medianMs) / 700), cap ?? Number.MAX_SAFE_INTEGER);
    const own = condition === 'draining' || condition === 'drained' || condition === 'disabled' ? condition : 'enabled';
    return {
      address,
      condition,
      state: state ?? own,
      backup,
      weight,
      effectiveWeight: condition === 'warming-up' ? Math.max(Math.round(weight * 0.6), 1) : weight,
      inFlight: condition === 'draining' ? 14 : inFlight,
      cap,
      poolUse: cap === null ? null : inFlight / cap,
      share: rate === 0 ? null : share,
      perSecond,
      errorShare: perSecond === 0 ? null : errorShare,
      bytesInPerSecond: perSecond * 420,
      bytesOutPerSecond: perSecond * 6_200,
      latencyMs: perSecond === 0 ? null : this.#latency(medianMs),
      heat: this.#heat(perSecond, medianMs),
    };
  }

  #latency(medianMs: number): LatencyFigures {
    const p50 = medianMs * (0.96 + this.#random() * 0.08);
    return { p50, p95: p50 * (2.6 + this.#random() * 0.4), p99: p50 * (4.4 + this.#random()), max: p50 * 9 };
  }

  /** A hump around the median, with a long tail. */
  #heat(perSecond: number, medianMs: number): number[] {
    const bounds = [...LATENCY_BOUNDS_MS, Number.POSITIVE_INFINITY];
    return bounds.map((bound, index) => {
      const middle = Number.isFinite(bound) ? (bound + (LATENCY_BOUNDS_MS[index - 1] ?? 0)) / 2 : 8_000;
      const distance = Math.log(middle / medianMs);
      const width = distance > 0 ? 0.9 : 0.5;
      return Math.round(perSecond * 0.6 * Math.exp(-((distance / width) ** 2)) * (0.7 + this.#random() * 0.6));
    });
  }

  #worker(index: number, openConnections: number): LiveWorker {
    return {
      index,
      state: 'serving',
      restarts: 0,
      openConnections: Math.round(openConnections / 2) + (index === 0 ? 3 : -3) * Math.sign(openConnections),
      openExchanges: index === 0 ? 21 : 18,
      openSessions: 6,
      upstreamConnections: 24 + index,
      busyShare: 0.31 + 0.04 * index + this.#random() * 0.04,
    };
  }
}

function scaled<Rates extends { perSecond: number; bytesInPerSecond: number; bytesOutPerSecond: number }>(
  rates: Rates,
  by: number,
): Rates {
  return {
    ...rates,
    perSecond: rates.perSecond * by,
    bytesInPerSecond: rates.bytesInPerSecond * by,
    bytesOutPerSecond: rates.bytesOutPerSecond * by,
  };
}
