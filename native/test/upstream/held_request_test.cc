// Requests that are held until they have an answer: what can be sent again, and how.
#include <string>
#include <utility>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

constexpr int64_t kBodyBytes = 1000;
constexpr int32_t kHeldFlags = event_flag::kRetryable | event_flag::kSent;

/// Endpoints in slots 0 and 1; profile 1 holds bodies of kBodyBytes.
struct Held {
  Endpoint first;
  Endpoint second;
  Client client;

  explicit Held(uint32_t first_byte_timeout_ms = 0) {
    client.Open(0, first);
    client.Open(1, second);
    client->OpenProfile(
        1, {.first_byte_timeout_ms = first_byte_timeout_ms, .held_body_bytes = kBodyBytes});
  }
  /// Exchange 1 has been sent to slot 0, over a fresh connection.
  Peer Sent(int32_t flags = 0, int64_t body_bytes = kNoBody, uint64_t timeout_ms = 0) {
    CHECK(client.SendHeld(1, 0, flags | send_flag::kFresh, body_bytes, timeout_ms) ==
          SendResult::kOk);
    Peer peer = client.Accepted(first);
    peer.ReadHead();
    return peer;
  }
  /// A connection to an endpoint that is idle now.
  Peer Idle(int32_t slot) {
    client.Send(100, slot);
    Peer peer = client.Accepted(slot == 0 ? first : second);
    peer.ReadHead();
    peer.Write(Ok("warm"));
    client.UntilEnd(100);
    client.events.clear();
    return peer;
  }
  SeenEvent UntilFailed() {
    const SeenEvent event = client.UntilEnd(1);
    CHECK(event.type == EventType::kFailed);
    client.events.clear();
    return event;
  }
  /// Sends exchange 1 again to slot 1. @returns what comes there, up to `end`
  std::pair<Peer, std::string> Again(std::string_view end = "\r\n\r\n") {
    CHECK(client.Resend(1, 1, 1) == SendResult::kOk);
    Peer peer = client.Accepted(second);
    std::string request = peer.ReadUntil(end);
    return {std::move(peer), std::move(request)};
  }
};

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nhost: a\r\n\r\n";

TEST(HoldsARequestThatWasSentOverAFreshConnection) {
  Held test;
  test.Sent().Reset();
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, kHeldFlags);
  auto [peer, request] = test.Again();
  CHECK_EQ(request, kPost);
  peer.Write(Ok("again"));
  CHECK_EQ(test.client.UntilEnd(1).body, "again");
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(HoldsARequestWhoseFirstByteDoesNotCome) {
  Held test(50);
  Peer peer = test.Sent();
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kFirstByteTimeout);
  CHECK_EQ(event.flags, kHeldFlags);
  CHECK_EQ(test.Again().second, kPost);
}

TEST(HoldsARequestWhoseAnswerIsNoResponse) {
  Held test;
  Peer peer = test.Sent();
  peer.Write("SSH-2.0-x\r\n");
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kBadResponse);
  CHECK_EQ(event.flags, kHeldFlags | event_flag::kAnswered);
  CHECK_EQ(test.Again().second, kPost);
}

TEST(HoldsARequestWhoseAnswerBreaksOffInItsHead) {
  Held test;
  Peer peer = test.Sent();
  peer.Write("HTTP/1.1 200 OK\r\ncont");
  test.client.TurnsWithin(10'000);
  peer.Close();
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, kHeldFlags | event_flag::kAnswered);
  CHECK_EQ(test.Again().second, kPost);
}

TEST(HoldsARequestBehindAnInterimResponse) {
  Held test;
  Peer peer = test.Sent();
  peer.Write("HTTP/1.1 103 Early Hints\r\n\r\n");
  test.client.TurnsWithin(10'000);
  peer.Close();
  CHECK_EQ(test.UntilFailed().flags, kHeldFlags | event_flag::kAnswered);
  auto [again, request] = test.Again();
  again.Reset();
  CHECK_EQ(test.UntilFailed().flags, kHeldFlags);  // of the second attempt nothing came
}

TEST(LetsGoOfARequestWithTheHead) {
  Held test;
  Peer peer = test.Sent();
  peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  test.client.Until([&] { return test.client.CountOf(1, EventType::kHead) == 1; });
  peer.Close();
  test.client.Until([&] { return test.client.CountOf(1, EventType::kFailed) == 1; });
  CHECK_EQ(test.client.events.back().flags,
           event_flag::kSent | event_flag::kAnswered | event_flag::kHeadSeen);
  test.client.Resend(1, 1);
  CHECK(test.client.misuse == Misuse::kNotHeld);
}

TEST(DoesNotHoldWhatHasNoTimeLeft) {
  Held test;
  Peer peer = test.Sent(0, kNoBody, 50);
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kExchangeTimeout);
  CHECK_EQ(event.flags, event_flag::kSent);
}

TEST(HoldsABodyUpToTheBound) {
  Held test;
  Peer peer = test.Sent(0, kBodyBytes);
  const std::string body(kBodyBytes, 'b');
  test.client.Write(1, body, true);
  peer.ReadUntil(body);
  peer.Reset();
  CHECK_EQ(test.UntilFailed().flags, kHeldFlags);
  auto [again, request] = test.Again(body);
  CHECK_EQ(request, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n" + body);
}

TEST(HoldsNoBodyAboveTheBound) {
  Held test;
  Peer peer = test.Sent(0, kBodyBytes + 1);
  peer.Reset();  // its length alone decides
  CHECK_EQ(test.UntilFailed().flags, event_flag::kSent);
}

TEST(HoldsAChunkedBodyUpToTheBound) {
  Held test;
  Peer peer = test.Sent(0, kChunkedBody);
  const std::string part(kBodyBytes / 2, 'b');
  test.client.Write(1, part, false);
  test.client.Write(1, part, true);
  const std::string sent = peer.ReadUntil("0\r\n\r\n");
  peer.Reset();
  CHECK_EQ(test.UntilFailed().flags, kHeldFlags);
  auto [again, request] = test.Again("0\r\n\r\n");
  CHECK(request.ends_with("transfer-encoding: chunked\r\n\r\n" + sent));
}

TEST(LetsGoOfAChunkedBodyThatPassesTheBound) {
  Held test;
  Peer peer = test.Sent(0, kChunkedBody);
  test.client.Write(1, std::string(kBodyBytes, 'b'), false);
  test.client.Write(1, "b", false);
  peer.ReadSome();
  peer.Reset();
  CHECK_EQ(test.UntilFailed().flags, event_flag::kSent);
}

TEST(KeepsAPromisedBodyHoweverLongItGets) {
  Held test;
  Peer peer = test.Sent(0, kChunkedBody);
  test.client.Write(1, "one", false);
  peer.ReadSome();
  peer.Reset();
  CHECK_EQ(test.UntilFailed().flags, kHeldFlags);
  const std::string rest(kBodyBytes, 'b');
  test.client.Write(1, rest, true);
  auto [again, request] = test.Again("0\r\n\r\n");
  CHECK(request.ends_with("3\r\none\r\n3e8\r\n" + rest + "\r\n0\r\n\r\n"));
  again.Reset();
  CHECK_EQ(test.UntilFailed().flags, event_flag::kSent);  // too long for a third time
}

TEST(GivesAnUnsentBodyBackHoweverLongItIs) {
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(ClosedPort())}, Patient()));
  client->OpenProfile(1, {.held_body_bytes = 0});
  client.SendHeld(1, 0, 0, kChunkedBody);
  client.Write(1, std::string(5000, 'b'), true);
  CHECK_EQ(client.UntilEnd(1).flags, event_flag::kRetryable);
}

TEST(DoesNotHoldABodyThatWasCutShort) {
  Held test;
  Peer peer = test.Sent(0, 10);
  test.client.Write(1, "abc", true);
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, event_flag::kSent);
}

TEST(SendsWhatWasSentAgainOverAFreshConnection) {
  Held test;
  Peer idle = test.Idle(1);
  test.Sent().Reset();
  test.UntilFailed();
  auto [fresh, request] = test.Again();
  CHECK_EQ(request, kPost);
  CHECK(idle.ReadSome(0).empty());
  fresh.Write(Ok("fresh"));
  CHECK(!test.client.UntilEnd(1).has(event_flag::kReused));
}

TEST(TellsOfAReusedConnectionThatDiedUnderARequestThatCannotBeReplayed) {
  Held test;
  Peer idle = test.Idle(0);
  test.client.SendHeld(1, 0);
  idle.ReadHead();
  idle.Close();
  const SeenEvent event = test.UntilFailed();
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, kHeldFlags | event_flag::kReused);
  CHECK_EQ(test.client->stats().replays, 0);
  CHECK_EQ(test.Again().second, kPost);
}

TEST(ReplaysAnIdempotentRequestAsEver) {
  Held test;
  Peer idle = test.Idle(0);
  test.client.SendHeld(1, 0, send_flag::kIdempotent);
  idle.ReadHead();
  idle.Close();
  CHECK(test.client.Until([&] { return test.client->stats().replays == 1; }));
  Peer replay = test.client.Accepted(test.first);
  CHECK_EQ(replay.ReadHead(), kPost);
  replay.Close();
  CHECK_EQ(test.UntilFailed().flags, kHeldFlags);  // the replay was not on a reused one
}

TEST(FreesAHeldRequestThatIsReleased) {
  Held test;
  test.Sent().Reset();
  test.UntilFailed();
  CHECK_EQ(test.client->stats().exchanges, 1);
  test.client->Release(1);
  CHECK_EQ(test.client->stats().exchanges, 0);
  test.client.Resend(1, 1);
  CHECK(test.client.misuse == Misuse::kNotHeld);
}

TEST(GoesOnHoldingWhereTheNextEndpointHasNoPool) {
  Held test;
  test.Sent().Reset();
  test.UntilFailed();
  CHECK(test.client.Resend(1, 7, 1) == SendResult::kNoPool);
  CHECK_EQ(test.Again().second, kPost);
}

}  // namespace
