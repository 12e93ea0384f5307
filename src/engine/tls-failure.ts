/** Says in words why TLS with a client or an endpoint failed: what logs tell as `reason`. */
import { constants } from 'node:os';
import { TlsFailure } from './tls.js';

/** The number is a TlsFailure shifted by this, and a detail below it: Wire::kFailureShift in native/src/upstream/wire.h. */
const FAILURE_SHIFT = 16;
const DETAIL_MASK = (1 << FAILURE_SHIFT) - 1;

/** Descriptions of alerts that end handshakes (RFC 8446 section 6, RFC 7301 section 3.2). */
export const TLS_ALERTS: ReadonlyMap<number, string> = new Map([
  [0, 'close_notify'],
  [10, 'unexpected_message'],
  [20, 'bad_record_mac'],
  [22, 'record_overflow'],
  [40, 'handshake_failure'],
  [42, 'bad_certificate'],
  [43, 'unsupported_certificate'],
  [44, 'certificate_revoked'],
  [45, 'certificate_expired'],
  [46, 'certificate_unknown'],
  [47, 'illegal_parameter'],
  [48, 'unknown_ca'],
  [49, 'access_denied'],
  [50, 'decode_error'],
  [51, 'decrypt_error'],
  [70, 'protocol_version'],
  [71, 'insufficient_security'],
  [80, 'internal_error'],
  [86, 'inappropriate_fallback'],
  [90, 'user_canceled'],
  [109, 'missing_extension'],
  [110, 'unsupported_extension'],
  [112, 'unrecognized_name'],
  [113, 'bad_certificate_status_response'],
  [115, 'unknown_psk_identity'],
  [116, 'certificate_required'],
  [120, 'no_application_protocol'],
]);

/** Faults of certificates, by OpenSSL's X509_V_ERR_ numbers (x509_vfy.h). */
const CERTIFICATE_FAULTS: Readonly<Record<number, string>> = {
  2: 'its issuer is not known',
  7: 'its signature is wrong',
  9: 'it is not valid yet',
  10: 'it has expired',
  18: 'it is self-signed, and not among the authorities',
  19: 'its authority is self-signed, and not among the authorities',
  20: 'its issuer is not known',
  21: 'its issuer is not known, and it stands alone',
  22: 'its chain is too long',
  23: 'it was revoked',
  24: 'its issuer is no authority',
  26: 'it is not meant for this purpose',
  62: 'it has another name',
  64: 'it has another address',
  66: 'its key is too weak',
  68: 'its signature algorithm is too weak',
};

/** Words for what went wrong with an endpoint, but for kinds that have their own. */
const REASONS_OF_ENDPOINTS: Readonly<Record<number, string>> = {
  [TlsFailure.NOT_TLS]: 'what the endpoint says is not TLS',
  [TlsFailure.VERSION]: 'no version of TLS in common',
  [TlsFailure.CIPHER]: 'no cipher suite, group or signature in common',
  [TlsFailure.NO_CERTIFICATE]: 'the endpoint shows no certificate',
  [TlsFailure.ALPN]: 'the endpoint does not speak the protocol that is asked for (ALPN)',
};

/** Words for what went wrong with a client, but for kinds that have their own. */
const REASONS_OF_CLIENTS: ReadonlyMap<number, string> = new Map<number, string>([
  [TlsFailure.PEER_LEFT, 'the other side closed or reset the connection'],
  [TlsFailure.NOT_TLS, 'what came is not TLS'],
  [TlsFailure.VERSION, 'no common version of TLS'],
  [TlsFailure.CIPHER, 'no common cipher suite, group or signature algorithm'],
  [TlsFailure.NO_CERTIFICATE, 'no certificate was shown, and one is required'],
  [TlsFailure.ALPN, 'no common protocol (ALPN)'],
  [TlsFailure.OTHER, 'TLS was broken, or cannot be begun'],
]);

/**
 * Why TLS with an endpoint failed. Pure.
 *
 * @param failure the errno's place of a failure with EngineError.TLS
 */
export function tlsReason(failure: number): string {
  const kind = failure >> FAILURE_SHIFT;
  const detail = failure & DETAIL_MASK;
  if (kind === TlsFailure.BAD_CERTIFICATE)
    return `the endpoint's certificate is not believed: ${CERTIFICATE_FAULTS[detail] ?? `fault ${detail} of OpenSSL`}`;
  if (kind === TlsFailure.ALERT)
    return `the endpoint refused the handshake: ${TLS_ALERTS.get(detail) ?? `alert ${detail}`}`;
  if (kind === TlsFailure.PEER_LEFT) return `the endpoint left within the handshake${errnoText(detail)}`;
  if (failure === 0) return 'its context is gone';
  return REASONS_OF_ENDPOINTS[kind] ?? 'the handshake failed';
}

/**
 * Why TLS with a client of an l4 listener failed.
 *
 * @param failure one of TlsFailure but NONE
 * @param alert   of ALERT
 * @param words   of BAD_CERTIFICATE: OpenSSL's
 * @returns a clause, without an end. Pure.
 */
export function tlsFailureText(failure: number, alert: number, words: string): string {
  if (failure === TlsFailure.BAD_CERTIFICATE)
    return `the certificate is not believed: ${words || 'for no known reason'}`;
  if (failure === TlsFailure.ALERT) return `the other side refused with the alert ${TLS_ALERTS.get(alert) ?? alert}`;
  return REASONS_OF_CLIENTS.get(failure) ?? `failure ${failure}`;
}

/** Node's names for faults of certificates (tls.TLSSocket.authorizationError), by OpenSSL's numbers. */
const FAULTS_OF_NODE: Readonly<Record<string, number>> = {
  CERT_SIGNATURE_FAILURE: 7,
  CERT_NOT_YET_VALID: 9,
  CERT_HAS_EXPIRED: 10,
  DEPTH_ZERO_SELF_SIGNED_CERT: 18,
  SELF_SIGNED_CERT_IN_CHAIN: 19,
  UNABLE_TO_GET_ISSUER_CERT: 2,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 20,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 21,
  CERT_CHAIN_TOO_LONG: 22,
  CERT_REVOKED: 23,
  INVALID_CA: 24,
  INVALID_PURPOSE: 26,
  ERR_TLS_CERT_ALTNAME_INVALID: 62,
};

/** How OpenSSL calls bytes that are no TLS. */
const NOT_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/** Alerts about a client's certificate: what native/src/upstream/wire.cc takes for a refusal. */
const REFUSALS = new Set([40, 42, 43, 44, 45, 46, 48, 49, 116]);

/** The number that `tlsReason` takes, of an error of node:tls. Pure. */
export function tlsFailureOf({ code = '', errno = 0 }: NodeJS.ErrnoException): number {
  const fault = FAULTS_OF_NODE[code];
  if (fault !== undefined) return (TlsFailure.BAD_CERTIFICATE << FAILURE_SHIFT) | fault;
  const words = /^ERR_SSL_.*_ALERT_([A-Z_]+)$/.exec(code)?.[1]?.toLowerCase();
  const alert = [...TLS_ALERTS].find(([, name]) => name === words)?.[0];
  if (alert !== undefined) return (TlsFailure.ALERT << FAILURE_SHIFT) | alert;
  if (NOT_TLS.has(code)) return TlsFailure.NOT_TLS << FAILURE_SHIFT;
  if (code.startsWith('ERR_SSL_')) return TlsFailure.OTHER << FAILURE_SHIFT;
  return (TlsFailure.PEER_LEFT << FAILURE_SHIFT) | (Math.abs(errno) & DETAIL_MASK);
}

/** The endpoint does not believe our certificate, or misses one. Pure. @param failure as tlsReason takes it */
export function isTlsRefusal(failure: number): boolean {
  return failure >> FAILURE_SHIFT === TlsFailure.ALERT && REFUSALS.has(failure & DETAIL_MASK);
}

function errnoText(errno: number): string {
  const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return name === undefined ? '' : ` (${name})`;
}
