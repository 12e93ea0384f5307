/** Endpoints that say nothing: stopped, slow, without an answer to connects or to requests. What waits for them is tried elsewhere in time. */
import { type Finding, within } from '../judge.js';
import type { Scenario, SceneOutcome } from '../scenario.js';
import { shareBetween } from '../share-history.js';

const BEFORE_MS = 300;
/** The promise is a second. */
const SHARE_LOST_MS = 1_000;
/** Behind it the share is looked at for so long. */
const LOOK_MS = 500;
/** What is left to an endpoint that a balancer by latency avoids: it is asked now and then. */
const LEFT_SHARE = 0.05;

/** The share of the attempts of the endpoint, from a second after the mark on. */
function shareIsLost({ history, endpoints, mark }: SceneOutcome, name: string): Finding {
  const { atMs, endpoint } = mark(name);
  const index = endpoints.findIndex(({ name: own }) => own === endpoint?.name);
  const fromMs = atMs + SHARE_LOST_MS;
  const share = shareBetween(history.samples, index, fromMs, fromMs + LOOK_MS);
  return within('its share of the attempts, from a second later on', share ?? Number.NaN, 0, LEFT_SHARE, 3);
}

export const stall: Scenario = {
  name: 'stall',
  title: 'an endpoint is stopped (SIGSTOP) and goes on later; balanced by least-time',
  upstream: 'fast',
  isEssential: true,
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('stopped', endpoint);
    endpoint.stop();
    await scene.passExactly(SHARE_LOST_MS + LOOK_MS);
    scene.mark('goes on', endpoint);
    endpoint.resume();
    await scene.pass(BEFORE_MS);
  },
  judge: (outcome) => [shareIsLost(outcome, 'stopped')],
};

export const slow: Scenario = {
  name: 'slow',
  title: 'an endpoint takes 40 to 80 ms for what takes the others one; balanced by least-time',
  upstream: 'fast',
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('slow', endpoint);
    await endpoint.behave({ latencyMs: 40, spreadMs: 40 });
    await scene.passExactly(SHARE_LOST_MS + LOOK_MS);
  },
  judge: (outcome) => [shareIsLost(outcome, 'slow')],
};

export const silent: Scenario = {
  name: 'silent',
  title: 'an endpoint accepts and never answers',
  upstream: 'even',
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('silent', endpoint);
    await endpoint.behave({ fault: 'never' });
    await scene.pass(3 * BEFORE_MS);
    // Its connections are of no use to anybody any more.
    await endpoint.refuse();
    await endpoint.behave({});
    await endpoint.listen();
    scene.mark('good again', endpoint);
    await scene.pass(BEFORE_MS);
  },
};

export const blackHole: Scenario = {
  name: 'black-hole',
  title: 'connects to an endpoint are not answered, and its old connections are reset',
  upstream: 'even',
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('black-holed', endpoint);
    await endpoint.block();
    await scene.pass(3 * BEFORE_MS);
    await endpoint.listen();
    scene.mark('listens again', endpoint);
    await scene.pass(BEFORE_MS);
  },
};

export const refusing: Scenario = {
  name: 'refusing',
  title: 'nobody listens on the port of an endpoint for a while',
  upstream: 'even',
  async act(scene) {
    const endpoint = scene.draw();
    await scene.pass(BEFORE_MS);
    scene.mark('refuses', endpoint);
    await endpoint.refuse();
    await scene.pass(2 * BEFORE_MS);
    await endpoint.listen();
    scene.mark('listens again', endpoint);
    await scene.pass(BEFORE_MS);
  },
};

export const flapping: Scenario = {
  name: 'flapping',
  title: 'an endpoint refuses and listens by turns',
  upstream: 'even',
  async act(scene) {
    const endpoint = scene.draw();
    for (let turn = 0; turn < 3; turn++) {
      await scene.pass(BEFORE_MS);
      scene.mark('refuses', endpoint);
      await endpoint.refuse();
      await scene.pass(BEFORE_MS);
      await endpoint.listen();
      scene.mark('listens', endpoint);
    }
    await scene.pass(BEFORE_MS);
  },
};
