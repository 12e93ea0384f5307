// Deadlines when a thread was kept from its loop, and requests whose time is over.
#include <sys/resource.h>

#include <string>
#include <utility>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

constexpr std::string_view kPost = "POST /charge HTTP/1.1\r\nhost: a\r\n";

TEST(DoesNotOfferARequestWhoseTimeIsOverForSendingAgain) {
  SilentEndpoint silent;
  Client client;
  client.Open(0, silent.endpoint);
  client.Send(1, 0, 0, kNoBody, 50, kPost);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kExchangeTimeout);
  CHECK_EQ(event.flags, 0);
  client.Resend(1, 0);
  CHECK(client.misuse == Misuse::kNotHeld);
  CHECK_EQ(client->stats().exchanges, 0);
}

TEST(DoesNotSendAHeldRequestAfterItsTime) {
  Endpoint endpoint;
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(ClosedPort())}, Patient()));
  client.Open(1, endpoint);
  client.Send(9, 1);
  Peer peer = client.Accepted(endpoint);
  peer.ReadHead();
  peer.Write(Ok("warm"));
  client.UntilEnd(9);
  client.Send(1, 0, 0, kNoBody, 30, kPost);
  CHECK(client.UntilEnd(1).has(event_flag::kRetryable));
  client.events.clear();
  Stall(40'000);
  CHECK(client.Resend(1, 1) == SendResult::kOk);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kExchangeTimeout);
  CHECK_EQ(event.flags, 0);
  CHECK(peer.ReadSome(0).empty());
  CHECK_EQ(client->stats().idle_connections, 1);
}

TEST(ReadsEveryAnswerBeforeItBlamesAnEndpoint) {
  constexpr int32_t kExchanges = 1000;  // more than one wait brings
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Endpoint endpoint(4096);
  Client client;
  PoolSettings settings = Patient();
  settings.first_byte_timeout_ms = 1500;
  client.Open(0, endpoint, settings);
  std::vector<Peer> peers;
  for (int32_t id = 0; id < kExchanges; ++id) {
    client.Send(id, 0);
    peers.push_back(client.Accepted(endpoint));
  }
  for (Peer& peer : peers) {
    peer.ReadHead();
    peer.Write(Ok("in time"));
  }
  Stall(1'600'000);
  CHECK(client.Until([&] { return client.events.size() == kExchanges; }));
  size_t heads = 0;
  for (const SeenEvent& event : client.events)
    heads += event.type == EventType::kHead ? 1 : 0;
  CHECK_EQ(heads, kExchanges);
}

TEST(CountsTheTimeOfARequestFromItsSendingInALongBatch) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.first_byte_timeout_ms = 100;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer peer = client.Accepted(endpoint);
  peer.ReadHead();
  bool has_stalled = false;
  client.on_event = [&](size_t) {
    if (std::exchange(has_stalled, true)) return;
    Stall(150'000);
    client.Send(2, 0);
  };
  peer.Write(Ok("one"));
  client.UntilEnd(1);
  client.Turn(0);
  CHECK_EQ(client.CountOf(2, EventType::kFailed), 0);
  peer.ReadHead();
  peer.Write(Ok("two"));
  const SeenEvent event = client.UntilEnd(2);
  CHECK_EQ(event.body, "two");
  CHECK(event.elapsed_us < 100'000);
}

TEST(DoesNotCountALongBatchAsTheEndpointsTime) {
  Endpoint endpoint;
  Client client(kMinEvents);
  client.Open(0, endpoint);
  std::vector<Peer> peers;
  // One more than a batch holds: the last answer is read after a batch has gone out.
  const auto exchanges = static_cast<int32_t>(kMinEvents) + 1;
  for (int32_t id = 0; id < exchanges; ++id) {
    client.Send(id, 0);
    peers.push_back(client.Accepted(endpoint));
    peers.back().ReadHead();
  }
  bool has_stalled = false;
  client.on_event = [&](size_t) {
    if (!std::exchange(has_stalled, true)) Stall(1'000'000);
  };
  const uint64_t before_us = sluice::MonotonicUs();
  for (Peer& peer : peers)
    peer.Write(Ok("x"));
  CHECK(client.Until([&] { return client.events.size() == peers.size(); }));
  CHECK(sluice::MonotonicUs() - before_us >= 1'000'000);
  for (const SeenEvent& event : client.events)
    CHECK(event.elapsed_us < 900'000);
}

}  // namespace
