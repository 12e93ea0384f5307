/** docs/configuration.md: fresh, and complete. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FLAGS } from '../../../../src/cli/flags.js';
import { flagEntries } from '../../../../src/cli/usage.js';
import { configurationReference } from '../../../../src/config/docs/reference.js';

const reference = configurationReference(flagEntries());

describe('docs/configuration.md', () => {
  it('is what schema and flags generate; run node scripts/generate-config-docs.mjs after a build', () => {
    expect(readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')).toBe(reference);
  });

  it('has every flag', () => {
    for (const { name } of FLAGS) expect(reference).toContain(`--${name}`);
  });

  it('has every section, once', () => {
    const headings = [...reference.matchAll(/^### (.*)$/gm)].map((match) => match[1]);
    expect(headings).toEqual([
      'The whole file',
      '`listeners[]` of mode `l7`',
      '`listeners[].keepAlive` of mode `l7`',
      '`listeners[].tls` of mode `l7`',
      '`listeners[].tls.certificates[]` of mode `l7`',
      '`listeners[].tls.acme` of mode `l7`',
      '`listeners[].tls.acme.accountBinding` of mode `l7`',
      '`listeners[].tls.clientAuth` of mode `l7`',
      '`listeners[].tls.clientAuth.headers` of mode `l7`',
      '`listeners[].tls.tickets` of mode `l7`',
      '`listeners[].http2` of mode `l7`',
      '`listeners[].http2.resets` of mode `l7`',
      '`listeners[].http2.controlFrames` of mode `l7`',
      '`listeners[].timeouts` of mode `l7`',
      '`listeners[].limits` of mode `l7`',
      '`listeners[].limits.newConnectionsPerClient` of mode `l7`',
      '`listeners[].routes[]` of mode `l7`',
      '`listeners[].routes[].match` of mode `l7`',
      '`listeners[].routes[].split[]` of mode `l7`',
      '`listeners[].routes[].timeouts` of mode `l7`',
      '`listeners[].routes[].retry` of mode `l7`',
      '`listeners[].routes[].hedge` of mode `l7`',
      '`listeners[].routes[].breaker` of mode `l7`',
      '`listeners[].routes[].breaker.latency` of mode `l7`',
      '`listeners[].routes[].fallback` of mode `l7`',
      '`listeners[].routes[].fallback.response` of mode `l7`',
      '`listeners[]` of mode `l4`',
      '`listeners[].routes[]` of mode `l4`',
      '`listeners[].routes[].match` of mode `l4`',
      '`listeners[].keepAlive` of mode `l4`',
      '`listeners[].tls` of mode `l4`',
      '`listeners[].tls.certificates[]` of mode `l4`',
      '`listeners[].tls.acme` of mode `l4`',
      '`listeners[].tls.acme.accountBinding` of mode `l4`',
      '`listeners[].tls.clientAuth` of mode `l4`',
      '`listeners[].tls.clientAuth.headers` of mode `l4`',
      '`listeners[].tls.tickets` of mode `l4`',
      '`listeners[].timeouts` of mode `l4`',
      '`listeners[].limits` of mode `l4`',
      '`listeners[].limits.newSessionsPerClient` of mode `l4`',
      '`upstreams.<name>`',
      '`upstreams.<name>.affinity`',
      '`upstreams.<name>.affinity.cookie`',
      '`upstreams.<name>.slowStart`',
      '`upstreams.<name>.weights`',
      '`upstreams.<name>.weights.agent`',
      '`upstreams.<name>.endpoints[]`',
      '`upstreams.<name>.timeouts`',
      '`upstreams.<name>.retry`',
      '`upstreams.<name>.retry.backoff`',
      '`upstreams.<name>.retry.budget`',
      '`upstreams.<name>.hedge`',
      '`upstreams.<name>.queue`',
      '`upstreams.<name>.concurrency`',
      '`upstreams.<name>.outlier`',
      '`upstreams.<name>.outlier.failureRatio`',
      '`upstreams.<name>.outlier.successRate`',
      '`upstreams.<name>.outlier.latency`',
      '`upstreams.<name>.breaker`',
      '`upstreams.<name>.breaker.latency`',
      '`upstreams.<name>.pool`',
      '`upstreams.<name>.responseLimits`',
      '`upstreams.<name>.tls`',
      '`upstreams.<name>.http2`',
      '`upstreams.<name>.keepAlive`',
      '`upstreams.<name>.healthCheck`',
      '`upstreams.<name>.healthCheck.expect`',
      '`admin`',
      '`accessLog`',
      '`tracing`',
      '`log`',
    ]);
  });

  it('leaves no cell of a table empty but flags without default', () => {
    const settings = reference.slice(reference.indexOf('### The whole file'));
    expect(settings.split('\n').filter((line) => /\| +\|/.test(line))).toEqual([]);
  });
});
