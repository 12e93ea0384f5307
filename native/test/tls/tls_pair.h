// Two sides of TLS over a socket pair, driven in one thread until something comes of it.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "made_certificates.h"
#include "tls/channel.h"
#include "tls/client_context.h"
#include "tls/server_context.h"

namespace pair {

using sluice::IoResult;
using sluice::UniqueFd;
using sluice::tls::Channel;
using sluice::tls::ClientContext;
using sluice::tls::ClientSettings;
using sluice::tls::HandshakeStep;
using sluice::tls::ServerContext;
using sluice::tls::ServerSettings;
using sluice::tls::TlsFailure;

/// A context with one certificate; the test fails where it is not made.
inline std::shared_ptr<ServerContext> Server(const ServerSettings& settings = {},
                                             std::vector<made::Certificate> certificates = {}) {
  std::string error;
  auto context = ServerContext::Make(settings, &error);
  CHECK_EQ(error, "");
  if (context == nullptr) return nullptr;
  if (certificates.empty()) certificates.push_back(made::Ours().server.Shown());
  CHECK_EQ(context->SetCertificates(certificates), "");
  return context;
}

inline std::shared_ptr<ClientContext> Client(ClientSettings settings = {}) {
  if (settings.ca.empty()) settings.ca = made::Ours().ca();
  std::string error;
  auto context = ClientContext::Make(settings, &error);
  CHECK_EQ(error, "");
  return context;
}

struct Sockets {
  Sockets() {
    int fds[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    server.Reset(fds[0]);
    client.Reset(fds[1]);
  }
  UniqueFd server;
  UniqueFd client;
};

/// Sides of one connection. Channels go before their sockets.
struct Pair {
  Sockets sockets;
  std::unique_ptr<Channel> server;
  std::unique_ptr<Channel> client;

  Pair(ServerContext& accepting, ClientContext& connecting, std::string_view name = "a.test",
       const std::vector<std::string>& alpn = {}) {
    server = accepting.Accept(sockets.server.get());
    client = connecting.Connect(sockets.client.get(), name, name, alpn);
    CHECK(server != nullptr && client != nullptr);
  }

  /// Until both sides are done, or one has failed, or nothing moves any more.
  void ShakeHands() {
    for (int turn = 0; turn < 50; ++turn) {
      const auto ours = server->Handshake();
      const auto theirs = client->Handshake();
      if (server->HasUnsent()) server->Flush();
      if (client->HasUnsent()) client->Flush();
      if (ours != HandshakeStep::kWaiting && theirs != HandshakeStep::kWaiting) return;
    }
  }
  bool is_done() const { return server->is_established() && client->is_established(); }
};

/// All that can be read now; `end` is the last result.
inline std::string ReadAll(Channel& channel, IoResult* end = nullptr, size_t step = 4096) {
  std::string text;
  std::vector<char> buffer(step);
  for (;;) {
    const IoResult result = channel.Receive(buffer.data(), buffer.size());
    if (end != nullptr) *end = result;
    if (result.error != 0 || result.bytes == 0) return text;
    text.append(buffer.data(), result.bytes);
  }
}

inline IoResult Say(Channel& channel, std::string_view text) {
  return channel.Send(text.data(), text.size());
}

}  // namespace pair
