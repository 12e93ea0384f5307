// HTTP/2 over TLS to endpoints that refuse us, leave early, or break off anywhere.
#include <string>

#include "upstream/http2_peer.h"
#include "upstream/tls_peer.h"

namespace {

using namespace loopback;
using sluice::tls::TlsFailure;

PoolSettings Http2OverTls() {
  PoolSettings settings = Http2();
  settings.server_name = "a.test";
  return settings;
}

/// An endpoint whose HTTP/2 goes through TLS, whose bytes go through the test.
struct Carried {
  Secure secure{{.alpn = {"h2"}}, {}, Http2OverTls()};
  pair::Sockets sealed;  // TLS of the endpoint, and the test's end
  pair::Sockets clear;   // HTTP/2 of the endpoint, and the test's end
  Peer client{sluice::UniqueFd()};
  std::unique_ptr<TlsPeer> tls;
  std::unique_ptr<Http2Peer> http2;
  size_t passed = 0;  // to the client

  Carried() {
    secure.client.Send(0, 0);
    client = secure.endpoint.Accept();
    tls = std::make_unique<TlsPeer>(Peer(std::move(sealed.server)), *secure.server);
    http2 = std::make_unique<Http2Peer>(Peer(std::move(clear.server)));
  }

  /// Moves what is there; at most so many bytes to the client, then it is cut.
  void Pass(size_t most_bytes = SIZE_MAX) {
    char bytes[16 * 1024];
    const auto from_client = ::recv(client.fd(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (from_client > 0)
      (void)sluice::Send(sealed.client.get(), bytes, static_cast<size_t>(from_client));
    tls->Pump();
    (void)sluice::Send(clear.client.get(), tls->received.data(), tls->received.size());
    tls->received.clear();
    http2->Pump();
    const auto said = sluice::Receive(clear.client.get(), bytes, sizeof bytes);
    tls->Write({bytes, said.bytes});
    const size_t left = most_bytes - std::min(most_bytes, passed);
    const auto from_endpoint =
        sluice::Receive(sealed.client.get(), bytes, std::min(sizeof bytes, left));
    (void)sluice::Send(client.fd(), bytes, from_endpoint.bytes);
    passed += from_endpoint.bytes;
  }
  bool Until(const std::function<bool()>& is_so) {
    const uint64_t end_us = sluice::MonotonicUs() + kDeadlineUs;
    while (!is_so()) {
      if (sluice::MonotonicUs() > end_us) return false;
      Pass();
      secure.client.Turn();
    }
    return true;
  }
};

/// An exchange whose connection is cut behind so many bytes of the endpoint.
SeenEvent Cut(size_t most_bytes, bool with_reset, size_t* passed) {
  Carried test;
  bool is_answered = false;
  bool is_cut = false;
  const uint64_t end_us = sluice::MonotonicUs() + kDeadlineUs;
  while (test.secure.client->is_busy() && sluice::MonotonicUs() < end_us) {
    if (!is_cut) test.Pass(most_bytes);
    if (!is_answered && test.http2->has_ended(0)) {
      is_answered = true;
      test.http2->Answer(test.http2->At(0), "answer");
    }
    if (!is_cut && test.passed >= most_bytes) {
      is_cut = true;
      with_reset ? test.client.Reset() : test.client.Close();
    }
    test.secure.client.Turn();
  }
  *passed = test.passed;
  return test.secure.client.UntilEnd(0);
}

TEST(FailsCleanlyWhereverItIsCut) {
  size_t whole = 0;
  CHECK_EQ(Cut(SIZE_MAX, false, &whole).body, "answer");
  for (size_t most = 1; most<whole; most += most> whole - 120 ? 1 : 41) {
    for (const bool with_reset : {false, true}) {
      size_t passed = 0;
      const SeenEvent end = Cut(most, with_reset, &passed);
      const bool has_failed =
          end.type == EventType::kFailed &&
          (end.failure() == EngineError::kTls || end.failure() == EngineError::kReset ||
           end.failure() == EngineError::kTruncated);
      CHECK(has_failed || end.body == "answer");
      if (end.failure() == EngineError::kTls) CHECK(!end.has(event_flag::kSent));
    }
  }
}

TEST(EndsItsStreamsWhereAnAlertComesWithinAnAnswer) {
  Carried test;
  CHECK(test.Until([&] { return test.http2->has_ended(0); }));
  test.http2->Head(test.http2->At(0), {{":status", "200"}}, false);
  test.http2->Body(test.http2->At(0), "part", false);
  CHECK(test.Until([&] { return test.secure.client.BodyOf(0) == "part"; }));
  // What is no record makes the endpoint say unexpected_message or the like.
  (void)sluice::Send(test.sealed.client.get(), "no record of TLS", 16);
  CHECK(test.Until([&] { return !test.secure.client->is_busy(); }));
  CHECK(test.secure.client.UntilEnd(0).failure() == EngineError::kTruncated);
  CHECK_EQ(test.secure.client->stats().connections, 0);
}

TEST(TellsThatItsCertificateIsRefused) {
  sluice::tls::ServerSettings wants{.alpn = {"h2"}};
  wants.client_auth = sluice::tls::ClientAuth::kRequired;
  wants.client_ca = made::Ours().ca();
  Secure test(wants, {}, Http2OverTls());
  for (const int32_t id : {1, 2, 3})
    test.client.Send(id, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  test.Accept();
  for (const int32_t id : {1, 2, 3}) {
    // Those that waited for the first one's connection end with it.
    const SeenEvent end = test.End(id);
    CHECK(end.failure() == EngineError::kTls);
    CHECK_EQ(end.error_number >> Wire::kFailureShift, static_cast<int>(TlsFailure::kAlert));
    CHECK(end.has(event_flag::kRetryable));
    CHECK(!end.has(event_flag::kSent));
  }
  CHECK_EQ(test.client->stats().connects, 1);
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(ReplaysElsewhereWhatMeetsAGoAwayThatIsNotReadYet) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, Http2());
  client.Send(0, 0);
  Http2Peer peer(endpoint.Accept());
  CHECK(Both(client, peer, [&] { return peer.has_ended(0); }));
  peer.Answer(peer.At(0), "warm");
  CHECK(Both(client, peer, [&] { return !client->is_busy(); }));
  peer.GoAway(peer.At(0)->id);
  peer.Pump();
  client.Send(1, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  CHECK(Both(client, peer, [&] { return endpoint.HasPending(); }));
  Http2Peer second(endpoint.Accept());
  CHECK(Both(client, second, [&] { return second.has_ended(0); }));
  second.Answer(second.At(0), "again");
  CHECK(Both(client, second, [&] { return client.BodyOf(1) == "again"; }));
  CHECK_EQ(peer.order.size(), 1);
}

TEST(ReplaysOnceWhereTheFirstWordIsGoAway) {
  Endpoint endpoint;
  Client client;
  client.Open(0, endpoint, Http2());
  client.Send(1, 0, 0, kNoBody, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  Http2Peer first(endpoint.Accept());
  first.GoAway(0);
  CHECK(Both(client, first, [&] { return endpoint.HasPending(); }));
  Http2Peer second(endpoint.Accept());
  second.GoAway(0);
  CHECK(Both(client, second, [&] { return client.CountOf(1, EventType::kFailed) == 1; }));
  const SeenEvent end = client.UntilEnd(1);
  CHECK(end.failure() == EngineError::kStreamRefused);
  CHECK(end.has(event_flag::kRetryable));
  CHECK(!end.has(event_flag::kSent));
}

TEST(TellsWaitingAttemptsThatTheConnectTookTooLongWhereNoSettingsCome) {
  Endpoint endpoint;
  Client client;
  PoolSettings settings = Http2();
  settings.connect_timeout_ms = 60;
  client.Open(0, endpoint, settings);
  client.Send(1, 0);
  Peer silent = client.Accepted(endpoint);
  client.Send(2, 0);
  CHECK(client.UntilEnd(2).failure() == EngineError::kConnectTimeout);
  client->Release(1);
}

}  // namespace
