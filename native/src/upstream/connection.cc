// Connects to endpoints and remembers what epoll says.
#include "upstream/connection.h"

#include <algorithm>

#include "upstream/connection_pool.h"

namespace sluice::upstream {

Connection::Connection(EventLoop* loop, ConnectionOwner* owner, ConnectionPool* pool)
    : reader({pool->settings().response_head_bytes, pool->settings().response_headers}),
      loop_(loop),
      owner_(owner),
      pool_(pool),
      addresses_(pool->addresses()) {}

Connection::~Connection() {
  Close();
}

void Connection::Close() {
  if (!fd_.is_open()) return;
  loop_->Unwatch(fd_.get());
  fd_.Reset();
}

ConnectStep Connection::BeginConnect(uint64_t until_ms) {
  connect_deadline_ms_ = until_ms;
  address_ = pool_->preferred();
  tried_ = 0;
  return TryNextAddress();
}

ConnectStep Connection::ContinueConnect() {
  const uint64_t now_ms = loop_->now_ms();
  if (is_queue_full_ && now_ms < share_deadline_ms_) {
    bool is_waiting = false;
    const ConnectStep step = TryAddress(&is_waiting);
    if (is_waiting || step != ConnectStep::kFailed) return step;
  } else if (is_readable || is_writable || is_hung_up) {
    connect_error_ = PendingError(fd_.get());
    if (connect_error_ == 0) {
      const ConnectStep step = FinishConnect();
      if (step == ConnectStep::kConnected) return step;
    }
  } else if (now_ms < attempt_deadline_ms_) {
    return ConnectStep::kInProgress;
  } else {
    connect_error_ = is_queue_full_ ? EAGAIN : ETIMEDOUT;
  }
  if (++tried_ < addresses_->size() && now_ms < connect_deadline_ms_) {
    address_ = (address_ + 1) % addresses_->size();
    return TryNextAddress();
  }
  return ConnectStep::kFailed;
}

ConnectStep Connection::TryNextAddress() {
  for (;;) {
    const uint64_t now_ms = loop_->now_ms();
    const uint64_t left_ms = connect_deadline_ms_ > now_ms ? connect_deadline_ms_ - now_ms : 0;
    share_deadline_ms_ = now_ms + std::max<uint64_t>(left_ms / (addresses_->size() - tried_), 1);
    bool is_waiting = false;
    const ConnectStep step = TryAddress(&is_waiting);
    if (is_waiting || step != ConnectStep::kFailed) return step;
    if (++tried_ >= addresses_->size()) return ConnectStep::kFailed;
    address_ = (address_ + 1) % addresses_->size();
  }
}

ConnectStep Connection::TryAddress(bool* is_waiting) {
  Close();
  is_readable = is_writable = is_hung_up = is_queue_full_ = false;
  attempt_deadline_ms_ = share_deadline_ms_;
  const Address& target = (*addresses_)[address_];
  auto opened = OpenStreamSocket(target.family());
  if (!opened) {
    connect_error_ = opened.error().number;
    return connect_error_ == EMFILE || connect_error_ == ENFILE ? ConnectStep::kFileLimit
                                                                : ConnectStep::kFailed;
  }
  fd_ = std::move(opened.value());
  if (!target.is_unix()) SetNoDelay(fd_.get());
  connect_error_ = sluice::Connect(fd_.get(), target.get(), target.size());
  if (connect_error_ == EAGAIN && target.is_unix()) {
    is_queue_full_ = true;
    *is_waiting = true;
    attempt_deadline_ms_ = std::min(share_deadline_ms_, loop_->now_ms() + kFullQueueRetryMs);
    return ConnectStep::kInProgress;
  }
  if (connect_error_ != 0 && connect_error_ != EINPROGRESS) return ConnectStep::kFailed;
  // Only now: a socket that is in no connection yet would report itself as hung up.
  const bool is_connected = connect_error_ == 0;
  connect_error_ = loop_->Watch(fd_.get(), EventLoop::kSocketEvents, this);
  if (connect_error_ != 0) return ConnectStep::kFailed;
  return is_connected ? FinishConnect() : ConnectStep::kInProgress;
}

ConnectStep Connection::FinishConnect() {
  if (IsSelfConnected(fd_.get())) {
    connect_error_ = ECONNREFUSED;
    return ConnectStep::kFailed;
  }
  pool_->Prefer(addresses_, address_);
  return ConnectStep::kConnected;
}

void Connection::OnEvents(uint32_t epoll_events) {
  constexpr uint32_t kBroken = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((epoll_events & EPOLLOUT) != 0) is_writable = true;
  if ((epoll_events & EPOLLIN) != 0) is_readable = true;
  if ((epoll_events & kBroken) != 0) is_readable = is_hung_up = true;
  owner_->OnConnectionReady(this);
}

}  // namespace sluice::upstream
