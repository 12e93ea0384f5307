// Exchanges as streams of HTTP/2: what goes to the endpoint, what comes back, and how it may break
// off.
#include <string>

#include "upstream/http2_peer.h"
#include "upstream/recording_sink.h"

namespace {

using namespace loopback;

/// A client, an endpoint that speaks HTTP/2, and exchange 7 of a sink.
struct Spoken {
  static constexpr int32_t kId = 7;

  Endpoint endpoint;
  RecordingSink sink;
  Client client;
  std::unique_ptr<Http2Peer> peer;

  explicit Spoken(const PoolSettings& settings = Http2()) { client.Open(0, endpoint, settings); }

  void Send(int32_t flags = 0, int64_t body_bytes = kNoBody,
            std::string_view head = "GET /a?b HTTP/1.1\r\nhost: a\r\n") {
    std::memcpy(client->scratch(), head.data(), head.size());
    client.misuse = Misuse::kNone;
    CHECK(client->SendFor(&sink, kId, 0, head.size(), flags, body_bytes, 0, &client.misuse) ==
          SendResult::kOk);
    if (peer == nullptr) peer = std::make_unique<Http2Peer>(endpoint.Accept());
  }
  bool Until(const std::function<bool()>& is_so) { return Both(client, *peer, is_so); }
  SeenStream* Stream(size_t place = 0) {
    CHECK(Until([&] { return peer->At(place) != nullptr; }));
    return peer->At(place);
  }
  SeenCall End() {
    Until([&] { return sink.end().is_end(); });
    return sink.end();
  }
};

TEST(SendsARequestAsAStreamAndGivesItsResponseAsOfHttp11) {
  Spoken test;
  test.Send(0, kNoBody,
            "GET /a?b HTTP/1.1\r\nHost: h.test\r\nX-Name: some value \r\nconnection: te\r\n"
            "te: trailers\r\nkeep-alive: 5\r\ncookie: a=b\r\n");
  SeenStream* const stream = test.Stream();
  CHECK(test.Until([&] { return stream->has_ended; }));
  CHECK_EQ(stream->field(":method"), "GET");
  CHECK_EQ(stream->field(":scheme"), "http");
  CHECK_EQ(stream->field(":authority"), "h.test");
  CHECK_EQ(stream->field(":path"), "/a?b");
  CHECK_EQ(stream->field("x-name"), "some value");
  CHECK_EQ(stream->field("te"), "trailers");
  CHECK_EQ(stream->field("cookie"), "a=b");
  CHECK_EQ(stream->fields.size(), 7);
  test.peer->Answer(
      stream, "hello",
      {{":status", "200"}, {"content-length", "5"}, {"set-cookie", "a"}, {"set-cookie", "b"}});
  CHECK(test.End().is_last);
  CHECK_EQ(test.sink.calls[0].head,
           "HTTP/1.1 200 \r\ncontent-length: 5\r\nset-cookie: a\r\nset-cookie: b\r\n\r\n");
  CHECK_EQ(test.sink.body(), "hello");
  CHECK_EQ(test.client->stats().connections, 1);
  test.client.Turn();
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(TakesTheNameOfTheEndpointWhereTheRequestSaysNone) {
  Spoken test;
  test.Send(0, kNoBody, "GET / HTTP/1.1\r\nhost: \r\n");
  CHECK_EQ(test.Stream()->field(":authority"), "endpoint.test");
}

TEST(DecodesChunkedBodiesAndKeepsLengths) {
  Spoken test;
  test.Send(0, kChunkedBody, "POST / HTTP/1.1\r\nhost: a\r\n");
  SeenStream* const stream = test.Stream();
  test.client.Write(7, "first ", false);
  CHECK(test.Until([&] { return stream->body == "first "; }));
  CHECK(!stream->has_ended);
  test.client.Write(7, "second", false);
  test.client.Write(7, "", true);
  CHECK(test.Until([&] { return stream->has_ended; }));
  CHECK_EQ(stream->body, "first second");
  CHECK_EQ(stream->field("transfer-encoding"), "");
  test.peer->Answer(stream, "");
  CHECK(test.End().is_last);

  test.sink.calls.clear();
  test.Send(0, 10, "POST / HTTP/1.1\r\nhost: a\r\n");
  SeenStream* const second = test.Stream(1);
  CHECK_EQ(second->field("content-length"), "10");
  test.client.Write(7, "0123456789", true);
  CHECK(test.Until([&] { return second->has_ended; }));
  CHECK_EQ(second->body, "0123456789");
}

TEST(HoldsALargeBodyBackByTheEndpointsWindows) {
  Spoken test;
  constexpr int64_t kBytes = 3 * 1024 * 1024;
  test.Send(0, kBytes, "POST / HTTP/1.1\r\nhost: a\r\n");
  SeenStream* const stream = test.Stream();
  const std::string piece(256 * 1024, 'p');
  size_t held = 0;
  for (int64_t sent = 0; sent < kBytes; sent += static_cast<int64_t>(piece.size()))
    held = test.client.Write(7, piece, false);
  CHECK(held > 2 * 1024 * 1024);
  CHECK(test.Until([&] { return stream->body.size() == 65'535; }));  // the window of RFC 9113
  for (int turn = 0; turn < 5; ++turn)
    test.client.Turn();
  test.peer->Pump();
  CHECK_EQ(stream->body.size(), 65'535);
  CHECK_EQ(test.sink.CountOf(Call::kDrained), 0);
  CHECK(test.Until([&] {
    test.peer->Consume(stream);
    return stream->has_ended;
  }));
  CHECK_EQ(stream->body.size(), kBytes);
  CHECK_EQ(test.sink.CountOf(Call::kDrained), 1);
}

TEST(HoldsTheEndpointBackWhileTheExchangeIsPaused) {
  Spoken test;
  constexpr size_t kBytes = 2 * 1024 * 1024;
  test.Send();
  SeenStream* const stream = test.Stream();
  test.client->Pause(7);
  test.peer->Answer(stream, std::string(kBytes, 'x'));
  for (int turn = 0; turn < 20; ++turn) {
    test.peer->Pump();
    test.client.Turn(1);
  }
  CHECK_EQ(test.sink.calls.size(), 0);
  CHECK_EQ(stream->answer.size(), kBytes - 65'536);  // the window that we gave
  test.client->Resume(7);
  CHECK(test.End().is_last);
  CHECK_EQ(test.sink.body().size(), kBytes);
}

TEST(GivesTrailersWhereTheyAreAskedFor) {
  for (const bool is_asked : {true, false}) {
    Spoken test;
    test.Send(is_asked ? send_flag::kTrailers : 0);
    SeenStream* const stream = test.Stream();
    test.peer->Head(stream, {{":status", "200"}, {"content-type", "application/grpc"}}, false);
    test.peer->Body(stream, "data", true, {{"grpc-status", "0"}, {"grpc-message", "fine"}});
    const SeenCall end = test.End();
    CHECK(end.is_last);
    CHECK_EQ(end.trailers, is_asked ? "grpc-status: 0\r\ngrpc-message: fine\r\n" : "");
    CHECK_EQ(test.sink.body(), "data");
  }
}

TEST(KeepsTrailersBehindABodyOfKnownLength) {
  Spoken test;
  test.Send(send_flag::kTrailers);
  SeenStream* const stream = test.Stream();
  test.peer->Head(stream, {{":status", "200"}, {"content-length", "4"}}, false);
  test.peer->Body(stream, "data", false);
  CHECK(test.Until([&] { return test.sink.body() == "data"; }));
  CHECK(!test.sink.end().is_end());
  test.peer->Body(stream, "", true, {{"x-sum", "1"}});
  CHECK_EQ(test.End().trailers, "x-sum: 1\r\n");
}

TEST(PassesInterimResponsesOn) {
  Spoken test;
  test.Send();
  SeenStream* const stream = test.Stream();
  test.peer->Head(stream, {{":status", "103"}, {"link", "</a>"}}, false, true);
  CHECK(test.Until([&] { return test.sink.calls.size() == 1; }));
  CHECK(test.sink.calls[0].call == Call::kInterim);
  CHECK_EQ(test.sink.calls[0].head, "HTTP/1.1 103 \r\nlink: </a>\r\n\r\n");
  test.peer->Answer(stream, "x");
  CHECK(test.End().is_last);
}

TEST(EndsWithTheHeadWhereThereIsNoBody) {
  const Fields heads[] = {{{":status", "204"}}, {{":status", "304"}, {"content-length", "9"}}};
  for (const Fields& head : heads) {
    Spoken test;
    test.Send();
    test.peer->Head(test.Stream(), head, true);
    CHECK(test.End().is_last);
    CHECK_EQ(test.sink.calls.size(), 1);
  }
  Spoken test;
  test.Send(send_flag::kHeadMethod, kNoBody, "HEAD / HTTP/1.1\r\nhost: a\r\n");
  test.peer->Head(test.Stream(), {{":status", "200"}, {"content-length", "900"}}, true);
  CHECK(test.End().is_last);
  CHECK_EQ(test.sink.calls.size(), 1);
}

TEST(BreaksOffWhereTheLengthIsNotThatOfTheBody) {
  const auto answered_with = [](const char* length) {
    auto test = std::make_unique<Spoken>();
    std::memcpy((*test).client->scratch(), "GET / HTTP/1.1\r\nhost: a\r\n", 25);
    (void)test->client->SendFor(&test->sink, 7, 0, 25, 0, kNoBody, 0, &test->client.misuse);
    test->peer = std::make_unique<Http2Peer>(test->endpoint.Accept(),
                                             std::vector<nghttp2_settings_entry>{}, true);
    SeenStream* const stream = test->Stream();
    test->peer->Answer(stream, "hello", {{":status", "200"}, {"content-length", length}});
    return test->End().failure;
  };
  CHECK(answered_with("4") != EngineError::kNone);
  CHECK(answered_with("9") == EngineError::kTruncated);
}

/// What a response with these fields fails with.
EngineError FailureOf(const Fields& fields, bool is_end = true) {
  Spoken test;
  std::memcpy(test.client->scratch(), "GET / HTTP/1.1\r\nhost: a\r\n", 25);
  (void)test.client->SendFor(&test.sink, 7, 0, 25, 0, kNoBody, 0, &test.client.misuse);
  test.peer = std::make_unique<Http2Peer>(test.endpoint.Accept(),
                                          std::vector<nghttp2_settings_entry>{}, true);
  test.peer->Head(test.Stream(), fields, is_end);
  return test.End().failure;
}

TEST(RefusesHeadsThatHttp2DoesNotAllow) {
  const Fields bad[] = {
      {{":status", "200"}, {"connection", "close"}},
      {{":status", "200"}, {"transfer-encoding", "chunked"}},
      {{":status", "200"}, {"a name", "with a blank"}},
      {{":status", "200"}, {"x", std::string("a\r\nb: c")}},
      {{":status", "200"}, {"x", std::string("a\0b", 3)}},
      {{":status", "200"}, {"content-length", "x"}},
      {{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}},
      {{":status", "101"}},
      {{":status", "103"}},  // an interim response does not end a stream
      {{"x", "y"}},
      {{":status", "200"}, {":path", "/"}},
      {{"x", "y"}, {":status", "200"}},
  };
  for (const Fields& fields : bad)
    CHECK_EQ(FailureOf(fields), EngineError::kBadResponse);
}

TEST(BoundsHeadsAndTrailers) {
  CHECK_EQ(FailureOf({{":status", "200"}, {"x", std::string(16 * 1024, 'v')}}),
           EngineError::kResponseHeadTooLarge);
  Fields many = {{":status", "200"}};
  for (int line = 0; line < 101; ++line)
    many.emplace_back("x", "y");
  CHECK_EQ(FailureOf(many), EngineError::kResponseHeadTooLarge);

  Spoken test;
  test.Send(send_flag::kTrailers);
  SeenStream* const stream = test.Stream();
  test.peer->Head(stream, {{":status", "200"}}, false);
  test.peer->Body(stream, "x", true, {{"t", std::string(9000, 'v')}});
  CHECK_EQ(test.End().failure, EngineError::kTruncated);
}

TEST(FailsWithTheResetOfItsStreamAlone) {
  Spoken test;
  test.Send();
  test.client.Send(1, 0);
  SeenStream* const other = test.Stream(1);
  test.peer->Reset(test.Stream(0), NGHTTP2_INTERNAL_ERROR);
  const SeenCall end = test.End();
  CHECK(end.failure == EngineError::kReset);
  CHECK(end.has(event_flag::kSent));
  test.peer->Answer(other, "fine");
  test.Until([&] { return !test.client.events.empty(); });
  CHECK_EQ(test.client.UntilEnd(1).body, "fine");
  CHECK_EQ(test.client->stats().connects, 1);
}

TEST(TruncatesWhatIsResetBehindTheHead) {
  Spoken test;
  test.Send();
  SeenStream* const stream = test.Stream();
  test.peer->Head(stream, {{":status", "200"}}, false);
  test.peer->Body(stream, "half", false);
  CHECK(test.Until([&] { return test.sink.body() == "half"; }));
  test.peer->Reset(stream, NGHTTP2_CANCEL);
  const SeenCall end = test.End();
  CHECK(end.failure == EngineError::kTruncated);
  CHECK(end.has(event_flag::kHeadSeen));
}

TEST(TakesACompleteAnswerBeforeTheRequestWasSent) {
  Spoken test;
  test.Send(0, 1'000'000, "POST / HTTP/1.1\r\nhost: a\r\n");
  SeenStream* const stream = test.Stream();
  test.peer->Answer(stream, "no", {{":status", "413"}});
  const SeenCall end = test.End();
  CHECK(end.is_last);
  CHECK(end.is_request_unfinished);
  CHECK_EQ(test.sink.body(), "no");
  CHECK(test.Until([&] { return stream->is_closed; }));
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(ResetsTheStreamOfAReleasedExchangeAndKeepsTheConnection) {
  Spoken test;
  test.Send();
  SeenStream* const stream = test.Stream();
  test.peer->Head(stream, {{":status", "200"}}, false);
  test.peer->Body(stream, std::string(600'000, 'x'), false);
  CHECK(test.Until([&] { return !test.sink.body().empty(); }));
  test.client->Release(7);
  CHECK(test.Until([&] { return stream->is_closed; }));
  CHECK_EQ(stream->error_code, NGHTTP2_CANCEL);
  CHECK_EQ(test.client->stats().connections, 1);
  // What it left behind has been given back to the window of the connection.
  for (int32_t id = 1; id <= 30; ++id) {
    test.client.Send(id, 0);
    SeenStream* const next = test.Stream(static_cast<size_t>(id));
    test.peer->Answer(next, std::string(64 * 1024, 'y'));
    test.Until([&] { return test.client.BodyOf(id).size() == 64 * 1024; });
    CHECK_EQ(test.client.BodyOf(id).size(), 64 * 1024);
  }
}

}  // namespace
