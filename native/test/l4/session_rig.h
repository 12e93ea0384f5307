// A session engine over real loopback sockets, with a sink that keeps what it is told and decides
// as the test says; everything runs on the test's thread.
#pragma once

#include <dirent.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
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
#include "l4/peer_address.h"
#include "l4/session_engine.h"

namespace rig {

using namespace sluice;
using namespace sluice::l4;

inline constexpr uint64_t kDeadlineUs = 10'000'000;

/// Descriptors of this process.
inline size_t CountDescriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  size_t count = 0;
  while (::readdir(folder) != nullptr)
    ++count;
  ::closedir(folder);
  return count;
}

/// The test's end of a connection.
class Peer {
 public:
  Peer() = default;
  explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {
    const int on = 1;
    if (fd_.is_open()) CHECK_EQ(::ioctl(fd_.get(), FIONBIO, &on), 0);
  }

  int fd() const { return fd_.get(); }
  bool is_open() const { return fd_.is_open(); }
  void Say(std::string_view bytes) {
    CHECK_EQ(Send(fd_.get(), bytes.data(), bytes.size()).bytes, bytes.size());
  }
  void Finish() { FinishSending(fd_.get()); }
  void Close() { fd_.Reset(); }
  void Reset() {
    ResetOnClose(fd_.get());
    fd_.Reset();
  }

  /// Takes what is there. @returns true when something new was found
  bool Read() {
    char buffer[64 * 1024];
    bool is_new = false;
    while (!has_ended && error == 0) {
      const IoResult got = Receive(fd_.get(), buffer, sizeof buffer);
      if (got.would_block()) break;
      is_new = true;
      error = got.error;
      has_ended = got.error == 0 && got.bytes == 0;
      heard.append(buffer, got.bytes);
    }
    return is_new;
  }
  bool HasHeard(std::string_view bytes) {
    Read();
    return heard == bytes;
  }
  bool HasEnded() {
    Read();
    return has_ended;
  }
  bool IsReset() {
    Read();
    return error == ECONNRESET;
  }

  std::string heard;
  bool has_ended = false;
  int error = 0;

 private:
  UniqueFd fd_;
};

/// A listening socket of the test: the endpoint of sessions, or where clients come in.
class Listener {
 public:
  /// @param unix_path empty: TCP on 127.0.0.1
  explicit Listener(int backlog = 128, const std::string& unix_path = {}) {
    if (unix_path.empty()) {
      Bind(backlog);
    } else {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      std::memcpy(name.sun_path, unix_path.data(), unix_path.size());
      fd_.Reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      ::unlink(unix_path.c_str());
      CHECK_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
      CHECK_EQ(::listen(fd_.get(), backlog), 0);
      name_ = "unix:" + unix_path;
    }
  }

  const std::string& name() const { return name_; }
  Address address() const { return *Address::Parse(name_); }
  Peer Accept() { return Peer(UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC))); }
  void Close() { fd_.Reset(); }

  /// A connection of the test's own.
  UniqueFd Connect() const {
    UniqueFd fd(::socket(address().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address to = address();
    CHECK_EQ(::connect(fd.get(), to.get(), to.size()), 0);
    return fd;
  }
  Accepted AcceptForEngine(int32_t listener) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Accepted accepted;
    accepted.fd.Reset(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    CHECK(accepted.fd.is_open());
    accepted.listener = listener;
    accepted.peer = PeerAddressFrom(peer);
    accepted.accepted_at_us = MonotonicUs();
    return accepted;
  }

 private:
  void Bind(int backlog) {
    fd_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    CHECK_EQ(::listen(fd_.get(), backlog), 0);
    socklen_t size = sizeof name;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &size);
    name_ = "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  }

  UniqueFd fd_;
  std::string name_;
};

/// An address that refuses: nobody listens at its port any more.
inline Address RefusingAddress() {
  Listener listener;
  listener.Close();
  return listener.address();
}

/// A listening socket whose queue is full, so that the kernel does not answer who connects.
class BlackHole {
 public:
  BlackHole() : listener_(0) {
    // The queue takes one more than it was told.
    for (UniqueFd& fd : queued_) {
      fd.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const Address to = listener_.address();
      (void)::connect(fd.get(), to.get(), to.size());
    }
  }
  Address address() const { return listener_.address(); }

 private:
  Listener listener_;
  UniqueFd queued_[2];
};

/// One event as the sink saw it.
struct Told {
  SessionEventType type;
  int32_t words[kSessionEventStride];
  std::string sni;
  std::string alpn;
  int batch = 0;

  int32_t session() const { return words[kSession]; }
  int32_t reason() const { return words[kReason]; }
  bool has(int32_t flag) const { return (words[kFlags] & flag) != 0; }
  uint64_t from_client_bytes() const { return Whole(kFromClientLow); }
  uint64_t to_client_bytes() const { return Whole(kToClientLow); }

 private:
  uint64_t Whole(size_t low) const {
    return static_cast<uint32_t>(words[low]) | uint64_t{static_cast<uint32_t>(words[low + 1])}
                                                   << 32;
  }
};

inline SessionListenerSettings PatientListener(RelayKind relay = RelayKind::kAdaptive) {
  SessionListenerSettings settings;
  settings.relay = relay;
  settings.session_idle_timeout_ms = settings.linger_timeout_ms = settings.preface_timeout_ms =
      60'000;
  return settings;
}

inline SessionEndpointSettings PatientEndpoint(int proxy_header = 0) {
  SessionEndpointSettings settings;
  settings.connect_timeout_ms = 60'000;
  settings.proxy_header = proxy_header;
  return settings;
}

/// The engine with listener 0 and slot 0, which leads to `endpoint`.
class Rig : private SessionBatchSink {
 public:
  explicit Rig(const SessionListenerSettings& listener_settings = PatientListener(),
               const SessionEndpointSettings& endpoint_settings = PatientEndpoint(),
               size_t event_capacity = 64, std::shared_ptr<Mailbox> mailbox = nullptr)
      : events_(event_capacity * kSessionEventStride), arena_(kMinSessionArenaBytes) {
    std::signal(SIGPIPE, SIG_IGN);  // as Node does: see Splice
    loop = std::move(EventLoop::Create().value());
    const SessionBatchMemory memory{events_.data(), event_capacity, arena_.data(), arena_.size()};
    engine = std::make_unique<SessionEngine>(
        loop.get(), memory, static_cast<SessionBatchSink*>(this), std::move(mailbox));
    CHECK_EQ(engine->start_error(), 0);
    engine->OpenListener(0, listener_settings);
    CHECK(engine->OpenEndpoint(0, {endpoint.address()}, endpoint_settings));
  }

  /// A client whose connection the engine has got, but not yet looked at.
  Peer Connect(int32_t listener = 0) {
    Peer client(entrance_.Connect());
    Accepted accepted = entrance_.AcceptForEngine(listener);
    engine->OnAccepted(&accepted, 1);
    return client;
  }
  /// The same over a pair of UNIX sockets.
  Peer ConnectUnix() {
    int fds[2];
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    Accepted accepted;
    accepted.fd.Reset(fds[0]);
    accepted.accepted_at_us = MonotonicUs();
    engine->OnAccepted(&accepted, 1);
    return Peer(UniqueFd(fds[1]));
  }
  Listener& entrance() { return entrance_; }

  /// Turns until it is so; a failed check when it is not in time.
  bool Until(const std::function<bool()>& is_so) {
    const uint64_t end_us = MonotonicUs() + kDeadlineUs;
    for (;;) {
      if (is_so()) return true;
      if (MonotonicUs() > end_us) break;
      loop->Turn(1);
    }
    check::Fail(__FILE__, __LINE__, "did not happen in time");
    return false;
  }
  Peer AcceptAtEndpoint() { return AcceptAt(&endpoint); }
  Peer AcceptAt(Listener* listener) {
    Peer peer;
    Until([&] {
      peer = listener->Accept();
      return peer.is_open();
    });
    return peer;
  }
  /// @returns the event of this type that was told first; waits for it
  const Told& Wait(SessionEventType type) {
    const auto find = [&]() -> const Told* {
      for (const Told& event : told) {
        if (event.type == type) return &event;
      }
      return nullptr;
    };
    static const Told kNothing{};
    return Until([&] { return find() != nullptr; }) ? *find() : kNothing;
  }
  const Told& WaitEnded() { return Wait(SessionEventType::kEnded); }
  void CheckEnded(SessionEnd end) { CHECK_EQ(WaitEnded().reason(), static_cast<int32_t>(end)); }
  size_t Count(SessionEventType type) const {
    size_t count = 0;
    for (const Told& event : told)
      count += event.type == type ? 1 : 0;
    return count;
  }
  /// Nothing is left of any session.
  void CheckEmpty() {
    const SessionEngineStats stats = engine->stats();
    CHECK_EQ(stats.sessions, 0);
    CHECK_EQ(stats.endpoint_connections, 0);
    CHECK_EQ(stats.held_bytes, 0);
    CHECK_EQ(stats.splicing, 0);
    CHECK(stats.pipes <= PipePool::kMaxIdlePipes);
    CHECK(!engine->is_busy());
  }

  Listener endpoint;
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<SessionEngine> engine;
  std::vector<Told> told;
  int batches = 0;
  int shortage = -1;
  /// What OPENED and CONNECT_FAILED are answered with.
  std::function<int32_t(const Told&)> decide = [](const Told&) { return 0; };
  bool believes = false;
  /// Runs at the end of each batch.
  std::function<void()> on_batch = [] {};

 private:
  void OnBatch(size_t count) override {
    ++batches;
    for (size_t place = 0; place < count; ++place) {
      int32_t* const words = events_.data() + place * kSessionEventStride;
      Told event{};
      event.type = static_cast<SessionEventType>(words[kType]);
      event.batch = batches;
      std::memcpy(event.words, words, sizeof event.words);
      const char* const text = arena_.data() + words[kTextOffset];
      event.sni.assign(text, static_cast<size_t>(words[kSniLength]));
      event.alpn.assign(text + words[kSniLength], static_cast<size_t>(words[kAlpnLength]));
      words[kDecision] = decide(event);
      words[kBelieve] = believes ? 1 : 0;
      told.push_back(std::move(event));
    }
    on_batch();
  }
  void OnShortage(int error_number) override { shortage = error_number; }

  std::vector<int32_t> events_;
  std::vector<char> arena_;
  Listener entrance_;
};

}  // namespace rig
