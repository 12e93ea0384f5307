/** Tells the log what became of endpoints and routes for what traffic did to them: ejections, trials and breakers. */
import type { UpstreamPlan } from '../config/plan.js';
import type { Logger } from './logger.js';

const MS_PER_S = 1_000;

/**
 * The lines about the endpoints of one upstream; indices of the plan. Every transition is made by one thread, which alone writes its line. Takes
 * the reasons as they are: they are those of src/policies. Thread: any.
 */
export class EndpointHealthLog {
  readonly #upstream: UpstreamPlan;
  readonly #logger: Logger;

  constructor(upstream: UpstreamPlan, logger: Logger) {
    this.#upstream = upstream;
    this.#logger = logger;
  }

  ejected(endpoint: number, reason: string, ejectionMs: number, ejections: number): void {
    this.#logger.warn(
      { event: 'endpoint-ejected', ...this.#facts(endpoint), reason, ejectionMs, ejections },
      `${this.#name(endpoint)} is left alone for ${seconds(ejectionMs)}: ${reason}`,
    );
  }

  suppressed(endpoint: number, reason: string): void {
    this.#logger.warn(
      { event: 'ejection-suppressed', ...this.#facts(endpoint), reason },
      `${this.#name(endpoint)} should be ejected (${reason}), but as many are as may be, or no other takes work`,
    );
  }

  onTrial(endpoint: number): void {
    this.#logger.info(
      { event: 'endpoint-on-trial', ...this.#facts(endpoint), trials: this.#upstream.outlier?.trials ?? 0 },
      `${this.#name(endpoint)} is tried again`,
    );
  }

  returned(endpoint: number): void {
    this.#logger.info(
      { event: 'endpoint-returned', ...this.#facts(endpoint) },
      `${this.#name(endpoint)} takes its share again`,
    );
  }

  breakerOpened(endpoint: number, reason: string, openMs: number): void {
    this.#logger.warn(
      { event: 'breaker-opened', ...this.#facts(endpoint), reason, openMs },
      `the circuit of ${this.#name(endpoint)} is open for ${seconds(openMs)}: ${reason}`,
    );
  }

  breakerHalfOpened(endpoint: number): void {
    const { breaker } = this.#upstream;
    this.#logger.info(
      { event: 'breaker-half-open', ...this.#facts(endpoint), probes: breaker?.probes ?? 0 },
      `the circuit of ${this.#name(endpoint)} is half-open: probes are sent`,
    );
  }

  breakerClosed(endpoint: number): void {
    this.#logger.info(
      { event: 'breaker-closed', ...this.#facts(endpoint) },
      `the circuit of ${this.#name(endpoint)} is closed again`,
    );
  }

  #facts(endpoint: number): { readonly upstream: string; readonly endpoint: string } {
    return { upstream: this.#upstream.name, endpoint: this.#endpointName(endpoint) };
  }

  #name(endpoint: number): string {
    return `endpoint ${this.#endpointName(endpoint)} of ${this.#upstream.name}`;
  }

  #endpointName(endpoint: number): string {
    return this.#upstream.endpoints[endpoint]?.name ?? 'none';
  }
}

/** The lines about the breaker of one route. Thread: worker. */
export class RouteBreakerLog {
  readonly #listener: string;
  readonly #route: string;
  readonly #probes: number;
  readonly #logger: Logger;

  /** @param route as its match is written: host and path */
  constructor(listener: string, route: string, probes: number, logger: Logger) {
    this.#listener = listener;
    this.#route = route;
    this.#probes = probes;
    this.#logger = logger;
  }

  opened(_record: number, reason: string, openMs: number): void {
    this.#logger.warn(
      { event: 'breaker-opened', ...this.#facts, reason, openMs },
      `the circuit of ${this.#name} is open for ${seconds(openMs)}: ${reason}`,
    );
  }

  halfOpened(_record: number): void {
    this.#logger.info(
      { event: 'breaker-half-open', ...this.#facts, probes: this.#probes },
      `the circuit of ${this.#name} is half-open: probes are sent`,
    );
  }

  closed(_record: number): void {
    this.#logger.info({ event: 'breaker-closed', ...this.#facts }, `the circuit of ${this.#name} is closed again`);
  }

  get #facts(): { readonly listener: string; readonly route: string } {
    return { listener: this.#listener, route: this.#route };
  }

  get #name(): string {
    return `route ${this.#route} of ${this.#listener}`;
  }
}

function seconds(ms: number): string {
  return `${ms / MS_PER_S} s`;
}
