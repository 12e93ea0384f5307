/** Self-signed certificates made on the spot, so that no key lies in the repository. For tests of TLS passthrough. */
import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';

/** A key with its certificate, as node:tls takes them. */
export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate, as node:tls shows it. */
  readonly fingerprint256: string;
}

/** One DER element. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;

/** ecdsa-with-SHA256, commonName and subjectAltName (RFC 5758, RFC 5280). */
const ECDSA_SHA256 = der(SEQUENCE, der(OBJECT, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = der(OBJECT, Buffer.from('550403', 'hex'));
const ALTERNATIVE_NAME = der(OBJECT, Buffer.from('551d11', 'hex'));

/** Makes a certificate of version 3 for one name, valid for decades (RFC 5280 section 4.1). */
export function makeSelfSigned(name: string): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(name)))));
  const names = der(SEQUENCE, der(DNS_NAME, Buffer.from(name)));
  const body = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    der(INTEGER, Buffer.of(1)),
    ECDSA_SHA256,
    subject,
    der(SEQUENCE, der(UTC_TIME, Buffer.from('200101000000Z')), der(UTC_TIME, Buffer.from('491231235959Z'))),
    subject,
    publicKey,
    der(EXTENSIONS, der(SEQUENCE, der(SEQUENCE, ALTERNATIVE_NAME, der(OCTET_STRING, names)))),
  );
  const signature = sign('sha256', body, createPrivateKey(privateKey));
  const certificate = new X509Certificate(der(SEQUENCE, body, ECDSA_SHA256, der(BIT_STRING, Buffer.of(0), signature)));
  return { key: privateKey, cert: certificate.toString(), fingerprint256: certificate.fingerprint256 };
}
