// Connections that stop speaking HTTP: 101 to an upgrade, 2xx to CONNECT.
#include <string>

#include "upstream/recording_sink.h"

namespace {

using namespace loopback;

constexpr const char* kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

struct NoEvents final : public sluice::Pollable {
  void OnEvents(uint32_t) override {}
};

TEST(HandsTheSocketOver) {
  Sunk test(send_flag::kUpgrade);
  test.peer.Write(std::string(kSwitching) + "first words");
  const SeenCall end = test.UntilEnd();
  CHECK_EQ(test.sink.calls.size(), 1);
  CHECK(end.call == Call::kSwitched);
  CHECK_EQ(end.status, 101);
  CHECK_EQ(end.head, kSwitching);
  CHECK_EQ(end.body, "first words");
  CHECK(end.elapsed_us > 0);
  CHECK_EQ(test.client->stats().exchanges, 0);
  CHECK_EQ(test.client->stats().connections, 0);

  const int fd = test.sink.sockets.at(0).get();
  test.client.Turn();  // the connection's object goes, the socket stays
  CHECK_EQ(sluice::Send(fd, "hello", 5).bytes, 5);
  CHECK_EQ(test.peer.ReadSome(), "hello");
  test.peer.Write("more");
  pollfd waiting{fd, POLLIN, 0};
  CHECK_EQ(::poll(&waiting, 1, 2000), 1);
  char more[8];
  CHECK_EQ(sluice::Receive(fd, more, sizeof more).bytes, 4);
}

TEST(TakesTheSocketOutOfTheLoopsSet) {
  Sunk test(send_flag::kUpgrade);
  test.peer.Write(kSwitching);
  test.UntilEnd();
  const int fd = test.sink.sockets.at(0).get();
  test.peer.Write("more");
  CHECK(test.client.TurnsWithin(50'000) < 10);
  NoEvents pollable;
  CHECK_EQ(test.client.loop().Watch(fd, sluice::EventLoop::kSocketEvents, &pollable), 0);
  test.client.loop().Unwatch(fd);
}

TEST(SwitchesAfterInterimResponsesAndOnAPooledConnection) {
  Sunk test(0);
  test.peer.Write(Ok("first"));
  CHECK(test.UntilEnd().is_last);
  test.sink.calls.clear();
  CHECK(test.Send(send_flag::kUpgrade) == SendResult::kOk);
  test.peer.ReadHead();
  test.peer.Write("HTTP/1.1 103 Early Hints\r\n\r\n");
  CHECK(test.UntilCalls(1));
  // In pieces, with what is not HTTP in the last.
  test.peer.Write(std::string_view(kSwitching).substr(0, 20));
  test.client.TurnsWithin(10'000);
  test.peer.Write(std::string(kSwitching).substr(20) + "words");
  const SeenCall end = test.UntilEnd();
  CHECK(end.call == Call::kSwitched);
  CHECK_EQ(end.head, kSwitching);
  CHECK_EQ(end.body, "words");
  CHECK_EQ(test.client->stats().reuses, 1);
}

TEST(GivesThePlaceInThePoolToWhoWaits) {
  PoolSettings settings = Patient();
  settings.max_connections = 1;
  Sunk test(send_flag::kUpgrade, kNoBody, settings);
  CHECK(test.client.Send(1, 0) == SendResult::kOk);
  test.client.Turn();
  CHECK(!test.endpoint.HasPending());
  test.peer.Write(kSwitching);
  test.UntilEnd();
  Peer other = test.client.Accepted(test.endpoint);
  other.ReadHead();
  other.Write(Ok("served"));
  CHECK(test.client.UntilEnd(1).has(event_flag::kLast));
}

TEST(TakesAnAnswerThatDoesNotSwitch) {
  Sunk test(send_flag::kUpgrade);
  test.peer.Write(Ok("no"));
  CHECK(test.UntilEnd().is_last);
  CHECK_EQ(test.sink.body(), "no");
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(RefusesASwitchThatNobodyAskedFor) {
  Sunk test(0);
  test.peer.Write(kSwitching);
  CHECK(test.UntilEnd().failure == EngineError::kBadResponse);
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(RefusesASwitchToTheBatch) {
  for (const int32_t flag : {send_flag::kUpgrade, send_flag::kConnectMethod}) {
    Sunk test;
    CHECK(test.client.Send(1, 0, flag) == SendResult::kOk);
    Peer peer = test.client.Accepted(test.endpoint);
    peer.ReadHead();
    peer.Write(kSwitching);
    CHECK(test.client.UntilEnd(1).failure() == EngineError::kBadResponse);
  }
}

TEST(RefusesASwitchBeforeTheRequestIsSent) {
  Sunk test(send_flag::kUpgrade, 5);
  test.peer.Write(kSwitching);
  CHECK(test.UntilEnd().failure == EngineError::kBadResponse);
  CHECK(test.sink.sockets.empty());
}

TEST(SwitchesAtAnySuccessOfConnect) {
  const std::string head = "HTTP/1.1 204 Connected\r\n\r\n";
  Sunk test(send_flag::kConnectMethod);
  test.peer.Write(head + "words");
  const SeenCall end = test.UntilEnd();
  CHECK(end.call == Call::kSwitched);
  CHECK_EQ(end.status, 204);
  CHECK_EQ(end.head, head);
  CHECK_EQ(end.body, "words");
}

TEST(TakesARefusalOfConnectAsAResponse) {
  Sunk test(send_flag::kConnectMethod);
  test.peer.Write("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 2\r\n\r\nno");
  const SeenCall end = test.UntilEnd();
  CHECK(end.is_last);
  CHECK_EQ(end.status, 407);
  CHECK_EQ(test.sink.body(), "no");
}

TEST(RefusesASwitchToConnectThatIsNoUpgrade) {
  Sunk test(send_flag::kConnectMethod);
  test.peer.Write(kSwitching);
  CHECK(test.UntilEnd().failure == EngineError::kBadResponse);
}

TEST(ClosesTheSocketWithItsOwner) {
  const size_t files = OpenFiles();
  {
    Sunk test(send_flag::kUpgrade);
    test.peer.Write(kSwitching);
    test.UntilEnd();
    test.client.Destroy();
    CHECK_EQ(sluice::Send(test.sink.sockets.at(0).get(), "x", 1).bytes, 1);
  }
  CHECK_EQ(OpenFiles(), files);
}

}  // namespace
