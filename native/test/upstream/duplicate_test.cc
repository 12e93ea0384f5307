// A request that goes to two endpoints at the same time: two exchanges, each for itself.
#include <string>
#include <utility>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

constexpr int32_t kFirst = 5;
constexpr int32_t kSecond = kFirst + kHedgeOffset;

/// Endpoints in slots 0 and 1; exchange kFirst has been sent to the first.
struct Hedged {
  Endpoint first;
  Endpoint second;
  Client client;
  Peer peer{sluice::UniqueFd()};
  Peer other{sluice::UniqueFd()};

  explicit Hedged(int64_t body_bytes = kNoBody, uint64_t timeout_ms = 0) {
    client.Open(0, first);
    client.Open(1, second);
    client->OpenProfile(1, {.held_body_bytes = 100});
    client.SendHeld(kFirst, 0, send_flag::kIdempotent, body_bytes, timeout_ms);
    peer = client.Accepted(first);
    peer.ReadHead();
  }
  SendResult Duplicate(uint64_t timeout_ms = 0) {
    return client.Duplicate(kFirst, kSecond, 1, timeout_ms, 1);
  }
  std::string UntilOther(std::string_view end = "\r\n\r\n") {
    other = client.Accepted(second);
    return other.ReadUntil(end);
  }
};

TEST(SendsAHeldRequestASecondTime) {
  Hedged test;
  CHECK(test.Duplicate() == SendResult::kOk);
  CHECK_EQ(test.UntilOther(), "POST / HTTP/1.1\r\nhost: a\r\n\r\n");
  CHECK_EQ(test.client->stats().exchanges, 2);
  test.other.Write(Ok("second"));
  CHECK_EQ(test.client.UntilEnd(kSecond).body, "second");
  test.peer.Write(Ok("first"));
  CHECK_EQ(test.client.UntilEnd(kFirst).body, "first");
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(SendsAHeldBodyASecondTime) {
  Hedged test(kChunkedBody);
  test.client.Write(kFirst, "one", false);
  CHECK(test.Duplicate() == SendResult::kNotWhole);  // more of it is still to come
  test.client.Write(kFirst, "two", true);
  const std::string body = test.peer.ReadUntil("0\r\n\r\n");
  CHECK(test.Duplicate() == SendResult::kOk);
  CHECK(test.UntilOther("0\r\n\r\n").ends_with("transfer-encoding: chunked\r\n\r\n" + body));
}

TEST(LeavesTheOtherAttemptAloneWhenOneIsReleased) {
  Hedged test;
  test.Duplicate();
  test.UntilOther();
  test.client->Release(kFirst);
  test.other.Write(Ok("second"));
  CHECK_EQ(test.client.UntilEnd(kSecond).body, "second");
  CHECK_EQ(test.client.CountOf(kFirst, EventType::kHead), 0);
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(WithdrawsTheEventsOfTheOneThatIsReleasedInTheSameBatch) {
  Hedged test;
  test.Duplicate();
  test.UntilOther();
  test.peer.Write(Ok("first"));
  test.other.Write(Ok("second"));
  Stall(5'000);
  test.client.on_event = [&](size_t) { test.client->Release(kSecond); };
  CHECK_EQ(test.client.UntilEnd(kFirst).body, "first");
  CHECK_EQ(test.client.batches.size(), 1);
  CHECK_EQ(test.client.batches.front(), 2);
  CHECK_EQ(test.client.CountOf(kSecond, EventType::kHead), 0);
}

TEST(HoldsTheSecondAttemptForItself) {
  Hedged test;
  test.Duplicate();
  test.UntilOther();
  test.other.Reset();
  const SeenEvent event = test.client.UntilEnd(kSecond);
  CHECK_EQ(event.flags, event_flag::kRetryable | event_flag::kSent);
  test.peer.Reset();
  CHECK_EQ(test.client.UntilEnd(kFirst).flags, event_flag::kRetryable | event_flag::kSent);
  test.client.events.clear();
  CHECK(test.client.Resend(kSecond, 1, 1) == SendResult::kOk);
  test.UntilOther();
  test.other.Write(Ok("again"));
  CHECK_EQ(test.client.UntilEnd(kSecond).body, "again");
}

TEST(DuplicatesARequestThatWaitsForItsNextAttempt) {
  Hedged test;
  test.peer.Reset();
  test.client.UntilEnd(kFirst);
  CHECK(test.Duplicate() == SendResult::kOk);
  CHECK_EQ(test.UntilOther(), "POST / HTTP/1.1\r\nhost: a\r\n\r\n");
}

TEST(DuplicatesNothingThatIsAnswered) {
  Hedged test;
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  test.client.Until([&] { return test.client.CountOf(kFirst, EventType::kHead) > 0; });
  CHECK(test.Duplicate() == SendResult::kNotWhole);
  CHECK_EQ(test.client->stats().exchanges, 1);
}

TEST(DuplicatesNothingThatIsNotHeld) {
  Hedged test;
  CHECK(test.client.Duplicate(77, 78, 1) == SendResult::kNotWhole);
  CHECK(test.client.Duplicate(kFirst, 78, 9) == SendResult::kNoPool);
  CHECK(test.client.Duplicate(kFirst, kFirst, 1) == SendResult::kOk);
  CHECK(test.client.misuse == Misuse::kExchangeInUse);
  test.client.Duplicate(kFirst, 78, 1, 0, 9);
  CHECK(test.client.misuse == Misuse::kNoProfile);
  test.client.Send(6, 0);
  Peer plain = test.client.Accepted(test.first);
  plain.ReadHead();
  CHECK(test.client.Duplicate(6, 78, 1) == SendResult::kNotWhole);
}

TEST(GivesTheSecondAttemptADeadlineOfItsOwn) {
  Hedged test;
  test.Duplicate(50);
  test.UntilOther();
  CHECK(test.client.UntilEnd(kSecond).failure() == EngineError::kExchangeTimeout);
  CHECK_EQ(test.client.CountOf(kFirst, EventType::kFailed), 0);
}

TEST(SendsTheSecondAttemptOverAnIdleConnection) {
  Hedged test;
  test.client.Send(50, 1);
  Peer idle = test.client.Accepted(test.second);
  idle.ReadHead();
  idle.Write(Ok("warm"));
  test.client.UntilEnd(50);
  test.Duplicate();
  CHECK_EQ(idle.ReadHead(), "POST / HTTP/1.1\r\nhost: a\r\n\r\n");
  idle.Write(Ok("second"));
  CHECK(test.client.UntilEnd(kSecond).has(event_flag::kReused));
}

TEST(FreesBothWhenTheClientIsClosed) {
  Hedged test;
  test.Duplicate();
  test.UntilOther();
  test.client->Close();
  CHECK_EQ(test.client->stats().exchanges, 0);
  CHECK_EQ(test.client->stats().connections, 0);
}

}  // namespace
