// Endpoints with TLS that break off with an alert, or come back with another certificate.
#include <string>

#include "upstream/tls_peer.h"

namespace {

using namespace loopback;
using sluice::tls::TlsFailure;

/// The endpoint's TLS, and a hand in the bytes that reach it.
struct Tapped {
  Secure secure;
  pair::Sockets sockets;
  Peer client{sluice::UniqueFd()};
  std::unique_ptr<TlsPeer> peer;

  explicit Tapped(int32_t flags = 0) {
    secure.client.Send(1, 0, flags);
    client = secure.endpoint.Accept();
    peer = std::make_unique<TlsPeer>(Peer(std::move(sockets.server)), *secure.server);
    CHECK(Until([&] { return peer->received.ends_with("\r\n\r\n"); }));
  }
  bool Until(const std::function<bool()>& is_so) {
    const uint64_t end_us = sluice::MonotonicUs() + kDeadlineUs;
    char bytes[16 * 1024];
    while (!is_so()) {
      if (sluice::MonotonicUs() > end_us) return false;
      const auto asked = ::recv(client.fd(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (asked > 0) Inject({bytes, static_cast<size_t>(asked)});
      peer->Pump();
      const auto told = sluice::Receive(sockets.client.get(), bytes, sizeof bytes);
      (void)sluice::Send(client.fd(), bytes, told.bytes);
      secure.client.Turn();
    }
    return true;
  }
  void Inject(std::string_view bytes) {
    (void)sluice::Send(sockets.client.get(), bytes.data(), bytes.size());
  }
  /// Makes the endpoint break off with an alert. @returns how the exchange ended
  SeenEvent BreakOff() {
    Inject("no record of TLS");
    CHECK(Until([&] { return !secure.client->is_busy(); }));
    CHECK_EQ(secure.client->stats().connections, 0);
    return secure.client.UntilEnd(1);
  }
};

TEST(FailsWhereAnAlertComesInPlaceOfAnAnswer) {
  Tapped test;
  const SeenEvent end = test.BreakOff();
  CHECK(end.failure() == EngineError::kReset);
  CHECK(end.has(event_flag::kSent));
}

TEST(TakesNoAlertForTheEndOfAnAnswer) {
  for (const char* const lines :
       {"content-length: 100\r\n", "", "transfer-encoding: chunked\r\n"}) {
    Tapped test;
    test.peer->Write("HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n");
    if (std::string_view(lines).starts_with("t")) {
      test.peer->Write("4\r\npart\r\n");
    } else {
      test.peer->Write("part");
    }
    CHECK(test.Until([&] { return test.secure.client.BodyOf(1) == "part"; }));
    const SeenEvent end = test.BreakOff();
    CHECK(end.failure() == EngineError::kTruncated);
    CHECK(end.has(event_flag::kHeadSeen));
  }
}

/// An exchange of its own connection. @param is_resumed of that connection
SeenEvent Once(Secure& test, int32_t id, bool* is_resumed = nullptr) {
  test.client.Send(id, 0);
  test.Accept();
  test.Until([&] {
    return test.peer->received.ends_with("\r\n\r\n") ||
           test.client.CountOf(id, EventType::kFailed) > 0;
  });
  if (is_resumed != nullptr) *is_resumed = test.peer->channel().is_resumed();
  test.peer->Write(Ok("ok", "connection: close\r\n"));
  return test.End(id);
}

TEST(VerifiesACertificateThatHasChangedBehindASession) {
  const made::Made stranger = made::Make({.common_name = "a.test", .alternatives = "DNS:a.test"});
  const made::Made renewed =
      made::Make({.common_name = "a.test", .alternatives = "DNS:a.test"}, &made::Ours().authority);
  Secure test;
  bool is_resumed = true;
  CHECK_EQ(Once(test, 1, &is_resumed).body, "ok");
  CHECK(!is_resumed);
  CHECK_EQ(Once(test, 2, &is_resumed).body, "ok");
  CHECK(is_resumed);
  // The endpoint starts again with other keys for its tickets: a session is of no use to it.
  test.server = pair::Server({}, {stranger.Shown()});
  const SeenEvent refused = Once(test, 3);
  CHECK(refused.failure() == EngineError::kTls);
  CHECK_EQ(refused.error_number >> Wire::kFailureShift,
           static_cast<int>(TlsFailure::kBadCertificate));
  CHECK(!refused.has(event_flag::kSent));
  test.server = pair::Server({}, {renewed.Shown()});
  CHECK_EQ(Once(test, 4, &is_resumed).body, "ok");
  CHECK(!is_resumed);
  CHECK_EQ(Once(test, 5, &is_resumed).body, "ok");
  CHECK(is_resumed);
}

}  // namespace
