/** Scenario: what thousands of silent sessions cost in memory, and those that are busy beside them. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-idle9000-minimal-c64',
  summary: 'small requests over 64 kept sessions beside 9,000 idle ones; memory of the proxy for each idle one',
  layer: 'l4',
  sets: ['l4'],
  idleConnections: 9000,
});
