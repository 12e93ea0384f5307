// Clients that connect over loopback, and a sink that keeps what was accepted of them.
#pragma once

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "check.h"
#include "l4/accepted.h"
#include "l4/listening_socket.h"

namespace sluice::l4 {

inline std::unique_ptr<EventLoop> MakeLoop() {
  auto made = EventLoop::Create();
  CHECK(static_cast<bool>(made));
  return std::move(made.value());
}

/// Listens on a free port of the loopback address.
inline ListeningSocket ListenOnLoopback() {
  ListeningAddress address;
  address.host = "127.0.0.1";
  auto opened = ListeningSocket::Open(address, {});
  CHECK(static_cast<bool>(opened));
  return std::move(opened.value());
}

/// Connects; the handshake is over when it returns, so that accept() finds the connection.
inline UniqueFd ConnectTo(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  CHECK_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

inline std::vector<UniqueFd> ConnectTimes(size_t count, uint16_t port) {
  std::vector<UniqueFd> clients;
  for (size_t index = 0; index < count; ++index)
    clients.push_back(ConnectTo(port));
  return clients;
}

/// Keeps all that comes.
struct Arrivals final : AcceptedSink {
  std::vector<Accepted> accepted;
  std::vector<size_t> rounds;  // connections of each
  std::vector<int> shortages;
  size_t room = SIZE_MAX;
  std::function<void()> on_accepted = [] {};

  void OnAccepted(Accepted* from, size_t count) override {
    rounds.push_back(count);
    for (size_t index = 0; index < count; ++index)
      accepted.push_back(std::move(from[index]));
    on_accepted();
  }
  void OnShortage(int error_number) override { shortages.push_back(error_number); }
  size_t Room() const override { return room; }
};

/// Turns until the fact holds, for 5 s at most.
inline void TurnUntil(EventLoop* loop, const std::function<bool()>& fact) {
  const uint64_t deadline_us = loop->now_us() + 5'000'000;
  while (!fact() && loop->now_us() < deadline_us)
    loop->Turn(10);
  CHECK(fact());
}

/// Leaves the process `spare` descriptors more than it has, as long as it lives.
class LoweredFileLimit {
 public:
  explicit LoweredFileLimit(rlim_t spare) {
    CHECK_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    // The lowest free number is the count of those below it: tests open theirs in a row.
    const UniqueFd lowest(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const rlimit lowered{static_cast<rlim_t>(lowest.get()) + spare, before_.rlim_max};
    CHECK_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  }
  ~LoweredFileLimit() { (void)::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace sluice::l4
