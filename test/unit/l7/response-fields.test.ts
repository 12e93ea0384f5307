/** Fields that the proxy adds to heads: their order, their bounds, and what is refused. */
import { describe, expect, it } from 'vitest';
import { ADDED_FIELDS_BYTES, headWith, ResponseFields } from '../../../src/l7/response-fields.js';

describe('response fields', () => {
  it('stand behind a head in their order', () => {
    const fields = new ResponseFields();
    fields.set('set-cookie', 'a=b; Path=/');
    fields.set('x-empty', '');
    expect(headWith(fields, '200 OK\r\nx: y')).toBe('200 OK\r\nx: y\r\nset-cookie: a=b; Path=/\r\nx-empty: ');
    expect(Buffer.from(headWith(fields, Buffer.from('200 OK')) as Uint8Array).toString()).toBe(
      '200 OK\r\nset-cookie: a=b; Path=/\r\nx-empty: ',
    );
  });

  it('leave a head as it is where there are none', () => {
    const head = Buffer.from('200 OK');
    expect(headWith(null, head)).toBe(head);
    expect(headWith(new ResponseFields(), head)).toBe(head);
  });

  it('replace one of the same name in any case, and go again', () => {
    const fields = new ResponseFields();
    fields.set('x-a', '1');
    fields.set('x-b', '2');
    fields.set('X-A', 'three');
    expect(fields.lines).toBe('\r\nX-A: three\r\nx-b: 2');
    fields.set('x-a', null);
    fields.set('x-c', null);
    expect(fields.lines).toBe('\r\nx-b: 2');
  });

  it('hold no more than their bound, in which a replaced one makes room', () => {
    const fields = new ResponseFields();
    const longest = 'v'.repeat(ADDED_FIELDS_BYTES - '\r\nx-a: '.length);
    expect(() => fields.set('x-a', `${longest}v`)).toThrow(TypeError);
    fields.set('x-a', longest);
    expect(() => fields.set('x', '')).toThrow(/more than 16 KiB/);
    fields.set('x-a', longest.slice(5));
    fields.set('x', '');
    expect(fields.lines).toHaveLength(ADDED_FIELDS_BYTES);
  });

  it.each([
    '',
    'a b',
    'a:',
    'a\r\n',
    'ä',
    'Content-Length',
    'transfer-encoding',
    'Connection',
    'Date',
    'upgrade',
    'TE',
  ])('refuse the name %j', (name) => {
    expect(() => new ResponseFields().set(name, 'x')).toThrow(TypeError);
  });

  it.each(['a\r\nb', 'a\nb', 'a\0', '\x7f', 'ä', '\u{1f36a}'])('refuse the value %j', (value) => {
    const fields = new ResponseFields();
    expect(() => fields.set('x', value)).toThrow(TypeError);
    expect(fields.lines).toBe('');
  });
});
