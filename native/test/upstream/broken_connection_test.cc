// Connections that break while a request is being written, and loops that have nothing to do but
// wait.
#include <string>

#include "upstream/loopback.h"

namespace {

using namespace loopback;

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nhost: a\r\n";
/// More turns than a loop that sleeps can need in kWatchedUs.
constexpr size_t kManyTurns = 20;
constexpr uint64_t kWatchedUs = 300'000;

/// An upload whose response has begun; it ends with the connection unless `lines` say otherwise.
Peer BeginUpload(Client& client, Endpoint& endpoint, std::string_view body,
                 std::string_view lines = "") {
  client.Open(0, endpoint);
  client.Send(1, 0, 0, kChunkedBody, 0, kPost);
  Peer peer = client.Accepted(endpoint);
  client.Write(1, body, false);
  peer.ReadSome();
  peer.Write("HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\npartial");
  CHECK(client.Until([&] { return client.CountOf(1, EventType::kHead) == 1; }));
  return peer;
}

TEST(DoesNotTakeAResetThatAWriteMetForTheResponsesEnd) {
  Endpoint endpoint;
  Client client;
  Peer peer = BeginUpload(client, endpoint, "hello");
  peer.Reset();
  client.Write(1, "more", false);  // fails, and takes the socket's error with it
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.type == EventType::kFailed);
  CHECK(event.failure() == EngineError::kTruncated);
  CHECK_EQ(event.error_number, ECONNRESET);
  CHECK_EQ(event.flags, event_flag::kHeadSeen | event_flag::kSent | event_flag::kAnswered);
}

TEST(DoesNotTakeAResetDuringAPendingUploadForTheResponsesEnd) {
  Endpoint endpoint;
  Client client;
  Peer peer = BeginUpload(client, endpoint, std::string(8 << 20, 'x'));
  peer.Close();  // unread bytes: the kernel sends a reset
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.type == EventType::kFailed);
  CHECK(event.failure() == EngineError::kTruncated);
}

TEST(TakesAnOrderlyEndForTheResponsesEndAlthoughTheUploadMetAReset) {
  Endpoint endpoint;
  Client client;
  Peer peer = BeginUpload(client, endpoint, "hello");
  client->Pause(1);
  peer.Write(" whole");
  peer.Finish();
  peer.Close();
  client.Turn(20);
  client.Write(1, "one", false);  // answered with a reset
  client.TurnsWithin(50'000);
  client.Write(1, "two", false);
  client->Resume(1);
  const SeenEvent event = client.UntilEnd(1);
  CHECK(event.type == EventType::kBody);
  CHECK_EQ(event.flags, event_flag::kLast | event_flag::kRequestUnfinished);
  CHECK_EQ(client.BodyOf(1), "partial whole");
}

TEST(SleepsWhilePausedBehindABrokenWrite) {
  Endpoint endpoint;
  Client client;
  Peer peer = BeginUpload(client, endpoint, "hello", "content-length: 100\r\n");
  client->Pause(1);
  peer.Reset();
  client.Write(1, "more", false);
  CHECK(client.TurnsWithin(kWatchedUs) < kManyTurns);
  client->Resume(1);
  CHECK(client.UntilEnd(1).failure() == EngineError::kTruncated);
}

TEST(SleepsWhileTheSecondAddressIsSilent) {
  SilentEndpoint silent;
  Client client;
  CHECK(client->OpenPool(0, {*Address::Parse(ClosedPort()), silent.endpoint.address()}, Patient()));
  client.Send(1, 0);
  CHECK(client.TurnsWithin(kWatchedUs) < kManyTurns);
  CHECK_EQ(client->stats().connections, 1);
}

}  // namespace
