/** Endpoints that end and come back: killed, restarted, drained, in turn. Whatever the way, no idempotent request may fail. */
import { endpointFacts } from '../../harness/proxy-counts.js';
import { none, within } from '../judge.js';
import type { Scenario, Scene } from '../scenario.js';

/** Short runs let this much load pass before, between and after. */
const BETWEEN_MS = 250;

async function inTurn(scene: Scene, act: (endpoint: Scene['endpoints'][number]) => Promise<void>): Promise<void> {
  for (const endpoint of scene.endpoints) {
    await scene.pass(BETWEEN_MS);
    scene.mark('away', endpoint);
    await act(endpoint);
    await endpoint.restart();
    scene.mark('back', endpoint);
  }
  await scene.pass(BETWEEN_MS);
}

export const kill: Scenario = {
  name: 'kill',
  title: 'kill -9 of one endpoint of three, which stays away for a while',
  upstream: 'even',
  isEssential: true,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BETWEEN_MS);
    scene.mark('killed', endpoint);
    await endpoint.kill();
    await scene.pass(2 * BETWEEN_MS);
    await endpoint.restart();
    scene.mark('back', endpoint);
    await scene.pass(2 * BETWEEN_MS);
  },
};

export const killInTurn: Scenario = {
  name: 'kill-in-turn',
  title: 'kill -9 and restart of each endpoint, one after the other',
  upstream: 'fast',
  act: (scene) => inTurn(scene, (endpoint) => endpoint.kill()),
};

export const rollingRestart: Scenario = {
  name: 'rolling-restart',
  title: 'each endpoint in turn finishes what is in flight, exits and is started anew',
  upstream: 'even',
  isEssential: true,
  act: (scene) => inTurn(scene, (endpoint) => endpoint.leave()),
};

export const drain: Scenario = {
  name: 'drain',
  title: 'an endpoint is drained by the admin API, restarted and enabled again',
  upstream: 'even',
  isEssential: true,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BETWEEN_MS);
    await scene.setState(endpoint, 'draining');
    scene.mark('draining', endpoint);
    await scene.until('nothing in flight on the drained endpoint', async () => {
      const facts = await endpointFacts(scene.proxy, scene.upstream);
      return facts.find(({ address }) => address === endpoint.address)?.inFlight === 0;
    });
    scene.mark('drained', endpoint);
    await scene.pass(BETWEEN_MS);
    await endpoint.leave();
    scene.mark('away', endpoint);
    await scene.pass(BETWEEN_MS);
    await endpoint.restart();
    await scene.setState(endpoint, 'enabled');
    scene.mark('enabled', endpoint);
    await scene.pass(2 * BETWEEN_MS);
  },
  judge({ load, executionsOf, mark }) {
    const { endpoint, atMs } = mark('drained');
    const own = executionsOf.get(endpoint?.name ?? '') ?? [];
    const between = (fromMs: number, toMs: number): number =>
      own.filter((one) => one.atMs >= fromMs % 2 ** 32 && one.atMs < toMs % 2 ** 32).length;
    // Nobody went away with work in flight: this is the one ending that costs nobody anything.
    const connectionFailures = load.failures.filter(({ outcome }) => /CONNECT|RESET|NO_ENDPOINT/.test(outcome));
    return [
      none(
        'requests of any method that failed for the drain',
        connectionFailures.map(({ method, id, outcome }) => `${method} ${id} ${outcome}`),
      ),
      within('executions on the endpoint once it was drained', between(atMs, mark('away').atMs), 0, 0),
      within(
        'executions on it after it was enabled',
        between(mark('enabled').atMs, load.startedAtMs + load.durationMs),
        1,
        Number.POSITIVE_INFINITY,
      ),
    ];
  },
};
