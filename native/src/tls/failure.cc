// Which of OpenSSL's reasons means what.
#include "tls/failure.h"

namespace sluice::tls {

namespace {

TlsFailure KindOf(int reason) {
  switch (reason) {
    // The first bytes were those of another protocol.
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE:
      return TlsFailure::kNotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_UNKNOWN_SSL_VERSION:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return TlsFailure::kVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_CIPHERS_AVAILABLE:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
      return TlsFailure::kCipher;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFailure::kNoCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return TlsFailure::kBadCertificate;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFailure::kAlpn;
    default:
      return reason > SSL_AD_REASON_OFFSET ? TlsFailure::kAlert : TlsFailure::kOther;
  }
}

const char* OrEmpty(const char* words) {
  return words == nullptr ? "" : words;
}

}  // namespace

Failure TakeFailure(const SSL* ssl) {
  const unsigned long error = ERR_peek_error();
  Failure failure;
  failure.what = TlsFailure::kOther;
  if (error != 0) {
    const int reason = ERR_GET_REASON(error);
    // Errors of other parts (memory, keys) have numbers of their own.
    if (ERR_GET_LIB(error) == ERR_LIB_SSL) failure.what = KindOf(reason);
    if (failure.what == TlsFailure::kAlert) failure.alert = reason - SSL_AD_REASON_OFFSET;
    failure.words = OrEmpty(ERR_reason_error_string(error));
    if (failure.what == TlsFailure::kBadCertificate) {
      const long code = SSL_get_verify_result(ssl);
      failure.verify_code = static_cast<int>(code);
      failure.words = OrEmpty(X509_verify_cert_error_string(code));
    }
  }
  ERR_clear_error();
  return failure;
}

std::string TakeErrorWords() {
  const unsigned long error = ERR_peek_error();
  const std::string words = OrEmpty(error == 0 ? nullptr : ERR_reason_error_string(error));
  ERR_clear_error();
  return words.empty() ? "OpenSSL does not say why" : words;
}

}  // namespace sluice::tls
