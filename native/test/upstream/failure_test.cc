// Endpoints that refuse, stay silent or stop: which error, when, and whether the attempt may go
// elsewhere.
#include <sys/resource.h>

#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

TEST(ReportsARefusedConnect) {
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(ClosedPort())}, Patient()));
  client.Send(1, 0);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.type == EventType::kFailed);
  CHECK(event.failure() == EngineError::kConnectRefused);
  CHECK_EQ(event.error_number, ECONNREFUSED);
  CHECK_EQ(event.flags, event_flag::kRetryable);
  CHECK_EQ(client->stats().connections, 0);
}

TEST(ReportsAMissingUnixSocketWithTheNextBatch) {
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse("unix:/tmp/sluice-no-such.sock")}, Patient()));
  client.Send(1, 0);
  CHECK(client.batches.empty());
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kConnectRefused);
  CHECK_EQ(event.error_number, ENOENT);
}

TEST(SendsAFailedRequestElsewhere) {
  Endpoint endpoint;
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(ClosedPort())}, Patient()));
  client.Open(1, endpoint);
  client.Send(1, 0, 0, kChunkedBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  client.Write(1, "one", false);
  CHECK(client.UntilEnd(1).has(event_flag::kRetryable));
  client.Write(1, "two", true);  // the client's body goes on meanwhile
  client.events.clear();
  CHECK(client.Resend(1, 9) == SendResult::kNoPool);
  CHECK(client.Resend(1, 1) == SendResult::kOk);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  CHECK_EQ(peer.ReadUntil("0\r\n\r\n"),
           "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
           "chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  peer.Write(Ok("moved"));
  CHECK_EQ(client.UntilEnd(1).body, "moved");
  CHECK_EQ(client->stats().exchanges, 0);
}

TEST(ResendsOverAnIdleConnection) {
  Endpoint endpoint;
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(ClosedPort())}, Patient()));
  client.Open(1, endpoint);
  client.Send(1, 1);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  peer.ReadHead();
  peer.Write(Ok("a"));
  client.UntilEnd(1);
  client.Send(2, 0);
  client.UntilEnd(2);
  client.events.clear();
  client.Resend(2, 1);
  peer.ReadHead();
  peer.Write(Ok("b"));
  CHECK(client.UntilEnd(2).has(event_flag::kReused));
}

TEST(RefusesToResendWhatDidNotFail) {
  Client client;
  client.Resend(5, 0);
  CHECK(client.misuse == Misuse::kNotHeld);
}

TEST(ReportsASilentConnect) {
  SilentEndpoint silent;
  Client client;
  PoolSettings settings = Patient();
  settings.connect_timeout_ms = 50;
  client.Open(0, silent.endpoint, settings);
  client.Send(1, 0);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kConnectTimeout);
  CHECK_EQ(event.flags, event_flag::kRetryable);
  CHECK(event.elapsed_us >= 45'000 && event.elapsed_us < 1'000'000);
}

TEST(TriesTheNextAddressAfterARefusal) {
  Endpoint endpoint;
  Client client;
  CHECK(client->OpenPool(
      0, {*Address::Parse(ClosedPort()), *Address::Parse(ClosedPort()), endpoint.address()},
      Patient()));
  client.Send(1, 0);
  client.Until([&] { return client->stats().connects == 1; });
  Peer peer = endpoint.Accept();
  peer.ReadHead();
  peer.Write(Ok("third"));
  CHECK_EQ(client.UntilEnd(1).body, "third");
}

TEST(TriesTheNextAddressAfterItsShareOfTheTimeAndRemembersIt) {
  SilentEndpoint silent;
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.connect_timeout_ms = 200;
  CHECK(client->OpenPool(0, {silent.endpoint.address(), endpoint.address()}, settings));
  client.Send(1, 0, send_flag::kFresh);
  CHECK(client.Until([&] { return client->stats().connects == 1; }));
  Peer first = endpoint.Accept();
  first.ReadHead();
  first.Write(Ok("x"));
  const SeenEvent slow = client.UntilEnd(1);
  CHECK(slow.elapsed_us >= 90'000);
  client.Send(2, 0, send_flag::kFresh);
  CHECK(client.Until([&] { return client->stats().connects == 2; }));
  Peer second = endpoint.Accept();
  second.ReadHead();
  second.Write(Ok("y"));
  const SeenEvent fast = client.UntilEnd(2);
  CHECK(fast.elapsed_us < 90'000);
}

TEST(WaitsForRoomInAUnixListenersQueue) {
  const std::string path = "/tmp/sluice-native-test-" + std::to_string(::getpid()) + ".sock";
  Endpoint endpoint(path, 0);
  Client client;
  client.Open(0, endpoint);
  for (int32_t id = 0; id < 3; ++id)
    client.Send(id, 0);
  std::vector<Peer> peers;
  for (int32_t id = 0; id < 3; ++id) {
    client.Until([&] { return endpoint.HasPending(); });
    peers.push_back(endpoint.Accept());
  }
  CHECK(client.Until([&] { return client->stats().connects == 3; }));
  for (Peer& peer : peers) {
    peer.ReadHead();
    peer.Write(Ok("unix"));
  }
  for (int32_t id = 0; id < 3; ++id)
    CHECK_EQ(client.UntilEnd(id).body, "unix");
  ::unlink(path.c_str());
}

TEST(ReportsAUnixListenerWhoseQueueStaysFull) {
  const std::string path = "/tmp/sluice-native-test-full-" + std::to_string(::getpid()) + ".sock";
  Endpoint endpoint(path, 0);
  Client client;
  PoolSettings settings = Patient();
  settings.connect_timeout_ms = 60;
  client.Open(0, endpoint, settings);
  for (int32_t id = 0; id < 3; ++id)
    client.Send(id, 0);
  CHECK(client.UntilEnd(2).failure() == EngineError::kConnectTimeout);
  ::unlink(path.c_str());
}

TEST(ReportsThatNoDescriptorIsLeft) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{3, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  client.Send(1, 0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kFileLimit);
  CHECK_EQ(event.error_number, EMFILE);
  CHECK(event.has(event_flag::kRetryable));
  CHECK_EQ(client->stats().connections, 0);
}

TEST(ReportsAnAnswerThatDoesNotBegin) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.first_byte_timeout_ms = 50;
  client.Open(0, endpoint, settings);
  client.Send(1, 0, send_flag::kIdempotent);
  Peer peer = endpoint.Accept();
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kFirstByteTimeout);
  CHECK_EQ(event.flags, event_flag::kSent);
  CHECK_EQ(client->stats().connections, 0);
}

TEST(DoesNotLetDribbledHeadsExtendTheFirstByteTimeout) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.first_byte_timeout_ms = 80;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  const uint64_t end_us = sluice::MonotonicUs() + 1'000'000;
  peer.Write("HTTP/1.1 200 OK\r\nx: ");
  while (client.events.empty() && sluice::MonotonicUs() < end_us) {
    peer.Write("y");
    client.Turn(10);
  }
  CHECK(client.UntilEnd(1).failure() == EngineError::kFirstByteTimeout);
}

TEST(LetsTheClientTakeItsTimeWithTheBody) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.first_byte_timeout_ms = 40;
  settings.idle_timeout_ms = 40;
  client.Open(0, endpoint, settings);
  client.Send(1, 0, 0, 4, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  const uint64_t end_us = sluice::MonotonicUs() + 120'000;
  while (sluice::MonotonicUs() < end_us)
    client.Turn(10);
  CHECK(client.events.empty());
  client.Write(1, "body", true);
  CHECK(client.UntilEnd(1).failure() == EngineError::kFirstByteTimeout);
}

TEST(ReportsAnAnswerThatStops) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.idle_timeout_ms = 50;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kIdleTimeout);
  CHECK(event.has(event_flag::kHeadSeen));
}

TEST(DoesNotBlameTheEndpointWhilePaused) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.idle_timeout_ms = 40;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
  client.Until([&] { return !client.events.empty(); });
  client->Pause(1);
  const uint64_t end_us = sluice::MonotonicUs() + 120'000;
  while (sluice::MonotonicUs() < end_us)
    client.Turn(10);
  CHECK_EQ(client.events.size(), 1);
  client->Resume(1);
  CHECK(client.UntilEnd(1).failure() == EngineError::kIdleTimeout);
}

TEST(ReportsAnUploadThatTheEndpointDoesNotRead) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Patient();
  settings.idle_timeout_ms = 50;
  client.Open(0, endpoint, settings);
  client.Send(1, 0, 0, kChunkedBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  while (client.Write(1, std::string(512 * 1024, 'x'), false) == 0)
    continue;
  CHECK(client.UntilEnd(1).failure() == EngineError::kIdleTimeout);
}

TEST(KeepsTheExchangesDeadlineInEveryPhase) {
  SilentEndpoint silent;
  Endpoint endpoint;
  PoolSettings one = Patient();
  one.max_connections = 1;
  Client client;
  client.Open(0, silent.endpoint);
  client.Open(1, endpoint, one);
  client.Send(1, 0, 0, kNoBody, 50);  // connecting
  client.Send(2, 1, 0, kNoBody, 50);  // waiting for the head
  client.Send(3, 1, 0, kNoBody, 50);  // waiting for a connection
  Peer peer = endpoint.Accept();
  for (const int32_t id : {1, 2, 3}) {
    const SeenEvent event = client.UntilEnd(id);
    CHECK(event.failure() == EngineError::kExchangeTimeout);
    CHECK(event.elapsed_us >= 45'000 && event.elapsed_us < 1'000'000);
  }
  client.events.clear();
  client.Send(4, 1, 0, kNoBody, 80);  // in the middle of the body
  peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 2; });
  peer.ReadHead();
  peer.Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
  const SeenEvent event = client.UntilEnd(4);
  CHECK(event.failure() == EngineError::kExchangeTimeout);
  CHECK(event.has(event_flag::kHeadSeen));
}

TEST(ReportsAConnectionThatDiesBeforeItsAnswer) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  peer.Reset();
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, event_flag::kSent);
}

}  // namespace
