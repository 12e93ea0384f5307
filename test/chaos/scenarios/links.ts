/** Faults of the network between proxy and endpoint: each endpoint lives in a network namespace of its own. */
import type { EndpointProcess } from '../endpoint-process.js';
import type { Network } from '../network.js';
import type { Scenario, Scene } from '../scenario.js';

const BEFORE_MS = 250;

/** A link fault of one drawn endpoint, for a while. */
async function whileFaulty(
  scene: Scene,
  name: string,
  act: (network: Network, index: number, endpoint: EndpointProcess) => Promise<void>,
): Promise<void> {
  const { network, endpoints } = scene;
  if (network === null) throw new Error('this scenario needs endpoints in network namespaces');
  const endpoint = scene.draw();
  const index = endpoints.indexOf(endpoint);
  await scene.pass(BEFORE_MS);
  scene.mark(name, endpoint);
  await act(network, index, endpoint);
  await scene.pass(3 * BEFORE_MS);
  await network.heal(index);
  scene.mark('healed', endpoint);
  await scene.pass(2 * BEFORE_MS);
}

export const partition: Scenario = {
  name: 'partition',
  title: 'nothing comes through to an endpoint or back',
  upstream: 'even',
  isOfNetwork: true,
  act: (scene) => whileFaulty(scene, 'cut', (network, index) => network.cut(index)),
};

export const halfOpen: Scenario = {
  name: 'half-open',
  title: 'an endpoint is killed and started anew behind a link that is down: its peers never hear of it',
  upstream: 'even',
  isOfNetwork: true,
  act: (scene) =>
    whileFaulty(scene, 'unplugged', async (network, index, endpoint) => {
      await network.unplug(index);
      await endpoint.kill();
      await endpoint.restart();
      scene.mark('started anew', endpoint);
      if (scene.rng.below(2) === 0) return;
      await network.plug(index);
      scene.mark('plugged', endpoint);
    }),
};

export const loss: Scenario = {
  name: 'loss',
  title: 'one packet in a hundred is lost on the link of an endpoint, both ways',
  upstream: 'even',
  isOfNetwork: true,
  act: (scene) => whileFaulty(scene, '1 % loss', (network, index) => network.lose(index, 100)),
};

export const delay: Scenario = {
  name: 'delay',
  title: 'packets of an endpoint arrive late',
  upstream: 'fast',
  isOfNetwork: true,
  act: (scene) =>
    whileFaulty(scene, 'delayed', async (network, index) => scene.mark(`by ${await network.delay(index, 60)}`)),
};

export const linkReset: Scenario = {
  name: 'link-reset',
  title: 'a firewall answers each packet to an endpoint with a reset',
  upstream: 'even',
  isOfNetwork: true,
  act: (scene) => whileFaulty(scene, 'resets', (network, index) => network.reset(index)),
};
