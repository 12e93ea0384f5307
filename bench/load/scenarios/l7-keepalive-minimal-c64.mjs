/** Scenario: the least work that a request can be, the figure that all proxies quote. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-keepalive-minimal-c64',
  summary: '43-byte answers to minimal heads over 64 kept connections',
  sets: ['quick', 'l7'],
});
