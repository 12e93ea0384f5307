/** Scenario: a fixed rate below what any candidate can do; what counts is the latency. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-open-minimal-r5000',
  summary: '5,000 requests a second, whatever the answers take: latency from the intended start',
  ratePerSecond: 5000,
});
