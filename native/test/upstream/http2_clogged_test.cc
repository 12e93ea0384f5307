// Streams whose clients do not read: what they leave of the connection's window, and where others
// go meanwhile.
#include <algorithm>
#include <string>

#include "upstream/http2_peer.h"

namespace {

using namespace loopback;

constexpr uint32_t kStreamWindow = 64 * 1024;
constexpr uint32_t kConnectionWindow = 256 * 1024;
constexpr size_t kLarge = 2 * 1024 * 1024;

PoolSettings Narrow(uint32_t max_connections = 0) {
  PoolSettings settings = Http2();
  settings.http2_stream_window_bytes = kStreamWindow;
  settings.http2_connection_window_bytes = kConnectionWindow;
  settings.max_connections = max_connections;
  return settings;
}

/// A connection on which some streams have a whole window of bytes that nobody takes.
struct Stalled {
  Endpoint endpoint;
  Client client;
  std::unique_ptr<Http2Peer> peer;

  explicit Stalled(int32_t count, const PoolSettings& settings = Narrow()) {
    client.Open(0, endpoint, settings);
    client.Send(0, 0);
    peer = std::make_unique<Http2Peer>(endpoint.Accept());
    CHECK(Until([&] { return peer->has_ended(0); }));
    peer->Answer(peer->At(0), "warm");
    CHECK(Until([&] { return !client->is_busy(); }));
    for (int32_t id = 1; id <= count; ++id) {
      client.Send(id, 0);
      CHECK(Until([&] { return peer->has_ended(static_cast<size_t>(id)); }));
      client->Pause(id);
      peer->Answer(Of(id), std::string(kLarge, 'x'));
    }
    CHECK(Until([&] { return Of(count)->answer.size() == kLarge - kStreamWindow; }));
    for (int turn = 0; turn < 10; ++turn) {
      peer->Pump();
      client.Turn(1);
    }
  }
  SeenStream* Of(int32_t id) { return peer->At(static_cast<size_t>(id)); }
  bool Until(const std::function<bool()>& is_so) { return Both(client, *peer, is_so); }
};

TEST(LetsWhatStalledStreamsLeaveGoRoundAmongTheOthers) {
  Stalled test(3);  // three quarters of the window
  test.client.Send(4, 0);
  CHECK(test.Until([&] { return test.peer->has_ended(4); }));
  test.peer->Answer(test.Of(4), std::string(kLarge, 'y'));
  int32_t most_given = 0;
  CHECK(test.Until([&] {
    most_given = std::max(most_given, nghttp2_session_get_remote_window_size(test.peer->session()));
    return test.client.BodyOf(4).size() == kLarge;
  }));
  // No part of the window has been given back twice.
  CHECK(most_given <= static_cast<int32_t>(kConnectionWindow - 3 * kStreamWindow));
  // What the stalled ones hold stays bounded, and comes when they are taken up again.
  CHECK_EQ(test.Of(1)->answer.size(), kLarge - kStreamWindow);
  for (int32_t id = 1; id <= 3; ++id)
    test.client->Resume(id);
  for (int32_t id = 1; id <= 3; ++id)
    CHECK(test.Until([&] { return test.client.BodyOf(id).size() == kLarge; }));
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(OpensAnotherConnectionWhereStalledStreamsHoldTheWindow) {
  Stalled test(4);  // all of the window
  test.client.Send(5, 0);
  test.client.Send(6, 0);
  CHECK(test.client.Until([&] { return test.endpoint.HasPending(); }));
  Http2Peer second(test.endpoint.Accept());
  CHECK(Both(test.client, second, [&] { return second.has_ended(1); }));
  second.Answer(second.At(0), "free");
  second.Answer(second.At(1), "free");
  CHECK(Both(test.client, second,
             [&] { return test.client.BodyOf(5) == "free" && test.client.BodyOf(6) == "free"; }));
  CHECK_EQ(test.client->stats().connections, 2);
  // Once they read, there is room on the first one.
  for (int32_t id = 1; id <= 4; ++id)
    test.client->Resume(id);
  for (int32_t id = 1; id <= 4; ++id)
    CHECK(test.Until([&] { return test.client.BodyOf(id).size() == kLarge; }));
  CHECK_EQ(test.client->stats().connections, 2);
}

TEST(UsesAFullConnectionWhereNoOtherMayBeMade) {
  Stalled test(4, Narrow(1));
  test.client.Send(5, 0, 0, kNoBody, 0, "HEAD / HTTP/1.1\r\nhost: a\r\n");
  CHECK(test.Until([&] { return test.peer->has_ended(5); }));
  test.peer->Head(test.Of(5), {{":status", "204"}}, true);
  CHECK(test.Until([&] { return test.client.CountOf(5, EventType::kHead) == 1; }));
  CHECK_EQ(test.client->stats().connections, 1);
}

TEST(FreesTheWindowOfStreamsThatAreGivenUp) {
  Stalled test(4);
  for (int32_t id = 1; id <= 4; ++id)
    test.client->Release(id);
  test.client.Send(5, 0);
  CHECK(test.Until([&] { return test.peer->has_ended(5); }));
  test.peer->Answer(test.Of(5), std::string(kLarge, 'y'));
  CHECK(test.Until([&] { return test.client.BodyOf(5).size() == kLarge; }));
  CHECK_EQ(test.client->stats().connections, 1);
}

}  // namespace
