// Handshakes of sessions: with clients and endpoints, their limits, and each way in which they
// fail.
#include <array>
#include <string>
#include <vector>

#include "l4/tls_session_rig.h"

namespace {

using namespace rig;

TEST(TellsTheServerNameAndTheProtocolThatWereAgreedOn) {
  SessionListenerSettings settings = TlsListener();
  settings.tls.context = MakeServer({"one", "two"});
  Rig rig(settings);
  Talker client(rig.Connect(), OneContexts().client.get(), {"three", "two"});
  CHECK(rig.Until([&] {
    client.Step();
    return rig.Count(SessionEventType::kConnected) == 1;
  }));
  const Told& opened = rig.Wait(SessionEventType::kOpened);
  CHECK_EQ(opened.sni, kName);
  CHECK_EQ(opened.alpn, "\x03two");
  CHECK(opened.has(session_flag::kTls));
  CHECK(opened.has(session_flag::kDecrypted));
}

TEST(OffersEndpointsTheProtocolOfTheClient) {
  SessionListenerSettings listener = TlsListener();
  listener.tls.context = MakeServer({"one", "two"});
  Rig rig(listener, TlsEndpoint());
  Talker client(rig.Connect(), OneContexts().client.get(), {"two"});
  const auto server = MakeServer({"one", "two"});
  std::optional<Talker> endpoint;
  CHECK(rig.Until([&] {
    client.Step();
    if (endpoint.has_value()) endpoint->Step();
    if (Peer accepted = rig.endpoint.Accept(); accepted.is_open())
      endpoint.emplace(std::move(accepted), server.get());
    return rig.Count(SessionEventType::kConnected) == 1;
  }));
  CHECK_EQ(endpoint->channel().protocol(), "two");
  CHECK_EQ(endpoint->channel().server_name(), kName);
}

TEST(BeginsTlsBehindAProxyHeaderHoweverItComes) {
  const std::string header = "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n";
  for (size_t split = 0; split <= header.size(); split += 7) {
    SessionListenerSettings settings = TlsListener();
    settings.reads_proxy_header = true;
    Rig rig(settings);
    rig.believes = true;
    Peer peer = rig.Connect();
    peer.Say(header.substr(0, split));
    if (split > 0) rig.loop->Turn(0);
    peer.Say(header.substr(split));
    // At the last split nothing of TLS comes along with the header.
    if (split + 7 > header.size()) rig.loop->Turn(0);
    Talker client(std::move(peer), OneContexts().client.get());
    client.Say("hello");
    Talker endpoint = [&] {
      Peer accepted;
      rig.Until([&] {
        client.Step();
        accepted = rig.endpoint.Accept();
        return accepted.is_open();
      });
      return Talker(std::move(accepted));
    }();
    CHECK(rig.Until([&] {
      client.Step();
      endpoint.Step();
      return endpoint.heard == "hello";
    }));
    CHECK(rig.Wait(SessionEventType::kOpened).has(session_flag::kProxied));
  }
}

TEST(TellsEndpointsOfTheClientBeforeTlsBegins) {
  SessionEndpointSettings settings = TlsEndpoint();
  settings.proxy_header = 1;
  Rig rig(PatientListener(), settings);
  Peer client = rig.Connect();
  Peer accepted = rig.AcceptAtEndpoint();
  std::string line;
  CHECK(rig.Until([&] {
    char byte = 0;
    while (!line.ends_with("\r\n") && Receive(accepted.fd(), &byte, 1).bytes == 1)
      line += byte;
    return line.ends_with("\r\n");
  }));
  CHECK(line.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
  Talker endpoint(std::move(accepted), OneContexts().server.get());
  CHECK(rig.Until([&] {
    endpoint.Step();
    return rig.Count(SessionEventType::kConnected) == 1;
  }));
}

/// Carries bytes between a client of TLS and the engine, up to a number of them.
class Leash {
 public:
  explicit Leash(Rig* rig) : rig_(rig), outer_(rig->Connect()) {
    auto pair = std::move(OpenSocketPair().value());
    inner_ = Peer(std::move(pair.first));
    client.emplace(Peer(std::move(pair.second)), OneContexts().client.get());
  }

  /// @returns false: `most` bytes of the client have gone on
  bool Step(size_t most) {
    client->Step();
    std::array<char, 16 * 1024> buffer;
    const size_t room = std::min(most - passed, buffer.size());
    if (room > 0) {
      const IoResult got = Receive(inner_.fd(), buffer.data(), room);
      passed += Send(outer_.fd(), buffer.data(), got.bytes).bytes;
    }
    const IoResult back = Receive(outer_.fd(), buffer.data(), buffer.size());
    (void)Send(inner_.fd(), buffer.data(), back.bytes);
    rig_->loop->Turn(0);
    return passed < most;
  }
  Peer& outer() { return outer_; }

  std::optional<Talker> client;
  size_t passed = 0;

 private:
  Rig* rig_;
  Peer outer_;
  Peer inner_;
};

TEST(LeavesNothingBehindWhereAHandshakeIsAbortedAtAnyByte) {
  Rig whole(TlsListener());
  Leash leash(&whole);
  CHECK(whole.Until([&] {
    (void)leash.Step(SIZE_MAX);
    return whole.Count(SessionEventType::kOpened) == 1;
  }));
  const size_t descriptors = CountDescriptors();
  for (size_t step = 0; step < 2 * leash.passed; ++step) {
    const size_t most = step / 2;
    Rig rig(TlsListener());
    Leash cut(&rig);
    CHECK(rig.Until([&] { return !cut.Step(most); }));
    step % 2 == 0 ? cut.outer().Reset() : cut.outer().Close();
    const Told& ended = rig.WaitEnded();
    CHECK(ended.has(session_flag::kNeverOpened));
    if (most > 0) {
      CHECK_EQ(ended.reason(), static_cast<int32_t>(SessionEnd::kTlsFailed));
      CHECK_EQ(ended.words[kTlsFailure], static_cast<int32_t>(tls::TlsFailure::kPeerLeft));
    }
    rig.CheckEmpty();
    CHECK_EQ(rig.engine->stats().handshakes, 0);
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

TEST(TellsWhyAClientCannotBegin) {
  Rig rig(TlsListener());
  Peer client = rig.Connect();
  client.Say("GET / HTTP/1.1\r\n\r\n");
  rig.CheckEnded(SessionEnd::kTlsFailed);
  CHECK_EQ(rig.WaitEnded().words[kTlsFailure], static_cast<int32_t>(tls::TlsFailure::kNotTls));
  CHECK(rig.Until([&] { return client.HasEnded() || client.IsReset(); }));
  rig.CheckEmpty();
}

TEST(EndsHandshakesThatAreNotCompleteInTime) {
  for (const bool says_something : {false, true}) {
    SessionListenerSettings settings = TlsListener();
    settings.tls.handshake_timeout_ms = 30;
    Rig rig(settings);
    Peer client = rig.Connect();
    if (says_something) client.Say(std::string_view("\x16\x03\x01", 3));
    rig.CheckEnded(SessionEnd::kTlsTimeout);
    CHECK(rig.Until([&] { return client.IsReset(); }));
    rig.CheckEmpty();
    CHECK_EQ(rig.engine->stats().handshakes, 0);
  }
}

TEST(ResetsClientsBeyondTheLimitsOfHandshakes) {
  for (const bool is_per_client : {false, true}) {
    SessionListenerSettings settings = TlsListener();
    tls::HandshakeLimits& limits = settings.tls.limits;
    (is_per_client ? limits.handshakes_per_client : limits.handshakes) = 2;
    Rig rig(settings);
    // Who says nothing is not counted.
    Peer silent = rig.Connect();
    Peer first_peer = rig.Connect();
    Peer second = rig.Connect();
    Peer third = rig.Connect();
    second.Say("\x16");
    Talker first(std::move(first_peer), OneContexts().client.get());
    first.Step();
    CHECK(rig.Until([&] { return rig.engine->stats().handshakes == 2; }));
    third.Say("\x16");
    rig.CheckEnded(SessionEnd::kTlsLimit);
    CHECK(rig.Until([&] { return third.IsReset(); }));
    CHECK_EQ(rig.engine->stats().handshakes, 2);
    // Who is through makes room.
    CHECK(rig.Until([&] {
      first.Step();
      return rig.Count(SessionEventType::kOpened) == 1;
    }));
    CHECK_EQ(rig.engine->stats().handshakes, 1);
    Peer fourth = rig.Connect();
    fourth.Say("\x16");
    CHECK(rig.Until([&] { return rig.engine->stats().handshakes == 2; }));
    CHECK_EQ(rig.Count(SessionEventType::kEnded), 1);
  }
}

TEST(EndsConnectionsThatOnlyProveAName) {
  SessionListenerSettings settings = TlsListener();
  settings.tls.context = MakeServer();
  tls::Certificate proof;
  proof.chain = OneIdentity().certificate.certificate();
  proof.key = OneIdentity().certificate.key();
  CHECK_EQ(settings.tls.context->SetChallenge(kName, proof), "");
  Rig rig(settings);
  Talker client(rig.Connect(), OneContexts().client.get(), {"acme-tls/1"});
  CHECK(rig.Until([&] {
    client.Step();
    return client.has_ended;
  }));
  CHECK(client.is_established());
  CHECK(!client.was_cut());
  rig.CheckEnded(SessionEnd::kClean);
  CHECK_EQ(rig.Count(SessionEventType::kOpened), 0);
}

// --- endpoints ---

/// The endpoint of slot 0 fails; the session goes on to slot 1, which is plain.
class Failover {
 public:
  explicit Failover(const SessionEndpointSettings& settings) : rig(PatientListener(), settings) {
    rig.engine->OpenEndpoint(1, {other_.address()}, PatientEndpoint());
    rig.decide = [](const Told& event) {
      return event.type == SessionEventType::kConnectFailed ? 1 : 0;
    };
    client = rig.Connect();
  }
  void Check(ConnectFailure failure, tls::TlsFailure why) {
    const Told& failed = rig.Wait(SessionEventType::kConnectFailed);
    CHECK_EQ(failed.reason(), static_cast<int32_t>(failure));
    CHECK_EQ(failed.words[kTlsFailure], static_cast<int32_t>(why));
    Peer second = rig.AcceptAt(&other_);
    client.Say("hello");
    CHECK(rig.Until([&] { return second.HasHeard("hello"); }));
    second.Close();
    client.Close();
    rig.CheckEnded(SessionEnd::kClean);
    rig.CheckEmpty();
  }

  Rig rig;
  Peer client;

 private:
  Listener other_;
};

TEST(GoesOnToAnotherEndpointWhereTlsCannotBegin) {
  {
    Failover no_tls(TlsEndpoint());
    Peer endpoint = no_tls.rig.AcceptAtEndpoint();
    endpoint.Say("220 welcome\r\n");
    no_tls.Check(ConnectFailure::kTls, tls::TlsFailure::kNotTls);
  }
  {
    Failover leaves(TlsEndpoint());
    leaves.rig.AcceptAtEndpoint().Close();
    leaves.Check(ConnectFailure::kTls, tls::TlsFailure::kPeerLeft);
  }
  {
    SessionEndpointSettings settings = TlsEndpoint();
    settings.connect_timeout_ms = 30;
    Failover silent(settings);
    Peer endpoint = silent.rig.AcceptAtEndpoint();
    silent.Check(ConnectFailure::kTimeout, tls::TlsFailure::kNone);
  }
}

TEST(GoesOnToAnotherEndpointWhereItsCertificateIsNotBelieved) {
  SessionEndpointSettings other_name = TlsEndpoint();
  other_name.tls_server_name = "other.example.com";
  SessionEndpointSettings other_authority = TlsEndpoint();
  other_authority.tls = MakeClient(MadeCertificate("somebody").certificate());
  for (const SessionEndpointSettings& settings : {other_name, other_authority}) {
    Failover failover(settings);
    Talker endpoint(failover.rig.AcceptAtEndpoint(), OneContexts().server.get());
    CHECK(failover.rig.Until([&] {
      endpoint.Step();
      return failover.rig.Count(SessionEventType::kConnectFailed) == 1;
    }));
    CHECK(failover.rig.Wait(SessionEventType::kConnectFailed).words[kTlsTextLength] > 0);
    failover.Check(ConnectFailure::kTls, tls::TlsFailure::kBadCertificate);
    CHECK(endpoint.heard.empty());
  }
}

TEST(EndsWithItsClientWhileTlsBeginsWithTheEndpoint) {
  Rig rig(PatientListener(), TlsEndpoint());
  Peer client = rig.Connect();
  Peer endpoint = rig.AcceptAtEndpoint();
  client.Reset();
  rig.CheckEnded(SessionEnd::kClientReset);
  rig.CheckEmpty();
}

}  // namespace
