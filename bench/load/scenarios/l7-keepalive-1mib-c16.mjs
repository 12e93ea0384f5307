/** Scenario: large bodies, where copying is what costs. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-keepalive-1mib-c16',
  summary: '1 MiB answers over 16 kept connections',
  sets: ['quick', 'l7'],
  connections: 16,
  request: { paths: ['/1m'] },
});
