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

int Side::TakeError() {
  if (!is_broken()) return 0;
  signs &= ~uint32_t{EPOLLERR};
  return PendingError(fd.get());
}

void Side::Close(EventLoop* loop, bool with_reset) {
  if (!fd.is_open()) return;
  if (with_reset && !is_unix) ResetOnClose(fd.get());
  loop->Forget(fd.get());
  fd.Reset();
}

}  // namespace sluice::l4
