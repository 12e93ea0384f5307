/** GET /metrics: looks at the board, the workers and the process, and writes what it sees in the format that was asked for. */
import { EXPOSITION_TYPES, Exposition, formatFor } from '../../observability/exposition.js';
import type { LiveSource } from '../live-source.js';
import { CertificateSeries, type CertificateSeriesParts } from './certificate-series.js';
import { EndpointSeries, type EndpointSeriesParts } from './endpoint-series.js';
import { ProcessSeries, type ProcessSeriesParts } from './process-series.js';
import { TrafficSeries } from './traffic-series.js';
import { UpstreamSeries, type UpstreamSeriesParts } from './upstream-series.js';

/** An answer to GET /metrics. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** Where the figures come from. */
export interface MetricsParts
  extends EndpointSeriesParts,
    ProcessSeriesParts,
    UpstreamSeriesParts,
    CertificateSeriesParts {
  readonly live: Pick<LiveSource, 'now'>;
}

/**
 * Nothing is kept between two scrapes but the texts of labels: counters live on the board.  Thread: primary.
 */
export class Metrics {
  readonly #parts: MetricsParts;
  readonly #traffic: TrafficSeries;
  readonly #upstreams: UpstreamSeries;
  readonly #endpoints: EndpointSeries;
  readonly #process: ProcessSeries;
  readonly #certificates: CertificateSeries;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
    this.#traffic = new TrafficSeries(parts);
    this.#upstreams = new UpstreamSeries(parts);
    this.#endpoints = new EndpointSeries(parts);
    this.#process = new ProcessSeries(parts);
    this.#certificates = new CertificateSeries(parts);
  }

  /** @param accept the Accept field of the request; '': there is none */
  render(accept: string): MetricsText {
    const format = formatFor(accept);
    const into = new Exposition(format);
    const plan = this.#parts.plan();
    const live = this.#parts.live.now();
    this.#traffic.write(into, plan);
    this.#upstreams.write(into, plan, live);
    this.#endpoints.write(into, plan, live);
    this.#certificates.write(into);
    this.#process.write(into, plan, live);
    return { contentType: EXPOSITION_TYPES[format], text: into.text() };
  }
}
