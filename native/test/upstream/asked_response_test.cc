// Responses that are asked about: held until they are passed on, or dropped for another attempt.
#include <string>
#include <utility>

#include "upstream/loopback.h"
#include "upstream/recording_sink.h"

namespace {

using namespace loopback;

constexpr std::string_view kHead = "POST / HTTP/1.1\r\nhost: a\r\n";
constexpr std::string_view kRequest = "POST / HTTP/1.1\r\nhost: a\r\n\r\n";

AttemptProfile Asking(uint32_t idle_timeout_ms = 0) {
  return {.idle_timeout_ms = idle_timeout_ms, .held_body_bytes = 100, .asked_statuses = {429, 503}};
}

std::string Answer(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " x\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

/// Endpoints in slots 0 and 1; exchange 1 has been sent to the first, with a profile that asks.
struct Asked {
  Endpoint first;
  Endpoint second;
  Client client;
  Peer peer{sluice::UniqueFd()};

  explicit Asked(int64_t body_bytes = kNoBody, uint64_t timeout_ms = 0,
                 AttemptProfile profile = Asking()) {
    client.Open(0, first);
    client.Open(1, second);
    client->OpenProfile(1, std::move(profile));
    CHECK(client.SendHeld(1, 0, 0, body_bytes, timeout_ms) == SendResult::kOk);
    peer = client.Accepted(first);
    peer.ReadHead();
  }
  SeenEvent UntilHead() {
    CHECK(client.Until([&] { return client.CountOf(1, EventType::kHead) > 0; }));
    const SeenEvent event = client.events.front();  // on a slow machine more may have come
    client.events.erase(client.events.begin());
    return event;
  }
  /// Sends exchange 1 again to slot 1. @returns what comes there
  std::pair<Peer, std::string> Again(std::string_view end = "\r\n\r\n") {
    CHECK(client.Resend(1, 1, 1) == SendResult::kOk);
    Peer again = client.Accepted(second);
    std::string request = again.ReadUntil(end);
    return {std::move(again), std::move(request)};
  }
};

TEST(AsksAboutACompleteResponseAndKeepsItsConnection) {
  Asked test;
  test.peer.Write(Answer(503, "busy"));
  const SeenEvent event = test.UntilHead();
  CHECK_EQ(event.status, 503);
  CHECK_EQ(event.body, "busy");
  CHECK_EQ(event.flags, event_flag::kAsked | event_flag::kLast | event_flag::kLengthKnown);
  CHECK_EQ(test.client->stats().idle_connections, 1);
  CHECK_EQ(test.client->stats().exchanges, 1);
  test.client->Pass(1);
  CHECK_EQ(test.client->stats().exchanges, 0);
  test.client.TurnsWithin(10'000);
  CHECK(test.client.events.empty());
}

TEST(DoesNotAskAboutOtherStatuses) {
  Asked test;
  test.peer.Write(Answer(500, "broken"));
  CHECK_EQ(test.UntilHead().flags, event_flag::kLast | event_flag::kLengthKnown);
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(SendsTheRequestElsewhereBehindACompleteResponse) {
  Asked test;
  test.peer.Write(Answer(429, "slow down"));
  test.UntilHead();
  auto [again, request] = test.Again();
  CHECK_EQ(request, kRequest);
  CHECK_EQ(test.client->stats().idle_connections, 1);
  again.Write(Ok("fine"));
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK_EQ(event.status, 200);
  CHECK_EQ(event.body, "fine");
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(AsksAboutTheNextResponseToo) {
  Asked test;
  test.peer.Write(Answer(503, "one"));
  test.UntilHead();
  auto [again, request] = test.Again();
  again.Write(Answer(503, "two"));
  const SeenEvent event = test.UntilHead();
  CHECK(event.has(event_flag::kAsked));
  CHECK_EQ(event.body, "two");
}

TEST(StopsReadingAnIncompleteResponseUntilItIsPassedOn) {
  Asked test(kNoBody, 0, Asking(40));
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
  const SeenEvent event = test.UntilHead();
  CHECK_EQ(event.flags, event_flag::kAsked | event_flag::kLengthKnown);
  CHECK_EQ(event.body, "abc");
  test.peer.Write("def");
  test.client.TurnsWithin(60'000);  // no idle time runs, either
  CHECK(test.client.events.empty());
  test.client->Pass(1);
  test.peer.Write("ghi");
  CHECK(test.client.UntilEnd(1).has(event_flag::kLast));
  CHECK_EQ(test.client.BodyOf(1), "defghi");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(HoldsTheEndpointToItsIdleTimeAgainWhenPassedOn) {
  Asked test(kNoBody, 0, Asking(40));
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
  test.UntilHead();
  test.client->Pass(1);
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kIdleTimeout);
  CHECK_EQ(event.flags, event_flag::kSent | event_flag::kAnswered | event_flag::kHeadSeen);
}

TEST(DropsTheRestOfAnIncompleteResponseForAnotherAttempt) {
  Asked test;
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
  test.UntilHead();
  auto [again, request] = test.Again();
  CHECK_EQ(request, kRequest);
  CHECK(test.peer.ReadSome().empty());  // closed
  again.Write(Ok("fine"));
  CHECK_EQ(test.client.UntilEnd(1).body, "fine");
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(AsksAboutAResponseThatEndsWithItsConnection) {
  Asked test;
  test.peer.Write("HTTP/1.1 503 x\r\n\r\nabc");
  CHECK_EQ(test.UntilHead().flags, event_flag::kAsked);
  test.peer.Close();
  test.client.TurnsWithin(10'000);
  CHECK(test.client.events.empty());
  test.client->Pass(1);
  CHECK(test.client.UntilEnd(1).has(event_flag::kLast));
}

TEST(TellsOfAResponseThatWasCutOffWhenPassedOn) {
  Asked test;
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
  test.UntilHead();
  test.peer.Close();
  test.client->Pass(1);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kTruncated);
}

TEST(LetsTheDeadlineEndTheWait) {
  for (const bool is_complete : {false, true}) {
    Asked test(kNoBody, 300);
    test.peer.Write(is_complete ? Answer(503, "abc")
                                : "HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
    test.UntilHead();
    const SeenEvent event = test.client.UntilEnd(1);
    CHECK(event.failure() == EngineError::kExchangeTimeout);
    CHECK_EQ(event.flags, event_flag::kSent | event_flag::kAnswered);
    CHECK_EQ(test.client->stats().exchanges, 0);
    CHECK_EQ(test.client->stats().connections, is_complete ? 1 : 0);
  }
}

TEST(HeedsNoDecisionThatComesBehindTheDeadline) {
  Asked test(kNoBody, 300);
  test.peer.Write(Answer(503, "abc"));
  test.UntilHead();
  // In the batch that tells of it, before that is read.
  test.client.on_event = [&](size_t) {
    CHECK(test.client.Resend(1, 1, 1) == SendResult::kOk);
    CHECK(test.client.misuse == Misuse::kNone);
    test.client->Pass(1);
  };
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kExchangeTimeout);
  CHECK_EQ(test.client->stats().exchanges, 0);
  CHECK(!test.second.HasPending());
}

TEST(ReleasesAnExchangeThatIsAskedAbout) {
  for (const bool is_complete : {false, true}) {
    Asked test;
    test.peer.Write(is_complete ? Answer(503, "abc")
                                : "HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
    test.UntilHead();
    test.client->Release(1);
    CHECK_EQ(test.client->stats().exchanges, 0);
    CHECK_EQ(test.client->stats().connections, is_complete ? 1 : 0);
    test.client->Pass(1);
    test.client.TurnsWithin(10'000);
    CHECK(test.client.events.empty());
  }
}

TEST(DoesNotAskWhereTheRequestIsNotHeld) {
  Asked test(101);
  test.client.Write(1, std::string(101, 'b'), true);
  test.peer.ReadUntil("b");
  test.peer.Write(Answer(503, "abc"));
  CHECK(!test.UntilHead().has(event_flag::kAsked));
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(AsksAboutAnEarlyResponseAndTakesTheRestOfTheBody) {
  Asked test(kChunkedBody);
  test.client.Write(1, "one", false);
  test.peer.ReadUntil("one\r\n");
  test.peer.Write(Answer(503, "abc"));
  const SeenEvent event = test.UntilHead();
  CHECK_EQ(event.flags, event_flag::kAsked | event_flag::kLast | event_flag::kLengthKnown |
                            event_flag::kRequestUnfinished);
  CHECK_EQ(test.client->stats().connections, 0);
  test.client.Write(1, "two", true);
  auto [again, request] = test.Again("0\r\n\r\n");
  CHECK(request.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
  again.Write(Ok("fine"));
  CHECK_EQ(test.client.UntilEnd(1).body, "fine");
}

TEST(GoesOnSendingWhileAnIncompleteResponseWaits) {
  Asked test(kChunkedBody);
  test.client.Write(1, "one", false);
  test.peer.ReadUntil("one\r\n");
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 6\r\n\r\nabc");
  test.UntilHead();
  test.client.Write(1, "two", true);
  CHECK_EQ(test.peer.ReadUntil("0\r\n\r\n"), "3\r\ntwo\r\n0\r\n\r\n");
  auto [again, request] = test.Again("0\r\n\r\n");
  CHECK(request.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
}

TEST(FailsABodyThatIsCutShortWhileAResponseWaits) {
  Asked test(6);
  test.client.Write(1, "one", false);
  test.peer.ReadUntil("one");
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 6\r\n\r\nabc");
  test.UntilHead();
  test.client.Write(1, "", true);
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, event_flag::kSent | event_flag::kAnswered);
}

TEST(ClosesWithResponsesThatWait) {
  Asked test;
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 9\r\n\r\nabc");
  test.UntilHead();
  test.client->Close();
  CHECK_EQ(test.client->stats().exchanges, 0);
  CHECK_EQ(test.client->stats().connections, 0);
}

/// An exchange for a sink, with a profile that asks.
struct SunkAsked : Sunk {
  SunkAsked() {
    client->OpenProfile(1, Asking());
    std::memcpy(client->scratch(), kHead.data(), kHead.size());
    CHECK(client->SendFor(&sink, kId, 0, kHead.size(), 0, kNoBody, 0, &client.misuse, 1) ==
          SendResult::kOk);
    peer = client.Accepted(endpoint);
    peer.ReadHead();
  }
};

TEST(LetsASinkHoldAResponse) {
  SunkAsked test;
  test.sink.verdict = [](const SeenCall& seen) {
    CHECK(seen.is_asked);
    return SinkVerdict::kHold;
  };
  test.peer.Write("HTTP/1.1 503 x\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.UntilCalls(1));
  test.peer.Write("def");
  test.client.TurnsWithin(10'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  test.sink.verdict = [](const SeenCall& seen) {
    CHECK(!seen.is_asked);
    return SinkVerdict::kMore;
  };
  test.client->Pass(Sunk::kId);
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.body(), "abcdef");
}

TEST(HoldsNoResponseThatASinkDoesNotWantToHold) {
  SunkAsked test;
  test.peer.Write(Answer(503, "abc"));
  CHECK(test.UntilEnd().is_asked);
  CHECK_EQ(test.client->stats().exchanges, 0);
}

}  // namespace
