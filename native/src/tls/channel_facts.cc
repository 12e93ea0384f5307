// What a connection tells of its handshake, its peer and its end.
#include <string>

#include "tls/channel.h"
#include "tls/channel_state.h"

namespace sluice::tls {

namespace {

/// In the form of RFC 2253, all of it printable ASCII: it may become a header field.
std::string NameOf(const X509_NAME* name) {
  const BioHandle text(BIO_new(BIO_s_mem()));
  if (text == nullptr || X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return size > 0 ? std::string(bytes, static_cast<size_t>(size)) : std::string();
}

std::string HexOf(const unsigned char* bytes, size_t size, const char* digits) {
  std::string hex;
  hex.reserve(2 * size);
  for (size_t place = 0; place < size; ++place) {
    hex += digits[bytes[place] >> 4];
    hex += digits[bytes[place] & 15];
  }
  return hex;
}

PeerCertificate ReadPeer(const SSL* ssl) {
  PeerCertificate peer;
  const X509Handle certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return peer;
  peer.subject = NameOf(X509_get_subject_name(certificate.get()));
  peer.issuer = NameOf(X509_get_issuer_name(certificate.get()));
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate.get());
  peer.serial = HexOf(ASN1_STRING_get0_data(serial),
                      static_cast<size_t>(ASN1_STRING_length(serial)), "0123456789ABCDEF");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_size = 0;
  if (X509_digest(certificate.get(), EVP_sha256(), digest, &digest_size) == 1)
    peer.fingerprint = HexOf(digest, digest_size, "0123456789abcdef");
  return peer;
}

}  // namespace

int Channel::fd() const {
  return state_->transport.fd();
}
bool Channel::is_established() const {
  return state_->is_established;
}
bool Channel::wants_to_write() const {
  return state_->wants_to_write;
}
SocketRead Channel::last_read() const {
  return state_->transport.last_read();
}
bool Channel::was_cut() const {
  return state_->is_established && state_->transport.saw_end();
}
bool Channel::is_early() const {
  return state_->was_early && !SSL_is_init_finished(state_->ssl.get());
}

std::string_view Channel::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(state_->ssl.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view Channel::server_name() const {
  if (state_->client == nullptr) return state_->server_name;
  const char* const name = SSL_get_servername(state_->ssl.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

std::string_view Channel::version() const {
  return SSL_get_version(state_->ssl.get());
}

std::string_view Channel::cipher() const {
  return SSL_CIPHER_get_name(SSL_get_current_cipher(state_->ssl.get()));
}

bool Channel::is_resumed() const {
  return SSL_session_reused(state_->ssl.get()) == 1;
}

bool Channel::HasShownNameOf(std::string_view host) const {
  X509* const certificate = SSL_get_certificate(state_->ssl.get());
  if (certificate == nullptr) return false;
  const std::string name(host);
  return X509_check_host(certificate, name.data(), name.size(),
                         X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1 ||
         X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
}

const PeerCertificate& Channel::peer() const {
  if (state_->peer == nullptr) {
    ForgetErrors();
    state_->peer = std::make_unique<PeerCertificate>(ReadPeer(state_->ssl.get()));
    ForgetErrors();
  }
  return *state_->peer;
}

TlsFailure Channel::failure() const {
  return state_->failure.what;
}
int Channel::error_number() const {
  return state_->failure.error_number;
}
int Channel::alert() const {
  return state_->failure.alert;
}

std::string_view Channel::verify_error() const {
  return failure() == TlsFailure::kBadCertificate ? state_->failure.words : "";
}

int Channel::verify_code() const {
  return state_->failure.verify_code;
}

std::string_view Channel::words() const {
  return state_->failure.words;
}

}  // namespace sluice::tls
