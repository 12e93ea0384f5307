// Connects to endpoints, address by address.
#include "base/connector.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace sluice {

namespace {

/// Ports that the kernel gives to sockets which connect (net.ipv4.ip_local_port_range).
struct PortRange {
  int first = 0;
  int last = 65535;

  static PortRange Read() {
    PortRange range;
    std::FILE* const file = std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file == nullptr) return range;  // every port may be one
    int first = 0;
    int last = 0;
    if (std::fscanf(file, "%d %d", &first, &last) == 2) range = {first, last};
    std::fclose(file);
    return range;
  }
};

/// Says whether a connect to this address may meet its own source port: see IsSelfConnected.
bool CanMeetItself(const Address& address) {
  static const PortRange range = PortRange::Read();
  const int port = address.port();
  return port >= range.first && port <= range.last && !address.is_unix();
}

}  // namespace

bool IsDescriptorShortage(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

ConnectStep Connector::Begin(Addresses addresses, size_t first, const ConnectOptions& options) {
  addresses_ = std::move(addresses);
  options_ = options;
  address_ = first < addresses_->size() ? first : 0;
  tried_ = 0;
  is_paused_ = false;
  uint32_t signs = 0;
  return TryFrom(&signs);
}

ConnectStep Connector::Continue(uint32_t* signs) {
  constexpr uint32_t kBroken = EPOLLERR | EPOLLHUP;
  const uint64_t now_ms = loop_->now_ms();
  if (is_paused_) {
    if (now_ms < attempt_deadline_ms_) return ConnectStep::kInProgress;
    if (now_ms < share_deadline_ms_) {
      const ConnectStep step = TryOne(signs);
      if (step != ConnectStep::kFailed) return step;
    }
  } else if (*signs != 0) {
    // Writable and nothing else: connected, for sure (connect(2)).
    error_ = (*signs & kBroken) == 0 && (*signs & EPOLLOUT) != 0 ? 0 : PendingError(fd_->get());
    if (error_ == 0 && Finish() == ConnectStep::kConnected) return ConnectStep::kConnected;
  } else if (now_ms < attempt_deadline_ms_) {
    return ConnectStep::kInProgress;
  } else {
    error_ = ETIMEDOUT;
  }
  if (now_ms >= options_.until_ms || !NextAddress()) return ConnectStep::kFailed;
  return TryFrom(signs);
}

bool Connector::NextAddress() {
  if (++tried_ >= addresses_->size()) return false;
  address_ = (address_ + 1) % addresses_->size();
  return true;
}

ConnectStep Connector::TryFrom(uint32_t* signs) {
  for (;;) {
    const uint64_t now_ms = loop_->now_ms();
    const uint64_t left_ms = options_.until_ms > now_ms ? options_.until_ms - now_ms : 0;
    share_deadline_ms_ = now_ms + std::max<uint64_t>(left_ms / (addresses_->size() - tried_), 1);
    const ConnectStep step = TryOne(signs);
    if (step != ConnectStep::kFailed || !NextAddress()) return step;
  }
}

ConnectStep Connector::TryOne(uint32_t* signs) {
  if (fd_->is_open()) {
    loop_->Forget(fd_->get());
    fd_->Reset();
  }
  *signs = 0;
  is_paused_ = false;
  attempt_deadline_ms_ = share_deadline_ms_;
  const Address& target = (*addresses_)[address_];
  auto opened = OpenStreamSocket(target.family());
  if (!opened) {
    error_ = opened.error().number;
    const bool must_wait = options_.waits_for_descriptors && IsDescriptorShortage(error_);
    return must_wait ? Pause(kShortageRetryMs) : ConnectStep::kFailed;
  }
  *fd_ = std::move(opened.value());
  if (!target.is_unix() && options_.has_no_delay) SetNoDelay(fd_->get());
  error_ = Connect(fd_->get(), target.get(), target.size());
  if (error_ == EAGAIN && target.is_unix()) return Pause(kFullQueueRetryMs);
  if (error_ != 0 && error_ != EINPROGRESS) return ConnectStep::kFailed;
  // Only now: a socket that is in no connection yet would report itself as hung up.
  const bool is_connected = error_ == 0;
  error_ = loop_->Watch(fd_->get(), EventLoop::kSocketEvents | more_events_, pollable_);
  if (error_ != 0) return ConnectStep::kFailed;
  return is_connected ? Finish() : ConnectStep::kInProgress;
}

ConnectStep Connector::Pause(uint64_t ms) {
  fd_->Reset();
  is_paused_ = true;
  attempt_deadline_ms_ = std::min(share_deadline_ms_, loop_->now_ms() + ms);
  return ConnectStep::kInProgress;
}

ConnectStep Connector::Finish() {
  if (CanMeetItself((*addresses_)[address_]) && IsSelfConnected(fd_->get())) {
    error_ = ECONNREFUSED;
    return ConnectStep::kFailed;
  }
  return ConnectStep::kConnected;
}

}  // namespace sluice
