// What a server's context decides: certificates, protocols, tickets, client certificates, changes
// under load.
#include "tls/server_context.h"

#include <atomic>
#include <thread>

#include "check.h"
#include "tls_pair.h"

using made::Made;
using pair::Client;
using pair::Pair;
using pair::ReadAll;
using pair::Say;
using pair::Server;
using pair::TlsFailure;
using sluice::tls::Channel;
using sluice::tls::ClientAuth;
using sluice::tls::ClientSettings;
using sluice::tls::ServerContext;
using sluice::tls::ServerSettings;
using sluice::tls::TicketKey;

namespace {

/// The subject that a client of that name is shown.
std::string ShownTo(ServerContext& server, const std::string& name, ClientSettings settings = {}) {
  settings.is_verified = false;
  const auto client = Client(settings);
  Pair both(server, *client, name);
  both.ShakeHands();
  CHECK(both.is_done());
  return both.client->peer().subject;
}

made::Certificate ShownAs(const std::string& common_name, const std::string& alternatives,
                          made::KeyType type = made::KeyType::kEcdsa) {
  return made::Make({.common_name = common_name, .alternatives = alternatives, .type = type})
      .Shown();
}

TicketKey KeyOf(uint8_t byte) {
  TicketKey key;
  key.name.fill(byte);
  key.hmac_key.fill(byte);
  key.aes_key.fill(byte);
  return key;
}

/// Connects once; the client keeps what it is given. @returns whether a session was taken up
bool Resumes(ServerContext& server, sluice::tls::ClientContext& client) {
  Pair both(server, client);
  both.ShakeHands();
  CHECK(both.is_done());
  // Tickets come with the server's first words.
  CHECK_EQ(both.server->Send("x", 1).bytes, 1u);
  CHECK_EQ(ReadAll(*both.client), "x");
  CHECK_EQ(both.server->is_resumed(), both.client->is_resumed());
  return both.server->is_resumed();
}

/// A handshake of a client with that certificate, or none.
struct Shown {
  TlsFailure failure = TlsFailure::kNone;
  std::string verify_error;
  std::string subject;
};
Shown Show(ServerContext& server, const Made* certificate) {
  ClientSettings settings;
  settings.has_certificate = certificate != nullptr;
  if (certificate != nullptr) settings.certificate = certificate->Shown();
  const auto client = Client(settings);
  Pair both(server, *client);
  both.ShakeHands();
  return {both.server->failure(), std::string(both.server->verify_error()),
          both.server->is_established() ? both.server->peer().subject : ""};
}

}  // namespace

TEST(CertificatesAreChosenByName) {
  const auto server = Server({}, {ShownAs("first", "DNS:a.test"), ShownAs("wild", "DNS:*.b.test"),
                                  ShownAs("exact", "DNS:c.b.test"), ShownAs("common.test", "")});
  CHECK_EQ(ShownTo(*server, "a.test"), "CN=first");
  CHECK_EQ(ShownTo(*server, "A.Test"), "CN=first");
  CHECK_EQ(ShownTo(*server, "x.b.test"), "CN=wild");
  CHECK_EQ(ShownTo(*server, "c.b.test"), "CN=exact");
  CHECK_EQ(ShownTo(*server, "x.y.b.test"), "CN=first");
  CHECK_EQ(ShownTo(*server, "b.test"), "CN=first");
  CHECK_EQ(ShownTo(*server, "common.test"), "CN=common.test");
  CHECK_EQ(ShownTo(*server, "unknown.test"), "CN=first");
  CHECK_EQ(ShownTo(*server, ""), "CN=first");
}

TEST(WhatIsWrongWithACertificateIsSaid) {
  const auto server = Server();
  const auto& good = made::Ours().server;
  auto certificate = good.Shown();
  certificate.key = made::PemOf(made::MakeKey(made::KeyType::kEcdsa).get());
  CHECK_EQ(server->SetCertificates({good.Shown(), certificate}),
           "1: the key is not that of the first certificate");
  certificate.key = "nothing";
  CHECK_EQ(server->SetCertificates({certificate}),
           "0: the text of the key holds no private key in PEM form");
  certificate.key = made::PemOf(good.key.get(), "secret");
  CHECK_EQ(server->SetCertificates({certificate}),
           "0: the key is encrypted, and there is no passphrase for it");
  certificate.passphrase = "wrong";
  CHECK(server->SetCertificates({certificate})
            .starts_with("0: the passphrase does not open the key"));
  certificate.passphrase = "secret";
  CHECK_EQ(server->SetCertificates({certificate}), "");
  certificate.chain = "nothing";
  CHECK_EQ(server->SetCertificates({certificate}), "0: the text holds no certificate in PEM form");
  CHECK_EQ(server->SetCertificates({}), "there is no certificate");
  CHECK_EQ(ShownTo(*server, "a.test"), "CN=a.test");
  CHECK_EQ(ERR_peek_error(), 0);
}

TEST(WhatIsWrongWithSettingsIsSaid) {
  const auto error_of = [](const ServerSettings& settings) {
    std::string error;
    CHECK(ServerContext::Make(settings, &error) == nullptr);
    return error;
  };
  CHECK(error_of({.ciphers = "NO-SUCH"}).find("\"NO-SUCH\"") != std::string::npos);
  CHECK(error_of({.cipher_suites = "NO-SUCH"}).find("\"NO-SUCH\"") != std::string::npos);
  CHECK(error_of({.curves = "NO-SUCH"}).find("\"NO-SUCH\"") != std::string::npos);
  CHECK(error_of({.client_auth = ClientAuth::kRequired, .client_ca = "nothing"})
            .starts_with("authorities of clients: "));
  CHECK_EQ(ERR_peek_error(), 0);
}

TEST(ProtocolsAreTheServersChoice) {
  const auto server = Server({.alpn = {"h2", "http/1.1"}});
  const auto client = Client();
  Pair both(*server, *client, "a.test", {"http/1.1", "h2"});
  both.ShakeHands();
  CHECK_EQ(both.client->protocol(), "h2");
  Pair none(*server, *client);
  none.ShakeHands();
  CHECK(none.is_done());
  CHECK_EQ(none.server->protocol(), "");
  Pair foreign(*server, *client, "a.test", {"spdy/3"});
  foreign.ShakeHands();
  CHECK_EQ(foreign.server->failure(), TlsFailure::kAlpn);
  CHECK_EQ(foreign.client->failure(), TlsFailure::kAlert);
  CHECK_EQ(foreign.client->alert(), 120);  // no_application_protocol
}

TEST(AChallengeIsAnsweredToWhoAsksForItAlone) {
  const auto server = Server({.alpn = {"h2", "http/1.1"}});
  CHECK_EQ(server->SetChallenge("New.test", ShownAs("challenge", "DNS:new.test")), "");
  const auto client = Client({.is_verified = false});
  const auto ask = [&](const char* name, const std::vector<std::string>& alpn) {
    Pair both(*server, *client, name, alpn);
    both.ShakeHands();
    if (!both.is_done()) return std::string("refused");
    return both.client->peer().subject + ' ' + std::string(both.server->protocol());
  };
  CHECK_EQ(ask("new.test", {"acme-tls/1"}), "CN=challenge acme-tls/1");
  CHECK_EQ(ask("new.test", {"acme-tls/1", "h2"}), "CN=a.test h2");
  CHECK_EQ(ask("new.test", {"h2"}), "CN=a.test h2");
  CHECK_EQ(ask("a.test", {"acme-tls/1"}), "refused");
  server->DropChallenge("new.test");
  CHECK_EQ(ask("new.test", {"acme-tls/1"}), "refused");
  const auto plain = Server();
  Pair without(*plain, *client, "new.test", {"acme-tls/1"});
  without.ShakeHands();
  CHECK_EQ(without.server->failure(), TlsFailure::kAlpn);
}

TEST(AChallengeIsAnsweredBeforeThereIsACertificate) {
  std::string error;
  const auto server = ServerContext::Make({}, &error);
  CHECK_EQ(error, "");
  CHECK(server->Accept(-1) == nullptr);
  CHECK_EQ(server->SetChallenge("new.test", ShownAs("challenge", "DNS:new.test")), "");
  const auto client = Client({.is_verified = false});
  Pair asked(*server, *client, "new.test", {"acme-tls/1"});
  asked.ShakeHands();
  CHECK_EQ(asked.client->peer().subject, "CN=challenge");
  for (const char* const name : {"new.test", "other.test", ""}) {
    Pair early(*server, *client, name, {"h2"});
    early.ShakeHands();
    CHECK(!early.is_done());
    CHECK_EQ(early.client->failure(), TlsFailure::kAlert);
    CHECK_EQ(early.client->alert(), 112);  // unrecognized_name
  }
  server->DropChallenge("new.test");
  CHECK(server->Accept(-1) == nullptr);
  CHECK_EQ(ERR_peek_error(), 0);
}

TEST(AChallengeNeedsNoCertificateOfTheClientAndOpensNoOtherDoor) {
  const auto server = Server(
      {.alpn = {"h2"}, .client_auth = ClientAuth::kRequired, .client_ca = made::Ours().ca()});
  CHECK_EQ(server->SetChallenge("new.test", ShownAs("challenge", "DNS:new.test")), "");
  const auto client = Client({.is_verified = false, .resumes = true});
  for (const bool is_resumed : {false, true}) {
    Pair asked(*server, *client, "new.test", {"acme-tls/1"});
    asked.ShakeHands();
    CHECK_EQ(asked.server->protocol(), "acme-tls/1");
    CHECK_EQ(asked.server->is_resumed(), is_resumed);
    CHECK_EQ(asked.server->Send("x", 1).bytes, 1u);  // tickets go along
    ReadAll(*asked.client);
  }
  Pair other(*server, *client, "new.test", {"h2"});
  other.ShakeHands();
  CHECK(!other.server->is_resumed());
  CHECK_EQ(other.server->failure(), TlsFailure::kNoCertificate);
}

TEST(TicketsAreOpenedByWhoHasTheKey) {
  const auto one = Server();
  const auto other = Server();
  const auto client = Client();
  CHECK(!Resumes(*one, *client));
  CHECK(Resumes(*one, *client));
  CHECK(!Resumes(*other, *client));  // a key of its own
  one->SetTicketKeys({KeyOf(1)});
  other->SetTicketKeys({KeyOf(2), KeyOf(1)});
  const auto fresh = Client();
  CHECK(!Resumes(*one, *fresh));
  CHECK(Resumes(*other, *fresh));
  CHECK(Resumes(*other, *fresh));  // sealed with the new key by now
  one->SetTicketKeys({KeyOf(3)});
  CHECK(!Resumes(*one, *fresh));
}

TEST(SessionsOutliveAChangeOfCertificates) {
  for (const bool gives_tickets : {true, false}) {
    const auto server = Server({.gives_tickets = gives_tickets, .session_cache = 100});
    const auto client = Client();
    CHECK(!Resumes(*server, *client));
    CHECK(Resumes(*server, *client));
    CHECK_EQ(server->SetCertificates({made::Ours().server.Shown()}), "");
    CHECK(Resumes(*server, *client));
  }
  const auto without = Server({.gives_tickets = false});
  const auto client = Client();
  CHECK(!Resumes(*without, *client));
  CHECK(!Resumes(*without, *client));
}

TEST(ClientsShowCertificates) {
  const Made authority = made::MakeAuthority("Clients");
  const Made below = made::MakeAuthority("Below", &authority);
  const Made good = made::Make({.common_name = "good"}, &authority);
  const Made taken_back = made::Make({.common_name = "taken back"}, &authority);
  const Made old = made::Make({.common_name = "old", .days = -5}, &authority);
  const Made foreign = made::Make({.common_name = "foreign"});
  Made deep = made::Make({.common_name = "deep"}, &below);
  ServerSettings settings;
  settings.client_auth = ClientAuth::kRequired;
  settings.client_ca = made::PemOf(authority.certificate.get());
  settings.client_depth = 1;
  const auto server = Server(settings);
  CHECK_EQ(Show(*server, &good).subject, "CN=good");
  CHECK_EQ(Show(*server, nullptr).failure, TlsFailure::kNoCertificate);
  CHECK_EQ(Show(*server, &old).failure, TlsFailure::kBadCertificate);
  CHECK_EQ(Show(*server, &old).verify_error, "certificate has expired");
  CHECK_EQ(Show(*server, &foreign).failure, TlsFailure::kBadCertificate);
  CHECK_EQ(Show(*server, &taken_back).subject, "CN=taken back");
  settings.client_crl = made::MakeList(authority, taken_back.certificate.get());
  const auto listing = Server(settings);
  CHECK_EQ(Show(*listing, &good).subject, "CN=good");
  CHECK_EQ(Show(*listing, &taken_back).verify_error, "certificate revoked");
  settings.client_auth = ClientAuth::kOptional;
  const auto optional = Server(settings);
  CHECK_EQ(Show(*optional, nullptr).failure, TlsFailure::kNone);
  CHECK_EQ(Show(*optional, &foreign).failure, TlsFailure::kBadCertificate);
  CHECK_EQ(ERR_peek_error(), 0);
}

TEST(NoSessionLeadsAroundClientCertificates) {
  const Made authority = made::MakeAuthority("Clients");
  ServerSettings settings;
  settings.client_auth = ClientAuth::kRequired;
  settings.client_ca = made::PemOf(authority.certificate.get());
  settings.client_depth = 1;
  const auto open = Server();
  const auto guarded = Server(settings);
  open->SetTicketKeys({KeyOf(1)});
  guarded->SetTicketKeys({KeyOf(1)});
  const auto client = Client();
  CHECK(!Resumes(*open, *client));
  Pair both(*guarded, *client);
  both.ShakeHands();
  CHECK_EQ(both.server->failure(), TlsFailure::kNoCertificate);
}

TEST(AResumedSessionKnowsItsClient) {
  const Made authority = made::MakeAuthority("Clients");
  const Made good = made::Make({.common_name = "good"}, &authority);
  ServerSettings settings;
  settings.client_auth = ClientAuth::kRequired;
  settings.client_ca = made::PemOf(authority.certificate.get());
  const auto server = Server(settings);
  ClientSettings showing;
  showing.has_certificate = true;
  showing.certificate = good.Shown();
  const auto client = Client(showing);
  CHECK(!Resumes(*server, *client));
  Pair both(*server, *client);
  both.ShakeHands();
  CHECK(both.server->is_resumed());
  CHECK_EQ(both.server->peer().subject, "CN=good");
}

TEST(CertificatesChangeUnderHandshakes) {
  const auto server = Server();
  const auto client = Client({.resumes = false});
  std::atomic<bool> is_over = false;
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      while (!is_over) {
        Pair both(*server, *client);
        both.ShakeHands();
        Say(*both.client, "question");
        if (both.is_done() && ReadAll(*both.server) == "question") ++done;
      }
    });
  }
  for (uint8_t round = 0; round < 40 || done < 20; ++round) {
    server->SetCertificates({made::Ours().server.Shown()});
    server->SetTicketKeys({KeyOf(round)});
    server->SetChallenge("x.test", made::Ours().server.Shown());
  }
  is_over = true;
  for (std::thread& thread : threads)
    thread.join();
  CHECK(done >= 20);
}

TEST(AContextIsFoundByItsNumber) {
  std::string error;
  auto context = ServerContext::Make({}, &error);
  pair::Sockets sockets;
  CHECK(context->Accept(sockets.server.get()) == nullptr);  // no certificate yet
  const int32_t number = context->number();
  CHECK(number > 0);
  CHECK(ServerContext::Find(number) == context);
  CHECK(ServerContext::Find(number + 1) == nullptr);
  context->Withdraw();
  CHECK(ServerContext::Find(number) == nullptr);
}
