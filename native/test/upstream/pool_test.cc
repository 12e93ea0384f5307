// Limits, queues and lives of connection pools.
#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

PoolSettings AtMost(uint32_t connections) {
  PoolSettings settings = Patient();
  settings.max_connections = connections;
  return settings;
}

void Answer(Client& client, Peer& peer, std::string_view body, std::string_view lines = "") {
  for (int turn = 0; turn < 100 && peer.ReadSome(10).empty(); ++turn)
    client.Turn(1);
  peer.Write(Ok(body, lines));
}

TEST(LetsAttemptsWaitInOrderAboveTheMaximum) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(1));
  for (int32_t id = 0; id < 4; ++id)
    client.Send(id, 0);
  CHECK_EQ(client->stats().connections, 1);
  CHECK_EQ(client->stats().exchanges, 4);
  Peer peer = endpoint.Accept();
  for (int32_t id = 0; id < 4; ++id) {
    Answer(client, peer, std::to_string(id));
    CHECK_EQ(client.UntilEnd(id).body, std::to_string(id));
  }
  CHECK_EQ(client->stats().connects, 1);
  CHECK_EQ(client->stats().reuses, 3);
}

TEST(ConnectsForAWaitingAttemptWhenAConnectionCloses) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(1));
  client.Send(1, 0);
  client.Send(2, 0);
  Peer first = endpoint.Accept();
  Answer(client, first, "one", "connection: close\r\n");
  client.UntilEnd(1);
  client.Turn();
  Peer second = endpoint.Accept();
  Answer(client, second, "two");
  CHECK_EQ(client.UntilEnd(2).body, "two");
}

TEST(GivesWaitingAttemptsConnectionsOnceThereMayBeMore) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(1));
  client.Send(1, 0);
  client.Send(2, 0);
  Peer first = endpoint.Accept();
  CHECK(client->SetPool(0, AtMost(2)));
  CHECK(!client->SetPool(1, AtMost(2)));
  client.Turn();
  Peer second = endpoint.Accept();
  Answer(client, second, "two");
  CHECK_EQ(client.UntilEnd(2).body, "two");
  Answer(client, first, "one");
  CHECK_EQ(client.UntilEnd(1).body, "one");
}

TEST(KeepsWhatIsThereWhenItsSettingsChange) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(0));
  client.Send(1, 0);
  Peer peer = client.Accepted(endpoint);
  CHECK(client->SetPool(0, AtMost(1)));
  Answer(client, peer, "one");
  CHECK_EQ(client.UntilEnd(1).body, "one");
  client.Send(2, 0);
  Answer(client, peer, "two");
  CHECK_EQ(client.UntilEnd(2).body, "two");
  CHECK_EQ(client->stats().reuses, 1);
  PoolSettings none_idle = AtMost(1);
  none_idle.max_idle = 0;
  CHECK(client->SetPool(0, none_idle));
  client.Send(3, 0);
  Answer(client, peer, "three");
  CHECK_EQ(client.UntilEnd(3).body, "three");
  client.Turn();
  CHECK_EQ(client->stats().connections, 0);
}

TEST(GivesThePlaceOfAReleasedAttemptToTheNext) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(1));
  client.Send(1, 0);
  client.Send(2, 0);
  client.Send(3, 0);
  client->Release(2);
  client->Release(1);
  CHECK_EQ(client->stats().exchanges, 1);
  client.Turn();
  Peer released = endpoint.Accept();
  Peer peer = endpoint.Accept();
  Answer(client, peer, "three");
  CHECK_EQ(client.UntilEnd(3).body, "three");
}

TEST(DoesNotGiveADeadConnectionToAWaitingAttemptThatCannotBeReplayed) {
  Endpoint endpoint;
  Client client(kMinEvents);
  client.Open(0, endpoint, AtMost(1));
  client.Send(1, 0);
  Peer first = client.Accepted(endpoint);
  first.ReadHead();
  client.Send(2, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  // Failures fill a batch: it goes out in the middle of the turn, after epoll has been asked and
  // before the response is read; the endpoint closes meanwhile.
  client.on_event = [&](size_t at) {
    if (at == 0) first.Close();
  };
  CHECK(client->OpenPool(1, {*Address::Parse("unix:/tmp/sluice-no-such.sock")}, Patient()));
  for (size_t at = 0; at < kMinEvents; ++at)
    client.Send(static_cast<int32_t>(100 + at), 1);
  first.Write(Ok("one"));
  CHECK_EQ(client.UntilEnd(1).body, "one");
  Peer second = client.Accepted(endpoint);
  CHECK_EQ(second.ReadHead(), "POST / HTTP/1.1\r\nhost: a\r\n\r\n");
  second.Write(Ok("two"));
  const SeenEvent event = client.UntilEnd(2);
  CHECK_EQ(event.body, "two");
  CHECK(!event.has(event_flag::kReused));
}

TEST(ForgetsThatTheNumbersLastExchangeReusedAConnection) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = AtMost(1);
  settings.connect_timeout_ms = 50;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer peer = client.Accepted(endpoint);
  Answer(client, peer, "one");
  client.UntilEnd(1);
  client.events.clear();
  client.Send(1, 0);
  Answer(client, peer, "two");
  CHECK(client.UntilEnd(1).has(event_flag::kReused));
  client.events.clear();
  client.Send(2, 0);  // takes the only connection
  client.Send(1, 0);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kPoolTimeout);
  CHECK(!event.has(event_flag::kReused));
}

TEST(ReportsAnAttemptThatWaitedTooLong) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = AtMost(1);
  settings.connect_timeout_ms = 50;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  client.Send(2, 0);
  const SeenEvent event = client.UntilEnd(2);
  CHECK(event.failure() == EngineError::kPoolTimeout);
  CHECK_EQ(event.flags, event_flag::kRetryable);
  CHECK(event.elapsed_us >= 45'000);
  Answer(client, peer, "one");
  CHECK_EQ(client.UntilEnd(1).body, "one");
}

TEST(ReplaysWithinTheMaximumAheadOfTheQueue) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(1));
  client.Send(1, 0);
  Peer old = endpoint.Accept();
  Answer(client, old, "warm");
  client.UntilEnd(1);
  client.Send(2, 0, send_flag::kIdempotent);
  client.Send(3, 0, send_flag::kIdempotent);
  old.ReadHead();
  old.Close();
  client.Until([&] { return client->stats().replays == 1; });
  CHECK_EQ(client->stats().connections, 1);
  Peer fresh = endpoint.Accept();
  Answer(client, fresh, "two");
  CHECK_EQ(client.UntilEnd(2).body, "two");
  Answer(client, fresh, "three");
  CHECK_EQ(client.UntilEnd(3).body, "three");
}

TEST(LetsExchangesOfAClosedPoolFinish) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, AtMost(1));
  client.Send(1, 0);
  client.Send(2, 0);  // waits
  Peer first = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  client->ClosePool(0);
  client->ClosePool(0);
  CHECK(client.Send(3, 0) == SendResult::kNoPool);
  client.Open(0, endpoint);  // the slot serves someone else at once
  client.Send(4, 0);
  Peer other = endpoint.Accept();
  Answer(client, first, "one");
  CHECK_EQ(client.UntilEnd(1).body, "one");
  Answer(client, first, "two");  // the waiting one takes over the connection
  CHECK_EQ(client.UntilEnd(2).body, "two");
  Answer(client, other, "four");
  CHECK_EQ(client.UntilEnd(4).body, "four");
  client.Turn();
  CHECK_EQ(client->stats().connections, 1);  // the new pool's
}

TEST(ClosesIdleConnectionsWithTheirPool) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  Answer(client, peer, "x");
  client.UntilEnd(1);
  client->ClosePool(0);
  CHECK_EQ(client->stats().connections, 0);
  CHECK_EQ(client->stats().idle_connections, 0);
}

TEST(ClosesConnectionsToAddressesThatAreGone) {
  Endpoint old_endpoint;
  Endpoint new_endpoint;
  Client client;
  client.Open(0, old_endpoint);
  client.Send(1, 0);
  client.Send(2, 0);
  Peer idle = old_endpoint.Accept();
  Peer busy = old_endpoint.Accept();
  Answer(client, idle, "one");
  Answer(client, busy, "");  // may be either's
  client.Until([&] { return client.events.size() == 2; });
  CHECK_EQ(client->stats().idle_connections, 2);
  client.events.clear();
  client.Send(3, 0);
  CHECK(client->SetAddresses(0, {new_endpoint.address()}));
  CHECK_EQ(client->stats().connections, 1);  // the busy one
  Peer& still_busy = busy.ReadSome(50).empty() ? idle : busy;
  still_busy.Write(Ok("three"));
  CHECK_EQ(client.UntilEnd(3).body, "three");
  CHECK_EQ(client->stats().connections, 0);
  client.Send(4, 0);
  Peer moved = new_endpoint.Accept();
  Answer(client, moved, "four");
  CHECK_EQ(client.UntilEnd(4).body, "four");
  CHECK(!client->SetAddresses(9, {new_endpoint.address()}));
}

TEST(HasASlotForEveryEndpoint) {
  Endpoint endpoint;
  Client client;
  client.Open(65535, endpoint);
  CHECK(!client->OpenPool(65535, {endpoint.address()}, Patient()));
  CHECK(client.Send(kMaxExchanges - 1, 65535) == SendResult::kOk);
  Peer peer = endpoint.Accept();
  Answer(client, peer, "far");
  CHECK_EQ(client.UntilEnd(kMaxExchanges - 1).body, "far");
}

}  // namespace
