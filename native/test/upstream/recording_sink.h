// A response sink that takes down every call, and an exchange of the client that goes to it.
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "upstream/loopback.h"
#include "upstream/response_sink.h"

namespace loopback {

enum class Call { kInterim, kResponse, kSwitched, kFailed, kDrained };

/// A call with copies of its bytes.
struct SeenCall {
  Call call = Call::kResponse;
  int32_t exchange = 0;
  int status = 0;  // where a head came
  std::string head = {};
  std::string body = {};  // kSwitched: what came behind the head
  bool is_last = false;
  bool is_request_unfinished = false;
  bool is_asked = false;
  std::string trailers = {};
  uint64_t elapsed_us = 0;
  EngineError failure = EngineError::kNone;
  int32_t failure_errno = 0;
  int32_t failure_flags = 0;

  bool has(int32_t flag) const { return (failure_flags & flag) != 0; }
  bool is_end() const { return is_last || call == Call::kFailed || call == Call::kSwitched; }
};

class RecordingSink final : public ResponseSink {
 public:
  std::vector<SeenCall> calls;
  /// The sockets of OnSwitched.
  std::vector<sluice::UniqueFd> sockets;
  /// What to say to an interim response or a part of a response, after it was taken down.
  std::function<SinkVerdict(const SeenCall&)> verdict = [](const SeenCall&) {
    return SinkVerdict::kMore;
  };

  size_t CountOf(Call call) const {
    size_t count = 0;
    for (const SeenCall& seen : calls)
      count += seen.call == call ? 1 : 0;
    return count;
  }
  std::string body() const {
    std::string all;
    for (const SeenCall& seen : calls)
      all += seen.body;
    return all;
  }
  /// How the exchange ended; of kNone and not last where it has not.
  SeenCall end() const {
    return calls.empty() || !calls.back().is_end() ? SeenCall{} : calls.back();
  }

 private:
  SinkVerdict OnInterim(Exchange* exchange, const sluice::http1::ResponseHead& head,
                        std::string_view head_input) override {
    SeenCall seen{.call = Call::kInterim, .exchange = exchange->id, .status = head.status};
    seen.head = head_input;
    calls.push_back(std::move(seen));
    return verdict(calls.back());
  }
  SinkVerdict OnResponse(Exchange* exchange, const ResponsePart& part) override {
    SeenCall seen{.call = Call::kResponse, .exchange = exchange->id};
    if (part.head != nullptr) seen.status = part.head->status;
    seen.head = part.head_input;
    if (part.body_bytes > 0) {
      seen.body.assign(part.body, part.body_bytes);
      // A sink may do so; nothing of the client's may depend on it.
      std::memset(part.body, '!', part.body_bytes);
    }
    seen.is_last = part.is_last;
    seen.is_request_unfinished = part.is_request_unfinished;
    seen.is_asked = part.is_asked;
    seen.trailers = part.trailers;
    seen.elapsed_us = part.elapsed_us;
    calls.push_back(std::move(seen));
    return verdict(calls.back());
  }
  void OnSwitched(Exchange* exchange, const sluice::http1::ResponseHead& head,
                  std::string_view head_input, SwitchedConnection switched,
                  std::string_view received, uint64_t elapsed_us) override {
    SeenCall seen{.call = Call::kSwitched, .exchange = exchange->id, .status = head.status};
    seen.head = head_input;
    seen.body = received;
    seen.elapsed_us = elapsed_us;
    calls.push_back(std::move(seen));
    sockets.push_back(std::move(switched.fd));
  }
  void OnFailed(Exchange* exchange) override {
    SeenCall seen{.call = Call::kFailed, .exchange = exchange->id};
    seen.failure = exchange->failure;
    seen.failure_errno = exchange->failure_errno;
    seen.failure_flags = exchange->failure_flags;
    seen.elapsed_us = exchange->failed_at_us - exchange->started_us;
    calls.push_back(std::move(seen));
  }
  void OnDrained(Exchange* exchange) override {
    calls.push_back({.call = Call::kDrained, .exchange = exchange->id});
  }
};

/// Exchange 7 at an endpoint in slot 0, for a sink.
struct Sunk {
  static constexpr int32_t kId = 7;

  Endpoint endpoint;
  RecordingSink sink;
  Client client;
  Peer peer{sluice::UniqueFd()};

  explicit Sunk(const PoolSettings& settings = Patient()) { client.Open(0, endpoint, settings); }
  /// A request is on its way, and the endpoint has read its head.
  explicit Sunk(int32_t flags, int64_t body_bytes = kNoBody,
                const PoolSettings& settings = Patient())
      : Sunk(settings) {
    CHECK(Send(flags, body_bytes) == SendResult::kOk);
    peer = endpoint.Accept();
    client.Until([&] { return client->stats().bytes_to_endpoints > 0; });
    peer.ReadHead();
  }

  SendResult Send(int32_t flags = 0, int64_t body_bytes = kNoBody, uint64_t timeout_ms = 0,
                  int32_t slot = 0, std::string_view head = "GET / HTTP/1.1\r\nhost: a\r\n") {
    std::memcpy(client->scratch(), head.data(), head.size());
    client.misuse = Misuse::kNone;
    return client->SendFor(&sink, kId, slot, head.size(), flags, body_bytes, timeout_ms,
                           &client.misuse);
  }
  bool UntilCalls(size_t count) {
    return client.Until([&] { return sink.calls.size() >= count; });
  }
  SeenCall UntilEnd() {
    client.Until([&] { return sink.end().is_end(); });
    return sink.end();
  }
};

}  // namespace loopback
