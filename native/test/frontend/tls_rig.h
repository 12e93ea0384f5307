// Clients that speak TLS with a front end, beside front_end_rig.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "frontend/front_end_rig.h"
#include "tls/tls_pair.h"

namespace tls_rig {

using namespace front_end_rig;
using sluice::tls::Channel;
using sluice::tls::HandshakeEnd;
using sluice::tls::HandshakeStep;
using sluice::tls::TlsFailure;

/// Settings of a listener with TLS. @param context nullptr: one with the usual certificate
inline ListenerSettings Encrypted(std::shared_ptr<sluice::tls::ServerContext> context = nullptr) {
  ListenerSettings settings = Patient();
  settings.tls.is_on = true;
  settings.tls.context = context == nullptr ? pair::Server() : std::move(context);
  settings.tls.handshake_timeout_ms = 3000;
  return settings;
}

/// The client's side of a connection with TLS.
struct TlsClient {
  Peer peer;
  std::unique_ptr<Channel> channel;

  /// Sends all of it, for which the rig turns.
  void Write(Rig& rig, std::string_view text) {
    rig.Until([&] {
      text.remove_prefix(channel->Send(text.data(), text.size()).bytes);
      if (channel->HasUnsent()) (void)channel->Flush();
      return text.empty() && !channel->HasUnsent();
    });
    CHECK(text.empty());
  }
  std::string ReadNow() { return pair::ReadAll(*channel); }
  std::string ReadUntil(Rig& rig, std::string_view end) {
    std::string text;
    rig.Until([&] {
      text += ReadNow();
      return std::string_view(text).ends_with(end);
    });
    return text;
  }
  /// @param error an errno that it ended with, 0: in order
  std::string ReadToEnd(Rig& rig, int* error = nullptr) {
    std::string text;
    bool is_over = false;
    rig.Until([&] {
      char bytes[4096];
      const auto got = channel->Receive(bytes, sizeof bytes);
      text.append(bytes, got.bytes);
      is_over = !got.would_block() && got.bytes == 0;
      if (is_over && error != nullptr) *error = got.error;
      return is_over;
    });
    CHECK(is_over);
    return text;
  }
};

/// Begins a handshake; nothing has been sent.
inline TlsClient Begin(Rig& rig, sluice::tls::ClientContext& context,
                       const std::vector<std::string>& alpn = {}, int receive_bytes = 0) {
  Peer peer = rig.Connect(receive_bytes);
  auto channel = context.Connect(peer.fd(), "a.test", "a.test", alpn);
  return {std::move(peer), std::move(channel)};
}

/// @returns whether the handshake was done
inline bool ShakeHands(Rig& rig, TlsClient& client) {
  HandshakeStep step = HandshakeStep::kWaiting;
  rig.Until([&] {
    step = client.channel->Handshake();
    if (client.channel->HasUnsent()) (void)client.channel->Flush();
    return step != HandshakeStep::kWaiting;
  });
  return step == HandshakeStep::kDone;
}

/// A client whose handshake is done.
inline TlsClient Connected(Rig& rig, sluice::tls::ClientContext& context, int receive_bytes = 0) {
  TlsClient client = Begin(rig, context, {}, receive_bytes);
  CHECK(ShakeHands(rig, client));
  return client;
}

inline uint64_t CountOf(Rig& rig, HandshakeEnd end) {
  return rig->counts(0).handshakes.ends[static_cast<size_t>(end)];
}

}  // namespace tls_rig
