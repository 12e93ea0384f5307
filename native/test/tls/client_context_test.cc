// What a client's context decides: who is believed, which sessions are taken up.
#include "tls/client_context.h"

#include <thread>

#include "check.h"
#include "tls_pair.h"

using made::Made;
using pair::Pair;
using pair::ReadAll;
using pair::Server;
using pair::TlsFailure;
using sluice::tls::ClientContext;
using sluice::tls::ClientSettings;

namespace {

const auto kNoName = X509_V_ERR_HOSTNAME_MISMATCH;

/// The client's failure when it asks for a name; the code of the verification where that is it.
std::pair<TlsFailure, int> Ask(sluice::tls::ServerContext& server, ClientContext& client,
                               const char* name) {
  Pair both(server, client, name);
  both.ShakeHands();
  return {both.client->failure(), both.client->verify_code()};
}

}  // namespace

TEST(NamesAndAddressesAreVerified) {
  const auto server = Server();
  const auto client = pair::Client({.resumes = false});
  CHECK_EQ(Ask(*server, *client, "a.test").first, TlsFailure::kNone);
  CHECK_EQ(Ask(*server, *client, "127.0.0.1").first, TlsFailure::kNone);
  CHECK_EQ(Ask(*server, *client, "").first, TlsFailure::kNone);
  CHECK_EQ(Ask(*server, *client, "b.test").first, TlsFailure::kBadCertificate);
  CHECK_EQ(Ask(*server, *client, "b.test").second, kNoName);
  CHECK_EQ(Ask(*server, *client, "127.0.0.2").second, X509_V_ERR_IP_ADDRESS_MISMATCH);
  Pair by_address(*server, *client, "127.0.0.1");
  by_address.ShakeHands();
  CHECK_EQ(by_address.server->server_name(), "");
}

TEST(AuthoritiesAreBelievedUnlessNobodyIs) {
  const auto server = Server();
  const Made other = made::MakeAuthority("Other");
  const auto foreign = pair::Client({.ca = made::PemOf(other.certificate.get())});
  CHECK_EQ(Ask(*server, *foreign, "a.test").first, TlsFailure::kBadCertificate);
  const auto trusting = pair::Client({.is_verified = false});
  CHECK_EQ(Ask(*server, *trusting, "b.test").first, TlsFailure::kNone);
  std::string error;
  const auto nobody = ClientContext::Make({}, &error);
  CHECK_EQ(Ask(*server, *nobody, "a.test").first, TlsFailure::kBadCertificate);
}

TEST(SessionsAreKeptByKeyAndUsedOnce) {
  const auto server = Server();
  const auto client = pair::Client();
  const auto resumes = [&](const char* key) {
    pair::Sockets sockets;
    Pair both(*server, *client);
    both.client = client->Connect(both.sockets.client.get(), "a.test", key, {});
    both.ShakeHands();
    CHECK_EQ(both.server->Send("x", 1).bytes, 1u);  // tickets go along
    CHECK_EQ(ReadAll(*both.client), "x");
    return both.client->is_resumed();
  };
  CHECK(!resumes("one"));
  CHECK(!resumes("other"));
  CHECK(resumes("one"));
  CHECK(resumes("one"));
  CHECK_EQ(client->Replace({.ca = made::Ours().ca()}), "");
  CHECK(!resumes("one"));
  CHECK_EQ(client->Replace({.ca = made::Ours().ca(), .resumes = false}), "");
  CHECK(!resumes("one"));
  CHECK(!resumes("one"));
}

TEST(ABadReplacementChangesNothing) {
  const auto server = Server();
  const auto client = pair::Client();
  CHECK(client->Replace({.ca = "nothing"}).starts_with("authorities of endpoints: "));
  CHECK(client->Replace({.ciphers = "NO-SUCH"}).find("NO-SUCH") != std::string::npos);
  CHECK_EQ(Ask(*server, *client, "a.test").first, TlsFailure::kNone);
  CHECK(ClientContext::Find(client->number()) == client);
  client->Withdraw();
  CHECK(ClientContext::Find(client->number()) == nullptr);
}

TEST(AnEndpointThatIsNoTlsIsTold) {
  pair::Sockets sockets;
  const auto client = pair::Client();
  const auto channel = client->Connect(sockets.client.get(), "a.test", "", {});
  channel->Handshake();
  const std::string_view answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  sluice::Send(sockets.server.get(), answer.data(), answer.size());
  CHECK_EQ(channel->Handshake(), pair::HandshakeStep::kFailed);
  CHECK_EQ(channel->failure(), TlsFailure::kNotTls);
}

TEST(FourThreadsShareOneContext) {
  const auto server = Server();
  const auto client = pair::Client();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < 15; ++round) {
        Pair both(*server, *client);
        both.ShakeHands();
        CHECK(both.is_done());
        both.server->Send("x", 1);
        ReadAll(*both.client);
        if (round % 5 == 0) client->Replace({.ca = made::Ours().ca()});
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}
