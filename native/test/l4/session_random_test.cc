// Many sessions that come, speak, stall, finish and break at random; at the end everything is back
// to nothing.
#include <memory>
#include <string>
#include <vector>

#include "l4/session_rig.h"

namespace {

using namespace rig;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  size_t operator()(size_t below) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<size_t>(state_ % below);
  }

 private:
  uint64_t state_;
};

/// Does one thing with one end of a connection.
void Act(Random& random, Peer& peer, const std::string& block) {
  if (!peer.is_open()) return;
  switch (random(16)) {
    case 0:
      return peer.Reset();
    case 1:
      return peer.Close();
    case 2:
      return peer.Finish();
    case 3:
    case 4:
    case 5:
    case 6:
      (void)Send(peer.fd(), block.data(), random(block.size()) + 1);
      return;
    case 7:
    case 8:
    case 9:
      (void)Send(peer.fd(), block.data(), random(200) + 1);
      return;
    default: {
      char buffer[64 * 1024];
      (void)Receive(peer.fd(), buffer, random(2) == 0 ? sizeof buffer : 100);
      return;
    }
  }
}

void RunAtRandom(RelayKind kind, uint64_t seed) {
  const size_t descriptors = CountDescriptors();
  {
    SessionListenerSettings settings = PatientListener(kind);
    settings.half_close = seed % 2 == 0;
    settings.reads_client_hello = seed % 3 == 0;
    SessionEndpointSettings endpoint_settings = PatientEndpoint();
    endpoint_settings.proxy_header = static_cast<int>(seed % 3);
    Rig rig(settings, endpoint_settings, kMinSessionEvents);
    CHECK(rig.engine->OpenEndpoint(1, {RefusingAddress(), rig.endpoint.address()},
                                   endpoint_settings));
    CHECK(rig.engine->OpenEndpoint(2, {RefusingAddress()}, endpoint_settings));
    Random random(seed);
    rig.decide = [&](const Told&) {
      return static_cast<int32_t>(random(8)) < 7 ? static_cast<int32_t>(random(4)) : kRefuse;
    };
    const std::string block(300 * 1024, 'r');
    std::vector<Peer> peers;
    size_t accepted = 0;
    for (int step = 0; step < 6000; ++step) {
      if (peers.size() < 120 && random(8) == 0) {
        peers.push_back(random(10) == 0 ? rig.ConnectUnix() : rig.Connect());
        ++accepted;
      }
      if (Peer endpoint = rig.endpoint.Accept(); endpoint.is_open())
        peers.push_back(std::move(endpoint));
      if (!peers.empty()) {
        const size_t place = random(peers.size());
        Act(random, peers[place], block);
        if (!peers[place].is_open()) {
          peers[place] = std::move(peers.back());
          peers.pop_back();
        }
      }
      if (random(200) == 0) rig.engine->CloseSession(static_cast<int32_t>(random(60)));
      if (random(3) == 0) rig.loop->Turn(0);
    }
    for (Peer& peer : peers)
      peer.Close();
    CHECK(rig.Until([&] {
      if (Peer endpoint = rig.endpoint.Accept(); endpoint.is_open()) endpoint.Reset();
      return rig.Count(SessionEventType::kEnded) == accepted;
    }));
    rig.CheckEmpty();
    // Whatever was opened has ended once, and moved what the totals say.
    uint64_t from_clients = 0;
    uint64_t to_clients = 0;
    std::vector<int> open(1024);
    for (const Told& event : rig.told) {
      int& is_open = open[static_cast<size_t>(event.session())];
      if (event.type == SessionEventType::kOpened) CHECK_EQ(++is_open, 1);
      if (event.type != SessionEventType::kEnded) continue;
      CHECK_EQ(is_open, event.has(session_flag::kNeverOpened) ? 0 : 1);
      is_open = 0;
      from_clients += event.from_client_bytes();
      to_clients += event.to_client_bytes();
    }
    CHECK_EQ(rig.engine->stats().bytes_from_clients, from_clients);
    CHECK_EQ(rig.engine->stats().bytes_to_clients, to_clients);
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

TEST(LeavesNothingBehindWhateverHappens) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    for (const RelayKind kind : {RelayKind::kCopy, RelayKind::kSplice, RelayKind::kAdaptive})
      RunAtRandom(kind, seed * 7919);
  }
}

TEST(ClosesInTheMiddleOfIt) {
  const size_t descriptors = CountDescriptors();
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rig rig(PatientListener(seed % 2 == 0 ? RelayKind::kSplice : RelayKind::kAdaptive));
    Random random(seed);
    const std::string block(300 * 1024, 'r');
    std::vector<Peer> peers;
    for (int step = 0; step < 400; ++step) {
      if (random(10) == 0) peers.push_back(rig.Connect());
      if (Peer endpoint = rig.endpoint.Accept(); endpoint.is_open())
        peers.push_back(std::move(endpoint));
      if (!peers.empty()) Act(random, peers[random(peers.size())], block);
      rig.loop->Turn(0);
    }
    rig.engine->Close();
    rig.CheckEmpty();
    CHECK_EQ(rig.engine->stats().pipes, 0);
    rig.loop->Turn(0);
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

}  // namespace
