// How bytes of clients' connections go through TLS.
#include "frontend/tls_carrier.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "frontend/outgoing_parts.h"

namespace sluice::frontend {

namespace {

/// What a call has taken in all, where the last step took nothing more.
IoResult TakenSoFar(size_t taken, const IoResult& last) {
  return taken > 0 && last.would_block() ? IoResult{taken, 0} : IoResult{taken, last.error};
}

}  // namespace

uint32_t TlsCarrier::Disproved(const IoResult& got, bool drains_by_short_read) const {
  // It waits to write: what there is to read is looked at again then.
  if (got.would_block() && channel_->wants_to_write()) return EPOLLOUT;
  switch (channel_->last_read()) {
    case tls::SocketRead::kNone:
    case tls::SocketRead::kFull:
      return 0;
    case tls::SocketRead::kShort:
      return drains_by_short_read ? uint32_t{EPOLLIN} : 0;
    case tls::SocketRead::kEmpty:
      return EPOLLIN | EPOLLRDHUP;
  }
  return 0;
}

IoResult TlsCarrier::Send(const void* bytes, size_t size) {
  const char* const from = static_cast<const char*>(bytes);
  size_t taken = 0;
  while (taken < size) {
    const IoResult sent = channel_->Send(from + taken, size - taken);
    taken += sent.bytes;
    if (sent.error != 0 || sent.bytes == 0) return TakenSoFar(taken, sent);
  }
  return {taken, 0};
}

IoResult TlsCarrier::SendParts(const iovec* parts, size_t count) {
  std::array<iovec, OutgoingParts::kMost> rest;
  std::copy_n(parts, count, rest.begin());
  size_t first = 0;
  size_t taken = 0;
  while (first < count) {
    const IoResult sent = channel_->SendParts(rest.data() + first, count - first);
    taken += sent.bytes;
    if (sent.error != 0 || sent.bytes == 0) return TakenSoFar(taken, sent);
    size_t passed = sent.bytes;
    while (first < count && passed >= rest[first].iov_len)
      passed -= rest[first++].iov_len;
    if (first == count) break;
    rest[first].iov_base = static_cast<char*>(rest[first].iov_base) + passed;
    rest[first].iov_len -= passed;
  }
  return {taken, 0};
}

IoResult TlsCarrier::Flush() {
  const IoResult flushed = channel_->Flush();
  if (is_finishing_ && flushed.error == 0) (void)FinishSending();
  return flushed;
}

bool TlsCarrier::FinishSending() {
  is_finishing_ = true;
  if (!channel_->is_established()) return true;
  if (channel_->HasUnsent() && channel_->Flush().would_block()) return false;
  const IoResult finished = channel_->FinishSending();
  return !finished.would_block() && !(finished.error == 0 && channel_->HasUnsent());
}

void TlsCarrier::Close(EventLoop* /*loop*/, bool with_reset) {
  // An end without close_notify could be anybody's (RFC 8446 section 6.1).
  if (!with_reset && !is_finishing_) (void)FinishSending();
}

}  // namespace sluice::frontend
