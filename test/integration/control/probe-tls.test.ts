/** Probes over TLS and HTTP/2 against real sockets. */
import { writeFileSync } from 'node:fs';
import { createServer as createHttp2Endpoint, createSecureServer } from 'node:http2';
import { createServer as createHttpsEndpoint } from 'node:https';
import { createServer as createPlainEndpoint } from 'node:net';
import { createServer as createTlsEndpoint, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { EndpointPlan, HealthCheckPlan } from '../../../src/config/plan.js';
import { probe as probeOnce } from '../../../src/control/health/probe.js';
import { ProbeEndpoints } from '../../harness/probe-endpoints.js';
import { endpointPlan, PLAIN_CHECK, PLAIN_PROBE } from '../../unit/control/plans.js';

const endpoints = new ProbeEndpoints();
afterEach(() => endpoints.close());

const times = { intervalMs: 9_000, unhealthyIntervalMs: 9_000, timeoutMs: 5_000, healthyAfter: 1, unhealthyAfter: 1 };
const http: HealthCheckPlan = { ...PLAIN_CHECK, ...times, ...PLAIN_PROBE, path: '/up' };
const tcp: HealthCheckPlan = { ...PLAIN_CHECK, ...times, kind: 'tcp' };
const named: EndpointPlan = endpointPlan('a.test', 443, 0);

async function probe(address: string, check: HealthCheckPlan, endpoint = named) {
  const { elapsedMs: _, ...result } = await probeOnce(endpoint, [address], check, new AbortController().signal);
  return result;
}

const failing = (reason: RegExp) => ({ succeeded: false, reason: expect.stringMatching(reason) });

describe('a probe over TLS', () => {
  it('asks for the host of the endpoint, verifies it, and takes a good answer', async () => {
    const certificate = endpoints.certificate('a.test');
    const seen: unknown[] = [];
    const endpoint = createHttpsEndpoint({ ...certificate }, (request, response) => {
      seen.push([
        request.url,
        request.headers.host,
        (request.socket as TLSSocket & { servername?: string }).servername,
      ]);
      response.end();
    });
    const check = { ...http, tls: endpoints.believing(certificate) };
    expect(await probe(await endpoints.listening(endpoint), check)).toEqual({ succeeded: true });
    expect(seen).toEqual([['/up', 'a.test:443', 'a.test']]);
  });

  it('does not believe another authority, nor another name, but for who does not verify', async () => {
    const certificate = endpoints.certificate('a.test');
    const address = await endpoints.listening(createHttpsEndpoint({ ...certificate }, (_, response) => response.end()));
    const other = { ...http, tls: endpoints.believing(endpoints.certificate('a.test')) };
    expect(await probe(address, other)).toEqual(
      failing(/self-signed certificate|SELF_SIGNED|unable to verify|signature/i),
    );
    const check = { ...http, tls: endpoints.believing(certificate) };
    expect(await probe(address, check, endpointPlan('b.test', 443, 0))).toEqual(
      failing(/ERR_TLS_CERT_ALTNAME_INVALID/),
    );
    const byName = { ...http, tls: endpoints.believing(certificate, { serverName: 'a.test' }) };
    expect(await probe(address, byName, endpointPlan('b.test', 443, 0))).toEqual({ succeeded: true });
    const careless = { ...http, tls: { ...other.tls, isVerified: false } };
    expect(await probe(address, careless)).toEqual({ succeeded: true });
  });

  it('shows the client certificate, and reads it again when its file changes', async () => {
    const certificate = endpoints.certificate('a.test');
    const own = endpoints.certificate('sluice');
    const next = endpoints.certificate('sluice-next');
    const seen: string[] = [];
    const endpoint = createHttpsEndpoint(
      { ...certificate, requestCert: true, ca: [own.cert, next.cert] },
      (request, response) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate().fingerprint256);
        response.end();
      },
    );
    const address = await endpoints.listening(endpoint);
    const { certPath: cert, keyPath: key } = own;
    const check = {
      ...http,
      tls: endpoints.believing(certificate, { certificate: { cert, key, passphrase: null, ocsp: null } }),
    };
    expect(await probe(address, check)).toEqual({ succeeded: true });
    writeFileSync(cert, next.cert);
    writeFileSync(key, next.key);
    expect(await probe(address, check)).toEqual({ succeeded: true });
    expect(seen).toEqual([own.fingerprint256, next.fingerprint256]);
  });

  it('blames itself for a file that is gone', async () => {
    const certificate = endpoints.certificate('a.test');
    const check = { ...http, tls: endpoints.believing(certificate, { ca: `${certificate.certPath}.gone` }) };
    expect(await probe('127.0.0.1:9', check)).toEqual({
      ...failing(/^its TLS files cannot be used: ENOENT/),
      isOurs: true,
    });
  });

  it('fails where no TLS is spoken, where nothing is, and where the handshake does not end', async () => {
    const tls = endpoints.believing(endpoints.certificate('a.test'));
    const talking = createPlainEndpoint((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await probe(await endpoints.listening(talking), { ...http, tls })).toEqual(failing(/SSL|TLS|EPROTO/i));
    const closing = createPlainEndpoint((socket) => socket.once('data', () => socket.end()).resume());
    expect(await probe(await endpoints.listening(closing), { ...tcp, tls })).toEqual(failing(/TLS|ECONNRESET/));
    const silent = await endpoints.listening(createPlainEndpoint(() => {}));
    expect(await probe(silent, { ...tcp, tls, timeoutMs: 100 })).toEqual(failing(/^no answer within 100 ms$/));
  });

  it('takes a good handshake for a tcp check', async () => {
    const certificate = endpoints.certificate('a.test');
    const address = await endpoints.listening(createTlsEndpoint({ ...certificate }, () => {}));
    expect(await probe(address, { ...tcp, tls: endpoints.believing(certificate) })).toEqual({ succeeded: true });
    const other = endpoints.believing(endpoints.certificate('a.test'));
    expect(await probe(address, { ...tcp, tls: other })).toMatchObject({ succeeded: false });
  });
});

describe('a probe over HTTP/2', () => {
  const check: HealthCheckPlan = { ...http, protocol: 'h2', headers: { 'x-a': 'b' } };

  it('asks with prior knowledge where there is no TLS', async () => {
    const seen: unknown[] = [];
    const endpoint = createHttp2Endpoint((request, response) => {
      seen.push([request.method, request.url, request.authority, request.scheme, request.headers['x-a']]);
      response.end();
    });
    expect(await probe(await endpoints.listening(endpoint), check)).toEqual({ succeeded: true });
    expect(seen).toEqual([['GET', '/up', 'a.test:443', 'http', 'b']]);
  });

  it('judges status and body as over HTTP/1.1', async () => {
    const endpoint = createHttp2Endpoint((request, response) => {
      response.statusCode = request.url === '/up' ? 503 : 200;
      response.end('all is well');
    });
    const address = await endpoints.listening(endpoint);
    expect(await probe(address, check)).toEqual(failing(/^it answered with status 503$/));
    const expecting = (body: string) => ({ ...check, path: '/b', expect: { statuses: [[200, 200]] as const, body } });
    expect(await probe(address, expecting('is well'))).toEqual({ succeeded: true });
    expect(await probe(address, expecting('ill'))).toEqual(failing(/does not contain "ill"/));
  });

  it('asks over TLS with ALPN, and takes what the endpoint chooses with auto', async () => {
    const certificate = endpoints.certificate('a.test');
    const versions: string[] = [];
    const endpoint = createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion);
      response.end();
    });
    const address = await endpoints.listening(endpoint);
    const tls = endpoints.believing(certificate);
    for (const protocol of ['h1', 'h2', 'auto'] as const)
      expect(await probe(address, { ...check, tls, protocol })).toEqual({ succeeded: true });
    expect(versions).toEqual(['1.1', '2.0', '2.0']);
  });

  it('fails where ALPN does not come to h2, and with auto asks in HTTP/1.1', async () => {
    const certificate = endpoints.certificate('a.test');
    const address = await endpoints.listening(createHttpsEndpoint({ ...certificate }, (_, response) => response.end()));
    const tls = endpoints.believing(certificate);
    expect(await probe(address, { ...check, tls })).toEqual(failing(/HTTP\/2|ALPN|ALERT/i));
    expect(await probe(address, { ...check, tls, protocol: 'auto' })).toEqual({ succeeded: true });
  });

  it('fails where HTTP/1.1 is spoken, where no answer comes, and where the stream is reset', async () => {
    const speaker = createPlainEndpoint((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await probe(await endpoints.listening(speaker), check)).toMatchObject({ succeeded: false });
    const silent = await endpoints.listening(createHttp2Endpoint(() => {}));
    expect(await probe(silent, { ...check, timeoutMs: 200 })).toEqual(failing(/^no answer within 200 ms$/));
    const resetting = createHttp2Endpoint((request) => request.stream.close(11));
    expect(await probe(await endpoints.listening(resetting), check)).toEqual(failing(/ENHANCE_YOUR_CALM/));
  });

  it('ends at once when it is given up', async () => {
    const giveUp = new AbortController();
    const address = await endpoints.listening(createHttp2Endpoint(() => giveUp.abort()));
    expect(await probeOnce(named, [address], check, giveUp.signal)).toMatchObject({ succeeded: false });
  });
});
