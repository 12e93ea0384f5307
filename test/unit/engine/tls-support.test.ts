/** Tests of what is said where a Node lacks functions of TLS or HTTP/2. */
import { describe, expect, it } from 'vitest';
import { lackText, missingByUse, tlsSupportText } from '../../../src/engine/tls-support.js';

describe('the sentence about TLS and HTTP/2', () => {
  it('names the versions of a Node that has all', () => {
    const support = { tls: 'OpenSSL 3.0.19', http2: '1.61.0', missing: [] };
    expect(tlsSupportText(support)).toBe('TLS OpenSSL 3.0.19, HTTP/2 nghttp2 1.61.0 (of this Node)');
  });

  it('names what is missing', () => {
    const support = { tls: 'OpenSSL 3.0.19', http2: null, missing: ['nghttp2_strerror', 'nghttp2_is_fatal'] };
    expect(tlsSupportText(support)).toBe(
      'TLS OpenSSL 3.0.19; HTTP/2 cannot be used: this Node does not export nghttp2_strerror and 1 more',
    );
    expect(missingByUse({ ...support, missing: ['SSL_new', 'nghttp2_is_fatal'] })).toEqual({
      tls: ['SSL_new'],
      http2: ['nghttp2_is_fatal'],
    });
    expect(lackText([])).toBe('this Node does not have the library');
  });
});
