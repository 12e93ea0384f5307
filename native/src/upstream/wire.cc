// Reads TLS as a socket is read, and closes it.
#include "upstream/wire.h"

#include "tls/openssl.h"

namespace sluice::upstream {

tls::HandshakeStep Wire::Handshake() {
  for (;;) {
    const tls::HandshakeStep step = channel_->Handshake();
    if (step != tls::HandshakeStep::kWaiting || !MayReadOn()) return step;
  }
}

IoResult Wire::ReceiveOnce(char* buffer, size_t size) {
  for (;;) {
    const IoResult received = channel_->Receive(buffer, size);
    if (!received.would_block() || !MayReadOn()) return received;
  }
}

IoResult Wire::ReceiveTls(char* buffer, size_t size) {
  size_t received = 0;
  if (has_peeked_ && size > 0) {
    has_peeked_ = false;
    buffer[received++] = peeked_;
  }
  // A record at a time: what fits is taken at once, as a socket does.
  while (received < size) {
    const IoResult more = ReceiveOnce(buffer + received, size - received);
    if (more.error == 0 && more.bytes > 0) {
      received += more.bytes;
      continue;
    }
    if (received == 0) return more;
    ends_next_ = !more.would_block();
    break;
  }
  return {received, 0};
}

bool Wire::HasTlsInput() {
  if (has_peeked_) return true;
  const IoResult peeked = ReceiveOnce(&peeked_, 1);
  has_peeked_ = peeked.bytes == 1;
  return !peeked.would_block();
}

int Wire::tls_failure() const {
  if (channel_ == nullptr) return 0;
  int detail = 0;
  switch (channel_->failure()) {
    case tls::TlsFailure::kPeerLeft:
      detail = channel_->error_number();
      break;
    case tls::TlsFailure::kAlert:
      detail = channel_->alert();
      break;
    case tls::TlsFailure::kBadCertificate:
      detail = channel_->verify_code();
      break;
    default:
      break;
  }
  return static_cast<int>(channel_->failure()) << kFailureShift | detail;
}

int Wire::refusal() const {
  if (channel_ == nullptr || channel_->failure() != tls::TlsFailure::kAlert) return 0;
  switch (channel_->alert()) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_HANDSHAKE_FAILURE:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return tls_failure();
    default:
      return 0;
  }
}

UniqueFd Wire::TakeSocket() {
  loop_->Unwatch(fd());
  return std::move(fd_);
}

void Wire::Close() {
  if (!fd_.is_open()) return;
  if (channel_ != nullptr) {
    if (channel_->is_established()) (void)channel_->FinishSending();
    channel_.reset();
  }
  loop_->Forget(fd());
  fd_.Reset();
}

}  // namespace sluice::upstream
