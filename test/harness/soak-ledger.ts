/** What both sides of a soak have done and seen: counts, faults, and what excuses a failure that no script asked for. */
import { breaksRequest, type SoakScript } from './soak-script.js';

const MAX_FAULTS = 20;
/** An endpoint that stops or starts is felt by exchanges that begin so much later, in pools and kernel queues. */
const RESTART_ECHO_MS = 1_000;

/** What the endpoints have seen of one request. */
interface Sighting {
  /** Heads and whole requests that came: more than one after a replay or retry. */
  heads: number;
  wholes: number;
}

export class SoakLedger {
  /** How exchanges ended, as their clients saw it. */
  readonly outcomes: Record<string, number> = {};
  readonly faults: string[] = [];
  faultCount = 0;
  exchanges = 0;
  sentBytes = 0;
  receivedBytes = 0;
  /** Connections that endpoints have open now. */
  openAtEndpoints = 0;
  restarts = 0;
  readonly #sightings = new Map<string, Sighting>();
  #restartedAt = Number.NEGATIVE_INFINITY;

  countOutcome(name: string): void {
    this.exchanges++;
    this.outcomes[name] = (this.outcomes[name] ?? 0) + 1;
  }

  /** @param tell gets each fault at once */
  constructor(private readonly tell: (line: string) => void = () => {}) {}

  /** @param script undefined: of none that is known */
  fault(who: 'client' | 'endpoint', what: string, script: SoakScript | undefined): void {
    this.faultCount++;
    if (this.faults.length >= MAX_FAULTS) return;
    const line = `${new Date().toISOString()} ${who}: ${what} (${script === undefined ? 'no script' : JSON.stringify(script)})`;
    this.faults.push(line);
    this.tell(line);
  }

  noteHead(script: SoakScript): void {
    this.#sighting(script.id).heads++;
  }

  /** A request has come to its end. */
  noteWhole(script: SoakScript): void {
    const sighting = this.#sighting(script.id);
    sighting.wholes++;
    if (breaksRequest(script)) this.fault('endpoint', 'a request that its client broke off came to an end', script);
    if (sighting.wholes > 1 && script.method === 'POST') this.fault('endpoint', 'a POST came twice', script);
  }

  /** Has any endpoint seen the head? */
  wasSeen(id: string): boolean {
    return (this.#sightings.get(id)?.heads ?? 0) > 0;
  }

  noteRestart(): void {
    this.#restartedAt = Date.now();
  }

  /** Has an endpoint been stopped or started since then, or a moment before? @param sinceMs Unix time */
  wasRestarted(sinceMs: number): boolean {
    return this.#restartedAt > sinceMs - RESTART_ECHO_MS;
  }

  #sighting(id: string): Sighting {
    let sighting = this.#sightings.get(id);
    if (sighting === undefined) {
      sighting = { heads: 0, wholes: 0 };
      this.#sightings.set(id, sighting);
    }
    return sighting;
  }
}
