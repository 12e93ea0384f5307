/** Keys in the text of a request: the same that native/test/frontend/request_key_test.cc finds in its bytes. */
import { describe, expect, it } from 'vitest';
import { cookieIn, isToldField, parameterIn } from '../../../src/l7/request-key.js';

describe('cookie', () => {
  it.each([
    ['sid=1', '1'],
    ['a=2; sid=1; b=3', '1'],
    ['a=2;sid=1;sid=4', '1'],
    ['sid=a=b==', 'a=b=='],
    ['xsid=1; sidx=2; SID=3; sid', null],
    ['x=sid=1', null],
    ['sid; sid=2', '2'],
    ['a=1;\t sid = 7 ;b=1', '7'],
    ['sid="7"', '7'],
    ['sid="7', '"7'],
    ['sid="', '"'],
    ['sid=""; sid=2', ''],
    ['sid=; sid=2', ''],
    [';;; sid=2;', '2'],
    ['', null],
  ])('in %j is %j', (field, value) => {
    expect(cookieIn(field, 'sid')).toBe(value);
  });
});

describe('query parameter', () => {
  it.each([
    ['', null],
    ['id=5', '5'],
    ['x=1&id=%41b+c&id=6', '%41b+c'],
    ['&&id=a=b&', 'a=b'],
    ['id&id=6', null],
    ['id=&id=6', ''],
    ['xid=1&idx=2&ID=3&%69d=4', null],
    ['b?id=1', null],
  ])('in %j is %j', (query, value) => {
    expect(parameterIn(query, 'id')).toBe(value);
  });
});

describe('fields that are no keys', () => {
  it('are those of one connection, and of the framing', () => {
    expect(['connection', 'te', 'upgrade', 'content-length', 'transfer-encoding'].filter(isToldField)).toEqual([]);
    expect(['host', 'x-user', 'cookie', 'x-forwarded-for'].filter(isToldField)).toHaveLength(4);
  });
});
