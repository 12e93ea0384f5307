// Configures a context of OpenSSL.
#include "tls/settings.h"

#include "tls/failure.h"

namespace sluice::tls {

std::string Configure(SSL_CTX* context, bool requires_tls13, const std::string& ciphers,
                      const std::string& cipher_suites, const std::string& curves) {
  // OpenSSL's own configuration file may have said something else.
  SSL_CTX_set_min_proto_version(context, requires_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, 0);
  // An end without close_notify is told by Channel::was_cut, and breaks neither what is still to be
  // sent nor the session.
  SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1)
    return "OpenSSL knows none of the ciphers \"" + ciphers + "\" (" + TakeErrorWords() + ")";
  if (!cipher_suites.empty() && SSL_CTX_set_ciphersuites(context, cipher_suites.c_str()) != 1)
    return "OpenSSL does not know the cipher suites \"" + cipher_suites + "\" (" +
           TakeErrorWords() + ")";
  if (!curves.empty() && SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
    ERR_clear_error();
    return "OpenSSL does not know the curves \"" + curves + "\"";
  }
  return {};
}

}  // namespace sluice::tls
