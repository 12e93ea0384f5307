/** Certificates of any kind made on the spot, so that no key lies in the repository: authorities, chains, expired ones, weak ones; and revocation lists and OCSP responses. */
import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const NULL = 0x05;
const OBJECT = 0x06;
const ENUMERATED = 0x0a;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const DNS_NAME = 0x82;
const URI_NAME = 0x86;

/** One DER element. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const oid = (hex: string) => der(OBJECT, Buffer.from(hex, 'hex'));
const text = (value: string) => Buffer.from(value);
const TRUE = Buffer.from([0x01, 0x01, 0xff]);

/** Signature algorithms (RFC 5758, RFC 8017) by key and hash. */
const ALGORITHMS = {
  'ec sha256': der(SEQUENCE, oid('2a8648ce3d040302')),
  'ec sha1': der(SEQUENCE, oid('2a8648ce3d0401')),
  'rsa sha256': der(SEQUENCE, oid('2a864886f70d01010b'), der(NULL)),
  'rsa sha1': der(SEQUENCE, oid('2a864886f70d010105'), der(NULL)),
} as const;

/** What a certificate is to be; what is left out is that of a good leaf with an EC key, valid for decades. */
export interface Wish {
  /** Common name. */
  readonly name: string;
  /** subjectAltName; without it: the common name. Empty: none. */
  readonly names?: readonly string[];
  readonly issuer?: MadeCertificate;
  readonly isAuthority?: boolean;
  readonly startsAt?: Date;
  readonly endsAt?: Date;
  readonly rsaBits?: number;
  readonly hash?: 'sha256' | 'sha1';
  readonly serial?: number;
  /** Says where the certificate of its issuer can be had, as those of public authorities do. */
  readonly issuerUrl?: string;
  /** Of another certificate: the key stays. */
  readonly keyOf?: MadeCertificate;
}

/** A certificate with its key. */
export interface MadeCertificate {
  readonly cert: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  readonly keyObject: KeyObject;
  readonly publicKey: KeyObject;
  readonly x509: X509Certificate;
  readonly serial: number;
  readonly subject: Buffer;
  /** SHA-256 of the certificate, as node:tls shows it. */
  readonly fingerprint256: string;
}

let lastSerial = 100;

/** Makes one, signed by its issuer or by itself. */
export function makeCertificate(wish: Wish): MadeCertificate {
  const { issuer, hash = 'sha256', rsaBits, keyOf } = wish;
  lastSerial += 1;
  const serial = wish.serial ?? lastSerial;
  const { publicKey, privateKey } =
    keyOf !== undefined
      ? { publicKey: keyOf.publicKey, privateKey: keyOf.keyObject }
      : rsaBits === undefined
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: rsaBits });
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, oid('550403'), der(UTF8_STRING, text(wish.name)))));
  const names = wish.names ?? [wish.name];
  const extensions = [
    ...(names.length === 0
      ? []
      : [extension('551d11', der(SEQUENCE, ...names.map((name) => der(DNS_NAME, text(name)))))]),
    ...(wish.isAuthority === true ? [extension('551d13', der(SEQUENCE, TRUE), TRUE)] : []),
    ...(wish.issuerUrl === undefined ? [] : [extension('2b06010505070101', accessTo(wish.issuerUrl))]),
  ];
  const signer = issuer?.keyObject ?? privateKey;
  const algorithm = ALGORITHMS[`${signer.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'} ${hash}`];
  const body = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.of(2))),
    integer(serial),
    algorithm,
    issuer?.subject ?? subject,
    der(SEQUENCE, time(wish.startsAt ?? new Date('2020-01-01')), time(wish.endsAt ?? new Date('2049-12-31'))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, der(SEQUENCE, ...extensions))]),
  );
  const whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, Buffer.of(0), sign(hash, body, signer)));
  const x509 = new X509Certificate(whole);
  return {
    cert: x509.toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    keyObject: privateKey,
    publicKey,
    x509,
    serial,
    subject,
    fingerprint256: x509.fingerprint256,
  };
}

/** A root, an intermediate that it issued, and a leaf that the intermediate issued. */
export function makeChain(name: string, leaf: Omit<Wish, 'name' | 'issuer'> = {}) {
  const root = makeCertificate({ name: 'Test Root', isAuthority: true });
  const intermediate = makeCertificate({ name: 'Test Intermediate', isAuthority: true, issuer: root });
  return { root, intermediate, leaf: makeCertificate({ name, issuer: intermediate, ...leaf }) };
}

/** A revocation list (RFC 5280 section 5) in PEM. */
export function makeRevocationList(
  issuer: MadeCertificate,
  { revoked = [], endsAt = new Date('2049-12-31') }: { revoked?: readonly number[]; endsAt?: Date } = {},
): string {
  const startsAt = time(new Date('2020-01-01'));
  const algorithm = ALGORITHMS['ec sha256'];
  const entries = revoked.map((serial) => der(SEQUENCE, integer(serial), startsAt));
  const body = der(
    SEQUENCE,
    integer(1),
    algorithm,
    issuer.subject,
    startsAt,
    time(endsAt),
    ...(entries.length === 0 ? [] : [der(SEQUENCE, ...entries)]),
  );
  const whole = der(SEQUENCE, body, algorithm, der(BIT_STRING, Buffer.of(0), sign('sha256', body, issuer.keyObject)));
  return pem('X509 CRL', whole);
}

/** An OCSP response (RFC 6960) in DER. */
export function makeOcspResponse(
  issuer: MadeCertificate,
  about: { serial: number; status?: 'good' | 'revoked' | 'unknown'; startsAt?: Date; endsAt?: Date },
): Buffer {
  const { serial, status = 'good', startsAt = new Date('2020-01-01'), endsAt = new Date('2049-12-31') } = about;
  const sha1 = (bytes: Uint8Array) => der(OCTET_STRING, createHash('sha1').update(bytes).digest());
  const id = der(
    SEQUENCE,
    der(SEQUENCE, oid('2b0e03021a'), der(NULL)),
    sha1(issuer.subject),
    sha1(issuer.publicKey.export({ type: 'spki', format: 'der' })),
    integer(serial),
  );
  const said = { good: der(0x80), revoked: der(0xa1, time(startsAt)), unknown: der(0x82) }[status];
  const single = der(SEQUENCE, id, said, time(startsAt), der(0xa0, time(endsAt)));
  const data = der(SEQUENCE, der(0xa1, issuer.subject), time(startsAt), der(SEQUENCE, single));
  const signature = sign('sha256', data, issuer.keyObject);
  const basic = der(SEQUENCE, data, ALGORITHMS['ec sha256'], der(BIT_STRING, Buffer.of(0), signature));
  const response = der(SEQUENCE, oid('2b0601050507300101'), der(OCTET_STRING, basic));
  return der(SEQUENCE, der(ENUMERATED, Buffer.of(0)), der(0xa0, response));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function extension(id: string, value: Buffer, ...flags: readonly Buffer[]): Buffer {
  return der(SEQUENCE, oid(id), ...flags, der(OCTET_STRING, value));
}

function accessTo(url: string): Buffer {
  return der(SEQUENCE, der(SEQUENCE, oid('2b06010505073002'), der(URI_NAME, text(url))));
}

/** Small positive numbers only. */
function integer(value: number): Buffer {
  return der(INTEGER, value < 128 ? Buffer.of(value) : Buffer.of(value >> 8, value & 255));
}

function time(at: Date): Buffer {
  return der(GENERALIZED_TIME, text(`${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}
