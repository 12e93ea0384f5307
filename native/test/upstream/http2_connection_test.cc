// Connections of HTTP/2: how many there are, what waits for them, and how they end.
#include <string>

#include "upstream/http2_peer.h"

namespace {

using namespace loopback;

std::vector<nghttp2_settings_entry> Streams(uint32_t most) {
  return {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most}};
}

/// A client that speaks HTTP/2, its endpoint, and the connection of exchange 0, which is answered.
struct Warm {
  Endpoint endpoint;
  Client client;
  std::unique_ptr<Http2Peer> peer;

  explicit Warm(const PoolSettings& settings = Http2(),
                std::vector<nghttp2_settings_entry> of_peer = {}) {
    client.Open(0, endpoint, settings);
    client.Send(0, 0);
    peer = std::make_unique<Http2Peer>(endpoint.Accept(), std::move(of_peer));
    CHECK(Until([&] { return peer->has_ended(0); }));
    peer->Answer(peer->At(0), "warm");
    CHECK(Until([&] { return !client->is_busy(); }));
    client.Turn();
  }
  bool Until(const std::function<bool()>& is_so) { return Both(client, *peer, is_so); }
  std::unique_ptr<Http2Peer> Accepted(std::vector<nghttp2_settings_entry> of_peer = {}) {
    const bool is_there = client.Until([&] { return endpoint.HasPending(); });
    CHECK(is_there);
    return std::make_unique<Http2Peer>(endpoint.Accept(), std::move(of_peer));
  }
};

TEST(CarriesManyExchangesOverOneConnection) {
  Warm test;
  for (int32_t id = 1; id <= 50; ++id)
    test.client.Send(id, 0);
  CHECK(test.Until([&] { return test.peer->order.size() == 51; }));
  for (size_t place = 1; place <= 50; ++place)
    test.peer->Answer(test.peer->At(place), std::to_string(place));
  CHECK(test.Until([&] { return !test.client->is_busy(); }));
  for (int32_t id = 1; id <= 50; ++id)
    CHECK_EQ(test.client.BodyOf(id), std::to_string(id));
  CHECK_EQ(test.client->stats().connects, 1);
  CHECK_EQ(test.client->stats().reuses, 50);
  CHECK(!test.endpoint.HasPending());
}

TEST(SendsWhatATurnBringsInOneWrite) {
  Warm test;
  const size_t reads = test.peer->reads;
  for (int32_t id = 1; id <= 20; ++id)
    test.client.Send(id, 0);
  CHECK(test.Until([&] { return test.peer->order.size() == 21; }));
  CHECK_EQ(test.peer->reads, reads + 1);
}

TEST(LetsAttemptsWaitForTheFirstConnectionAndItsLimits) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, Http2());
  for (int32_t id = 0; id < 5; ++id)
    client.Send(id, 0);
  Http2Peer first(endpoint.Accept(), Streams(3));
  CHECK(Both(client, first, [&] { return first.order.size() == 3; }));
  // Two more than it takes: another connection.
  CHECK(client.Until([&] { return endpoint.HasPending(); }));
  Http2Peer second(endpoint.Accept(), Streams(3));
  CHECK(Both(client, second, [&] { return second.order.size() == 2; }));
  CHECK(!endpoint.HasPending());
  CHECK_EQ(client->stats().connections, 2);
}

TEST(GoesByItsOwnLimitOfStreams) {
  PoolSettings settings = Http2();
  settings.http2_streams = 2;
  settings.max_connections = 1;
  Warm test(settings);
  for (int32_t id = 1; id <= 3; ++id)
    test.client.Send(id, 0);
  CHECK(test.Until([&] { return test.peer->order.size() == 3; }));
  for (int turn = 0; turn < 5; ++turn)
    test.client.Turn();
  test.peer->Pump();
  CHECK_EQ(test.peer->order.size(), 3);
  CHECK(!test.endpoint.HasPending());
  test.peer->Answer(test.peer->At(1), "one");
  CHECK(test.Until([&] { return test.peer->order.size() == 4; }));
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(FailsAllThatWaitedForAConnectThatFails) {
  const std::string closed = ClosedPort();
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(closed)}, Http2()));
  for (int32_t id = 0; id < 3; ++id)
    client.Send(id, 0);
  for (int32_t id = 0; id < 3; ++id) {
    const SeenEvent end = client.UntilEnd(id);
    CHECK(end.failure() == EngineError::kConnectRefused);
    CHECK(end.has(event_flag::kRetryable));
  }
  SilentEndpoint silent;
  PoolSettings hasty = Http2();
  hasty.connect_timeout_ms = 30;
  CHECK(client->OpenPool(1, {silent.endpoint.address()}, hasty));
  client.Send(10, 1);
  client.Send(11, 1);
  CHECK(client.UntilEnd(10).failure() == EngineError::kConnectTimeout);
  CHECK(client.UntilEnd(11).failure() == EngineError::kConnectTimeout);
}

TEST(ReplaysElsewhereWhatAGoAwayLeavesOutAndFinishesTheRest) {
  Warm test;
  test.client.Send(1, 0);
  test.client.Send(2, 0, 0, 4, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  test.client.Write(2, "body", true);
  CHECK(test.Until([&] { return test.peer->has_ended(2); }));
  test.peer->GoAway(test.peer->At(1)->id);
  test.Until([&] { return test.endpoint.HasPending(); });
  auto second = test.Accepted();
  CHECK(Both(test.client, *second, [&] { return second->has_ended(0); }));
  CHECK_EQ(second->At(0)->field(":method"), "POST");
  CHECK_EQ(second->At(0)->body, "body");
  second->Answer(second->At(0), "again");
  test.peer->Answer(test.peer->At(1), "rest");
  CHECK(test.Until([&] { return test.client.BodyOf(1) == "rest"; }));
  CHECK(Both(test.client, *second, [&] { return test.client.BodyOf(2) == "again"; }));
  CHECK_EQ(test.client->stats().replays, 1);
  // Nothing is left on the first one: it is closed.
  CHECK(test.Until([&] { return test.peer->is_over; }));
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(ReplaysARefusedStreamOnceAndThenSaysSo) {
  Warm test;
  test.client.Send(1, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  CHECK(test.Until([&] { return test.peer->has_ended(1); }));
  test.peer->Reset(test.peer->At(1), NGHTTP2_REFUSED_STREAM);
  CHECK(test.Until([&] { return test.peer->has_ended(2); }));
  test.peer->Reset(test.peer->At(2), NGHTTP2_REFUSED_STREAM);
  CHECK(test.Until([&] { return test.client.CountOf(1, EventType::kFailed) == 1; }));
  const SeenEvent end = test.client.UntilEnd(1);
  CHECK(end.failure() == EngineError::kStreamRefused);
  CHECK(end.has(event_flag::kRetryable));
  CHECK(!end.has(event_flag::kSent));
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(FailsItsStreamsWhenItIsLost) {
  Warm test;
  test.client.Send(1, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  test.client.Send(2, 0, send_flag::kIdempotent);
  CHECK(test.Until([&] { return test.peer->has_ended(2); }));
  test.peer->peer().Reset();
  const SeenEvent lost = test.client.UntilEnd(1);
  CHECK(lost.failure() == EngineError::kReset);
  CHECK(lost.has(event_flag::kSent));
  // The idempotent one is sent again: its connection was there before.
  auto second = test.Accepted();
  CHECK(Both(test.client, *second, [&] { return second->has_ended(0); }));
  second->Answer(second->At(0), "again");
  CHECK(Both(test.client, *second, [&] { return test.client.BodyOf(2) == "again"; }));
}

TEST(LivesOnWithAPausedStreamOfALostConnection) {
  Warm test;
  test.client.Send(1, 0);
  CHECK(test.Until([&] { return test.peer->has_ended(1); }));
  test.client->Pause(1);
  test.peer->peer().Close();
  CHECK(test.client.Until([&] { return test.client->stats().connections == 0; }));
  for (int turn = 0; turn < 3; ++turn)
    test.client.Turn();
  test.client->Resume(1);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kReset);
}

TEST(ClosesWhenItWasIdleForLong) {
  PoolSettings settings = Http2();
  settings.keep_alive_idle_ms = 120;
  Warm test(settings);
  CHECK_EQ(test.client->stats().idle_connections, 1);
  CHECK(test.Until([&] { return test.peer->is_over; }));
  CHECK_EQ(test.peer->goaways, 1);
  CHECK_EQ(test.client->stats().connections, 0);
  CHECK_EQ(test.client->stats().idle_connections, 0);
}

TEST(AsksASilentEndpointAndGivesItUp) {
  PoolSettings settings = Http2();
  settings.http2_ping_ms = 120;
  Warm test(settings);
  test.client.Send(1, 0);
  CHECK(test.Until([&] { return test.peer->pings == 2; }));  // answered once, and asked again
  CHECK(test.client->is_busy());
  // Nobody pumps any more: no answer to the next one.
  const SeenEvent end = test.client.UntilEnd(1);
  CHECK(end.failure() == EngineError::kReset);
  CHECK_EQ(end.error_number, ETIMEDOUT);
}

TEST(PutsNothingNewOnAConnectionThatMayBeDead) {
  PoolSettings settings = Http2();
  settings.first_byte_timeout_ms = 120;
  Warm test(settings);
  test.client.Send(1, 0);
  test.client.Send(2, 0);
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kFirstByteTimeout);
  CHECK(test.client.UntilEnd(2).failure() == EngineError::kFirstByteTimeout);
  test.client.Send(3, 0);
  auto second = test.Accepted();
  CHECK(Both(test.client, *second, [&] { return second->has_ended(0); }));
}

TEST(ClosesOnFloods) {
  Warm test;
  test.client.Send(1, 0);
  CHECK(test.Until([&] { return test.peer->has_ended(1); }));
  for (int ping = 0; ping < 11'000; ++ping)
    nghttp2_submit_ping(test.peer->session(), NGHTTP2_FLAG_NONE, nullptr);
  CHECK(test.Until([&] { return test.peer->is_over; }));
  CHECK(test.client.UntilEnd(1).failure() == EngineError::kReset);
}

TEST(ClosesOnBytesThatAreNotHttp2) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, Http2());
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  peer.Write(Ok("HTTP/1.1, by mistake"));
  const SeenEvent end = client.UntilEnd(1);
  CHECK(end.failure() == EngineError::kReset);
  CHECK(client.Until([&] { return client->stats().connections == 0; }));
}

TEST(SendsConnectOverHttp11) {
  Warm test;
  constexpr std::string_view kHead = "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n";
  std::memcpy(test.client->scratch(), kHead.data(), kHead.size());
  class Sink final : public ResponseSink {
    SinkVerdict OnInterim(Exchange*, const sluice::http1::ResponseHead&,
                          std::string_view) override {
      return SinkVerdict::kMore;
    }
    SinkVerdict OnResponse(Exchange*, const ResponsePart&) override { return SinkVerdict::kMore; }
    void OnSwitched(Exchange*, const sluice::http1::ResponseHead&, std::string_view,
                    SwitchedConnection taken, std::string_view, uint64_t) override {
      fd = std::move(taken.fd);
    }
    void OnFailed(Exchange*) override {}
    void OnDrained(Exchange*) override {}

   public:
    sluice::UniqueFd fd;
  } sink;
  test.client->SendFor(&sink, 1, 0, kHead.size(), send_flag::kConnectMethod, kNoBody, 0,
                       &test.client.misuse);
  Peer peer = test.endpoint.Accept();
  test.client.Until([&] { return test.client->stats().connects == 2; });
  CHECK(peer.ReadHead().starts_with("CONNECT a:443 HTTP/1.1\r\n"));
  peer.Write("HTTP/1.1 200 x\r\n\r\n");
  CHECK(test.client.Until([&] { return sink.fd.is_open(); }));
}

TEST(MakesNewConnectionsWhereSettingsOfThemChange) {
  Warm test;
  PoolSettings changed = Http2();
  changed.keep_alive_idle_ms = 1000;
  test.client->SetPool(0, changed);
  test.client.Turn();
  CHECK_EQ(test.client->stats().connections, 1);
  test.client.Send(1, 0);
  CHECK(test.Until([&] { return test.peer->has_ended(1); }));
  changed.protocol = EndpointProtocol::kHttp1;
  test.client->SetPool(0, changed);
  test.client.Send(2, 0);
  Peer peer = test.endpoint.Accept();
  test.client.Until([&] { return test.client->stats().connects == 2; });
  CHECK(peer.ReadHead().starts_with("GET / HTTP/1.1\r\n"));
  test.peer->Answer(test.peer->At(1), "the rest");
  CHECK(test.Until([&] { return test.peer->is_over; }));
  CHECK_EQ(test.client.BodyOf(1), "the rest");
}

TEST(ForgetsAClosedPoolWhenItsStreamsAreOver) {
  Warm test;
  test.client.Send(1, 0);
  CHECK(test.Until([&] { return test.peer->has_ended(1); }));
  test.client->ClosePool(0);
  test.peer->Answer(test.peer->At(1), "last");
  CHECK(test.Until([&] { return test.peer->is_over; }));
  CHECK_EQ(test.client.BodyOf(1), "last");
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(LeavesNothingOpen) {
  const size_t before = OpenFiles();
  {
    Warm test;
    test.client.Send(1, 0);
    test.client.Send(2, 0, 0, 1'000'000);
    CHECK(test.Until([&] { return test.peer->order.size() == 3; }));
  }
  CHECK_EQ(OpenFiles(), before);
}

}  // namespace
