// An endpoint and a client for tests, in one thread: the endpoint does what the test says, the
// client's loop turns until something is so. Every wait has a deadline.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/socket.h"
#include "base/unique_fd.h"
#include "check.h"
#include "upstream/upstream_client.h"

namespace loopback {

using namespace sluice::upstream;
using sluice::Address;

inline constexpr uint64_t kDeadlineUs = 5'000'000;

/// The endpoint's side of one connection.
class Peer {
 public:
  explicit Peer(sluice::UniqueFd fd) : fd_(std::move(fd)) {}

  bool is_open() const { return fd_.is_open(); }
  int fd() const { return fd_.get(); }

  /// Blocks, for the deadline at most. @returns what came; empty at the end of the stream or of the
  /// time
  std::string ReadSome(int timeout_ms = 2000) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, timeout_ms) <= 0) return "";
    std::string bytes(256 * 1024, '\0');
    const auto received = sluice::Receive(fd_.get(), bytes.data(), bytes.size());
    bytes.resize(received.bytes);
    return bytes;
  }
  /// Reads until what came ends with `end`.
  std::string ReadUntil(std::string_view end) {
    std::string text;
    while (!std::string_view(text).ends_with(end)) {
      const std::string more = ReadSome();
      if (more.empty()) break;
      text += more;
    }
    return text;
  }
  std::string ReadHead() { return ReadUntil("\r\n\r\n"); }
  /// Writes what fits into the socket's buffers: tests write little.
  void Write(std::string_view bytes) { (void)sluice::Send(fd_.get(), bytes.data(), bytes.size()); }
  void Finish() { ::shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.Reset(); }
  /// Closes with a reset instead of an end.
  void Reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fd_.Reset();
  }

 private:
  sluice::UniqueFd fd_;
};

/// A listening socket on 127.0.0.1 (or of UNIX, at a path).
class Endpoint {
 public:
  explicit Endpoint(int backlog = 128) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    CHECK_EQ(::listen(fd_.get(), backlog), 0);
    socklen_t size = sizeof address;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    name_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  explicit Endpoint(const std::string& path, int backlog = 128) : name_("unix:" + path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ::unlink(path.c_str());
    fd_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    CHECK_EQ(::listen(fd_.get(), backlog), 0);
  }

  const std::string& name() const { return name_; }
  Address address() const { return *Address::Parse(name_); }
  Peer Accept(int timeout_ms = 2000) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, timeout_ms) <= 0) return Peer(sluice::UniqueFd());
    return Peer(sluice::UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  int fd() const { return fd_.get(); }
  bool HasPending() {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) > 0;
  }
  void Close() { fd_.Reset(); }

 private:
  sluice::UniqueFd fd_;
  std::string name_;
};

/// A listener whose queue is full, so that further connects get no answer: the kernel drops their
/// SYN.
struct SilentEndpoint {
  Endpoint endpoint{0};
  std::vector<sluice::UniqueFd> fillers;

  SilentEndpoint() {
    for (int count = 0; count < 3; ++count) {
      auto opened = sluice::OpenStreamSocket(AF_INET);
      const Address address = endpoint.address();
      (void)sluice::Connect(opened.value().get(), address.get(), address.size());
      fillers.push_back(std::move(opened.value()));
    }
  }
};

/// An address at which nobody listens.
inline std::string ClosedPort() {
  Endpoint endpoint;
  return endpoint.name();
}

/// An event with copies of its bytes.
struct SeenEvent {
  EventType type;
  int32_t exchange;
  int32_t status;
  int32_t flags;
  std::string head;
  std::string body;
  uint64_t length;
  int32_t elapsed_us;
  int32_t error_number;

  bool has(int32_t flag) const { return (flags & flag) != 0; }
  EngineError failure() const { return static_cast<EngineError>(status); }
};

inline PoolSettings Patient() {
  PoolSettings settings;
  settings.connect_timeout_ms = 3000;
  settings.first_byte_timeout_ms = 3000;
  settings.idle_timeout_ms = 3000;
  settings.keep_alive_idle_ms = 3000;
  settings.max_idle = 100;
  settings.max_connections = 0;
  settings.response_head_bytes = 16 * 1024;
  settings.response_headers = 100;
  return settings;
}

/// A client on a loop of its own, and everything it reported.
class Client final : public BatchSink {
 public:
  explicit Client(size_t event_capacity = 64, size_t arena_bytes = kMinArenaBytes)
      : words_(event_capacity * kEventStride), arena_(arena_bytes) {
    auto made = sluice::EventLoop::Create();
    loop_ = std::move(made.value());
    client_ = std::make_unique<UpstreamClient>(
        loop_.get(), BatchMemory{words_.data(), event_capacity, arena_.data(), arena_.size()},
        this);
  }

  UpstreamClient* operator->() { return client_.get(); }
  sluice::EventLoop& loop() { return *loop_; }
  void Destroy() { client_.reset(); }

  void Open(int32_t slot, const Endpoint& endpoint, const PoolSettings& settings = Patient()) {
    CHECK(client_->OpenPool(slot, {endpoint.address()}, settings));
  }
  SendResult Send(int32_t id, int32_t slot, int32_t flags = 0, int64_t body_bytes = kNoBody,
                  uint64_t timeout_ms = 0, std::string_view head = "GET / HTTP/1.1\r\nhost: a\r\n",
                  int32_t profile = kPlainProfile) {
    std::memcpy(client_->scratch(), head.data(), head.size());
    misuse = Misuse::kNone;
    return client_->Send(id, slot, head.size(), flags, body_bytes, timeout_ms, &misuse, profile);
  }
  /// As Send, with profile 1.
  SendResult SendHeld(int32_t id, int32_t slot, int32_t flags = 0, int64_t body_bytes = kNoBody,
                      uint64_t timeout_ms = 0) {
    constexpr std::string_view kHead = "POST / HTTP/1.1\r\nhost: a\r\n";
    return Send(id, slot, flags, body_bytes, timeout_ms, kHead, 1);
  }
  size_t Write(int32_t id, std::string_view bytes, bool is_last) {
    misuse = Misuse::kNone;
    return client_->Write(id, bytes, is_last, &misuse);
  }
  SendResult Resend(int32_t id, int32_t slot, int32_t profile = kPlainProfile) {
    misuse = Misuse::kNone;
    return client_->Resend(id, slot, &misuse, profile);
  }
  SendResult Duplicate(int32_t from, int32_t to, int32_t slot, uint64_t timeout_ms = 0,
                       int32_t profile = kPlainProfile) {
    misuse = Misuse::kNone;
    return client_->Duplicate(from, to, slot, timeout_ms, &misuse, profile);
  }

  void Turn(int timeout_ms = 0) { loop_->Turn(timeout_ms); }
  /// Turns until `is_so`, for the deadline at most. @returns whether it came to be
  bool Until(const std::function<bool()>& is_so) {
    const uint64_t end_us = sluice::MonotonicUs() + kDeadlineUs;
    while (!is_so()) {
      if (sluice::MonotonicUs() > end_us) return false;
      loop_->Turn(20);
    }
    return true;
  }
  /// Turns until the endpoint has a connection whose client knows that it is connected.
  Peer Accepted(Endpoint& endpoint) {
    const uint64_t connects = client_->stats().connects;
    Peer peer = endpoint.Accept();
    Until([&] { return client_->stats().connects > connects; });
    return peer;
  }
  /// Turns that a time takes: a handful where the loop sleeps, very many where it spins.
  size_t TurnsWithin(uint64_t time_us) {
    size_t turns = 0;
    for (const uint64_t end_us = sluice::MonotonicUs() + time_us; sluice::MonotonicUs() < end_us;
         ++turns) {
      loop_->Turn(100);
    }
    return turns;
  }
  /// Turns until the exchange has ended. @returns its last event; type NONE when it did not end in
  /// time
  SeenEvent UntilEnd(int32_t id) {
    const auto is_end = [&](const SeenEvent& event) {
      return event.exchange == id &&
             (event.type == EventType::kFailed || event.has(event_flag::kLast));
    };
    const auto find = [&]() -> const SeenEvent* {
      for (const SeenEvent& event : events) {
        if (is_end(event)) return &event;
      }
      return nullptr;
    };
    Until([&] { return find() != nullptr; });
    const SeenEvent* const found = find();
    return found != nullptr ? *found : SeenEvent{};
  }
  std::string BodyOf(int32_t id) const {
    std::string body;
    for (const SeenEvent& event : events) {
      if (event.exchange == id) body += event.body;
    }
    return body;
  }
  size_t CountOf(int32_t id, EventType type) const {
    size_t count = 0;
    for (const SeenEvent& event : events)
      count += event.exchange == id && event.type == type ? 1 : 0;
    return count;
  }

  std::vector<SeenEvent> events;
  std::vector<size_t> batches;  // the number of events of each
  Misuse misuse = Misuse::kNone;
  /// Runs inside a batch, before each of its events is taken down.
  std::function<void(size_t)> on_event = [](size_t) {};

 private:
  void OnBatch(size_t count) override {
    batches.push_back(count);
    for (size_t at = 0; at < count; ++at) {
      on_event(at);
      const int32_t* const words = words_.data() + at * kEventStride;
      if (words[kType] == static_cast<int32_t>(EventType::kNone)) continue;
      const auto copy = [&](EventField offset, EventField length) {
        return std::string(arena_.data() + words[offset], static_cast<size_t>(words[length]));
      };
      const uint64_t low = static_cast<uint32_t>(words[kLengthLow]);
      const uint64_t high = static_cast<uint32_t>(words[kLengthHigh]);
      events.push_back({static_cast<EventType>(words[kType]), words[kExchange], words[kStatus],
                        words[kFlags], copy(kHeadOffset, kHeadLength),
                        copy(kBodyOffset, kBodyLength), high << 32 | low, words[kElapsedUs],
                        words[kErrno]});
    }
  }

  std::vector<int32_t> words_;
  std::vector<char> arena_;
  std::unique_ptr<sluice::EventLoop> loop_;
  std::unique_ptr<UpstreamClient> client_;
};

/// A response with a length.
inline std::string Ok(std::string_view body, std::string_view lines = "") {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n" +
         std::string(lines) + "\r\n" + std::string(body);
}

/// Keeps the thread from its loop, as long work in JavaScript does.
inline void Stall(uint64_t time_us) {
  const uint64_t end_us = sluice::MonotonicUs() + time_us;
  while (sluice::MonotonicUs() < end_us)
    continue;
}

/// Open descriptors of this process.
inline size_t OpenFiles() {
  size_t open = 0;
  for (int fd = 0; fd < 4096; ++fd)
    open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return open;
}

}  // namespace loopback
