/** Scenario: what a full handshake costs with an RSA key. */
import { scenario } from './scenario.mjs';

export const SCENARIO = scenario({
  name: 'l7-tls-connect-rsa-r800',
  sets: ['tls'],
  tls: 'rsa',
  summary: 'a new connection with a full TLS 1.3 handshake (RSA 2048) for each request, 800 a second',
  keepAlive: false,
});
