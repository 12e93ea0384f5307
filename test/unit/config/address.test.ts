/** Addresses: what is read, what is refused and with which hint, which overlap. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bindAddressesOverlap,
  endpointIdentity,
  formatBindAddress,
  formatListenAddress,
  isLoopback,
  listenAddressesOverlap,
  parseAddressRange,
  parseBindAddress,
  parseEndpointAddress,
  parseListenAddress,
} from '../../../src/config/address.js';

describe('endpoint address', () => {
  it.each([
    ['10.0.0.1:9001', '10.0.0.1', 9001],
    ['localhost:1', 'localhost', 1],
    ['api.internal:65535', 'api.internal', 65535],
    ['api_1.compose:80', 'api_1.compose', 80],
    ['xn--bcher-kva.example:80', 'xn--bcher-kva.example', 80],
    ['API.Example.:80', 'API.Example.', 80],
    ['[::1]:9001', '::1', 9001],
    ['[2001:db8::1]:443', '2001:db8::1', 443],
    ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
    ['a:1', 'a', 1],
    ['10:80', null, null],
  ])('reads %s', (text, host, port) => {
    const parsed = parseEndpointAddress(text);
    if (host === null) expect(parsed.ok).toBe(false);
    else expect(parsed).toEqual({ ok: true, value: { kind: 'tcp', host, port, text } });
  });

  it.each(['unix:/run/api.sock', 'unix:/a', 'unix:/with space', 'unix:/a,b:c'])('reads %s', (text) => {
    expect(parseEndpointAddress(text)).toEqual({ ok: true, value: { kind: 'unix', path: text.slice(5), text } });
  });

  it.each([
    ['', null],
    ['10.0.0.1', 'add a port: 10.0.0.1:8080'],
    ['api.internal', 'add a port: api.internal:8080'],
    ['[::1]', 'add a port: [::1]:8080'],
    ['9001', 'for a port alone write :9001'],
    [':9001', 'name the host, e.g. 127.0.0.1:9001'],
    ['10.0.0.1:', 'the port behind the colon is missing'],
    ['10.0.0.1:0', 'port 0 stands for "any free port" and works for listeners only'],
    ['10.0.0.1:65536', 'a port is a number from 0 to 65535'],
    ['10.0.0.1:123456', 'a port is a number from 0 to 65535'],
    ['10.0.0.1:-1', 'a port is a number from 0 to 65535'],
    ['10.0.0.1:http', 'a port is a number from 0 to 65535'],
    ['10.0.0.1:+80', 'a port is a number from 0 to 65535'],
    ['10.0.0.256:80', '10.0.0.256 is no IPv4 address: four numbers from 0 to 255'],
    ['10.0.1:80', '10.0.1 is no IPv4 address: four numbers from 0 to 255'],
    ['http://10.0.0.1:9001', 'leave out "http://": write 10.0.0.1:9001'],
    ['https://api/v1?x', 'leave out "https://": write api'],
    ['http://', 'leave out "http://"'],
    ['::1', 'put IPv6 addresses in brackets and add a port: [::1]:8080'],
    ['fe80::1:9001:', 'put IPv6 addresses in brackets: [::1]:8080'],
    ['[::g]:80', 'what stands in brackets must be an IPv6 address'],
    ['[10.0.0.1]:80', 'what stands in brackets must be an IPv6 address'],
    ['[fe80::1%eth0]:80', 'an address with a zone (%) is not supported'],
    ['a b:80', 'no spaces, please'],
    [' a:80', 'no spaces, please'],
    ['-a:80', 'a host name has letters, digits, hyphens and dots only'],
    ['a..b:80', 'a host name has letters, digits, hyphens and dots only'],
    ['bücher:80', 'a host name has letters, digits, hyphens and dots only'],
    ['0.0.0.0:80', '0.0.0.0 means "all addresses" and works for listeners only; write 127.0.0.1:80 for this machine'],
    ['unix:run/api.sock', 'the path of a UNIX socket is absolute: unix:/run/api.sock'],
    ['unix:', 'the path of a UNIX socket is absolute: unix:/run/api.sock'],
    ['unix:/a\nb', 'the path holds a control character'],
    [`unix:/${'a'.repeat(107)}`, 'the kernel does not take longer paths for UNIX sockets'],
  ])('refuses %j', (text, hint) => {
    expect(parseEndpointAddress(text)).toMatchObject({ ok: false, hint });
  });

  it('takes a UNIX path of exactly the length the kernel takes', () => {
    expect(parseEndpointAddress(`unix:/${'a'.repeat(106)}`).ok).toBe(true);
  });

  it.each([
    ['[::1]:80', '[0:0:0:0:0:0:0:1]:80', true],
    ['API:80', 'api:80', true],
    ['api.:80', 'api:80', true],
    ['api:80', 'api:81', false],
    ['unix:/a', 'unix:/A', false],
  ])('knows whether %s and %s are one endpoint', (one, other, isSame) => {
    const identity = (text: string) => {
      const parsed = parseEndpointAddress(text);
      return parsed.ok ? endpointIdentity(parsed.value) : '';
    };
    expect(identity(one) === identity(other)).toBe(isSame);
  });
});

describe('bind address', () => {
  it.each([
    [':8080', '0.0.0.0', 8080],
    ['*:8080', '0.0.0.0', 8080],
    ['localhost:80', '127.0.0.1', 80],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['[::]:8080', '::', 8080],
    ['[::1]:8080', '::1', 8080],
  ])('reads %s', (text, host, port) => {
    expect(parseBindAddress(text)).toEqual({ ok: true, value: { host, port } });
  });

  it.each(['example.com:80', 'unix:/run/x', '8080', '', ':', ':x', '[]:80', '1.2.3:80'])('refuses %j', (text) => {
    expect(parseBindAddress(text).ok).toBe(false);
  });

  it('is written the way it is read', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65535 }), (address, port) => {
        const bind = { host: address, port };
        expect(parseBindAddress(formatBindAddress(bind))).toEqual({ ok: true, value: bind });
      }),
    );
  });

  it.each([
    ['127.0.0.1:80', '127.0.0.1:80', true],
    ['127.0.0.1:80', '127.0.0.1:81', false],
    ['127.0.0.1:80', '127.0.0.2:80', false],
    [':80', '127.0.0.1:80', true],
    ['127.0.0.1:80', ':80', true],
    ['[::]:80', '127.0.0.1:80', true],
    ['[::]:80', ':80', true],
    [':80', '[::1]:80', false],
    ['[::1]:80', '[0:0::1]:80', true],
    ['127.0.0.1:0', '127.0.0.1:0', false],
  ])('knows whether %s and %s overlap', (one, other, isOverlap) => {
    const read = (text: string) => {
      const parsed = parseBindAddress(text);
      if (!parsed.ok) throw new Error(text);
      return parsed.value;
    };
    expect(bindAddressesOverlap(read(one), read(other))).toBe(isOverlap);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['10.0.0.1', false],
    ['::', false],
    ['fe80::1%lo', false],
    ['localhost', true],
    ['LOCALHOST', true],
    ['localhost.evil.test', false],
    ['127.0.0.1.evil.test', false],
    ['127.1', false],
    ['', false],
  ])('knows whether "%s" is loopback', (host, isLocal) => {
    expect(isLoopback(host)).toBe(isLocal);
  });
});

describe('address of an l4 listener', () => {
  it.each([
    [':5432', { kind: 'tcp', host: '0.0.0.0', port: 5432 }],
    ['[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
    ['unix:/run/db.sock', { kind: 'unix', path: '/run/db.sock' }],
    ['unix:@db', { kind: 'unix', path: '@db' }],
    ['unix:@a/b c', { kind: 'unix', path: '@a/b c' }],
    [`unix:/${'a'.repeat(106)}`, { kind: 'unix', path: `/${'a'.repeat(106)}` }],
    [`unix:@${'a'.repeat(106)}`, { kind: 'unix', path: `@${'a'.repeat(106)}` }],
  ])('reads %s, and writes it the same way', (text, value) => {
    const parsed = parseListenAddress(text);
    expect(parsed).toEqual({ ok: true, value });
    if (parsed.ok) expect(parseListenAddress(formatListenAddress(parsed.value))).toEqual(parsed);
  });

  it.each([
    ['unix:run/db.sock', 'the path of a UNIX socket is absolute: unix:/run/db.sock; unix:@name is an abstract one'],
    ['unix:', 'the path of a UNIX socket is absolute: unix:/run/db.sock; unix:@name is an abstract one'],
    ['unix:@', 'the name of the abstract socket is missing: unix:@name'],
    ['unix:/run/', 'name the file of the socket, not its directory'],
    ['unix:/a\nb', 'the path holds a control character'],
    [`unix:/${'a'.repeat(107)}`, 'the kernel does not take longer paths for UNIX sockets'],
    [`unix:@${'ä'.repeat(54)}`, 'the kernel does not take longer paths for UNIX sockets'],
    ['5432', 'for a port alone write :5432'],
    ['db.internal:5432', 'a listener needs an IP address, not a name: which of its addresses would be meant?'],
  ])('refuses %j', (text, hint) => {
    expect(parseListenAddress(text)).toMatchObject({ ok: false, hint });
  });

  it.each([
    [':5432', '127.0.0.1:5432', true],
    ['unix:/run/a', 'unix:/run/a', true],
    ['unix:/run/a', 'unix:/run//b/../a', true],
    ['unix:/run/a', 'unix:/run/b', false],
    ['unix:/a', 'unix:@a', false],
    ['unix:@a', 'unix:@a', true],
    ['unix:@a/../b', 'unix:@b', false],
    [':5432', 'unix:/5432', false],
  ])('knows whether %s and %s overlap', (one, other, isOverlap) => {
    const read = (text: string) => {
      const parsed = parseListenAddress(text);
      if (!parsed.ok) throw new Error(text);
      return parsed.value;
    };
    expect(listenAddressesOverlap(read(one), read(other))).toBe(isOverlap);
    expect(listenAddressesOverlap(read(other), read(one))).toBe(isOverlap);
  });
});

describe('address range', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['2001:0DB8::1', '2001:db8::1/128'],
    ['192.0.2.128/25', '192.0.2.128/25'],
  ])('reads %s', (text, range) => {
    expect(parseAddressRange(text)).toEqual({ ok: true, value: range });
  });

  it.each([
    ['10.0.0.1/8', 'did you mean 10.0.0.0/8?'],
    ['2001:db8::1/32', 'did you mean 2001:db8::/32?'],
    ['10.0.0.0/33', 'the number behind the slash is from 0 to 32 here'],
    ['::/129', 'the number behind the slash is from 0 to 128 here'],
    ['10.0.0.0/', 'the number behind the slash is from 0 to 32 here'],
    ['10.0.0.0/08', 'the number behind the slash is from 0 to 32 here'],
    ['10.0.0.0/8/8', null],
    ['10.0.0', null],
    ['localhost', null],
    ['0x7f.0.0.1', null],
    ['fe80::1%eth0', null],
    ['::ffff:10.0.0.1', 'write the IPv4 address itself: 10.0.0.1'],
    ['', null],
  ])('refuses %j', (text, hint) => {
    expect(parseAddressRange(text)).toMatchObject({ ok: false, hint });
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const once = parseAddressRange(address);
        if (once.ok) expect(parseAddressRange(once.value)).toEqual(once);
      }),
    );
  });
});
