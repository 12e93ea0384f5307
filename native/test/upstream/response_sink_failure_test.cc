// Exchanges of a response sink that fail, are sent again, are answered early or held up.
#include <string>

#include "upstream/recording_sink.h"

namespace {

using namespace loopback;

Address ClosedAddress() {
  return *Address::Parse(ClosedPort());
}

TEST(TellsOfARefusedConnectionOutsideTheCall) {
  Sunk test;
  test.client->OpenPool(1, {ClosedAddress()}, Patient());
  CHECK(test.Send(0, kNoBody, 0, 1) == SendResult::kOk);
  CHECK(test.sink.calls.empty());
  const SeenCall end = test.UntilEnd();
  CHECK(end.failure == EngineError::kConnectRefused);
  CHECK_EQ(end.failure_errno, ECONNREFUSED);
  CHECK_EQ(end.failure_flags, event_flag::kRetryable);
  CHECK(test.client.events.empty());
}

TEST(SendsAHeldRequestAgain) {
  Sunk test;
  test.client->OpenPool(1, {ClosedAddress()}, Patient());
  CHECK(test.Send(0, 3, 0, 1) == SendResult::kOk);
  test.client->Write(Sunk::kId, "abc", true, &test.client.misuse);
  CHECK(test.UntilEnd().has(event_flag::kRetryable));
  CHECK_EQ(test.client->stats().exchanges, 1);
  CHECK(test.client.Resend(Sunk::kId, 0) == SendResult::kOk);
  CHECK(test.client.misuse == Misuse::kNone);
  test.peer = test.client.Accepted(test.endpoint);
  CHECK_EQ(test.peer.ReadUntil("abc"), "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  test.peer.Write(Ok("fine"));
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.calls.size(), 3);
  CHECK(test.sink.calls[1].call == Call::kDrained);
  CHECK_EQ(test.sink.body(), "fine");
}

TEST(GivesAHeldRequestUp) {
  for (const bool is_sent_anew : {false, true}) {
    Sunk test;
    test.client->OpenPool(1, {ClosedAddress()}, Patient());
    CHECK(test.Send(0, kNoBody, 0, 1) == SendResult::kOk);
    CHECK(test.UntilEnd().has(event_flag::kRetryable));
    test.sink.calls.clear();
    if (is_sent_anew) {
      CHECK(test.Send() == SendResult::kOk);
      CHECK(test.client.misuse == Misuse::kNone);
      test.peer = test.client.Accepted(test.endpoint);
      test.peer.ReadHead();
      test.peer.Write(Ok("new"));
      CHECK(test.UntilEnd().is_last);
    } else {
      test.client->Release(Sunk::kId);
      test.client.Resend(Sunk::kId, 0);
      CHECK(test.client.misuse == Misuse::kNotHeld);
    }
    CHECK_EQ(test.client->stats().exchanges, 0);
  }
}

TEST(TellsOfAResetBeforeTheHead) {
  Sunk test(0);
  test.peer.Reset();
  const SeenCall end = test.UntilEnd();
  CHECK(end.failure == EngineError::kReset);
  CHECK_EQ(end.failure_errno, ECONNRESET);
  CHECK_EQ(end.failure_flags, event_flag::kSent);
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(TellsOfAResetAfterTheHead) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.UntilCalls(1));
  test.peer.Reset();
  const SeenCall end = test.UntilEnd();
  CHECK(end.failure == EngineError::kTruncated);
  CHECK_EQ(end.failure_errno, ECONNRESET);
  CHECK_EQ(end.failure_flags, event_flag::kHeadSeen | event_flag::kSent | event_flag::kAnswered);
  CHECK_EQ(test.sink.calls.size(), 2);
}

TEST(TellsOfTheEndBehindAnInterimResponse) {
  Sunk test(send_flag::kIdempotent);
  test.peer.Write("HTTP/1.1 103 Early Hints\r\n\r\n");
  CHECK(test.UntilCalls(1));
  test.peer.Close();
  const SeenCall end = test.UntilEnd();
  CHECK(end.failure == EngineError::kReset);
  CHECK_EQ(end.failure_flags, event_flag::kSent | event_flag::kAnswered);
}

TEST(TellsOfAResponseThatIsNone) {
  Sunk test(0);
  test.peer.Write("SSH-2.0-x\r\n");
  CHECK(test.UntilEnd().failure == EngineError::kBadResponse);
}

TEST(TellsOfAHeadAboveTheLimit) {
  PoolSettings settings = Patient();
  settings.response_head_bytes = 1024;
  Sunk test(0, kNoBody, settings);
  test.peer.Write("HTTP/1.1 200 OK\r\nx: " + std::string(2000, 'x') + "\r\n\r\n");
  CHECK(test.UntilEnd().failure == EngineError::kResponseHeadTooLarge);
}

TEST(ReplaysOnAFreshConnectionWithoutTelling) {
  Sunk test(send_flag::kIdempotent);
  test.peer.Write(Ok("first"));
  test.UntilEnd();
  test.sink.calls.clear();
  // The endpoint's end meets the request: the client cannot know of it when it sends.
  CHECK(test.Send(send_flag::kIdempotent) == SendResult::kOk);
  test.peer.ReadHead();
  test.peer.Close();
  test.client.Until([&] { return test.client->stats().replays == 1; });
  Peer fresh = test.client.Accepted(test.endpoint);
  fresh.ReadHead();
  fresh.Write(Ok("second"));
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.calls.size(), 1);
  CHECK_EQ(test.sink.body(), "second");
}

TEST(TellsOfTimeouts) {
  struct Case {
    EngineError failure;
    const char* response;
    int32_t flags;
  };
  constexpr int32_t kBegun = event_flag::kSent | event_flag::kAnswered;
  for (const auto& [failure, response, flags] :
       {Case{EngineError::kFirstByteTimeout, "", event_flag::kSent},
        Case{EngineError::kFirstByteTimeout, "HTTP/1.1 102 Processing\r\n\r\n", kBegun},
        Case{EngineError::kIdleTimeout, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc",
             kBegun | event_flag::kHeadSeen}}) {
    PoolSettings settings = Patient();
    settings.first_byte_timeout_ms = settings.idle_timeout_ms = 60;
    Sunk test(0, kNoBody, settings);
    test.peer.Write(response);
    const SeenCall end = test.UntilEnd();
    CHECK(end.failure == failure);
    CHECK(end.elapsed_us > 59'000);  // from the beginning of a millisecond to that of another
    CHECK_EQ(end.failure_flags, flags);
  }
}

TEST(EndsAnExchangeAtItsDeadlineWhileItIsPaused) {
  Sunk test;
  test.sink.verdict = [](const SeenCall&) { return SinkVerdict::kPause; };
  CHECK(test.Send(0, kNoBody, 100) == SendResult::kOk);
  test.peer = test.client.Accepted(test.endpoint);
  test.peer.ReadHead();
  test.peer.Write("HTTP/1.1 103 Early Hints\r\n\r\n" + Ok("held"));
  CHECK(test.UntilEnd().failure == EngineError::kExchangeTimeout);
  CHECK_EQ(test.sink.calls.size(), 2);
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(DoesNotCountSilenceWhileTheBodyWaitsForContinue) {
  PoolSettings settings = Patient();
  settings.first_byte_timeout_ms = settings.idle_timeout_ms = 60;
  Sunk test(0, 5, settings);
  test.client.TurnsWithin(200'000);
  CHECK(test.sink.calls.empty());
  test.peer.Write("HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(test.UntilCalls(1));
  CHECK_EQ(test.sink.calls[0].status, 100);
  test.client.TurnsWithin(200'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  CHECK_EQ(test.client.Write(Sunk::kId, "hello", true), 0);
  CHECK_EQ(test.peer.ReadUntil("hello"), "hello");
  test.peer.Write(Ok("done"));
  const SeenCall end = test.UntilEnd();
  CHECK(end.is_last && !end.is_request_unfinished);
}

TEST(SaysThatAnEarlyAnswerLeftTheRequestUnfinished) {
  for (const bool is_until_close : {false, true}) {
    Sunk test(0, 100);
    test.peer.Write(is_until_close ? "HTTP/1.1 413 Too Large\r\n\r\nno" : Ok("no"));
    if (is_until_close) test.peer.Finish();
    const SeenCall end = test.UntilEnd();
    CHECK(end.is_last && end.is_request_unfinished);
    CHECK_EQ(test.sink.body(), "no");
    CHECK_EQ(test.client->stats().connections, 0);
    CHECK_EQ(test.client.Write(Sunk::kId, "late", false), 0);
    CHECK(test.client.misuse == Misuse::kNone);
  }
}

TEST(TellsWhenHeldBytesAreWithTheKernel) {
  Sunk test(0, kChunkedBody);
  const std::string chunk(1 << 20, 'c');
  size_t held_bytes = 0;
  for (int count = 0; count < 64 && held_bytes == 0; ++count)
    held_bytes = test.client.Write(Sunk::kId, chunk, false);
  CHECK(held_bytes > 0);
  test.client.TurnsWithin(20'000);
  CHECK(test.sink.calls.empty());
  test.client.Until([&] {
    test.peer.ReadSome(0);
    return !test.sink.calls.empty();
  });
  CHECK_EQ(test.sink.CountOf(Call::kDrained), 1);
  CHECK_EQ(test.client.Write(Sunk::kId, "", true), 0);
}

TEST(BreaksOffARequestThatIsCutShort) {
  Sunk test(0, 10);
  test.client.Write(Sunk::kId, "short", true);
  CHECK(test.sink.calls.empty());
  const SeenCall end = test.UntilEnd();
  CHECK(end.failure == EngineError::kReset);
  CHECK_EQ(end.failure_flags, event_flag::kSent);
}

TEST(TellsAllFailuresOfATurnThoughTheBatchIsFull) {
  constexpr int32_t kExchanges = 40;
  Client client(kMinEvents);
  RecordingSink sink;
  CHECK(client->OpenPool(0, {ClosedAddress()}, Patient()));
  for (int32_t id = 0; id < kExchanges; ++id) {
    const std::string_view head = "GET / HTTP/1.1\r\nhost: a\r\n";
    std::memcpy(client->scratch(), head.data(), head.size());
    Misuse misuse = Misuse::kNone;
    client->SendFor(&sink, 1000 + id, 0, head.size(), 0, kNoBody, 0, &misuse);
    client.Send(id, 0);
  }
  CHECK(client.Until(
      [&] { return sink.calls.size() == kExchanges && client.events.size() == kExchanges; }));
  CHECK_EQ(sink.CountOf(Call::kFailed), kExchanges);
}

TEST(TakesHeadsWithRoomForWhatTheProxyAdds) {
  Sunk test;
  const auto head_of = [](size_t bytes) {
    const std::string start = "GET / HTTP/1.1\r\nx: ";
    return start + std::string(bytes - start.size() - 2, 'x') + "\r\n";
  };
  CHECK(test.Send(0, kNoBody, 0, 0, head_of(kMaxEndpointHeadBytes)) == SendResult::kOk);
  CHECK(test.client.Send(1, 0, 0, kNoBody, 0, head_of(kMaxRequestHeadBytes + 1)) ==
        SendResult::kHeadTooLarge);
  Peer peer = test.client.Accepted(test.endpoint);
  CHECK_EQ(peer.ReadHead().size(), kMaxEndpointHeadBytes + 2);
  test.client->Release(Sunk::kId);
  // Only its length is looked at: longer than there is room for.
  CHECK(test.client->SendFor(&test.sink, Sunk::kId, 0, kMaxEndpointHeadBytes + 1, 0, kNoBody, 0,
                             &test.client.misuse) == SendResult::kHeadTooLarge);
}

TEST(RefusesANumberInUseAndASlotWithoutAPool) {
  Sunk test(0);
  CHECK(test.Send() == SendResult::kOk);
  CHECK(test.client.misuse == Misuse::kExchangeInUse);
  test.client->Release(Sunk::kId);
  CHECK(test.Send(0, kNoBody, 0, 3) == SendResult::kNoPool);
  CHECK_EQ(test.client->stats().exchanges, 0);
}

TEST(TellsNothingWhenTheClientCloses) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.UntilCalls(1));
  test.client->Close();
  test.client.Turn();
  CHECK_EQ(test.sink.calls.size(), 1);
}

}  // namespace
