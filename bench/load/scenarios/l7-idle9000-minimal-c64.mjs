/** Scenario: what thousands of idle connections cost in memory, and the requests beside them. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-idle9000-minimal-c64',
  summary: '43-byte answers over 64 connections beside 9,000 idle ones; memory of the proxy for each idle one',
  idleConnections: 9000,
});
