/** Scenario: what thousands of idle TLS connections cost in memory. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-tls-idle4000-minimal-c64',
  sets: ['tls'],
  tls: 'ecdsa',
  summary:
    '43-byte answers over 64 connections of TLS 1.3 beside 4,000 idle ones; memory of the proxy for each idle one',
  idleConnections: 4000,
});
