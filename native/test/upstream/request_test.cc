// Requests as they go over the wire: framing, bodies, back-pressure, and what a caller may not do.
#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

constexpr std::string_view kPost = "POST /p HTTP/1.1\r\nhost: a\r\n";

struct Sending {
  Endpoint endpoint;
  Client client;
  Peer peer{sluice::UniqueFd()};

  explicit Sending(int64_t body_bytes, const PoolSettings& settings = Patient()) {
    client.Open(0, endpoint, settings);
    CHECK(client.Send(1, 0, 0, body_bytes, 0, kPost) == SendResult::kOk);
    peer = endpoint.Accept();
    client.Until([&] { return client->stats().bytes_to_endpoints > 0; });
  }
};

TEST(WritesNoFramingWithoutABody) {
  Sending test(kNoBody);
  CHECK_EQ(test.peer.ReadHead(), std::string(kPost) + "\r\n");
}

TEST(AnnouncesTheLength) {
  Sending test(11);
  CHECK_EQ(test.client.Write(1, "hello ", false), 0);
  CHECK_EQ(test.client.Write(1, "world", true), 0);
  CHECK_EQ(test.peer.ReadUntil("world"),
           std::string(kPost) + "content-length: 11\r\n\r\nhello world");
}

TEST(AnnouncesAnEmptyBody) {
  Sending test(0);
  CHECK_EQ(test.peer.ReadHead(), std::string(kPost) + "content-length: 0\r\n\r\n");
  test.client.Write(1, "", true);
  CHECK(test.client.misuse == Misuse::kNone);
  test.peer.Write(Ok("x"));
  CHECK_EQ(test.client.UntilEnd(1).flags, event_flag::kLast | event_flag::kLengthKnown);
}

TEST(SendsAnUnknownLengthInChunks) {
  Sending test(kChunkedBody);
  test.client.Write(1, "", false);  // must not look like the last chunk
  test.client.Write(1, "hello", false);
  test.client.Write(1, std::string(17, 'x'), false);
  test.client.Write(1, "", true);
  CHECK_EQ(test.peer.ReadUntil("0\r\n\r\n"),
           std::string(kPost) + "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n11\r\n" +
               std::string(17, 'x') + "\r\n0\r\n\r\n");
}

TEST(EndsTheChunksTogetherWithTheLastBytes) {
  Sending test(kChunkedBody);
  test.client.Write(1, "all", true);
  CHECK(test.peer.ReadUntil("0\r\n\r\n").ends_with("\r\n\r\n3\r\nall\r\n0\r\n\r\n"));
}

TEST(HoldsABodyUntilItIsConnected) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0, 0, kChunkedBody, 0, kPost);
  CHECK(client.Write(1, "early", true) > 5);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client.CountOf(1, EventType::kDrained) == 1; });
  CHECK(peer.ReadUntil("0\r\n\r\n").ends_with("5\r\nearly\r\n0\r\n\r\n"));
}

TEST(HoldsWhatTheKernelDoesNotTakeAndTellsWhenItIsGone) {
  const std::string piece(512 * 1024, 'x');
  constexpr size_t kPieces = 40;
  Sending test(static_cast<int64_t>(piece.size() * kPieces));
  size_t pieces = 0;
  size_t held = 0;
  while (pieces < kPieces && held == 0) {
    held = test.client.Write(1, piece, false);
    ++pieces;
  }
  CHECK(held > 0 && held <= piece.size());
  CHECK(pieces < kPieces);
  size_t read = 0;
  size_t drains = 0;
  while (pieces < kPieces) {
    read += test.peer.ReadSome(0).size();
    test.client.Turn(1);
    if (test.client.CountOf(1, EventType::kDrained) > drains) {
      drains = test.client.CountOf(1, EventType::kDrained);
      held = 0;
      while (pieces < kPieces && held == 0) {
        held = test.client.Write(1, piece, pieces + 1 == kPieces);
        ++pieces;
      }
    }
  }
  const size_t wanted = piece.size() * kPieces + kPost.size() +
                        std::string("content-length: 20971520\r\n\r\n").size();
  while (read < wanted) {
    const size_t more = test.peer.ReadSome(10).size();
    read += more;
    test.client.Turn(1);
  }
  CHECK_EQ(read, wanted);
  test.peer.Write(Ok("got it"));
  CHECK_EQ(test.client.UntilEnd(1).body, "got it");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(RefusesMoreThanWasAnnounced) {
  Sending test(3);
  test.client.Write(1, "four", true);
  CHECK(test.client.misuse == Misuse::kBodyLongerThanSaid);
  test.client.Write(1, "abc", true);
  CHECK(test.client.misuse == Misuse::kNone);
  test.client.Write(1, "d", true);
  CHECK(test.client.misuse == Misuse::kBodyAfterEnd);
  CHECK(test.peer.ReadUntil("abc").ends_with("\r\n\r\nabc"));
}

TEST(RefusesABodyThatWasNotAnnounced) {
  Sending test(kNoBody);
  test.client.Write(1, "x", true);
  CHECK(test.client.misuse == Misuse::kBodyAfterEnd);
}

TEST(BreaksTheConnectionWhenLessComesThanWasAnnounced) {
  Sending test(10);
  test.client.Write(1, "abc", true);
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, event_flag::kSent);
  CHECK_EQ(test.client->stats().connections, 0);
  CHECK(test.peer.ReadUntil("never").ends_with("\r\n\r\n"));
}

TEST(DoesNotSendAHeadThatWouldSplit) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  for (const char* head :
       {"", "GET / HTTP/1.1\r\nx: a\nb: c\r\n", "GET / HTTP/1.1\r\nx: y\r\n\r\n", "GET / HTTP/1.1",
        "GET /a b HTTP/1.1\r\n", "GET / HTTP/1.1\r\nno colon\r\n"}) {
    CHECK(client.Send(1, 0, 0, kNoBody, 0, head) == SendResult::kBadHead);
  }
  CHECK(client.Send(1, 7) == SendResult::kNoPool);
  CHECK_EQ(client->stats().exchanges, 0);
  CHECK_EQ(client->stats().connections, 0);
}

TEST(DeliversAnEarlyAnswerAndMarksTheRequestUnfinished) {
  Sending test(1000);
  test.client.Write(1, "some", false);
  test.peer.ReadUntil("some");
  test.peer.Write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno");
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK_EQ(event.status, 413);
  CHECK(event.has(event_flag::kLast) && event.has(event_flag::kRequestUnfinished));
  CHECK_EQ(test.client->stats().connections,
           0);  // never used again: the rest of the body is missing
  CHECK_EQ(test.client.Write(1, "late", false), 0);
  CHECK(test.client.misuse == Misuse::kNone);
}

TEST(FindsAnEarlyAnswerBehindAFailedWrite) {
  Sending test(10'000'000);
  test.peer.Write("HTTP/1.1 503 Busy\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
  // The endpoint closes without reading: its reset may overtake the answer, but the answer was
  // first.
  test.peer.Finish();
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK_EQ(event.status, 503);
  CHECK(event.has(event_flag::kRequestUnfinished));
}

TEST(GoesOnSendingWhileTheAnswerComes) {
  Sending test(kChunkedBody);
  test.peer.ReadHead();
  test.peer.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  test.client.Until([&] { return !test.client.events.empty(); });
  for (const char* text : {"one", "two", "three"}) {
    test.client.Write(1, text, false);
    const std::string chunk = test.peer.ReadUntil(std::string(text) + "\r\n");
    test.peer.Write(chunk);
    test.client.Until([&] { return test.client.BodyOf(1).ends_with(text); });
  }
  test.client.Write(1, "", true);
  test.peer.ReadUntil("0\r\n\r\n");
  test.peer.Write("0\r\n\r\n");
  test.client.UntilEnd(1);
  CHECK_EQ(test.client.BodyOf(1), "onetwothree");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

}  // namespace
