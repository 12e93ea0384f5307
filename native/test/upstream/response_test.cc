// Responses of every framing, whole, broken, early, paused and large, as the client reports them.
#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

struct Answered {
  Endpoint endpoint;
  Client client;
  Peer peer{sluice::UniqueFd()};

  /// A request is on its way, and the endpoint has read it.
  explicit Answered(int32_t flags = 0, int64_t body_bytes = kNoBody,
                    const PoolSettings& settings = Patient()) {
    client.Open(0, endpoint, settings);
    CHECK(client.Send(1, 0, flags, body_bytes) == SendResult::kOk);
    peer = endpoint.Accept();
    client.Until([&] { return client->stats().bytes_to_endpoints > 0; });
    peer.ReadHead();
  }
  SeenEvent AnswerAndEnd(std::string_view bytes) {
    peer.Write(bytes);
    peer.Finish();
    return client.UntilEnd(1);
  }
};

TEST(ReportsHeadAndBodyOfAKnownLengthInOneEvent) {
  Answered test;
  test.peer.Write(Ok("hello", "Date: now\r\nServer: x\r\nConnection: keep-alive\r\n"));
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK_EQ(test.client.events.size(), 1);
  CHECK_EQ(event.head, "200 OK\r\nServer: x");
  CHECK_EQ(event.body, "hello");
  CHECK_EQ(event.flags, event_flag::kLast | event_flag::kLengthKnown);
  CHECK_EQ(event.length, 5);
  CHECK(event.elapsed_us > 0);
}

TEST(ReportsABodyAsItComes) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n");
  test.client.Until([&] { return test.client.events.size() == 1; });
  CHECK_EQ(test.client.events[0].flags, event_flag::kLengthKnown);
  test.peer.Write("abc");
  test.client.Until([&] { return test.client.events.size() == 2; });
  CHECK(test.client.events[1].type == EventType::kBody);
  CHECK_EQ(test.client.events[1].flags, 0);
  test.peer.Write("def");
  CHECK(test.client.UntilEnd(1).has(event_flag::kLast));
  CHECK_EQ(test.client.BodyOf(1), "abcdef");
}

TEST(DecodesChunks) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3;e\r\nd");
  test.client.Until([&] { return test.client.events.size() == 1; });
  CHECK_EQ(test.client.events[0].head, "200 OK");
  CHECK_EQ(test.client.events[0].flags, 0);
  CHECK_EQ(test.client.events[0].body, "abcd");
  test.peer.Write("ef\r\n0\r\nx: trailer\r\n\r\n");
  test.client.UntilEnd(1);
  CHECK_EQ(test.client.BodyOf(1), "abcdef");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(EndsABodyWithoutALengthAtTheEndpointsEnd) {
  Answered test;
  const SeenEvent event = test.AnswerAndEnd("HTTP/1.1 200 OK\r\n\r\nall of it");
  CHECK(event.type == EventType::kBody && event.has(event_flag::kLast));
  CHECK_EQ(test.client.BodyOf(1), "all of it");
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(BreaksABodyWithoutALengthAtAReset) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\n\r\nsome of it");
  test.client.Until([&] { return !test.client.events.empty(); });
  test.peer.Reset();
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kTruncated);
  CHECK(event.has(event_flag::kHeadSeen));
  CHECK_EQ(event.error_number, ECONNRESET);
}

TEST(NeverReportsATruncatedBodyAsComplete) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n"}) {
    Answered test;
    const SeenEvent event = test.AnswerAndEnd(bytes);
    CHECK(event.type == EventType::kFailed);
    CHECK(event.failure() == EngineError::kTruncated);
    CHECK(event.has(event_flag::kHeadSeen));
    CHECK_EQ(test.client.BodyOf(1), "short");
    for (const SeenEvent& seen : test.client.events)
      CHECK(!seen.has(event_flag::kLast) || &seen == &test.client.events.back());
  }
}

TEST(BreaksMalformedChunksAfterTheHead) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n");
  test.client.Until([&] { return !test.client.events.empty(); });
  test.peer.Write("zz\r\n");
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kTruncated);
  CHECK(event.has(event_flag::kHeadSeen));
}

TEST(RefusesMalformedChunksThatComeWithTheHead) {
  Answered test;
  const SeenEvent event =
      test.AnswerAndEnd("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
  CHECK(event.failure() == EngineError::kBadResponse);
  CHECK(!event.has(event_flag::kHeadSeen));
}

TEST(ReportsNoBodyForHeadAndBodylessStatuses) {
  {
    Answered test(send_flag::kHeadMethod);
    test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\n");
    const SeenEvent event = test.client.UntilEnd(1);
    CHECK_EQ(event.flags, event_flag::kLast | event_flag::kBodyless);
    CHECK_EQ(event.head, "200 OK\r\ncontent-length: 5\r\nx: y");
    CHECK_EQ(test.client->stats().idle_connections, 1);
  }
  {
    Answered test;
    test.peer.Write("HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n");
    const SeenEvent event = test.client.UntilEnd(1);
    CHECK_EQ(event.flags, event_flag::kLast | event_flag::kBodyless);
    CHECK_EQ(event.head, "304 Not Modified\r\ncontent-length: 5");
  }
  {
    Answered test;
    test.peer.Write("HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n");
    const SeenEvent event = test.client.UntilEnd(1);
    CHECK_EQ(event.flags, event_flag::kLast | event_flag::kBodyless);
    CHECK_EQ(event.head, "204 No Content");
  }
}

TEST(ReportsAnEmptyBodyOfKnownLength) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const SeenEvent event = test.client.UntilEnd(1);
  CHECK_EQ(event.flags, event_flag::kLast | event_flag::kLengthKnown);
  CHECK_EQ(event.length, 0);
}

TEST(ReportsLengthsAbove32Bits) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 8589934593\r\n\r\nx");
  test.client.Until([&] { return !test.client.events.empty(); });
  CHECK_EQ(test.client.events[0].length, 8589934593);
  test.client->Release(1);
}

TEST(SkipsInterimResponses) {
  Answered test;
  test.peer.Write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" +
                  Ok("final"));
  CHECK_EQ(test.client.UntilEnd(1).body, "final");
  CHECK_EQ(test.client.events.size(), 1);
}

TEST(RefusesWhatIsNoResponse) {
  for (const char* bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n"}) {
    Answered test(send_flag::kIdempotent);
    test.peer.Write(bytes);
    const SeenEvent event = test.client.UntilEnd(1);
    CHECK(event.failure() == EngineError::kBadResponse);
    CHECK_EQ(event.flags, event_flag::kSent | event_flag::kAnswered);
    CHECK_EQ(test.client->stats().connections, 0);
  }
}

TEST(RefusesAHeadAboveTheLimit) {
  PoolSettings settings = Patient();
  settings.response_head_bytes = 1000;
  Answered test(0, kNoBody, settings);
  test.peer.Write("HTTP/1.1 200 OK\r\nx: " + std::string(2000, 'y'));
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kResponseHeadTooLarge);
}

TEST(ReadsAHeadThatComesByteByByte) {
  Answered test;
  const std::string bytes = Ok("hello", "x: y\r\n");
  for (const char byte : bytes) {
    test.peer.Write(std::string(1, byte));
    test.client.Turn(100);
  }
  test.client.UntilEnd(1);
  CHECK_EQ(test.client.events[0].head, "200 OK\r\nx: y");
  CHECK_EQ(test.client.BodyOf(1), "hello");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(FailsWhenTheEndpointLeavesInTheMiddleOfTheHead) {
  Answered test(send_flag::kIdempotent);
  const SeenEvent event = test.AnswerAndEnd("HTTP/1.1 200 OK\r\nx: ");
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, event_flag::kSent | event_flag::kAnswered);
}

TEST(TakesAnAnswerGivenBeforeTheRequestAndDoesNotKeepTheConnection) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  peer.Write(Ok("busy"));
  CHECK_EQ(client.UntilEnd(1).body, "busy");
  CHECK_EQ(client->stats().connections, 0);
}

TEST(StopsReadingWhilePausedAndGoesOnAfterwards) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n");
  test.client.Until([&] { return !test.client.events.empty(); });
  test.client->Pause(1);
  test.peer.Write(std::string(100'000, 'a'));
  for (int turn = 0; turn < 5; ++turn)
    test.client.Turn(10);
  CHECK_EQ(test.client.BodyOf(1).size(), 0);
  test.client->Resume(1);
  test.client.Until([&] { return test.client.BodyOf(1).size() == 100'000; });
  test.peer.Write(std::string(200'000, 'b'));
  test.client.UntilEnd(1);
  CHECK_EQ(test.client.BodyOf(1).size(), 300'000);
}

TEST(DeliversWhatCameBeforeAnEndThatCameWhilePaused) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\n\r\nfirst ");
  test.client.Until([&] { return !test.client.events.empty(); });
  test.client->Pause(1);
  test.peer.Write("second");
  test.peer.Close();
  for (int turn = 0; turn < 5; ++turn)
    test.client.Turn(10);
  CHECK_EQ(test.client.events.size(), 1);
  test.client->Resume(1);
  CHECK(test.client.UntilEnd(1).has(event_flag::kLast));
  CHECK_EQ(test.client.BodyOf(1), "first second");
}

TEST(ReadsAtMostOneWindowOfAnExchangeInABatch) {
  Answered test;
  test.peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
  test.client.Until([&] { return !test.client.events.empty(); });
  size_t written = 0;
  while (written < 1'000'000) {
    const std::string piece(std::min<size_t>(1'000'000 - written, 100'000), 'x');
    written += sluice::Send(test.peer.fd(), piece.data(), piece.size()).bytes;
    test.client.Turn(1);
  }
  test.client.UntilEnd(1);
  CHECK_EQ(test.client.BodyOf(1).size(), 1'000'000);
  for (const SeenEvent& event : test.client.events)
    CHECK(event.body.size() <= 128 * 1024);
}

TEST(GivesEachExchangeItsTurnUnderLoad) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  client.Send(2, 0);
  Peer first = endpoint.Accept();
  Peer second = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 2; });
  const std::string much =
      "HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n" + std::string(400'000, 'x');
  size_t first_at = 0;
  size_t second_at = 0;
  while (first_at < much.size() || second_at < much.size()) {
    first_at += sluice::Send(first.fd(), much.data() + first_at, much.size() - first_at).bytes;
    second_at += sluice::Send(second.fd(), much.data() + second_at, much.size() - second_at).bytes;
    client.Turn(0);
  }
  client.UntilEnd(1);
  client.UntilEnd(2);
  CHECK_EQ(client.BodyOf(1).size(), 400'000);
  CHECK_EQ(client.BodyOf(2).size(), 400'000);
}

TEST(DeliversEarlierWhenTheBatchIsFull) {
  Endpoint endpoint;
  Client client(kMinEvents);
  client.Open(0, endpoint);
  std::vector<Peer> peers;
  for (int32_t id = 0; id < 40; ++id) {
    client.Send(id, 0);
    peers.push_back(endpoint.Accept());
  }
  client.Until([&] { return client->stats().connects == 40; });
  for (Peer& peer : peers)
    peer.Write(Ok("x"));
  for (int32_t id = 0; id < 40; ++id)
    CHECK_EQ(client.UntilEnd(id).body, "x");
  for (const size_t count : client.batches)
    CHECK(count <= kMinEvents);
}

TEST(DeliversEarlierWhenTheArenaIsFull) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  std::vector<Peer> peers;
  const std::string body(120'000, 'x');
  for (int32_t id = 0; id < 12; ++id) {
    client.Send(id, 0);
    peers.push_back(endpoint.Accept());
  }
  client.Until([&] { return client->stats().connects == 12; });
  for (Peer& peer : peers)
    peer.Write(Ok(body));
  for (int32_t id = 0; id < 12; ++id) {
    client.UntilEnd(id);
    CHECK(client.BodyOf(id) == body);
  }
}

}  // namespace
