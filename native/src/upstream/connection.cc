// Connects to endpoints and remembers what epoll says.
#include "upstream/connection.h"

#include <utility>

#include "upstream/connection_pool.h"

namespace sluice::upstream {

Connection::Connection(EventLoop* loop, ConnectionOwner* owner, ConnectionPool* pool)
    : reader({pool->settings().response_head_bytes, pool->settings().response_headers}),
      loop_(loop),
      owner_(owner),
      pool_(pool),
      connector_(loop, this, &fd_) {}

Connection::~Connection() {
  Close();
}

UniqueFd Connection::TakeSocket() {
  loop_->Unwatch(fd_.get());
  return std::move(fd_);
}

void Connection::Close() {
  if (!fd_.is_open()) return;
  loop_->Forget(fd_.get());
  fd_.Reset();
}

ConnectStep Connection::BeginConnect(uint64_t until_ms) {
  ConnectOptions options;
  options.until_ms = until_ms;
  return OnStep(connector_.Begin(pool_->addresses(), pool_->preferred(), options));
}

ConnectStep Connection::ContinueConnect() {
  uint32_t signs =
      (is_readable ? EPOLLIN : 0u) | (is_writable ? EPOLLOUT : 0u) | (is_hung_up ? EPOLLHUP : 0u);
  const ConnectStep step = connector_.Continue(&signs);
  if (signs == 0) is_readable = is_writable = is_hung_up = false;  // another socket
  return OnStep(step);
}

ConnectStep Connection::OnStep(ConnectStep step) {
  if (step == ConnectStep::kConnected) pool_->Prefer(connector_.addresses(), connector_.address());
  return step;
}

void Connection::OnEvents(uint32_t epoll_events) {
  constexpr uint32_t kBroken = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((epoll_events & EPOLLOUT) != 0) is_writable = true;
  if ((epoll_events & EPOLLIN) != 0) is_readable = true;
  if ((epoll_events & kBroken) != 0) is_readable = is_hung_up = true;
  owner_->OnConnectionReady(this);
}

}  // namespace sluice::upstream
