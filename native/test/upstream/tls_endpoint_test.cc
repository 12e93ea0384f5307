// Exchanges over TLS: handshakes and how they fail, idle connections, ends that TLS vouches for,
// bytes in any pieces.
#include <string>

#include "upstream/tls_peer.h"

namespace {

using namespace loopback;
using sluice::tls::TlsFailure;

TlsFailure ReasonOf(const SeenEvent& event) {
  return static_cast<TlsFailure>(event.error_number >> Wire::kFailureShift);
}
int DetailOf(const SeenEvent& event) {
  return event.error_number & ((1 << Wire::kFailureShift) - 1);
}

TEST(ServesExchangesOverOneConnection) {
  Secure test;
  test.client.Send(1, 0);
  test.Accept();
  CHECK(test.UntilRequest());
  CHECK_EQ(test.peer->received, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  test.peer->Write(Ok("one"));
  CHECK_EQ(test.End(1).body, "one");
  CHECK_EQ(test.client->stats().idle_connections, 1);
  test.peer->received.clear();
  test.client.Send(2, 0);
  CHECK(test.UntilRequest());
  test.peer->Write(Ok("two"));
  CHECK_EQ(test.End(2).body, "two");
  CHECK_EQ(test.client->stats().connects, 1);
  CHECK_EQ(test.client->stats().reuses, 1);
  CHECK_EQ(std::string(test.peer->channel().server_name()), "a.test");
}

TEST(KeepsAnIdleConnectionThatGetsTickets) {
  Secure test;
  test.client.Send(1, 0);
  test.Accept();
  CHECK(test.UntilRequest());
  test.peer->Write(Ok("one"));
  CHECK_EQ(test.End(1).body, "one");
  for (int turn = 0; turn < 5; ++turn) {
    test.peer->Pump();
    test.client.Turn(1);
  }
  CHECK_EQ(test.client->stats().idle_connections, 1);
}

TEST(ClosesAnIdleConnectionThatEndsOrSpeaks) {
  for (const char* said : {"", "HTTP/1.1 408 x\r\n\r\n"}) {
    Secure test;
    test.client.Send(1, 0);
    test.Accept();
    CHECK(test.UntilRequest());
    test.peer->Write(Ok("one"));
    CHECK_EQ(test.End(1).body, "one");
    if (*said == '\0') {
      test.peer->Finish();
    } else {
      test.peer->Write(said);
    }
    CHECK(test.client.Until([&] { return test.client->stats().connections == 0; }));
  }
}

TEST(TakesSessionsUpAgain) {
  Secure test;
  for (int32_t id = 1; id <= 2; ++id) {
    test.client.Send(id, 0);
    test.Accept();
    CHECK(test.UntilRequest());
    CHECK_EQ(test.peer->channel().is_resumed(), id == 2);
    test.peer->Write(Ok("x", "connection: close\r\n"));
    CHECK_EQ(test.End(id).body, "x");
  }
}

TEST(FailsWithTheReasonAndBeforeAnythingIsSent) {
  const made::Made expired = made::Make(
      {.common_name = "a.test", .alternatives = "DNS:a.test", .days = -2}, &made::Ours().authority);
  const made::Made stranger = made::Make({.common_name = "a.test", .alternatives = "DNS:a.test"});
  const auto failure = [](const made::Made& shown, const char* name) {
    PoolSettings settings = Patient();
    settings.server_name = name;
    Secure test({}, {}, settings, {shown.Shown()});
    test.client.Send(1, 0, 0, 4);
    test.client.Write(1, "body", true);
    test.Accept();
    return test.End(1);
  };
  const SeenEvent late = failure(expired, "a.test");
  CHECK(late.failure() == EngineError::kTls);
  CHECK(late.has(event_flag::kRetryable));
  CHECK(!late.has(event_flag::kSent));
  CHECK(ReasonOf(late) == TlsFailure::kBadCertificate);
  CHECK_EQ(DetailOf(late), X509_V_ERR_CERT_HAS_EXPIRED);
  const SeenEvent wrong = failure(made::Ours().server, "b.test");
  CHECK(ReasonOf(wrong) == TlsFailure::kBadCertificate);
  CHECK_EQ(DetailOf(wrong), X509_V_ERR_HOSTNAME_MISMATCH);
  const SeenEvent unknown = failure(stranger, "a.test");
  CHECK(ReasonOf(unknown) == TlsFailure::kBadCertificate);
  CHECK_EQ(DetailOf(unknown), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST(FailsWhereTheEndpointSpeaksNoTlsOrLeaves) {
  Secure plain;
  plain.client.Send(1, 0);
  Peer peer = plain.endpoint.Accept();
  peer.Write("HTTP/1.1 400 Bad Request\r\n\r\n");
  const SeenEvent event = plain.End(1);
  CHECK(event.failure() == EngineError::kTls);
  CHECK(ReasonOf(event) == TlsFailure::kNotTls || ReasonOf(event) == TlsFailure::kVersion);

  Secure leaving;
  leaving.client.Send(1, 0);
  leaving.endpoint.Accept().Close();
  const SeenEvent left = leaving.End(1);
  CHECK(left.failure() == EngineError::kTls);
  CHECK(ReasonOf(left) == TlsFailure::kPeerLeft);
}

TEST(WaitsForAHandshakeAsLongAsForAConnect) {
  PoolSettings settings = Patient();
  settings.connect_timeout_ms = 40;
  Secure test({}, {}, settings);
  test.client.Send(1, 0);
  Peer silent = test.endpoint.Accept();
  const SeenEvent event = test.End(1);
  CHECK(event.failure() == EngineError::kConnectTimeout);
  CHECK(event.has(event_flag::kRetryable));
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(LetsAReleaseEndAHandshake) {
  Secure test;
  test.client.Send(1, 0);
  Peer silent = test.endpoint.Accept();
  test.client.Turn(5);
  test.client->Release(1);
  CHECK_EQ(test.client->stats().connections, 0);
}

TEST(TakesAnEndForCompleteOnlyWhereTlsSaysSo) {
  for (const bool is_orderly : {true, false}) {
    Secure test;
    test.client.Send(1, 0);
    test.Accept();
    CHECK(test.UntilRequest());
    test.peer->Write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    CHECK(test.client.Until([&] { return test.client.BodyOf(1) == "until the end"; }));
    if (is_orderly) {
      test.peer->Finish();
    } else {
      test.peer->Cut();
    }
    const SeenEvent end = test.client.UntilEnd(1);
    if (is_orderly) {
      CHECK(end.has(event_flag::kLast));
    } else {
      CHECK(end.failure() == EngineError::kTruncated);
    }
  }
}

TEST(MovesLargeBodiesBothWays) {
  Secure test;
  constexpr size_t kBytes = 3 * 1024 * 1024;
  test.client.Send(1, 0, 0, kBytes, 0, "POST / HTTP/1.1\r\nhost: a\r\n");
  std::string body(kBytes, '\0');
  for (size_t at = 0; at < kBytes; ++at)
    body[at] = static_cast<char>('a' + at % 23);
  for (size_t at = 0; at < kBytes; at += 512 * 1024)
    test.client.Write(1, std::string_view(body).substr(at, 512 * 1024), false);
  test.Accept();
  CHECK(test.Until([&] { return test.peer->received.size() >= kBytes + 40; }));
  CHECK(test.peer->received.ends_with(body));
  test.peer->Write(Ok(body));
  CHECK(test.Until([&] { return test.client.BodyOf(1).size() == kBytes; }));
  CHECK(test.client.BodyOf(1) == body);
  CHECK(test.End(1).has(event_flag::kLast));
}

TEST(SeesWhatAnEndpointSaysUnasked) {
  Secure test;
  test.client.Send(1, 0, 0, 4);  // nothing is sent of the body yet
  test.Accept();
  test.peer->unsent = Ok("busy");
  CHECK(test.Until([&] { return test.client.CountOf(1, EventType::kHead) == 1; }));
  CHECK_EQ(test.client.BodyOf(1), "busy");
  CHECK_EQ(test.client->stats().connections, 0);
}

/// Passes bytes between a client's connection and an endpoint's, as few at a time as it is told,
/// and ends after as many as it is told.
class Wiretap {
 public:
  Wiretap(Peer client, int endpoint_fd, size_t piece)
      : client_(std::move(client)), endpoint_fd_(endpoint_fd), piece_(piece) {}

  /// @returns false: it has ended
  bool Pass(size_t most_bytes = SIZE_MAX) {
    std::string bytes(piece_, '\0');
    const auto from_client = sluice::Receive(client_.fd(), bytes.data(), piece_);
    (void)sluice::Send(endpoint_fd_, bytes.data(), from_client.bytes);
    const size_t left = most_bytes - std::min(most_bytes, passed);
    const auto from_endpoint = sluice::Receive(endpoint_fd_, bytes.data(), std::min(piece_, left));
    (void)sluice::Send(client_.fd(), bytes.data(), from_endpoint.bytes);
    passed += from_endpoint.bytes;
    return passed < most_bytes;
  }
  void Reset() { client_.Reset(); }
  void Close() { client_.Close(); }

  size_t passed = 0;  // to the client

 private:
  Peer client_;
  int endpoint_fd_;
  size_t piece_;
};

/// An exchange through a wiretap. @returns the event it ended with
SeenEvent Tapped(size_t piece, size_t most_bytes, bool with_reset, size_t* passed) {
  // Contexts are made once, since they cost more than a handshake; no session is taken up again.
  static const SecureContexts kContexts{pair::Server(), pair::Client({.resumes = false})};
  Secure test(kContexts);
  pair::Sockets sockets;
  test.client.Send(1, 0);
  Wiretap tap(test.endpoint.Accept(), sockets.client.get(), piece);
  TlsPeer peer(Peer(std::move(sockets.server)), *test.server);
  bool is_answered = false;
  bool is_cut = false;
  const uint64_t end_us = sluice::MonotonicUs() + kDeadlineUs;
  while (test.client->is_busy() && sluice::MonotonicUs() < end_us) {
    peer.Pump();
    if (!is_answered && peer.received.ends_with("\r\n\r\n")) {
      is_answered = true;
      peer.Write(Ok("answer"));
    }
    if (!is_cut && !tap.Pass(most_bytes)) {
      is_cut = true;
      with_reset ? tap.Reset() : tap.Close();
    }
    test.client.Turn();
  }
  *passed = tap.passed;
  const SeenEvent end = test.client.UntilEnd(1);
  if (is_cut) CHECK(test.client.Until([&] { return test.client->stats().connections == 0; }));
  return end;
}

TEST(ReadsAnswersInPiecesOfAByte) {
  size_t passed = 0;
  const SeenEvent end = Tapped(1, SIZE_MAX, false, &passed);
  CHECK_EQ(end.body, "answer");
  CHECK(end.has(event_flag::kLast));
}

TEST(FailsCleanlyWhereverTheConnectionIsCut) {
  size_t whole = 0;
  CHECK(Tapped(4096, SIZE_MAX, false, &whole).has(event_flag::kLast));
  const size_t descriptors = OpenFiles();
  // Of the endpoint's handshake and of the record with its answer.
  for (size_t most = 1; most < whole; ++most) {
    for (const bool with_reset : {false, true}) {
      size_t passed = 0;
      const SeenEvent end = Tapped(4096, most, with_reset, &passed);
      const bool has_failed =
          end.type == EventType::kFailed &&
          (end.failure() == EngineError::kTls || end.failure() == EngineError::kReset ||
           end.failure() == EngineError::kTruncated);
      // The last bytes may be tickets and the like, which nobody waits for.
      CHECK(has_failed || end.body == "answer");
      if (end.failure() == EngineError::kTls) CHECK(!end.has(event_flag::kSent));
    }
  }
  CHECK_EQ(OpenFiles(), descriptors);
}

}  // namespace
