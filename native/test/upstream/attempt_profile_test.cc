// Times of attempts: a profile's go before those of its pool, and an attempt has one of its own.
#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

/// An endpoint in slot 0 whose pool is patient, and profile 1.
struct Timed {
  Endpoint endpoint;
  Client client;

  explicit Timed(AttemptProfile profile, const PoolSettings& settings = Patient()) {
    client.Open(0, endpoint, settings);
    client->OpenProfile(1, std::move(profile));
  }
  Peer Asked(int32_t id, int64_t body_bytes = kNoBody, uint64_t timeout_ms = 0) {
    CHECK(client.SendHeld(id, 0, 0, body_bytes, timeout_ms) == SendResult::kOk);
    Peer peer = client.Accepted(endpoint);
    peer.ReadHead();
    return peer;
  }
};

TEST(RefusesAProfileThatIsNotOpen) {
  Timed test({});
  test.client.Send(1, 0, 0, kNoBody, 0, "GET / HTTP/1.1\r\nhost: a\r\n", 2);
  CHECK(test.client.misuse == Misuse::kNoProfile);
  test.client.Send(1, 0, 0, kNoBody, 0, "GET / HTTP/1.1\r\nhost: a\r\n", -1);
  CHECK(test.client.misuse == Misuse::kNoProfile);
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(TakesTheConnectTimeOfTheProfile) {
  SilentEndpoint silent;
  Client client;
  client.Open(0, silent.endpoint);
  client->OpenProfile(1, {.connect_timeout_ms = 50});
  client.SendHeld(1, 0);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kConnectTimeout);
  CHECK_EQ(event.flags, event_flag::kRetryable);
  CHECK(event.elapsed_us >= 45'000 && event.elapsed_us < 1'000'000);
}

TEST(TakesTheConnectTimeOfTheProfileForWaitingInThePool) {
  PoolSettings settings = Patient();
  settings.max_connections = 1;
  Timed test({.connect_timeout_ms = 50}, settings);
  test.client.Send(1, 0);
  test.client.SendHeld(2, 0);
  CHECK(test.client.UntilEnd(2).failure() == EngineError::kPoolTimeout);
}

TEST(TakesTheFirstByteTimeOfTheProfile) {
  Timed test({.first_byte_timeout_ms = 50});
  Peer peer = test.Asked(1);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kFirstByteTimeout);
}

TEST(TakesTheIdleTimeOfTheProfile) {
  Timed test({.idle_timeout_ms = 50});
  Peer peer = test.Asked(1);
  peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.client.Until([&] { return test.client.CountOf(1, EventType::kFailed) == 1; }));
  CHECK(test.client.events.back().failure() == EngineError::kIdleTimeout);
}

TEST(GivesAnAttemptItsOwnTimeUntilTheHead) {
  Timed test({.attempt_timeout_ms = 60});
  Peer peer = test.Asked(1);
  peer.Write("HTTP/1.1 102 Processing\r\n\r\n");
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kAttemptTimeout);
  CHECK(event.elapsed_us >= 55'000);
  CHECK_EQ(event.flags, event_flag::kSent | event_flag::kAnswered);
}

TEST(EndsTheTimeOfTheAttemptWithTheHead) {
  Timed test({.attempt_timeout_ms = 60});
  Peer peer = test.Asked(1);
  peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  test.client.Until([&] { return test.client.CountOf(1, EventType::kHead) == 1; });
  test.client.TurnsWithin(90'000);
  peer.Write("def");
  CHECK(test.client.UntilEnd(1).has(event_flag::kLast));
  CHECK_EQ(test.client.BodyOf(1), "abcdef");
}

TEST(CountsWaitingInThePoolAsTimeOfTheAttempt) {
  PoolSettings settings = Patient();
  settings.max_connections = 1;
  Timed test({.attempt_timeout_ms = 60}, settings);
  test.client.Send(1, 0);
  test.client.SendHeld(2, 0);
  CHECK(test.client.UntilEnd(2).failure() == EngineError::kAttemptTimeout);
}

TEST(CountsConnectingAsTimeOfTheAttempt) {
  SilentEndpoint silent;
  Client client;
  client.Open(0, silent.endpoint);
  client->OpenProfile(1, {.attempt_timeout_ms = 60, .held_body_bytes = 0});
  client.SendHeld(1, 0);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kAttemptTimeout);
  CHECK_EQ(event.flags, event_flag::kRetryable);
}

TEST(DoesNotCountTheTimeThatAClientTakesForItsBody) {
  Timed test({.attempt_timeout_ms = 60});
  Peer peer = test.Asked(1, 6);
  test.client.Write(1, "abc", false);
  test.client.TurnsWithin(90'000);
  CHECK(test.client.events.empty());
  test.client.Write(1, "def", true);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kAttemptTimeout);
}

TEST(CountsTheAttemptOfABodyThatEndsWhileItConnects) {
  SilentEndpoint silent;
  Client client;
  client.Open(0, silent.endpoint);
  client->OpenProfile(1, {.attempt_timeout_ms = 60});
  client.SendHeld(1, 0, 0, kChunkedBody);
  client.Write(1, "abc", true);
  CHECK(client.UntilEnd(1).failure() == EngineError::kAttemptTimeout);
}

TEST(CountsTheAttemptOfABodyThatEndsWhileItWaits) {
  PoolSettings settings = Patient();
  settings.max_connections = 1;
  Timed test({.attempt_timeout_ms = 60}, settings);
  test.client.Send(1, 0);
  test.client.SendHeld(2, 0, 0, kChunkedBody);
  test.client.Write(2, "abc", true);
  CHECK(test.client.UntilEnd(2).failure() == EngineError::kAttemptTimeout);
}

TEST(PutsTheDeadlineOfTheExchangeBeforeTheTimeOfTheAttempt) {
  Timed test({.attempt_timeout_ms = 60});
  Peer peer = test.Asked(1, kNoBody, 30);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kExchangeTimeout);
}

TEST(GivesEachAttemptItsTimeAnew) {
  Timed test({.attempt_timeout_ms = 60, .held_body_bytes = 0});
  Peer first = test.Asked(1);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kAttemptTimeout);
  test.client.events.clear();
  test.client.Resend(1, 0, 1);
  Peer second = test.client.Accepted(test.endpoint);
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kAttemptTimeout);
  CHECK(event.elapsed_us >= 55'000);
}

TEST(HoldsAttemptsUnderWayToSettingsThatAreChanged) {
  Timed test({});
  test.client->OpenProfile(1, {.first_byte_timeout_ms = 50});
  Peer peer = test.Asked(1);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kFirstByteTimeout);
}

}  // namespace
