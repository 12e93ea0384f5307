/** Schema of TLS: of listeners, and to endpoints. */
import { z } from 'zod';
import {
  ACME_RENEW_BEFORE_MS,
  CLIENT_AUTH_DEPTH,
  HANDSHAKE_TIMEOUT_MS,
  HANDSHAKES,
  HANDSHAKES_PER_CLIENT,
  SESSION_CACHE,
  TICKET_ROTATE_MS,
  TLS_CIPHER_SUITES,
  TLS_CIPHERS,
  TLS_CURVES,
  TLS_MIN_VERSION,
} from '../tls-defaults.js';
import { TLS_VERSIONS } from '../tls-plan.js';
import { choice, duration, fact, section, size, text, wholeNumber } from './field.js';
import { HEADER_NAME } from './header-fields.js';
import { alpnProtocol } from './server-name.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Path of a file. */
function file(description: string) {
  return text({ pattern: /^[^\0]{1,4095}$/, expected: 'the path of a file', description, form: 'path' });
}

function passphrase() {
  return text({
    pattern: /^[^\0]{1,1023}$/,
    expected: 'text',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the user writes it
    description: 'Of an encrypted key. `${NAME}` in quotes takes it from the environment.',
    form: 'text',
  }).optional();
}

/** Names of OpenSSL with colons between; whether they exist is OpenSSL's to say (`sluice check` asks it). */
function names(rules: { expected: string; description: string }) {
  return text({ pattern: /^[A-Za-z0-9_:@=!+.-]{1,4096}$/, form: 'names of OpenSSL, with colons between', ...rules });
}

const versions = {
  minVersion: choice({
    names: TLS_VERSIONS,
    foreign: { 'TLSv1.2': '1.2', 'TLSv1.3': '1.3', 'TLS1.2': '1.2', 'TLS1.3': '1.3' },
    description: 'Oldest version of TLS, in quotes. 1.0 and 1.1 are not offered (RFC 8996).',
  }).default(TLS_MIN_VERSION),
  ciphers: names({
    expected: 'cipher suites of TLS 1.2 as OpenSSL names them',
    description: 'Cipher suites of TLS 1.2, by preference; the default is that of Mozilla’s intermediate profile.',
  }).default(TLS_CIPHERS),
  cipherSuites: names({
    expected: 'cipher suites of TLS 1.3 as OpenSSL names them',
    description: 'Cipher suites of TLS 1.3, by preference.',
  }).default(TLS_CIPHER_SUITES),
  curves: names({
    expected: 'curves as OpenSSL names them',
    description: 'Curves of key exchange, by preference.',
  }).default(TLS_CURVES),
};

/** One certificate. */
export const certificateSchema = section(
  {
    cert: file('PEM file: the certificate, then those that lead from it to the authority.'),
    key: file('PEM file of its key; may be the same file.'),
    passphrase: passphrase(),
    ocsp: file('DER file of the OCSP response that clients get along with the certificate (stapling).').optional(),
  },
  'A certificate with its chain and key. Clients get the one that has the name they ask for: an exact one before a wildcard, ECDSA before RSA where they know both; the first, where none has it. Changed files count for new connections.',
);

/** A name that a certificate can have. */
function certificateName() {
  return text({
    pattern: /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/,
    expected: 'a host name such as www.example.com',
    hint: (name) => (name.includes('*') ? 'wildcards need the challenge dns-01, which sluice does not do' : null),
    convert: (name) => name.toLowerCase(),
    description: 'A name.',
    form: 'host name',
  });
}

const acmeSchema = section(
  {
    directory: text({
      pattern: /^(letsencrypt|letsencrypt-staging|https:\/\/[^\s]+)$/,
      expected: 'letsencrypt, letsencrypt-staging or an https URL',
      description: 'The authority: `letsencrypt`, `letsencrypt-staging` (for trying out), or the URL of a directory.',
      form: '`letsencrypt`, `letsencrypt-staging` or URL',
    }).default('letsencrypt'),
    email: text({
      pattern: /^[^\s@]+@[^\s@]+$/,
      expected: 'an address such as admin@example.com',
      description: 'Where the authority writes to. Without it: nowhere.',
      form: 'mail address',
    }).optional(),
    names: z
      .array(certificateName())
      .min(1)
      .max(100)
      .meta({ description: 'Names of the certificate; all must lead to this listener’s address.' }),
    challenge: choice({
      names: ['http-01', 'tls-alpn-01'],
      description:
        'How the names are proven: over port 80, where any l7 listener without TLS answers, or over port 443, where this listener does (`native` and l4 only).',
    }).default('http-01'),
    storage: file('Directory for account, keys and certificates; made with permissions 0700 if it is not there.'),
    keyType: choice({ names: ['ecdsa', 'rsa'], description: 'Kind of the key: P-256, or RSA with 2048 bits.' }).default(
      'ecdsa',
    ),
    renewBefore: duration({
      minMs: 60_000,
      maxMs: 365 * DAY_MS,
      description: 'A certificate that ends sooner than this is renewed.',
    }).default(ACME_RENEW_BEFORE_MS),
    ca: file(
      'PEM file of the authorities that the ACME server itself is verified with. Without it: those of Node.',
    ).optional(),
    accountBinding: section(
      {
        keyId: text({ pattern: /^[!-~]{1,1024}$/, expected: 'text', description: 'Id of the key.', form: 'text' }),
        hmacKey: text({
          pattern: /^[A-Za-z0-9_-]{1,1024}$/,
          expected: 'base64url',
          description: 'The key, as the authority tells it (base64url).',
          form: 'text',
        }),
      },
      'External account binding, for authorities that want one.',
    ).optional(),
  },
  'A certificate that is fetched and renewed by ACME (RFC 8555).',
);

const clientAuthSchema = section(
  {
    mode: choice({
      names: ['required', 'optional'],
      description:
        '`required`: no connection without a good certificate. `optional`: without one, but not with a bad one.',
    }).default('required'),
    ca: file('PEM file of the authorities whose certificates are good.'),
    crl: file('PEM file of their revocation lists.').optional(),
    depth: wholeNumber({
      min: 0,
      max: 10,
      description: 'Most certificates between a client’s and the authority.',
    }).default(CLIENT_AUTH_DEPTH),
    headers: section(
      {
        subject: text({
          pattern: HEADER_NAME,
          expected: 'the name of a header',
          convert: (name) => name.toLowerCase(),
          description: 'Header that tells the subject (RFC 2253).',
          form: 'header name',
        }).optional(),
        fingerprint: text({
          pattern: HEADER_NAME,
          expected: 'the name of a header',
          convert: (name) => name.toLowerCase(),
          description: 'Header that tells the SHA-256 fingerprint, 64 hex digits.',
          form: 'header name',
        }).optional(),
      },
      'Headers that tell endpoints of the client’s certificate; what clients send under these names is taken off. l7 only.',
    ).prefault({}),
  },
  'Clients show certificates (mutual TLS).',
);

/** TLS of a listener, or `off`. */
export const listenerTlsSchema = z
  .union([
    z.literal('off'),
    section(
      {
        certificates: z
          .array(certificateSchema)
          .max(10_000)
          .default([])
          .meta({ description: 'Certificates; at least one, unless there is `acme`.' }),
        acme: acmeSchema.optional(),
        ...versions,
        alpn: z
          .array(alpnProtocol({ description: 'A protocol.' }))
          .max(16)
          .optional()
          .meta({
            description:
              'Protocols by preference. Without it: [h2, http/1.1] for the `native` front end, [http/1.1] for `uws`, none for l4.',
          }),
        clientAuth: z
          .union([z.literal('off'), clientAuthSchema])
          .default('off')
          .meta({ description: 'Mutual TLS, or `off`.' }),
        tickets: z
          .union([
            z.literal('off'),
            section(
              {
                rotate: duration({
                  minMs: 60_000,
                  maxMs: 7 * DAY_MS,
                  description: 'Keys are renewed after this, and open tickets for as long again.',
                }).default(TICKET_ROTATE_MS),
                file: file(
                  'File of keys that several machines share, 80 random bytes each (openssl rand 80); the first seals, all open. Changes count at once. Without it keys are made here.',
                ).optional(),
              },
              'Session tickets, with keys that all workers share.',
            ),
          ])
          .prefault({})
          .meta({ description: 'Session tickets, or `off`.' }),
        sessionCache: wholeNumber({
          min: 1,
          max: 10_000_000,
          word: { text: 'off', value: 0 },
          description: 'Sessions that are kept for clients without tickets, over all workers, some 1 KB each.',
        }).default(SESSION_CACHE),
        earlyData: size({
          minBytes: 1024,
          maxBytes: 64 * 1024,
          word: { text: 'off', value: 0 },
          description:
            'Most bytes of early data (0-RTT) of a connection. What came as such can be played again by others: only GET, HEAD, OPTIONS and TRACE without body are served then, with `Early-Data: 1`; others get 425. `native` only.',
        }).default(0),
        handshakeTimeout: duration({
          minMs: 100,
          maxMs: HOUR_MS,
          description: 'A handshake must be complete after this, counted from accept.',
        }).default(HANDSHAKE_TIMEOUT_MS),
        handshakes: wholeNumber({
          min: 1,
          max: 1_000_000,
          word: { text: 'unlimited', value: 0 },
          description: 'Most handshakes in progress in a worker; further connections are reset.',
        }).default(HANDSHAKES),
        handshakesPerClient: wholeNumber({
          min: 1,
          max: 1_000_000,
          word: { text: 'unlimited', value: 0 },
          description: 'Most handshakes of one client address in progress in a worker; further connections are reset.',
        }).default(HANDSHAKES_PER_CLIENT),
      },
      'TLS of a listener.',
    ),
  ])
  .default('off')
  .meta({ description: 'TLS with clients. `off`: plain.' });

/** TLS to endpoints, or `off`. */
export const upstreamTlsSchema = z
  .union([
    z.literal('off'),
    section(
      {
        verify: fact({
          description:
            'The endpoint’s certificate has to be valid, and for its name. `false` lets anybody stand in for it.',
        }).default(true),
        ca: file('PEM file of authorities. Without it: those that Node comes with.').optional(),
        serverName: text({
          pattern: /^[A-Za-z0-9_.:-]{1,253}$/,
          expected: 'a host name or an IP address',
          convert: (name) => name.toLowerCase(),
          description: 'Name that is asked for (SNI) and verified. Without it: the host of each endpoint’s address.',
          form: 'host name',
        }).optional(),
        cert: file('PEM file of the certificate that the endpoint is shown (mutual TLS), with its chain.').optional(),
        key: file('PEM file of its key.').optional(),
        passphrase: passphrase(),
        ...versions,
        resume: fact({ description: 'Sessions are taken up again, which saves most of a handshake.' }).default(true),
      },
      'TLS to endpoints.',
    ),
  ])
  .default('off')
  .meta({
    description: 'TLS to endpoints, for exchanges, sessions and health checks. `off`: plain.',
  });

export type ListenerTls = z.output<typeof listenerTlsSchema>;
export type UpstreamTls = z.output<typeof upstreamTlsSchema>;
