/** Scenario: one endpoint of three is slow, which is what balancers are for. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-slow-endpoint-c64',
  summary:
    'three endpoints of which one takes 40 ms: what the balancer makes of it (peers with their least-connections)',
  endpoints: [{ delayMs: 2 }, { delayMs: 2 }, { delayMs: 40 }],
});
