/** The redirect to https, and challenges of ACME, before any route. */
import { describe, expect, it } from 'vitest';
import { httpsUrlOf } from '../../../src/l7/listener-answers.js';
import { pipelineOf } from './scripted-exchange.js';

const TOKEN = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';

describe('the https URL of a request', () => {
  it.each([
    ['a.test', '/', 443, 'https://a.test/'],
    ['a.test:8080', '/x?y=1', 443, 'https://a.test/x?y=1'],
    ['a.test:', '/', 8443, 'https://a.test:8443/'],
    ['[::1]:80', '/', 443, 'https://[::1]/'],
    ['[2001:db8::1]', '/', 8443, 'https://[2001:db8::1]:8443/'],
    ['a.test', '/%61//../b?c?#d', 443, 'https://a.test/%61//../b?c?#d'],
    ['a.test', '/\xc3\xa4', 443, 'https://a.test/%C3%A4'],
    ['a.test', '*', 443, 'https://a.test'],
  ])('of %s and %s at port %i is %s', (host, target, port, url) => {
    expect(httpsUrlOf({ host, target }, port)).toBe(url);
  });
});

describe('a listener that redirects', () => {
  const redirecting = () => {
    const stage = pipelineOf();
    stage.relist({ redirectPort: 443 });
    return stage;
  };

  it('sends every request elsewhere, and asks no endpoint', () => {
    const { begin } = redirecting();
    const exchange = begin('POST');
    expect(exchange.calls).toEqual(['answer 308']);
    expect(exchange.responses[0]?.head).toBe('308 Permanent Redirect\r\nlocation: https://a.test/path');
  });

  it('refuses a request that names no host', () => {
    const { begin } = redirecting();
    const exchange = begin('GET', {}, undefined, { host: '', target: '/' });
    expect(exchange.calls).toEqual(['answer 400']);
  });

  it('refuses what no URL can be made of', () => {
    const { begin } = redirecting();
    expect(begin('CONNECT', {}, undefined, { host: 'a.test:443', target: 'a.test:443' }).calls).toEqual(['answer 405']);
  });
});

describe('a challenge', () => {
  const challenge = { host: 'a.test', target: `/.well-known/acme-challenge/${TOKEN}` };

  it('is answered before a redirect', () => {
    const { begin, relist, listenerAnswers } = pipelineOf();
    relist({ redirectPort: 443 });
    listenerAnswers.setChallenge(TOKEN, 'key authorization');
    expect(begin('GET', {}, undefined, challenge).responses[0]?.body).toBe('key authorization');
    listenerAnswers.setChallenge(TOKEN, null);
    expect(begin('GET', {}, undefined, challenge).calls).toEqual(['answer 308']);
  });

  it('is answered before a route; another token takes its route', () => {
    const { begin, listenerAnswers } = pipelineOf();
    listenerAnswers.setChallenge(TOKEN, 'key authorization');
    expect(begin('GET', {}, undefined, challenge).calls).toEqual(['answer 200']);
    const other = { ...challenge, target: '/.well-known/acme-challenge/other' };
    expect(begin('GET', {}, undefined, other).calls).toEqual(['begin a0']);
  });

  it('is not answered over TLS', () => {
    const { begin, relist, listenerAnswers } = pipelineOf();
    relist({ tls: {} as never });
    listenerAnswers.setChallenge(TOKEN, 'key authorization');
    expect(begin('GET', {}, undefined, challenge).calls).toEqual(['begin a0']);
  });
});
