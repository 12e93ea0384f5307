// What a side does by itself.
#include "l4/relay_pair.h"

namespace sluice::l4 {

void Side::OnEvents(uint32_t epoll_events) {
  signs |= epoll_events;
  pair_->owner()->OnPairReady(pair_);
}

void Side::Begin(bool is_unix_socket, bool sends_at_once) {
  is_unix = is_unix_socket;
  has_no_delay = is_unix_socket || sends_at_once;
  has_sent = false;
  signs |= EPOLLOUT;  // a write that finds it otherwise says so
}

bool Side::hides_end() const {
  return has_finished() && tls->last_read() == tls::SocketRead::kShort;
}

tls::HandshakeStep Side::Handshake() {
  const tls::HandshakeStep step = tls->Handshake();
  return step == tls::HandshakeStep::kWaiting && hides_end() ? tls->Handshake() : step;
}

IoResult Side::Read(char* buffer, size_t size) {
  IoResult got;
  if (tls == nullptr) {
    got = Receive(fd.get(), buffer, size);
    if (got.would_block()) signs &= ~uint32_t{EPOLLIN};
    return got;
  }
  bool is_drained = false;
  // As many records as there are, so that what they hold goes on in one piece.
  do {
    const IoResult more = tls->Receive(buffer + got.bytes, size - got.bytes);
    const tls::SocketRead read = tls->last_read();
    if (read != tls::SocketRead::kNone) is_drained = read != tls::SocketRead::kFull;
    if (more.error != 0 || more.bytes == 0) {
      if (got.bytes == 0) got = more;  // else the next read says it again
      break;
    }
    got.bytes += more.bytes;
  } while (got.bytes < size && tls->HasPending());
  if (got.would_block() && hides_end()) got = tls->Receive(buffer, size);
  // One that has to write first goes on with the next event of either kind.
  if (got.bytes > 0 ? is_drained && drains_by_short_read() && !has_finished()
                    : got.would_block() && !tls->wants_to_write()) {
    signs &= ~uint32_t{EPOLLIN};
  }
  return got;
}

IoResult Side::Write(const char* bytes, size_t size) {
  IoResult sent;
  if (tls == nullptr) {
    sent = Send(fd.get(), bytes, size);
    if (sent.bytes < size) signs &= ~uint32_t{EPOLLOUT};
    return sent;
  }
  while (sent.bytes < size) {
    const IoResult more = tls->Send(bytes + sent.bytes, size - sent.bytes);
    sent.bytes += more.bytes;
    if (more.error == 0) continue;
    if (more.would_block()) signs &= ~uint32_t{EPOLLOUT};
    if (sent.bytes == 0) sent.error = more.error;  // else the next call says it again
    break;
  }
  if (tls->HasUnsent()) signs &= ~uint32_t{EPOLLOUT};
  return sent;
}

IoResult Side::Flush() {
  const IoResult sent = tls->Flush();
  if (sent.would_block()) signs &= ~uint32_t{EPOLLOUT};
  return sent;
}

bool Side::Finish() {
  if (!FinishChannel()) return false;
  FinishSending(fd.get());
  return true;
}

bool Side::FinishChannel() {
  // Any other failure is the connection's, which tells it by itself.
  if (tls == nullptr || !tls->FinishSending().would_block()) return true;
  signs &= ~uint32_t{EPOLLOUT};
  return false;
}

int Side::TakeError() {
  if (!is_broken()) return 0;
  signs &= ~uint32_t{EPOLLERR};
  return PendingError(fd.get());
}

void Side::Close(EventLoop* loop, bool with_reset) {
  if (!fd.is_open()) return;
  if (with_reset && !is_unix) ResetOnClose(fd.get());
  tls.reset();
  loop->Forget(fd.get());
  fd.Reset();
}

}  // namespace sluice::l4
