// What a response sink is handed: heads, bodies of every framing, interim responses, trailers; and
// what its verdicts do.
#include <algorithm>
#include <initializer_list>
#include <string>

#include "upstream/recording_sink.h"

namespace {

using namespace loopback;

constexpr const char* kEarlyHints = "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n";
constexpr const char* kChunkedHead = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// Answers with `verdict` to the call of that number (from 0).
void SayAt(Sunk* test, size_t number, SinkVerdict verdict) {
  test->sink.verdict = [test, number, verdict](const SeenCall&) {
    return test->sink.calls.size() == number + 1 ? verdict : SinkVerdict::kMore;
  };
}

TEST(HandsOverHeadAndBodyInOneCall) {
  Sunk test(0);
  const std::string response = Ok("hello", "Date: now\r\nConnection: keep-alive\r\n");
  test.peer.Write(response);
  const SeenCall end = test.UntilEnd();
  CHECK_EQ(test.sink.calls.size(), 1);
  CHECK_EQ(end.exchange, Sunk::kId);
  CHECK_EQ(end.status, 200);
  CHECK_EQ(end.head + "hello", response);
  CHECK_EQ(end.body, "hello");
  CHECK(end.is_last && !end.is_request_unfinished);
  CHECK_EQ(end.trailers, "");
  CHECK(end.elapsed_us > 0);
  CHECK_EQ(test.client->stats().exchanges, 0);
  CHECK_EQ(test.client->stats().idle_connections, 1);
  CHECK(test.client.events.empty());
}

TEST(HandsOverAHeadThatComesInPieces) {
  Sunk test(0);
  const std::string response = Ok("hello");
  for (size_t at = 0; at < response.size(); at += 10) {
    test.peer.Write(response.substr(at, 10));
    const uint64_t wanted = std::min(response.size(), at + 10);
    test.client.Until([&] { return test.client->stats().bytes_from_endpoints == wanted; });
  }
  test.UntilEnd();
  CHECK_EQ(test.sink.calls[0].head + "hello", response);
  CHECK_EQ(test.sink.body(), "hello");
}

TEST(HandsOverABodyAsItComes) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n");
  CHECK(test.UntilCalls(1));
  CHECK_EQ(test.sink.calls[0].body, "");
  test.peer.Write("abc");
  CHECK(test.UntilCalls(2));
  CHECK_EQ(test.sink.calls[1].status, 0);
  CHECK_EQ(test.sink.calls[1].head, "");
  CHECK(!test.sink.calls[1].is_last);
  test.peer.Write("def");
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.body(), "abcdef");
}

TEST(DecodesChunksAndDropsTrailersThatNobodyAskedFor) {
  Sunk test(0);
  test.peer.Write(std::string(kChunkedHead) + "3\r\nabc\r\n3;e\r\nd");
  CHECK(test.UntilCalls(1));
  test.peer.Write("ef\r\n0\r\nx: trailer\r\n\r\n");
  CHECK_EQ(test.UntilEnd().trailers, "");
  CHECK_EQ(test.sink.body(), "abcdef");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(HandsOverTrailersHoweverTheyCome) {
  const std::string body = "3\r\nabc\r\n0\r\nx : 1\r\nY:\ttwo \r\n\r\n";
  for (const size_t step : std::initializer_list<size_t>{1, 4, 100}) {
    Sunk test(send_flag::kTrailers);
    test.peer.Write(kChunkedHead);
    CHECK(test.UntilCalls(1));
    uint64_t wanted = test.client->stats().bytes_from_endpoints;
    for (size_t at = 0; at < body.size(); at += step) {
      const std::string piece = body.substr(at, step);
      test.peer.Write(piece);
      wanted += piece.size();
      test.client.Until([&] { return test.client->stats().bytes_from_endpoints == wanted; });
    }
    CHECK_EQ(test.UntilEnd().trailers, "x: 1\r\nY:\ttwo \r\n");
    CHECK_EQ(test.sink.body(), "abc");
    CHECK_EQ(test.client->stats().idle_connections, 1);
  }
}

TEST(ForgetsTheTrailersOfTheLastResponse) {
  Sunk test(send_flag::kTrailers);
  test.peer.Write(std::string(kChunkedHead) + "0\r\nx: 1\r\n\r\n");
  CHECK_EQ(test.UntilEnd().trailers, "x: 1\r\n");
  test.sink.calls.clear();
  CHECK(test.Send(send_flag::kTrailers) == SendResult::kOk);
  test.peer.ReadHead();
  test.peer.Write(std::string(kChunkedHead) + "0\r\n\r\n");
  const SeenCall end = test.UntilEnd();
  CHECK(end.is_last);
  CHECK_EQ(end.trailers, "");
}

TEST(RefusesMalformedTrailers) {
  Sunk test(send_flag::kTrailers);
  test.peer.Write(std::string(kChunkedHead) + "1\r\na\r\n");
  CHECK(test.UntilCalls(1));
  test.peer.Write("0\r\nx y: 1\r\n\r\n");
  CHECK(test.UntilEnd().failure == EngineError::kTruncated);
}

TEST(EndsABodyWithoutALengthAtTheEndpointsEnd) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 200 OK\r\n\r\nall of it");
  CHECK(test.UntilCalls(1));
  CHECK(!test.sink.calls[0].is_last);
  test.peer.Finish();
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.body(), "all of it");
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(HandsOverOneReadATurn) {
  Sunk test(0);
  const std::string body(3'000'000, 'b');
  const std::string response = Ok(body);
  std::string_view rest = response;
  for (int turns = 0; turns < 10'000 && !test.sink.end().is_end(); ++turns) {
    rest.remove_prefix(sluice::Send(test.peer.fd(), rest.data(), rest.size()).bytes);
    const size_t calls = test.sink.calls.size();
    test.client.Turn(10);
    CHECK(test.sink.calls.size() <= calls + 1);
  }
  CHECK(test.sink.end().is_last);
  CHECK(test.sink.body() == body);
}

TEST(ServesSinksBesideTheBatch) {
  Sunk test(0);
  CHECK(test.client.Send(1, 0) == SendResult::kOk);
  Peer other = test.client.Accepted(test.endpoint);
  other.ReadHead();
  other.Write(Ok("for the batch"));
  test.peer.Write(Ok("for the sink"));
  test.UntilEnd();
  test.client.UntilEnd(1);
  CHECK_EQ(test.sink.body(), "for the sink");
  CHECK_EQ(test.client.BodyOf(1), "for the batch");
  CHECK_EQ(test.client.CountOf(Sunk::kId, EventType::kHead), 0);
}

TEST(TellsInterimResponses) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 100 Continue\r\n\r\n" + std::string(kEarlyHints) + Ok("x"));
  test.UntilEnd();
  CHECK_EQ(test.sink.calls.size(), 3);
  CHECK(test.sink.calls[0].call == Call::kInterim);
  CHECK_EQ(test.sink.calls[0].status, 100);
  CHECK_EQ(test.sink.calls[1].status, 103);
  CHECK_EQ(test.sink.calls[1].head, kEarlyHints);
  CHECK_EQ(test.sink.calls[2].status, 200);
  CHECK_EQ(test.sink.body(), "x");
}

TEST(TellsAnInterimResponseThatComesInPieces) {
  Sunk test(0);
  const std::string response = kEarlyHints + Ok("x");
  for (const char byte : response) {
    const uint64_t before = test.client->stats().bytes_from_endpoints;
    test.peer.Write({&byte, 1});
    test.client.Until([&] { return test.client->stats().bytes_from_endpoints > before; });
  }
  test.UntilEnd();
  CHECK_EQ(test.sink.calls[0].head, kEarlyHints);
  CHECK_EQ(test.sink.calls[1].status, 200);
  CHECK_EQ(test.sink.body(), "x");
}

TEST(HoldsWhatIsBehindAnInterimResponseThatPauses) {
  Sunk test(0);
  SayAt(&test, 0, SinkVerdict::kPause);
  test.peer.Write(kEarlyHints + Ok("held"));
  CHECK(test.UntilCalls(1));
  test.client.TurnsWithin(50'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  test.client->Resume(Sunk::kId);
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.calls.size(), 2);
  CHECK_EQ(test.sink.body(), "held");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(GoesOnAfterAPauseAtAnInterimResponseWithNothingBehindIt) {
  Sunk test(0);
  SayAt(&test, 0, SinkVerdict::kPause);
  test.peer.Write(kEarlyHints);
  CHECK(test.UntilCalls(1));
  test.peer.Write(Ok("later"));
  test.client.TurnsWithin(50'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  test.client->Resume(Sunk::kId);
  test.UntilEnd();
  CHECK_EQ(test.sink.body(), "later");
}

TEST(TellsNothingMoreUntilResume) {
  Sunk test(0);
  SayAt(&test, 0, SinkVerdict::kPause);
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.UntilCalls(1));
  test.peer.Write("def");
  // Sleeps meanwhile, instead of asking the socket over and over.
  CHECK(test.client.TurnsWithin(50'000) < 10);
  CHECK_EQ(test.sink.calls.size(), 1);
  test.client->Resume(Sunk::kId);
  test.UntilEnd();
  CHECK_EQ(test.sink.body(), "abcdef");
}

TEST(PausesByACallAsByAVerdict) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.UntilCalls(1));
  test.client->Pause(Sunk::kId);
  test.peer.Write("def");
  test.client.TurnsWithin(50'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  test.client->Resume(Sunk::kId);
  CHECK(test.UntilEnd().is_last);
}

TEST(ReleasesFromWithinEachCall) {
  // At an interim response, at a head, at more of the body.
  for (const size_t number : std::initializer_list<size_t>{0, 1, 2}) {
    Sunk test(0);
    SayAt(&test, number, SinkVerdict::kRelease);
    test.peer.Write(kEarlyHints);
    CHECK(test.UntilCalls(1));
    test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
    if (number > 0) CHECK(test.UntilCalls(2));
    test.peer.Write("d");
    CHECK(test.UntilCalls(number + 1));
    test.peer.Write("ef");
    test.client.TurnsWithin(20'000);
    CHECK_EQ(test.sink.calls.size(), number + 1);
    CHECK_EQ(test.client->stats().exchanges, 0);
    CHECK_EQ(test.client->stats().connections, 0);
    CHECK(test.Send() == SendResult::kOk);  // the number is free
    CHECK(test.client.misuse == Misuse::kNone);
  }
}

TEST(DropsWhatIsBehindAnInterimResponseThatReleases) {
  Sunk test(0);
  SayAt(&test, 0, SinkVerdict::kRelease);
  test.peer.Write(kEarlyHints + Ok("x"));
  CHECK(test.UntilCalls(1));
  test.client.TurnsWithin(20'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(KeepsTheConnectionWhateverTheVerdictToTheLastPart) {
  for (const SinkVerdict verdict : {SinkVerdict::kPause, SinkVerdict::kRelease}) {
    Sunk test(0);
    SayAt(&test, 0, verdict);
    test.peer.Write(Ok("x"));
    CHECK(test.UntilEnd().is_last);
    CHECK_EQ(test.client->stats().idle_connections, 1);
    test.sink.calls.clear();
    test.sink.verdict = [](const SeenCall&) { return SinkVerdict::kMore; };
    CHECK(test.Send() == SendResult::kOk);
    test.peer.ReadHead();
    test.peer.Write(Ok("again"));
    test.UntilEnd();
    CHECK_EQ(test.sink.body(), "again");
  }
}

TEST(TellsNothingOfAReleasedExchange) {
  Sunk test(0);
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc");
  CHECK(test.UntilCalls(1));
  test.client->Release(Sunk::kId);
  test.peer.Write("def");
  test.client.TurnsWithin(20'000);
  CHECK_EQ(test.sink.calls.size(), 1);
  CHECK_EQ(test.client->stats().connections, 0);
}

}  // namespace
