// Memory of responses: heads and bodies stay inside the arena, and an idle connection holds
// nothing.
#include <malloc.h>

#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

constexpr size_t kConnections = 4;

/// Makes room for a whole response, so that one Write takes it.
void WriteWhole(Peer& peer, const std::string& bytes) {
  const int room_bytes = 4 << 20;
  ::setsockopt(peer.fd(), SOL_SOCKET, SO_SNDBUF, &room_bytes, sizeof room_bytes);
  peer.Write(bytes);
}

TEST(KeepsTheLongestHeadInsideTheArena) {
  // An odd limit: what is read before the rewritten head ends off the arena's boundaries.
  for (const uint32_t head_bytes : {16u * 1024 + 1, 16u * 1024 + 7, 128u * 1024}) {
    Endpoint endpoint;
    Client client;
    PoolSettings settings = Patient();
    settings.response_head_bytes = head_bytes;
    client.Open(0, endpoint, settings);
    std::vector<Peer> peers;
    for (size_t at = 0; at < kConnections; ++at) {
      client.Send(static_cast<int32_t>(at), 0);
      peers.push_back(client.Accepted(endpoint));
      peers.back().ReadHead();
    }
    // Three fill most of the arena; the last one's head and its rewritten copy take what is left.
    for (size_t at = 0; at + 1 < kConnections; ++at)
      WriteWhole(peers[at], Ok(std::string(400 * 1024, 'b')));
    std::string head = "HTTP/1.1 401\r\nx: ";  // the phrase that is put in makes it no longer
    head += std::string(head_bytes - head.size() - 4, 'h') + "\r\n\r\n";
    WriteWhole(peers.back(), head + std::string(300 * 1024, 'c'));
    const auto last = static_cast<int32_t>(kConnections - 1);
    CHECK(client.Until([&] { return client.BodyOf(last).size() == 300 * 1024; }));
    CHECK_EQ(client.CountOf(last, EventType::kHead), 1);
  }
}

TEST(HoldsNoHeadOnAnIdleConnection) {
  constexpr int32_t kIdle = 50;
  Endpoint endpoint;
  Client client(256, 1 << 20);
  client.Open(0, endpoint);
  std::vector<Peer> peers;
  for (int32_t id = 0; id < kIdle; ++id) {
    client.Send(id, 0);
    peers.push_back(client.Accepted(endpoint));
    peers.back().ReadHead();
  }
  const std::string response = Ok(std::string(120 * 1024, 'x'));
  const size_t before_bytes = mallinfo2().uordblks + mallinfo2().hblkhd;
  for (Peer& peer : peers)
    WriteWhole(peer, response.substr(0, 20));  // a head in pieces is collected
  client.TurnsWithin(20'000);
  for (Peer& peer : peers)
    WriteWhole(peer, response.substr(20));
  for (int32_t id = 0; id < kIdle; ++id)
    CHECK(client.UntilEnd(id).has(event_flag::kLast));
  CHECK_EQ(client->stats().idle_connections, kIdle);
  client.events.clear();
  client.events.shrink_to_fit();
  const size_t after_bytes = mallinfo2().uordblks + mallinfo2().hblkhd;
  CHECK(after_bytes < before_bytes + kIdle * size_t{4096});
}

}  // namespace
