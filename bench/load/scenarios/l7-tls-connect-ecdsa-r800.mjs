/** Scenario: what a full handshake costs, with the key that most sites have by now. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-tls-connect-ecdsa-r800',
  sets: ['tls'],
  tls: 'ecdsa',
  summary: 'a new connection with a full TLS 1.3 handshake (P-256) for each request, 800 a second',
  keepAlive: false,
});
