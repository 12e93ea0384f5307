/** The endpoints that stories are made of: sound ones, slow ones, and those with a fate. */
import type { ScenarioEndpoint } from './scenario.js';
import type { Conduct, EndpointModel } from './simulated-endpoint.js';

const SERVES: Conduct = { kind: 'serves', slowness: 1 };

/** Sound for ever. @param slowness 2: takes twice as long for the same work */
export function sound(places: number, slowness = 1): EndpointModel {
  const conduct: Conduct = { kind: 'serves', slowness };
  return { places, conduct: () => conduct };
}

/** Takes longer the more it works on at once: slowness x (1 + busy x perBusy). It never queues. */
export function sharing(slowness: number, perBusy: number): EndpointModel {
  return {
    places: Infinity,
    conduct: (_nowMs, busy) => ({ kind: 'serves', slowness: slowness * (1 + busy * perBusy) }),
  };
}

/** Sound until a moment, then otherwise; and again sound from another moment on. */
export function changing(places: number, fromMs: number, then: Conduct, untilMs = Infinity): EndpointModel {
  return { places, conduct: (nowMs) => (nowMs >= fromMs && nowMs < untilMs ? then : SERVES) };
}

/** So many equal endpoints. */
export function fleetOf(count: number, model: EndpointModel): ScenarioEndpoint[] {
  return Array.from({ length: count }, () => ({ model }));
}
