/** Certificates with their keys: everything that is wrong is told, with what to do. */
import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CertificatePlan } from '../../../../src/config/tls-plan.js';
import { makeCertificate, makeChain, makeOcspResponse } from '../../../harness/certificate-maker.js';
import { MadeUpFiles, NOW_MS } from './files.js';

const { root, intermediate, leaf } = makeChain('www.example.com', { names: ['www.example.com', '*.Example.com'] });
const other = makeCertificate({ name: 'other.example.com' });
/** As a user writes it. */
const FROM_ENVIRONMENT = ['$', '{PHRASE}'].join('');
const PLAN: CertificatePlan = { cert: 'a.pem', key: 'a.key', passphrase: null, ocsp: null };

function read(
  files: Readonly<Record<string, string | Uint8Array>>,
  plan: Partial<CertificatePlan> = {},
  environment: Record<string, string> = {},
) {
  const from = new MadeUpFiles({ 'a.pem': leaf.cert + intermediate.cert, 'a.key': leaf.key, ...files });
  Object.assign(from.environment, environment);
  return from.reader().read({ ...PLAN, ...plan });
}

/** "cert has …" of each problem. */
function problems(...args: Parameters<typeof read>): string[] {
  const reading = read(...args);
  if (reading.ok) throw new Error('nothing is wrong with it');
  return reading.problems.map(({ part, sentence }) => `${part} ${sentence}`);
}

function warnings(...args: Parameters<typeof read>): string[] {
  const reading = read(...args);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.warnings.map(({ part, sentence }) => `${part} ${sentence}`);
}

const encrypted = (made: typeof leaf, passphrase: string) =>
  createPrivateKey(made.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();

describe('a good certificate', () => {
  it('is read with its chain, its key and what people want to know', () => {
    expect(read({})).toMatchObject({
      ok: true,
      warnings: [],
      certificate: {
        chain: leaf.cert + intermediate.cert,
        key: leaf.key.trim(),
        passphrase: '',
        ocsp: null,
        names: [],
      },
      facts: {
        names: ['www.example.com', '*.example.com'],
        issuer: 'Test Intermediate',
        keyType: 'ec',
        endsAt: Date.parse('2049-12-31'),
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  it('may stand in one file with its key, and with remarks', () => {
    expect(read({ 'a.pem': `remark\n${leaf.key}${leaf.cert}${intermediate.cert}` }, { key: 'a.pem' }).ok).toBe(true);
  });

  it('may lead to the root, which is a part of the file', () => {
    expect(warnings({ 'a.pem': leaf.cert + intermediate.cert + root.cert })).toEqual([]);
  });

  it('may have an encrypted key', () => {
    const files = { 'a.key': encrypted(leaf, 'secret') };
    expect(read(files, { passphrase: 'secret' })).toMatchObject({ ok: true, certificate: { passphrase: 'secret' } });
    const fromEnvironment = read(files, { passphrase: FROM_ENVIRONMENT }, { PHRASE: 'secret' });
    expect(fromEnvironment).toMatchObject({ ok: true, certificate: { passphrase: 'secret' } });
  });

  it('is not spoiled by a passphrase that its key does not need', () => {
    expect(read({}, { passphrase: 'unused' })).toMatchObject({ ok: true, certificate: { passphrase: '' } });
  });
});

describe('a file that cannot be used', () => {
  it.each<[string, Parameters<typeof read>, string[]]>([
    [
      'is not there',
      [{}, { cert: 'b.pem', key: 'b.key' }],
      ['cert is "b.pem", but the file does not exist', 'key is "b.key", but the file does not exist'],
    ],
    ['is empty', [{ 'a.pem': '' }], ['cert is "a.pem", which has no certificate: it is empty']],
    [
      'holds the key only',
      [{ 'a.pem': leaf.key }],
      ['cert is "a.pem", which has no certificate: it holds private key only'],
    ],
    [
      'holds the certificate only',
      [{ 'a.key': leaf.cert }],
      ['key is "a.key", which has no private key: it holds certificate only'],
    ],
    [
      'is DER',
      [{ 'a.pem': leaf.x509.raw }],
      ['cert is "a.pem", which has no certificate: it seems to be DER, not PEM'],
    ],
    [
      'is cut off',
      [{ 'a.pem': leaf.cert.slice(0, 200) }],
      ['cert is "a.pem", which has no certificate: the block CERTIFICATE has no end'],
    ],
    [
      'is something else',
      [{ 'a.pem': 'hello' }],
      ['cert is "a.pem", which has no certificate: it holds no PEM block (-----BEGIN …)'],
    ],
    [
      'holds rubbish',
      [{ 'a.pem': `${leaf.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` }],
      [expect.stringMatching(/^cert is "a\.pem", whose certificate in line \d+ cannot be read$/)],
    ],
    [
      'holds a key of rubbish',
      [{ 'a.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' }],
      ['key is "a.key", whose key in line 1 cannot be read'],
    ],
  ])('is told when it %s', (_, args, expected) => {
    expect(problems(...args)).toEqual(expected);
  });
});

describe('a key', () => {
  it('that is encrypted needs a passphrase, and the right one', () => {
    const files = { 'a.key': encrypted(leaf, 'secret') };
    expect(problems(files)).toEqual(['key is "a.key", which is encrypted, and there is no passphrase']);
    expect(problems(files, { passphrase: 'wrong' })).toEqual(['passphrase does not open the key in "a.key"']);
    expect(problems(files, { passphrase: FROM_ENVIRONMENT })).toEqual([
      'passphrase is taken from the variable PHRASE of the environment, which is not set',
    ]);
    expect(problems(files, { passphrase: FROM_ENVIRONMENT }, { PHRASE: '' })).toEqual([
      'passphrase is taken from the variable PHRASE of the environment, which is empty',
    ]);
  });

  it('of another certificate is told, as what may be half of a change', () => {
    expect(problems({ 'a.key': other.key })).toEqual([
      'key is "a.key", which is not the key of the certificate www.example.com (line 1) in "a.pem"',
    ]);
    expect(read({ 'a.key': other.key })).toMatchObject({ ok: false, isHalf: true });
  });
});

describe('a chain', () => {
  it('in the wrong order is told with what should come next', () => {
    const reading = read({ 'a.pem': leaf.cert + root.cert + intermediate.cert });
    expect(reading).toMatchObject({
      ok: false,
      isHalf: false,
      problems: [
        {
          part: 'cert',
          sentence: expect.stringMatching(
            /^has its certificates in the wrong order: Test Root \(line \d+\) stands behind www\.example\.com \(line 1\)/,
          ),
          hint: expect.stringMatching(/^Test Intermediate \(line \d+\) should come next$/),
        },
      ],
    });
  });

  it('that does not begin with the certificate of the key is told', () => {
    expect(problems({ 'a.pem': intermediate.cert + leaf.cert })).toEqual([
      expect.stringMatching(
        /whose certificates are in the wrong order: the key belongs to www\.example\.com \(line \d+\)$/,
      ),
    ]);
  });

  it('with a certificate that does not belong to it is told', () => {
    expect(problems({ 'a.pem': leaf.cert + other.cert })).toEqual([
      expect.stringMatching(/^cert has certificates that do not belong together: other\.example\.com/),
    ]);
  });

  it('that lacks what public authorities send along is warned of, and no other', () => {
    const bare = makeCertificate({
      name: 'a.example',
      issuer: intermediate,
      issuerUrl: 'http://authority.example/i.crt',
    });
    const files = { 'a.pem': bare.cert, 'a.key': bare.key };
    expect(warnings(files)).toEqual([
      'cert ends with a.example, and the certificate of its issuer Test Intermediate is missing',
    ]);
    expect(warnings({ ...files, 'a.pem': bare.cert + intermediate.cert })).toEqual([]);
    expect(warnings({ 'a.pem': leaf.cert })).toEqual([]);
  });
});

describe('validity', () => {
  it('is told when it is over or has not begun', () => {
    const ended = makeCertificate({ name: 'ended.example', endsAt: new Date(NOW_MS - 1000) });
    const early = makeCertificate({ name: 'early.example', startsAt: new Date(NOW_MS + 1000) });
    expect(problems({ 'a.pem': ended.cert, 'a.key': ended.key })).toEqual([
      'cert is the certificate of ended.example that ended on 2026-11-23T11:59:59.000Z: clients refuse it',
    ]);
    expect(problems({ 'a.pem': early.cert, 'a.key': early.key })).toEqual([
      'cert is the certificate of early.example that counts from 2026-11-23T12:00:01.000Z only: clients refuse it',
    ]);
  });

  it('that ends while the certificate is in use keeps nobody from another configuration', () => {
    const made = makeCertificate({ name: 'ends.example', endsAt: new Date(NOW_MS + 1000) });
    const files = new MadeUpFiles({ 'a.pem': made.cert, 'a.key': made.key });
    const reader = files.reader();
    const before = reader.read(PLAN);
    reader.setInUse(before.ok ? [before.facts.fingerprint] : []);
    files.nowMs += 2000;
    expect(reader.another().read(PLAN)).toMatchObject({ ok: true, warnings: [{ part: 'cert' }] });
    expect(files.reader().read(PLAN).ok).toBe(false);
  });
});

describe('weak certificates', () => {
  it.each([
    [{ names: [] }, 'cert has no names (subjectAltName): clients do not read the common name weak.example any more'],
    [{ rsaBits: 1024 }, 'cert has weak.example (line 1) with an RSA key of 1024 bits, which is weak'],
    [{ hash: 'sha1' as const }, 'cert has weak.example (line 1) with a signature over SHA-1, which clients refuse'],
  ])('are warned of: %j', (wish, warning) => {
    const made = makeCertificate({ name: 'weak.example', ...wish });
    expect(warnings({ 'a.pem': made.cert, 'a.key': made.key })).toEqual([warning]);
  });
});

describe('a certificate that OpenSSL refuses', () => {
  it.each([
    [{ rsaBits: 512 }, 'ee key too small'],
    [{ issuer: intermediate, hash: 'sha1' as const }, 'ca md too weak'],
  ])('is told with its words: %#', (wish, words) => {
    const made = makeCertificate({ name: 'weak.example', ...wish });
    expect(problems({ 'a.pem': made.cert, 'a.key': made.key })).toEqual([
      expect.stringMatching(new RegExp(`^cert is "a\\.pem", which OpenSSL refuses: .*${words}`)),
    ]);
  });
});

describe('an OCSP response', () => {
  const about = (response: Parameters<typeof makeOcspResponse>[1]) => ({
    'a.ocsp': makeOcspResponse(intermediate, response),
  });
  const serial = leaf.serial;

  it('is stapled', () => {
    const files = about({ serial });
    expect(read(files, { ocsp: 'a.ocsp' })).toMatchObject({ ok: true, certificate: { ocsp: files['a.ocsp'] } });
  });

  it.each([
    [
      'of another certificate',
      { serial: 5 },
      /^ocsp is "a\.ocsp", which is for the certificate of serial number 5, not for this one/,
    ],
    ['that revokes', { serial, status: 'revoked' as const }, /which says that the certificate is revoked$/],
    ['that knows nothing', { serial, status: 'unknown' as const }, /does not know the certificate$/],
    [
      'of tomorrow',
      { serial, startsAt: new Date(NOW_MS + 3_600_000) },
      /which counts from 2026-11-23T13:00:00.000Z only$/,
    ],
  ])('%s is refused', (_, response, problem) => {
    expect(problems(about(response), { ocsp: 'a.ocsp' })).toEqual([expect.stringMatching(problem)]);
  });

  it('that is outdated is not stapled, and warned of', () => {
    const files = about({ serial, endsAt: new Date(NOW_MS - 1) });
    expect(read(files, { ocsp: 'a.ocsp' })).toMatchObject({ ok: true, certificate: { ocsp: null } });
    expect(warnings(files, { ocsp: 'a.ocsp' })).toEqual([
      expect.stringMatching(/is outdated since .* it is not stapled$/),
    ]);
  });

  it.each([
    ['rubbish', Buffer.from('rubbish')],
    ['nothing', Buffer.alloc(0)],
    ['a certificate', leaf.x509.raw],
    ["the responder's refusal", Buffer.from('30030a0106', 'hex')],
  ])('that is %s is refused', (_, bytes) => {
    expect(problems({ 'a.ocsp': bytes }, { ocsp: 'a.ocsp' })).toHaveLength(1);
  });

  it('that is cut off anywhere is refused', () => {
    const whole = makeOcspResponse(intermediate, { serial });
    for (let length = 0; length < whole.length; length += 3)
      expect(read({ 'a.ocsp': whole.subarray(0, length) }, { ocsp: 'a.ocsp' }).ok, String(length)).toBe(false);
  });
});
