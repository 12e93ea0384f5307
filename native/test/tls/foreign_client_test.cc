// A server's side against OpenSSL's own client: versions, suites, keys, early data, and what a
// client may try afterwards.
#include "check.h"
#include "tls_pair.h"

using made::KeyType;
using pair::HandshakeStep;
using pair::ReadAll;
using pair::Say;
using pair::Server;
using pair::TlsFailure;
using sluice::tls::SessionHandle;
using sluice::tls::SslContextHandle;
using sluice::tls::SslHandle;

namespace {

struct Foreign {
  pair::Sockets sockets;
  SslContextHandle context{SSL_CTX_new(TLS_client_method())};
  SslHandle client;
  std::unique_ptr<sluice::tls::Channel> server;

  /// @param change what this client does otherwise
  template <typename Change>
  Foreign(sluice::tls::ServerContext& accepting, Change change) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    change(context.get());
    client.reset(SSL_new(context.get()));
    SSL_set_fd(client.get(), sockets.client.get());
    SSL_set_tlsext_host_name(client.get(), "a.test");
    SSL_set_connect_state(client.get());
    server = accepting.Accept(sockets.server.get());
  }
  void ShakeHands() {
    for (int turn = 0; turn < 20; ++turn) {
      SSL_do_handshake(client.get());
      ERR_clear_error();  // its own end of one thread's queue
      if (server->Handshake() == HandshakeStep::kFailed) return;
    }
    char byte;
    SSL_read(client.get(), &byte, 1);  // tickets
    ERR_clear_error();
  }
  std::string subject() const {
    const sluice::tls::X509Handle shown(SSL_get1_peer_certificate(client.get()));
    char name[100] = "";
    X509_NAME_oneline(X509_get_subject_name(shown.get()), name, sizeof name);
    return name;
  }
};

const auto kNothing = [](SSL_CTX*) {};

made::Certificate Named(const std::string& name, KeyType type) {
  return made::Make({.common_name = name, .alternatives = "DNS:a.test", .type = type}).Shown();
}

}  // namespace

TEST(EcdsaAndRsaStandSideBySide) {
  const auto server = Server({}, {Named("rsa", KeyType::kRsa), Named("ecdsa", KeyType::kEcdsa)});
  for (const auto& [ciphers, subject] : {std::pair("ECDHE-RSA-AES128-GCM-SHA256", "/CN=rsa"),
                                         std::pair("ECDHE-ECDSA-AES128-GCM-SHA256", "/CN=ecdsa")}) {
    Foreign both(*server, [ciphers = ciphers](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
      SSL_CTX_set_cipher_list(context, ciphers);
    });
    both.ShakeHands();
    CHECK_EQ(both.server->version(), "TLSv1.2");
    CHECK_EQ(both.subject(), subject);
  }
}

TEST(OldVersionsAndForeignSuitesAreRefused) {
  const auto server = Server();
  Foreign old(*server,
              [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION); });
  old.ShakeHands();
  CHECK_EQ(old.server->failure(), TlsFailure::kVersion);
  const auto newest = Server({.requires_tls13 = true});
  Foreign late(*newest,
               [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); });
  late.ShakeHands();
  CHECK_EQ(late.server->failure(), TlsFailure::kVersion);
  Foreign strange(*server, [](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE-RSA-AES128-GCM-SHA256");  // the key is ECDSA
  });
  strange.ShakeHands();
  CHECK_EQ(strange.server->failure(), TlsFailure::kCipher);
}

TEST(OurOrderOfSuitesCountsButForClientsWithoutInstructionsForAes) {
  const std::string ours = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:";
  const auto server =
      Server({.ciphers = ours + "ECDHE-ECDSA-CHACHA20-POLY1305",
              .cipher_suites =
                  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"});
  struct Case {
    int version;
    const char* offered;
    const char* agreed;
  };
  for (const auto& [version, offered, agreed] : {
           Case{TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES128-GCM-SHA256"},
           Case{TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-CHACHA20-POLY1305"},
           Case{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
                "TLS_AES_128_GCM_SHA256"},
           Case{TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
                "TLS_CHACHA20_POLY1305_SHA256"},
       }) {
    Foreign both(*server, [version = version, offered = offered](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, version);
      if (version == TLS1_2_VERSION) SSL_CTX_set_cipher_list(context, offered);
      if (version == TLS1_3_VERSION) SSL_CTX_set_ciphersuites(context, offered);
    });
    both.ShakeHands();
    CHECK_EQ(both.server->cipher(), agreed);
  }
}

TEST(RenegotiationIsRefused) {
  const auto server = Server();
  Foreign both(*server,
               [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); });
  both.ShakeHands();
  SSL_renegotiate(both.client.get());
  SSL_do_handshake(both.client.get());
  ERR_clear_error();
  CHECK_EQ(ReadAll(*both.server), "");
  CHECK_EQ(SSL_do_handshake(both.client.get()), -1);
  CHECK_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
  ERR_clear_error();
}

TEST(KeysMayBeUpdated) {
  const auto server = Server();
  Foreign both(*server, kNothing);
  both.ShakeHands();
  SSL_key_update(both.client.get(), SSL_KEY_UPDATE_REQUESTED);
  SSL_write(both.client.get(), "first", 5);
  CHECK_EQ(ReadAll(*both.server), "first");
  CHECK_EQ(Say(*both.server, "second").bytes, 6);
  char bytes[10];
  CHECK_EQ(SSL_read(both.client.get(), bytes, sizeof bytes), 6);
  SSL_write(both.client.get(), "third", 5);
  CHECK_EQ(ReadAll(*both.server), "third");
}

TEST(ATicketOfTls12IsTakenUp) {
  for (const bool gives_tickets : {true, false}) {
    const auto server = Server({.gives_tickets = gives_tickets, .session_cache = 100});
    const auto is_old = [](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    };
    Foreign first(*server, is_old);
    first.ShakeHands();
    const SessionHandle session(SSL_get1_session(first.client.get()));
    Foreign second(*server, is_old);
    SSL_set_session(second.client.get(), session.get());
    second.ShakeHands();
    CHECK(second.server->is_resumed());
    CHECK_EQ(second.server->server_name(), "a.test");
  }
}

TEST(AnOcspResponseIsStapled) {
  auto certificate = made::Ours().server.Shown();
  certificate.ocsp = "a response of bytes";
  const auto server = Server({}, {certificate});
  Foreign both(*server, [](SSL_CTX* context) {
    SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp);
  });
  both.ShakeHands();
  unsigned char* response = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(both.client.get(), &response);
  CHECK_EQ(std::string(reinterpret_cast<char*>(response), static_cast<size_t>(size > 0 ? size : 0)),
           certificate.ocsp);
}

TEST(EarlyDataCountsOnce) {
  const auto server = Server({.early_data_bytes = 8192});
  Foreign first(*server, kNothing);
  first.ShakeHands();
  CHECK(first.server->is_established());
  CHECK_EQ(first.server->Send("x", 1).bytes, 1u);  // tickets go along
  char answer = 0;
  CHECK_EQ(SSL_read(first.client.get(), &answer, 1), 1);
  const SessionHandle session(SSL_get1_session(first.client.get()));
  CHECK_EQ(SSL_SESSION_get_max_early_data(session.get()), 8192);
  for (const bool is_again : {false, true}) {
    Foreign both(*server, kNothing);
    const SessionHandle copy(SSL_SESSION_dup(session.get()));
    SSL_set_session(both.client.get(), copy.get());
    size_t written = 0;
    CHECK_EQ(SSL_write_early_data(both.client.get(), "question", 8, &written), 1);
    const HandshakeStep step = both.server->Handshake();
    if (is_again) {
      CHECK_EQ(step, HandshakeStep::kWaiting);  // played again: refused, and skipped
      both.ShakeHands();
      CHECK(both.server->is_established());
      CHECK_EQ(SSL_get_early_data_status(both.client.get()), SSL_EARLY_DATA_REJECTED);
      CHECK_EQ(ReadAll(*both.server), "");
    } else {
      CHECK_EQ(step, HandshakeStep::kDone);
      CHECK(both.server->HasPending());
      char bytes[100];
      CHECK_EQ(both.server->Receive(bytes, sizeof bytes).bytes, 8);
      CHECK(both.server->is_early());
      CHECK(both.server->Receive(bytes, sizeof bytes).would_block());
      CHECK_EQ(Say(*both.server, "answer").bytes, 6);
      CHECK_EQ(SSL_do_handshake(both.client.get()), 1);
      CHECK_EQ(SSL_get_early_data_status(both.client.get()), SSL_EARLY_DATA_ACCEPTED);
      CHECK_EQ(SSL_read(both.client.get(), bytes, sizeof bytes), 6);
      SSL_write(both.client.get(), "more", 4);
      CHECK_EQ(ReadAll(*both.server), "more");
      CHECK(!both.server->is_early());
      CHECK_EQ(both.server->server_name(), "a.test");
    }
    // As most connections end; OpenSSL would take the session away otherwise.
    SSL_set_shutdown(both.client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
}
