/** Scenario: what accepting and closing a connection adds to a request. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-connect-minimal-c64',
  summary: 'a new connection for each request, 64 at a time',
  keepAlive: false,
});
