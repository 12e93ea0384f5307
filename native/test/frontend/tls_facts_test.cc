// What TLS tells of clients of the front end: certificates, fields for endpoints, early data.
#include <string>

#include "check.h"
#include "frontend/tls_rig.h"
#include "hash/xxhash64.h"

using namespace tls_rig;

namespace {

using sluice::tls::ClientAuth;
using sluice::tls::ClientSettings;
using sluice::tls::ServerSettings;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

ListenerSettings AskingFor(ClientAuth auth) {
  ServerSettings server;
  server.client_auth = auth;
  server.client_ca = made::Ours().ca();
  server.client_depth = 1;
  ListenerSettings settings = Encrypted(pair::Server(server));
  settings.tls.subject_field = "x-client-subject";
  settings.tls.fingerprint_field = "x-client-print";
  return settings;
}

std::shared_ptr<sluice::tls::ClientContext> Showing(const made::Made& certificate) {
  ClientSettings settings;
  settings.has_certificate = true;
  settings.certificate = certificate.Shown();
  return pair::Client(settings);
}

/// What the endpoint gets of a request.
std::string HeadAtEndpoint(Rig& rig, TlsClient& client, std::string_view request) {
  client.Write(rig, request);
  Peer endpoint = rig.Accepted();
  return rig.EndpointReads(endpoint, "\r\n\r\n");
}

}  // namespace

TEST(certificate_of_a_client_is_told_to_the_endpoint) {
  Rig rig(AskingFor(ClientAuth::kRequired));
  const made::Made theirs = made::Make({.common_name = "client one"}, &made::Ours().authority);
  const auto context = Showing(theirs);
  std::string subject;
  std::string field;
  rig.decide = [&](const Seen& seen) {
    const auto* const certificate = rig->ClientCertificate(seen.number);
    CHECK(certificate != nullptr);
    if (certificate != nullptr) subject = certificate->subject;
    field = rig->Header(seen.number, "X-Client-Subject").value_or("none");
    return 0;
  };
  TlsClient client = Connected(rig, *context);
  const std::string head = HeadAtEndpoint(
      rig, client,
      "GET / HTTP/1.1\r\nhost: h\r\nX-Client-Subject: me\r\nx_client_subject: me too\r\n"
      "x-client_print: and me\r\nother: stays\r\n\r\n");
  CHECK_EQ(subject, "CN=client one");
  CHECK_EQ(field, "CN=client one");
  CHECK(head.find("x-client-subject: CN=client one\r\n") != std::string::npos);
  const size_t print = head.find("x-client-print: ");
  CHECK(print != std::string::npos);
  CHECK_EQ(head.find("\r\n", print) - print, std::string_view("x-client-print: ").size() + 64);
  CHECK(head.find(": me") == std::string::npos);
  CHECK(head.find("and me") == std::string::npos);
  CHECK(head.find("other: stays\r\n") != std::string::npos);
}

TEST(certificate_of_a_client_is_a_key) {
  Rig rig(AskingFor(ClientAuth::kOptional));
  const made::Made theirs = made::Make({.common_name = "client one"}, &made::Ours().authority);
  const int32_t subject = rig->OpenKey({KeyKind::kCertificateSubject, false, ""});
  const int32_t print = rig->OpenKey({KeyKind::kCertificateFingerprint, true, ""});
  int answers = 0;
  std::optional<std::string> name;
  std::string fingerprint;
  uint64_t hash = 0;
  rig.decide = [&](const Seen& seen) {
    answers = rig->HashKey(seen.number, print, &hash) + rig->HashKey(seen.number, subject, &hash);
    name = rig->KeyText(seen.number, subject);
    fingerprint = rig->KeyText(seen.number, print).value_or("");
    CHECK(rig->Answer(seen.number, "200 OK", "fine", false));
    return kSettled;
  };
  const auto showing = Showing(theirs);
  TlsClient client = Connected(rig, *showing);
  client.Write(rig, kGet);
  CHECK(client.ReadUntil(rig, "fine").ends_with("fine"));
  CHECK_EQ(answers, 2 * key_answer::kHashed);
  CHECK_EQ(name.value_or(""), "CN=client one");
  CHECK_EQ(hash, sluice::hash::XxHash64("CN=client one"));
  CHECK_EQ(fingerprint.size(), 64u);
  const auto silent = pair::Client();
  TlsClient stranger = Connected(rig, *silent);
  stranger.Write(rig, kGet);
  CHECK(stranger.ReadUntil(rig, "fine").ends_with("fine"));
  CHECK_EQ(answers, 0);
  CHECK(!name.has_value());
}

TEST(client_without_a_certificate_cannot_claim_one) {
  Rig rig(AskingFor(ClientAuth::kOptional));
  const auto context = pair::Client();
  std::string field = "not asked";
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->ClientCertificate(seen.number) == nullptr);
    field = rig->Header(seen.number, "x-client-subject").value_or("none");
    return 0;
  };
  TlsClient client = Connected(rig, *context);
  const std::string head = HeadAtEndpoint(
      rig, client,
      "GET / HTTP/1.1\r\nhost: h\r\nx-client-subject: CN=root\r\nX_Client-Print: 00\r\n\r\n");
  CHECK_EQ(field, "none");
  CHECK(head.find("lient-subject") == std::string::npos);
  CHECK(head.find("rint: 00") == std::string::npos);
}

TEST(client_without_a_required_certificate_is_refused_with_an_alert) {
  Rig rig(AskingFor(ClientAuth::kRequired));
  const auto context = pair::Client();
  TlsClient client = Begin(rig, *context);
  // Of TLS 1.3 the client's handshake is done before it is judged.
  if (ShakeHands(rig, client)) {
    client.Write(rig, kGet);
    int error = 0;
    (void)client.ReadToEnd(rig, &error);
    CHECK(error != 0);
  }
  CHECK(client.channel->failure() == TlsFailure::kAlert);
  client.channel.reset();
  client.peer.Close();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->fault, static_cast<int32_t>(TlsFailure::kNoCertificate));
  CHECK_EQ(CountOf(rig, HandshakeEnd::kNoCertificate), 1);
  CHECK_EQ(rig.CountOf(EventType::kRequest), 0);
}

TEST(certificate_of_a_stranger_is_refused_and_told_why) {
  Rig rig(AskingFor(ClientAuth::kOptional));
  const made::Made stranger = made::Make({.common_name = "stranger"});
  const auto context = Showing(stranger);
  TlsClient client = Begin(rig, *context);
  if (ShakeHands(rig, client)) {
    client.Write(rig, kGet);
    (void)client.ReadToEnd(rig);
  }
  client.channel.reset();
  client.peer.Close();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->fault,
           static_cast<int32_t>(TlsFailure::kBadCertificate));
  CHECK(!rig.LastOf(EventType::kClosed)->report.empty());
}

TEST(plain_clients_fields_stay_where_no_certificate_is_asked_for) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  const std::string head =
      HeadAtEndpoint(rig, client, "GET / HTTP/1.1\r\nhost: h\r\nx-client-subject: me\r\n\r\n");
  CHECK(head.find("x-client-subject: me\r\n") != std::string::npos);
  CHECK(head.find("early-data") == std::string::npos);
}

TEST(resumed_handshakes_are_counted_as_such) {
  ServerSettings server;
  const auto accepting = pair::Server(server);
  Rig rig(Encrypted(accepting));
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "fine", false));
    return kSettled;
  };
  const auto context = pair::Client();
  for (int turn = 0; turn < 2; ++turn) {
    TlsClient client = Connected(rig, *context);
    client.Write(rig, kGet);
    CHECK(client.ReadUntil(rig, "fine").ends_with("fine"));
    (void)client.channel->FinishSending();
  }
  CHECK_EQ(CountOf(rig, HandshakeEnd::kTls13), 1);
  CHECK_EQ(CountOf(rig, HandshakeEnd::kTls13Resumed), 1);
}
