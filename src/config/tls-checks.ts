/** Checks what the settings of TLS mean together, and with the listener or upstream that they belong to. */
import { type Findings, listOf } from './findings.js';
import { isSection } from './flags.js';
import type { Path } from './problem.js';
import { frontEndOf } from './schema/front-end.js';
import { modeOf } from './schema/mode.js';
import { valueAt } from './schema/walk.js';

type Section = Readonly<Record<string, unknown>>;

/** Checks the plain values of one listener of either mode. Values that the schema refuses are passed over. */
export function checkListenerTls(listener: Section, path: Path, findings: Findings): void {
  const { tls } = listener;
  checkEdge(listener, path, findings);
  if (!isSection(tls)) return;
  const own = [...path, 'tls'];
  checkCertificates(tls, own, findings);
  checkNames(valueAt(tls, ['acme', 'names']), [...own, 'acme', 'names'], findings);
  checkNames(tls.alpn, [...own, 'alpn'], findings);
  checkClientHeaders(listener, [...own, 'clientAuth', 'headers'], findings);
  if (modeOf(listener) === 'l7' && frontEndOf(listener) === 'uws') checkUws(tls, own, findings);
}

/** Checks the plain values of one upstream's `tls`. */
export function checkUpstreamTls(tls: unknown, path: Path, findings: Findings): void {
  if (!isSection(tls)) return;
  const { cert, key, passphrase } = tls;
  if (cert !== undefined && key === undefined) {
    findings.report(
      [...path, 'cert'],
      cert,
      'stands without key',
      'write the file of its key; it may be the same file',
    );
  }
  if (key !== undefined && cert === undefined)
    findings.report([...path, 'key'], key, 'stands without cert', 'write the file of its certificate, or remove it');
  if (passphrase !== undefined && key === undefined)
    findings.report(
      [...path, 'passphrase'],
      undefined,
      'stands without key',
      'write the file of the key, or remove it',
    );
}

/** The one-line options of edges: which of them stands beside TLS, and which does not. */
function checkEdge(listener: Section, path: Path, findings: Findings): void {
  const { hsts, redirectToHttps } = listener;
  const hasTls = isSection(listener.tls);
  if (hsts !== undefined && hsts !== 'off' && !hasTls) {
    findings.report(
      [...path, 'hsts'],
      hsts,
      'stands without tls: browsers pass it over where it does not come over TLS (RFC 6797)',
      'write it for the listener that has tls; for this one redirectToHttps: 443 is the right word',
    );
  }
  if (redirectToHttps !== undefined && redirectToHttps !== 'off' && hasTls) {
    findings.report(
      [...path, 'redirectToHttps'],
      redirectToHttps,
      'stands beside tls: whoever comes here has come by https',
      'write it for the listener without tls, that of port 80',
    );
  }
}

function checkCertificates(tls: Section, path: Path, findings: Findings): void {
  const certificates = listOf(tls.certificates);
  const isList = tls.certificates === undefined || Array.isArray(tls.certificates);
  if (isList && certificates.length === 0 && tls.acme === undefined) {
    findings.report(
      [...path, 'certificates'],
      tls.certificates,
      tls.certificates === undefined ? 'is missing, and there is no acme' : 'is empty, and there is no acme',
      'e.g. [ { cert: /etc/ssl/site.pem, key: /etc/ssl/site.key } ], or acme, which fetches one',
    );
  }
  const files = new Map<string, Path>();
  for (const [index, certificate] of certificates.entries()) {
    const cert = valueAt(certificate, ['cert']);
    if (typeof cert !== 'string') continue;
    const own = [...path, 'certificates', index, 'cert'];
    findings.claim(files, cert, own, 'is the file of another certificate of this listener', 'remove one of the two');
  }
}

function checkNames(names: unknown, path: Path, findings: Findings): void {
  const taken = new Map<string, Path>();
  for (const [index, name] of listOf(names).entries()) {
    if (typeof name !== 'string') continue;
    findings.claim(taken, name.toLowerCase(), [...path, index], `is ${name}, which is there already`, 'remove one');
  }
}

function checkClientHeaders(listener: Section, path: Path, findings: Findings): void {
  const headers = valueAt(listener, ['tls', 'clientAuth', 'headers']);
  if (!isSection(headers)) return;
  const names = new Map<string, Path>();
  for (const [key, name] of Object.entries(headers)) {
    const own = [...path, key];
    if (modeOf(listener) === 'l4') {
      const sentence = 'belongs to mode l7: an l4 listener sees no requests that it could add a header to';
      findings.report(
        own,
        name,
        sentence,
        'remove it; with proxyProtocol: v2 of the upstream endpoints learn the server name',
      );
    } else if (typeof name === 'string') {
      const sentence = `is ${name}, which tells another fact already`;
      findings.claim(names, name.toLowerCase(), own, sentence, 'give each header a name of its own');
    }
  }
}

function checkUws(tls: Section, path: Path, findings: Findings): void {
  const native = findings.hasFile ? 'frontend: native' : '--frontend native';
  for (const [index, protocol] of listOf(tls.alpn).entries()) {
    if (protocol !== 'h2') continue;
    const sentence = 'is h2, but the uws front end speaks HTTP/1.1 only';
    findings.report([...path, 'alpn', index], protocol, sentence, `write ${native}, or remove it`);
  }
  const { clientAuth, minVersion } = tls;
  if (minVersion === '1.3') {
    const sentence = 'is 1.3, but uWebSockets.js speaks TLS 1.2, too, and cannot be kept from it';
    findings.report([...path, 'minVersion'], minVersion, sentence, `write ${native}, or remove it`);
  }
  for (const [index, certificate] of listOf(tls.certificates).entries()) {
    const ocsp = valueAt(certificate, ['ocsp']);
    if (ocsp === undefined) continue;
    const sentence = 'needs the native front end: uWebSockets.js staples no responses';
    findings.report([...path, 'certificates', index, 'ocsp'], ocsp, sentence, `write ${native}, or remove it`);
  }
  if (isSection(clientAuth) && clientAuth.mode !== 'optional') {
    const sentence = 'must be optional: uWebSockets.js serves clients without a certificate, too';
    findings.report([...path, 'clientAuth', 'mode'], clientAuth.mode, sentence, `write mode: optional, or ${native}`);
  }
  const challenge = valueAt(tls, ['acme', 'challenge']);
  if (challenge === 'tls-alpn-01') {
    const sentence = 'is tls-alpn-01, but the uws front end does not answer that challenge';
    findings.report([...path, 'acme', 'challenge'], challenge, sentence, `write http-01, or ${native}`);
  }
}
