/** Scenario: what setting a session up and taking it down costs. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l4-connect-minimal-c64',
  summary: 'a new session for each small request, 64 at a time',
  layer: 'l4',
  sets: ['l4'],
  keepAlive: false,
});
