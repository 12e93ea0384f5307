// Idle connections: which are kept, which are taken, which are closed, and when a request is sent
// once more.
#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

/// One exchange over the next accepted connection, which is then idle in the pool.
Peer WarmUp(Client& client, Endpoint& endpoint, int32_t id, std::string_view answer_lines = "") {
  client.Send(id, 0, send_flag::kIdempotent);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().bytes_to_endpoints > 0; });
  peer.ReadHead();
  peer.Write(Ok("warm", answer_lines));
  CHECK_EQ(client.UntilEnd(id).body, "warm");
  return peer;
}

TEST(ReusesAConnectionAndSendsExactlyTheRequest) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer peer = WarmUp(client, endpoint, 1);
  CHECK_EQ(client->stats().idle_connections, 1);
  CHECK(client.Send(2, 0, 0, kNoBody, 0, "GET /x?y HTTP/1.1\r\nhost: b\r\nz: \xc3\xa9\r\n") ==
        SendResult::kOk);
  CHECK_EQ(peer.ReadHead(),
           "GET /x?y HTTP/1.1\r\nhost: b\r\nz: \xc3\xa9\r\n\r\n");  // before any turn
  peer.Write(Ok("two", "connection: keep-alive, x\r\nx: hidden\r\ny: seen\r\n"));
  const SeenEvent event = client.UntilEnd(2);
  CHECK(event.type == EventType::kHead);
  CHECK_EQ(event.status, 200);
  CHECK_EQ(event.head, "200 OK\r\ny: seen");
  CHECK_EQ(event.body, "two");
  CHECK_EQ(event.length, 3);
  CHECK_EQ(event.flags, event_flag::kLast | event_flag::kLengthKnown | event_flag::kReused);
  CHECK_EQ(client->stats().connects, 1);
  CHECK_EQ(client->stats().reuses, 1);
  CHECK(!client->is_busy());
}

TEST(TakesTheConnectionUsedLast) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  client.Send(2, 0);
  Peer first = endpoint.Accept();
  Peer second = endpoint.Accept();
  client.Until([&] { return client->stats().bytes_to_endpoints > 50; });
  first.ReadHead();
  second.ReadHead();
  first.Write(Ok("a"));
  client.Until([&] { return client.events.size() == 1; });
  second.Write(Ok("b"));
  client.Until([&] { return client.events.size() == 2; });
  CHECK_EQ(client->stats().idle_connections, 2);
  client.Send(3, 0);
  CHECK(!second.ReadHead().empty());
}

TEST(ClosesAnIdleConnectionThatTheEndpointClosed) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer peer = WarmUp(client, endpoint, 1);
  peer.Close();
  CHECK(client.Until([&] { return client->stats().connections == 0; }));
}

TEST(ClosesAnIdleConnectionThatWasReset) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer peer = WarmUp(client, endpoint, 1);
  peer.Reset();
  CHECK(client.Until([&] { return client->stats().connections == 0; }));
}

TEST(ClosesAnIdleConnectionThatSpeaksUnasked) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer peer = WarmUp(client, endpoint, 1);
  peer.Write("HTTP/1.1 408 Request Timeout\r\n\r\n");
  CHECK(client.Until([&] { return client->stats().connections == 0; }));
  CHECK_EQ(client.events.size(), 1);
}

TEST(ClosesAConnectionWithSurplusBytes) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().bytes_to_endpoints > 0; });
  peer.Write(Ok("body") + "HTTP/1.1 200 OK\r\n");
  CHECK_EQ(client.UntilEnd(1).body, "body");
  CHECK_EQ(client->stats().connections, 0);
}

TEST(ClosesAConnectionThatIsNotKeptAlive) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  WarmUp(client, endpoint, 1, "connection: close\r\n");
  CHECK_EQ(client->stats().connections, 0);
}

TEST(KeepsAtMostMaxIdleConnections) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.max_idle = 1;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  client.Send(2, 0);
  Peer first = endpoint.Accept();
  Peer second = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 2; });
  first.Write(Ok("a"));
  second.Write(Ok("b"));
  client.UntilEnd(1);
  client.UntilEnd(2);
  CHECK_EQ(client->stats().connections, 1);
}

TEST(ClosesAnIdleConnectionAfterItsTime) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.keep_alive_idle_ms = 60;
  client.Open(0, endpoint, settings);
  Peer peer = WarmUp(client, endpoint, 1);
  const uint64_t before_us = sluice::MonotonicUs();
  CHECK(client.Until([&] { return client->stats().connections == 0; }));
  const uint64_t took_us = sluice::MonotonicUs() - before_us;
  CHECK(took_us >= 40'000 && took_us < 1'000'000);
}

TEST(DoesNotTakeAnIdleConnectionWhoseTimeIsOver) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.keep_alive_idle_ms = 30;
  client.Open(0, endpoint, settings);
  Peer peer = WarmUp(client, endpoint, 1);
  // The thread is busy with something else: the loop does not turn meanwhile.
  const uint64_t end_us = sluice::MonotonicUs() + 60'000;
  while (sluice::MonotonicUs() < end_us)
    continue;
  client.Send(2, 0);
  CHECK_EQ(client->stats().reuses, 0);
}

TEST(StaysBelowTheAnnouncedTimeout) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer peer = WarmUp(client, endpoint, 1, "keep-alive: timeout=2\r\n");
  CHECK_EQ(client->stats().connections, 1);
  const uint64_t before_us = sluice::MonotonicUs();
  CHECK(client.Until([&] { return client->stats().connections == 0; }));
  const uint64_t took_us = sluice::MonotonicUs() - before_us;
  CHECK(took_us >= 900'000 && took_us < 1'900'000);
}

TEST(DoesNotKeepAConnectionThatIsAnnouncedForASecond) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  WarmUp(client, endpoint, 1, "keep-alive: timeout=1\r\n");
  CHECK_EQ(client->stats().connections, 0);
}

TEST(SendsAnIdempotentRequestOnceMoreOnAFreshConnection) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer old = WarmUp(client, endpoint, 1);
  client.Send(2, 0, send_flag::kIdempotent);
  const std::string sent = old.ReadHead();
  old.Close();
  Peer fresh = endpoint.Accept(0);
  client.Until([&] { return client->stats().replays == 1; });
  fresh = endpoint.Accept();
  CHECK(client.Until([&] { return client->stats().connects == 2; }));
  CHECK_EQ(fresh.ReadHead(), sent);
  fresh.Write(Ok("again"));
  const SeenEvent event = client.UntilEnd(2);
  CHECK_EQ(event.body, "again");
  CHECK(!event.has(event_flag::kReused));
  CHECK_EQ(client->stats().replays, 1);
  CHECK_EQ(client->stats().connections, 1);
}

TEST(DoesNotTakeAPooledConnectionForAReplay) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  client.Send(2, 0);
  Peer first = endpoint.Accept();
  Peer second = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 2; });
  first.Write(Ok("a"));
  client.UntilEnd(1);
  second.Write(Ok("b"));
  client.UntilEnd(2);
  client.events.clear();
  client.Send(3, 0, send_flag::kIdempotent);
  second.Reset();
  client.Until([&] { return client->stats().replays == 1; });
  Peer third = endpoint.Accept();
  CHECK(third.is_open());
  CHECK(client.Until([&] { return client->stats().connects == 3; }));
  third.ReadHead();
  third.Write(Ok("c"));
  CHECK_EQ(client.UntilEnd(3).body, "c");
  CHECK_EQ(client->stats().idle_connections, 2);  // one failure has not flushed the pool
}

TEST(ReplaysTheBodyThatWasSentSoFar) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer old = WarmUp(client, endpoint, 1);
  client.Send(2, 0, send_flag::kIdempotent, kChunkedBody, 0, "PUT / HTTP/1.1\r\nhost: a\r\n");
  client.Write(2, "one", false);
  old.ReadUntil("one\r\n");
  old.Close();
  client.Until([&] { return client->stats().replays == 1; });
  Peer fresh = endpoint.Accept();
  CHECK(client.Until([&] { return client->stats().connects == 2; }));
  client.Write(2, "two", true);
  CHECK_EQ(fresh.ReadUntil("0\r\n\r\n"),
           "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
           "chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  fresh.Write(Ok("done"));
  CHECK_EQ(client.UntilEnd(2).body, "done");
}

TEST(DoesNotReplayWhatIsNotIdempotent) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer old = WarmUp(client, endpoint, 1);
  client.Send(2, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  old.ReadHead();
  old.Close();
  const SeenEvent event = client.UntilEnd(2);
  CHECK(event.type == EventType::kFailed);
  CHECK(event.failure() == EngineError::kReset);
  CHECK(!event.has(event_flag::kRetryable));
  CHECK(event.has(event_flag::kReused));
  CHECK_EQ(client->stats().replays, 0);
}

TEST(SendsAnyRequestOnAFreshConnectionWhenTheIdleOneIsFoundDead) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer old = WarmUp(client, endpoint, 1);
  old.Close();  // no turn has told the client
  client.Send(2, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  Peer fresh = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 2; });
  CHECK_EQ(fresh.ReadHead(), "POST / HTTP/1.1\r\nhost: a\r\n\r\n");
  fresh.Write(Ok("fine"));
  CHECK_EQ(client.UntilEnd(2).body, "fine");
}

TEST(DoesNotReplayAfterTheFirstByteOfAnAnswer) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer old = WarmUp(client, endpoint, 1);
  client.Send(2, 0, send_flag::kIdempotent);
  old.ReadHead();
  old.Write("H");
  old.Finish();
  const SeenEvent event = client.UntilEnd(2);
  CHECK(event.failure() == EngineError::kReset);
  CHECK(!event.has(event_flag::kRetryable));
}

TEST(DoesNotReplayOnAFreshConnection) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0, send_flag::kIdempotent);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().bytes_to_endpoints > 0; });
  peer.ReadHead();
  peer.Close();
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(client->stats().replays, 0);
}

TEST(MakesAnIdempotentRequestRetryableWhenItsReplayCannotConnect) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  Peer old = WarmUp(client, endpoint, 1);
  client.Send(2, 0, send_flag::kIdempotent);
  old.ReadHead();
  endpoint.Close();
  old.Close();
  const SeenEvent event = client.UntilEnd(2);
  CHECK(event.failure() == EngineError::kConnectRefused);
  CHECK(event.has(event_flag::kRetryable));
}

TEST(TakesNoReusedConnectionWhenAskedForAFreshOne) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.max_connections = 1;
  client.Open(0, endpoint, settings);
  Peer old = WarmUp(client, endpoint, 1);
  client.Send(2, 0, send_flag::kFresh);
  Peer fresh = endpoint.Accept();
  CHECK(fresh.is_open());
  client.Until([&] { return client->stats().connects == 2; });
  fresh.ReadHead();
  fresh.Write(Ok("fresh"));
  CHECK_EQ(client.UntilEnd(2).body, "fresh");
  CHECK_EQ(client->stats().connections, 1);  // the idle one made room
}

}  // namespace
