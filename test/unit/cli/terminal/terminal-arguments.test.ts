/** What the commands that talk to a running sluice are asked for. */
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../../src/cli/arguments.js';

const NOWHERE = { address: null, token: null, configFile: null };

function commandOf(...words: string[]): unknown {
  const read = parseArguments(words);
  if (read.kind !== 'terminal') throw new Error(JSON.stringify(read));
  return read.command;
}

function errorsOf(...words: string[]): string[] {
  const read = parseArguments(words);
  if (read.kind !== 'usage-error') throw new Error(JSON.stringify(read));
  return read.problems.map(({ sentence, hint }) => `${sentence} | ${hint}`);
}

describe('a command to a running sluice', () => {
  it.each([
    [['status'], { name: 'status', isJson: false }],
    [['status', '--json'], { name: 'status', isJson: true }],
    [['reload', '--json'], { name: 'reload', isJson: true }],
    [['top'], { name: 'top', sort: 'config', only: null }],
    [['top', '--sort=p99', '--only', 'api'], { name: 'top', sort: 'p99', only: 'api' }],
    [['drain', 'h:1'], { name: 'drain', endpoint: 'h:1', timeout: null, isWaiting: false }],
    [
      ['drain', '--timeout', '30s', 'api/h:1', '--wait'],
      { name: 'drain', endpoint: 'api/h:1', timeout: '30s', isWaiting: true },
    ],
    [['undrain', 'unix:/run/a.sock'], { name: 'undrain', endpoint: 'unix:/run/a.sock' }],
    [['weight', 'h:1', '0'], { name: 'weight', endpoint: 'h:1', weight: 0 }],
    [['weight', 'h:1', '65535'], { name: 'weight', endpoint: 'h:1', weight: 65_535 }],
  ])('is read from %j', (words, command) => {
    expect(commandOf(...words)).toEqual(command);
  });

  it('is asked where flags say', () => {
    expect(parseArguments(['status'])).toMatchObject({ target: NOWHERE });
    expect(parseArguments(['top', '--admin', ':1', '--token', 't', '-c', 'a.yaml'])).toMatchObject({
      target: { address: ':1', token: 't', configFile: 'a.yaml' },
    });
  });

  it.each([
    [['drain'], '[UPSTREAM/]ENDPOINT is missing | write: sluice drain [UPSTREAM/]ENDPOINT'],
    [['weight'], '[UPSTREAM/]ENDPOINT and N is missing | write: sluice weight [UPSTREAM/]ENDPOINT N'],
    [['weight', 'h:1'], 'N is missing | write: sluice weight [UPSTREAM/]ENDPOINT N'],
    [['weight', 'h:1', '1.5'], 'the weight is "1.5" | write a whole number from 0 to 65535'],
    [['weight', 'h:1', '-1'], 'the weight is "-1" | write a whole number from 0 to 65535'],
    [['weight', 'h:1', '65536'], 'the weight is "65536" | write a whole number from 0 to 65535'],
    [['drain', 'h:1', '--timeout', '30'], '--timeout is "30" | write a duration such as 30s, 500ms or 2m'],
    [['undrain', 'h:1', 'h:2'], '"h:2" is not expected here | write: sluice undrain [UPSTREAM/]ENDPOINT'],
    [['undrain', 'h:1', '--wait'], '--wait does not belong to the command undrain | it belongs to drain'],
    [['top', '--sort', 'p98'], '--sort is "p98" | did you mean p95?'],
    [['top', '--sort', 'zzzzzz'], expect.stringContaining('write one of config, name, state')],
  ])('is refused from %j', (words, error) => {
    expect(errorsOf(...words)).toEqual([error]);
  });
});

describe('explain', () => {
  const request = {
    listener: null,
    method: 'GET',
    host: '',
    target: '/',
    headers: {},
    client: null,
    clientCertificate: null,
  };

  it.each([
    [['GET', '/a?b=c#d'], { ...request, target: '/a?b=c' }],
    [['OPTIONS', '*'], { ...request, method: 'OPTIONS', target: '*' }],
    [['GET', 'http://example.com:8080/a'], { ...request, host: 'example.com:8080', target: '/a' }],
    [['GET', 'https://example.com'], { ...request, host: 'example.com' }],
    [['GET', 'example.com/a'], { ...request, host: 'example.com', target: '/a' }],
    [['GET', 'http://[::1]:80?q'], { ...request, host: '[::1]:80', target: '/?q' }],
    [['GET', 'http://me:secret@example.com/'], { ...request, host: 'example.com' }],
    [
      ['GET', '/', '-H', 'Cookie: a=b; c=d', '-HX-Empty:', '-H', 'Host: other.test'],
      { ...request, host: 'other.test', headers: { cookie: 'a=b; c=d', 'x-empty': '', host: 'other.test' } },
    ],
    [
      ['PUT', '/', '--client', '2001:db8::1', '--listener', 'web'],
      { ...request, method: 'PUT', client: '2001:db8::1', listener: 'web' },
    ],
    [
      ['GET', '/', '--client-subject', 'CN=ada,O=firm'],
      { ...request, clientCertificate: { subject: 'CN=ada,O=firm', fingerprint: '' } },
    ],
    [
      ['GET', '/', '--client-fingerprint', `${'AB:'.repeat(31)}CD`],
      { ...request, clientCertificate: { subject: '', fingerprint: `${'ab'.repeat(31)}cd` } },
    ],
  ])('asks what %j says', (words, asked) => {
    expect(commandOf('explain', ...words)).toEqual({ name: 'explain', request: asked, isJson: false });
  });

  it('tells everything that is wrong at once', () => {
    const certificate = ['--client-subject', 'CN=é', '--client-fingerprint', 'ab:cd'];
    expect(errorsOf('explain', 'G E T', 'a b', '-H', 'nothing', '--client', 'me', ...certificate)).toEqual([
      '"G E T" is no method | write GET, POST or another one',
      '"a b" is neither a path nor a URL | write /a?b=c, or http://example.com/a?b=c',
      `-H is "nothing" | write -H 'Name: value'`,
      '--client is "me" | write an IP address such as 192.0.2.1',
      '--client-subject is not printable ASCII | write it as OpenSSL does: \\C3\\A9 for é',
      '--client-fingerprint is "ab:cd", not 64 hex digits | openssl x509 -in FILE -noout -fingerprint -sha256 prints it',
    ]);
  });
});
