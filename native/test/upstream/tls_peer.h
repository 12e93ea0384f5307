// The endpoint's side of one TLS connection for tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tls/client_context.h"
#include "tls/server_context.h"
#include "upstream/loopback.h"
// Behind check.h.
#include "tls/tls_pair.h"

namespace loopback {

/// Shakes hands, reads and writes as far as that goes without waiting.
class TlsPeer {
 public:
  TlsPeer(Peer peer, sluice::tls::ServerContext& context)
      : peer_(std::move(peer)), channel_(context.Accept(peer_.fd())) {
    ::fcntl(peer_.fd(), F_SETFL, ::fcntl(peer_.fd(), F_GETFL) | O_NONBLOCK);
  }

  Peer& peer() { return peer_; }
  sluice::tls::Channel& channel() { return *channel_; }
  bool is_established() const { return channel_->is_established(); }

  void Pump() {
    if (!peer_.is_open()) return;
    if (channel_->Handshake() != sluice::tls::HandshakeStep::kDone) return;
    if (channel_->HasUnsent()) (void)channel_->Flush();
    char bytes[16 * 1024];
    for (;;) {
      const auto read = channel_->Receive(bytes, sizeof bytes);
      if (read.error != 0) break;
      if (read.bytes == 0) {
        has_ended = true;
        break;
      }
      received.append(bytes, read.bytes);
    }
    while (!unsent.empty()) {
      const auto sent = channel_->Send(unsent.data(), unsent.size());
      if (sent.bytes == 0) break;
      unsent.erase(0, sent.bytes);
    }
  }
  void Write(std::string_view bytes) {
    unsent += bytes;
    Pump();
  }
  /// Says that this is the end, then closes.
  void Finish() {
    (void)channel_->FinishSending();
    Cut();
  }
  /// Closes without a word.
  void Cut() {
    channel_.reset();
    peer_.Close();
  }
  void Reset() {
    channel_.reset();
    peer_.Reset();
  }

  std::string received;
  std::string unsent;
  bool has_ended = false;

 private:
  Peer peer_;
  std::unique_ptr<sluice::tls::Channel> channel_;
};

struct SecureContexts {
  std::shared_ptr<sluice::tls::ServerContext> server;
  std::shared_ptr<sluice::tls::ClientContext> client;
};

/// A client and an endpoint that speak TLS.
struct Secure {
  Endpoint endpoint;
  Client client;
  std::shared_ptr<sluice::tls::ServerContext> server;
  std::shared_ptr<sluice::tls::ClientContext> context;
  std::unique_ptr<TlsPeer> peer;

  explicit Secure(const sluice::tls::ServerSettings& of_server = {},
                  const sluice::tls::ClientSettings& of_client = {},
                  PoolSettings settings = Patient(),
                  std::vector<made::Certificate> certificates = {})
      : Secure(SecureContexts{pair::Server(of_server, std::move(certificates)),
                              pair::Client(of_client)},
               std::move(settings)) {}
  explicit Secure(const SecureContexts& contexts, PoolSettings settings = Patient())
      : server(contexts.server), context(contexts.client) {
    settings.tls_context = context->number();
    if (settings.server_name.empty()) settings.server_name = "a.test";
    client.Open(0, endpoint, settings);
  }

  void Accept() {
    CHECK(client.Until([&] { return endpoint.HasPending(); }));
    peer = std::make_unique<TlsPeer>(endpoint.Accept(), *server);
  }
  bool Until(const std::function<bool()>& is_so) {
    return client.Until([&] {
      if (peer != nullptr) peer->Pump();
      return is_so();
    });
  }
  bool UntilRequest() {
    return Until([&] { return peer->received.ends_with("\r\n\r\n"); });
  }
  /// How the exchange ended; kNone: it did not.
  SeenEvent End(int32_t id) {
    Until([&] { return client.CountOf(id, EventType::kFailed) > 0 || !client->is_busy(); });
    return client.UntilEnd(id);
  }
};

}  // namespace loopback
