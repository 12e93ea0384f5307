// The life of an exchange's number, calls made from within a batch, and any call in any order.
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

TEST(RefusesANumberThatIsInUse) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  client.Send(1, 0);
  CHECK(client.misuse == Misuse::kExchangeInUse);
  CHECK_EQ(client->stats().exchanges, 1);
}

TEST(ForgetsAReleasedExchangeAtOnce) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  client.Until([&] { return client->stats().connects == 1; });
  peer.ReadHead();
  client->Release(1);
  client->Release(1);
  client->Release(77);
  CHECK_EQ(client->stats().exchanges, 0);
  CHECK_EQ(client->stats().connections, 0);
  CHECK(peer.ReadSome().empty());  // closed
  client.Turn();
  CHECK(client.events.empty());
}

TEST(ReleasesAFailureBeforeItIsReported) {
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse("unix:/tmp/sluice-no-such.sock")}, Patient()));
  client.Send(1, 0);
  CHECK_EQ(client->stats().exchanges, 1);
  client->Release(1);
  for (int turn = 0; turn < 3; ++turn)
    client.Turn();
  CHECK(client.events.empty());
  CHECK_EQ(client->stats().exchanges, 0);
}

TEST(WithdrawsEventsOfExchangesThatAreReleasedInsideTheBatch) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  std::vector<Peer> peers;
  for (int32_t id = 0; id < 4; ++id) {
    client.Send(id, 0);
    peers.push_back(endpoint.Accept());
  }
  client.Until([&] { return client->stats().connects == 4; });
  for (Peer& peer : peers) {
    peer.ReadHead();
    peer.Write(Ok("x"));
  }
  client.on_event = [&](size_t at) {
    if (at != 0) return;
    for (int32_t id = 0; id < 4; ++id)
      client->Release(id);
    // Their numbers are free again, within the same batch.
    for (int32_t id = 0; id < 4; ++id)
      CHECK(client.Send(id, 0) == SendResult::kOk);
    CHECK(client.misuse == Misuse::kNone);
  };
  client.Until([&] { return !client.batches.empty(); });
  client.on_event = [](size_t) {};
  CHECK(client.events.empty() || client.batches[0] < 4);
  CHECK_EQ(client->stats().exchanges, 4);
}

TEST(ReportsWhatFailsInsideABatchWithTheNextOne) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  CHECK(client->OpenPool(1, {*Address::Parse("unix:/tmp/sluice-no-such.sock")}, Patient()));
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  bool is_inside = false;
  int sent = 0;
  client.on_event = [&](size_t) {
    CHECK(!is_inside);
    is_inside = true;
    if (sent++ < 3) client.Send(10 + sent, 1);
    is_inside = false;
  };
  Answer(client, peer, "x");
  client.UntilEnd(1);
  for (const int32_t id : {11, 12, 13})
    CHECK(client.UntilEnd(id).failure() == EngineError::kConnectRefused);
  CHECK_EQ(client.batches.size(), 4);
}

TEST(SendsTheNextRequestFromWithinTheBatch) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  client.on_event = [&](size_t) {
    if (client.batches.size() < 5) client.Send(1, 0);
  };
  client.Send(1, 0);
  Peer peer = endpoint.Accept();
  for (int round = 0; round < 5; ++round)
    Answer(client, peer, "x");
  CHECK(client.Until([&] { return client.events.size() == 5; }));
  CHECK_EQ(client->stats().connects, 1);
}

TEST(MayBeClosedFromWithinABatch) {
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
  client.on_event = [&](size_t at) {
    if (at == 3) client->Close();
  };
  client.Until([&] { return client->is_closed(); });
  for (int turn = 0; turn < 3; ++turn)
    client.Turn();
  CHECK_EQ(client.batches.size(), 1);
  CHECK_EQ(client->stats().connections, 0);
  CHECK_EQ(client->stats().exchanges, 0);
  client->Close();
  CHECK(client.Send(1, 0) == SendResult::kNoPool);
  CHECK_EQ(client.Write(1, "x", true), 0);
  client->Pause(1);
  client->Resume(1);
  client->Release(1);
  client->ClosePool(0);
  CHECK(!client->OpenPool(0, {endpoint.address()}, Patient()));
}

TEST(ClosesEveryDescriptorWhenItGoes) {
  Endpoint endpoint;
  const size_t before = OpenFiles();
  {
    Client client;
    client.Open(0, endpoint);
    for (int32_t id = 0; id < 10; ++id)
      client.Send(id, 0);
    client.Turn();
    CHECK(OpenFiles() > before);
  }
  CHECK_EQ(OpenFiles(), before);
}

TEST(FailsAHeldRequestThatWasCutShortWhenItIsSentAgain) {
  Endpoint endpoint;
  Client client;
  client.Open(1, endpoint);
  CHECK(client->OpenPool(0, {*Address::Parse("unix:/tmp/sluice-no-such.sock")}, Patient()));
  client.Send(1, 0, 0, 10);
  CHECK(client.UntilEnd(1).has(event_flag::kRetryable));
  CHECK_EQ(client.Write(1, "abc", true), 0);
  client.Write(1, "d", false);
  CHECK(client.misuse == Misuse::kBodyAfterEnd);
  client.events.clear();
  CHECK(client.Resend(1, 1) == SendResult::kOk);
  CHECK(client.misuse == Misuse::kNone);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.failure() == EngineError::kReset);
  CHECK_EQ(event.flags, 0);
  CHECK_EQ(client->stats().exchanges, 0);
  CHECK_EQ(client->stats().bytes_to_endpoints, 0);
}

TEST(ForgetsAHeldRequestThatWasCutShortWhenItIsReleased) {
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse("unix:/tmp/sluice-no-such.sock")}, Patient()));
  client.Send(1, 0, 0, 10);
  CHECK(client.UntilEnd(1).has(event_flag::kRetryable));
  client.Write(1, "abc", true);
  client->Release(1);
  CHECK_EQ(client->stats().exchanges, 0);
  client.Resend(1, 0);
  CHECK(client.misuse == Misuse::kNotHeld);
}

TEST(IsBusyOnlyWhileExchangesAreOpen) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint);
  CHECK(!client->is_busy());
  client.Send(1, 0);
  CHECK(client->is_busy());
  Peer peer = endpoint.Accept();
  Answer(client, peer, "x");
  client.UntilEnd(1);
  CHECK(!client->is_busy());
  endpoint.Close();
  peer.Close();
  client.Until([&] { return client->stats().connections == 0; });
  client.Send(2, 0);
  client.UntilEnd(2);
  CHECK(!client->is_busy());  // held for `resend`, which alone keeps no process alive
  CHECK_EQ(client->stats().exchanges, 1);
  client->Release(2);
  CHECK_EQ(client->stats().exchanges, 0);
}

TEST(SurvivesRandomCallsInRandomOrder) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Endpoint endpoint;
    Client client(kMinEvents);
    uint32_t state = seed;
    const auto random = [&](uint32_t below) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      return state % below;
    };
    client.Open(0, endpoint, AtMost(random(2) == 0 ? 0 : 3));
    std::vector<Peer> peers;
    const auto step = [&] {
      const auto id = static_cast<int32_t>(random(12));
      switch (random(9)) {
        case 0:
        case 1:
          client.Send(id, 0, static_cast<int32_t>(random(8)), static_cast<int64_t>(random(5)) - 2,
                      random(2) * 20, "PUT / HTTP/1.1\r\nhost: a\r\n");
          return;
        case 2:
          client.Write(id, "xy", random(2) == 0);
          return;
        case 3:
          client->Pause(id);
          return;
        case 4:
          client->Resume(id);
          return;
        case 5:
          client->Release(id);
          return;
        case 6:
          client.Resend(id, 0);
          return;
        case 7:
          if (random(20) == 0) {
            client->ClosePool(0);
            client.Open(0, endpoint, AtMost(2));
          }
          return;
        default:
          if (random(20) == 0) client->SetAddresses(0, {endpoint.address()});
          return;
      }
    };
    client.on_event = [&](size_t) {
      if (random(3) == 0) step();
    };
    for (int round = 0; round < 400; ++round) {
      step();
      client.Turn();
      if (endpoint.HasPending()) peers.push_back(endpoint.Accept());
      if (peers.empty()) continue;
      Peer& peer = peers[random(static_cast<uint32_t>(peers.size()))];
      if (!peer.is_open()) continue;
      switch (random(6)) {
        case 0:
          peer.Reset();
          break;
        case 1:
          peer.Close();
          break;
        case 2:
          peer.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n");
          break;
        default:
          peer.ReadSome(0);
          peer.Write(Ok("fine"));
      }
    }
    for (int32_t id = 0; id < 12; ++id)
      client->Release(id);
    CHECK_EQ(client->stats().exchanges, 0);
    CHECK(!client->is_busy());
    CHECK_EQ(client->stats().connections, client->stats().idle_connections);
  }
}

}  // namespace
