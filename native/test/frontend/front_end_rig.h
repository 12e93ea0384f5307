// A front end with its upstream client on a loop of its own, clients and an endpoint of the test,
// and a TypeScript that decides by a function.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/front_end.h"
#include "upstream/loopback.h"

namespace front_end_rig {

using namespace sluice::frontend;
using loopback::Endpoint;
using loopback::Peer;
using sluice::UniqueFd;

/// An event with copies of what it holds.
struct Seen {
  EventType type = EventType::kNone;
  int32_t number = 0;
  int32_t flags = 0;
  int32_t method = 0;
  int32_t route = 0;
  int32_t fault = 0;
  int32_t connection = 0;  // REQUEST
  int32_t status = 0;
  int32_t reason = 0;
  std::string target;
  std::string host;
  int32_t body_kind = 0;
  uint64_t body_bytes = 0;
  uint64_t to_client = 0;
  uint64_t from_client = 0;
  std::string retry_after;
  std::string report;

  bool has(int32_t flag) const { return (flags & flag) != 0; }
};

inline ListenerSettings Patient() {
  ListenerSettings settings;
  settings.scheme = "http";
  settings.head_bytes = 16 * 1024;
  settings.target_bytes = 8 * 1024;
  settings.headers = 100;
  settings.request_head_timeout_ms = settings.body_idle_timeout_ms = 3000;
  settings.keep_alive_timeout_ms = settings.write_stall_timeout_ms = 3000;
  settings.tunnel_idle_timeout_ms = settings.preface_timeout_ms = 3000;
  settings.host_tables = {{{"/api/", "/"}, {1, 0}}};
  return settings;
}

/// Everything in one thread: clients are blocking-free peers of socket pairs.
class Rig : public FrontEndSink, private sluice::upstream::BatchSink {
 public:
  explicit Rig(const ListenerSettings& settings = Patient(), size_t event_capacity = 64)
      : words_(event_capacity * sluice::frontend::kEventStride), arena_(1024 * 1024) {
    loop_ = std::move(sluice::EventLoop::Create().value());
    client_ = std::make_unique<sluice::upstream::UpstreamClient>(
        loop_.get(),
        sluice::upstream::BatchMemory{client_words_.data(), 64, client_arena_.data(),
                                      client_arena_.size()},
        static_cast<sluice::upstream::BatchSink*>(this));
    front_end_ = std::make_unique<FrontEnd>(
        loop_.get(), client_.get(),
        FrontEndMemory{words_.data(), event_capacity, arena_.data(), arena_.size()},
        static_cast<FrontEndSink*>(this), nullptr,
        FrontEndIdentity{"via-name", "0123456789abcdef01234567"});
    front_end_->OpenListener(0, settings);
    CHECK(client_->OpenPool(0, {endpoint.address()}, loopback::Patient()));
  }

  virtual ~Rig() = default;

  FrontEnd* operator->() { return front_end_.get(); }
  FrontEnd& front_end() { return *front_end_; }
  sluice::upstream::UpstreamClient& client() { return *client_; }
  void Destroy() { front_end_.reset(); }

  /// A new client's connection, over TCP where that matters.
  Peer Connect(int receive_bytes = 0) {
    Endpoint place;
    auto opened = sluice::OpenStreamSocket(AF_INET);
    if (receive_bytes > 0)
      ::setsockopt(opened.value().get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                   sizeof receive_bytes);
    const sluice::Address address = place.address();
    (void)sluice::Connect(opened.value().get(), address.get(), address.size());
    const int accepted = [&] {
      pollfd waiting{place.fd(), POLLIN, 0};
      (void)::poll(&waiting, 1, 2000);
      return ::accept4(place.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    }();
    sluice::l4::Accepted taken;
    taken.fd.Reset(accepted);
    taken.peer.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
    taken.peer.port = 4711;
    taken.accepted_at_us = loop_->now_us();
    front_end_->OnAccepted(&taken, 1);
    return Peer(std::move(opened.value()));
  }

  /// The same over a UNIX socket.
  Peer ConnectUnix() {
    int ends[2];
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    sluice::l4::Accepted accepted;
    accepted.fd.Reset(ends[0]);
    front_end_->OnAccepted(&accepted, 1);
    return Peer(UniqueFd(ends[1]));
  }

  bool Until(const std::function<bool()>& is_so) {
    const uint64_t end_us = sluice::MonotonicUs() + loopback::kDeadlineUs;
    while (!is_so()) {
      if (sluice::MonotonicUs() > end_us) return false;
      loop_->Turn(5);
    }
    return true;
  }
  void Turns(int count) {
    for (int turn = 0; turn < count; ++turn)
      loop_->Turn(0);
  }
  size_t CountOf(EventType type, int32_t flags = 0) const {
    size_t count = 0;
    for (const Seen& event : events)
      count += event.type == type && (event.flags & flags) == flags ? 1 : 0;
    return count;
  }
  const Seen* LastOf(EventType type, int32_t flags = 0) const {
    for (size_t at = events.size(); at-- > 0;)
      if (events[at].type == type && (events[at].flags & flags) == flags) return &events[at];
    return nullptr;
  }
  /// Turns until the client has read something that ends so; reads without blocking the loop.
  std::string ReadUntil(Peer& peer, std::string_view end) {
    std::string text;
    Until([&] {
      text += ReadNow(peer);
      return std::string_view(text).ends_with(end);
    });
    return text;
  }
  /// Turns until the connection ends. @returns what came before; `was_reset` says how
  std::string ReadToEnd(Peer& peer, bool* was_reset = nullptr) {
    std::string text;
    bool is_over = false;
    Until([&] {
      char bytes[4096];
      const auto got = sluice::Receive(peer.fd(), bytes, sizeof bytes);
      text.append(bytes, got.bytes);
      is_over = !got.would_block() && got.bytes == 0;
      if (is_over && was_reset != nullptr) *was_reset = got.error != 0;
      return is_over;
    });
    CHECK(is_over);
    return text;
  }
  static std::string ReadNow(Peer& peer) {
    std::string bytes(64 * 1024, '\0');
    bytes.resize(sluice::Receive(peer.fd(), bytes.data(), bytes.size()).bytes);
    return bytes;
  }
  /// Turns until the endpoint has a connection.
  Peer Accepted() {
    Until([&] { return endpoint.HasPending(); });
    return endpoint.Accept();
  }
  /// Turns until the endpoint has read what ends so.
  std::string EndpointReads(Peer& peer, std::string_view end) { return ReadUntil(peer, end); }

  Endpoint endpoint;
  std::vector<Seen> events;
  /// What TypeScript does with a REQUEST, ATTEMPT_FAILED or RESPONSE_ASKED: @returns the decision
  std::function<int32_t(const Seen&)> decide = [](const Seen&) { return 0; };
  /// What it writes as profile and deadline with each decision.
  int32_t profile = sluice::upstream::kPlainProfile;
  int32_t timeout_ms = 0;
  std::function<int32_t(const Seen&, int32_t* words)> admit = [](const Seen&, int32_t*) {
    return kAdmitConnection;
  };
  std::function<void(const Seen&)> on_event = [](const Seen&) {};

 private:
  void OnShortage(int) override {}
  void OnBatch(size_t count) override {
    for (size_t at = 0; at < count; ++at) {
      int32_t* const words = words_.data() + at * sluice::frontend::kEventStride;
      Seen seen;
      seen.type = static_cast<EventType>(words[kType]);
      seen.number = words[kNumber];
      seen.flags = words[kFlags];
      seen.status = words[kStatus];
      seen.reason = words[kReason];
      seen.fault = words[kFault];
      const auto long_at = [&](size_t low) {
        return static_cast<uint64_t>(static_cast<uint32_t>(words[low])) |
               static_cast<uint64_t>(static_cast<uint32_t>(words[low + 1])) << 32;
      };
      if (seen.type == EventType::kProgress) {
        seen.to_client = long_at(kToClientLow);
        seen.from_client = long_at(kFromClientLow);
      }
      const bool has_report = seen.type == EventType::kClosed &&
                              seen.reason == static_cast<int32_t>(ClientEnd::kTlsFailed);
      if (seen.type == EventType::kProgress || seen.type == EventType::kResponseAsked ||
          has_report) {
        seen.retry_after.assign(arena_.data() + words[kRetryAfterOffset],
                                static_cast<size_t>(words[kRetryAfterLength]));
        seen.report.assign(arena_.data() + words[kReportOffset],
                           static_cast<size_t>(words[kReportLength]));
      }
      if (seen.type == EventType::kRequest) {
        seen.method = words[kMethod];
        seen.connection = words[kConnection];
        seen.route = words[kRoute];
        seen.target.assign(arena_.data() + words[kTargetOffset],
                           static_cast<size_t>(words[kTargetLength]));
        seen.host.assign(arena_.data() + words[kHostOffset],
                         static_cast<size_t>(words[kHostLength]));
        seen.body_kind = words[kBodyKind];
        seen.body_bytes = long_at(kBodyLow);
        if (seen.route == kUnknownHost) words[kHostTable] = 0;
      }
      events.push_back(seen);
      if (seen.type == EventType::kOpened) words[kDecision] = admit(seen, words);
      const bool is_asking = seen.type == EventType::kRequest ||
                             seen.type == EventType::kAttemptFailed ||
                             seen.type == EventType::kResponseAsked;
      if (is_asking && !seen.has(event_flag::kOngoing)) {
        words[kDecision] = decide(seen);
        words[kProfile] = profile;
        words[kExchangeTimeoutMs] = timeout_ms;
      }
      on_event(seen);
    }
  }

  std::vector<int32_t> client_words_ = std::vector<int32_t>(64 * 12);
  std::vector<char> client_arena_ = std::vector<char>(512 * 1024);
  std::vector<int32_t> words_;
  std::vector<char> arena_;
  std::unique_ptr<sluice::EventLoop> loop_;
  std::unique_ptr<sluice::upstream::UpstreamClient> client_;
  std::unique_ptr<FrontEnd> front_end_;
};

}  // namespace front_end_rig
