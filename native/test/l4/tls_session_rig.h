// A session whose client, endpoint or both speak TLS, with the test at both ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "l4/session_rig.h"
#include "l4/tls_talker.h"

namespace rig {

/// Who speaks TLS with the engine.
enum class Mode : uint8_t { kClient, kEndpoint, kBoth };
inline constexpr Mode kModes[] = {Mode::kClient, Mode::kEndpoint, Mode::kBoth};

inline bool HasClientTls(Mode mode) {
  return mode != Mode::kEndpoint;
}
inline bool HasEndpointTls(Mode mode) {
  return mode != Mode::kClient;
}

/// What both ends know; made once, since keys cost time.
struct Contexts {
  std::shared_ptr<tls::ServerContext> server = MakeServer();
  std::shared_ptr<tls::ClientContext> client = MakeClient();
};

inline Contexts& OneContexts() {
  static Contexts contexts;
  return contexts;
}

inline SessionListenerSettings TlsListener(Mode mode = Mode::kClient) {
  SessionListenerSettings settings = PatientListener();
  if (HasClientTls(mode)) settings.tls.context = OneContexts().server;
  settings.tls.handshake_timeout_ms = 60'000;
  return settings;
}

inline SessionEndpointSettings TlsEndpoint(Mode mode = Mode::kEndpoint) {
  SessionEndpointSettings settings = PatientEndpoint();
  if (HasEndpointTls(mode)) settings.tls = OneContexts().client;
  settings.tls_server_name = kName;
  settings.tls_session_key = "endpoint";
  return settings;
}

/// One session.
class TlsSession {
 public:
  explicit TlsSession(Mode mode) : TlsSession(mode, TlsListener(mode), TlsEndpoint(mode)) {}
  TlsSession(Mode mode, const SessionListenerSettings& listener,
             const SessionEndpointSettings& endpoint_settings)
      : rig(listener, endpoint_settings), mode_(mode), client(MakeTalker()) {}

  /// Turns, and lets both ends go on, until it is so.
  bool Until(const std::function<bool()>& is_so) {
    return rig.Until([&] {
      Step();
      return is_so();
    });
  }
  void Step() {
    client.Step(most_to_client);
    if (endpoint.has_value()) {
      endpoint->Step(most_to_endpoint);
    } else if (Peer accepted = rig.endpoint.Accept(); accepted.is_open()) {
      if (HasEndpointTls(mode_)) {
        endpoint.emplace(std::move(accepted), OneContexts().server.get());
      } else {
        endpoint.emplace(std::move(accepted));
      }
    }
  }
  /// Both can talk.
  bool Open() {
    return Until([&] {
      return endpoint.has_value() && rig.Count(SessionEventType::kConnected) == 1 &&
             (!HasClientTls(mode_) || client.is_established()) &&
             (!HasEndpointTls(mode_) || endpoint->is_established());
    });
  }
  void CheckEnded(SessionEnd end) {
    if (!Until([&] { return rig.Count(SessionEventType::kEnded) > 0; })) return;
    rig.CheckEnded(end);
    rig.CheckEmpty();
    CHECK_EQ(rig.engine->stats().handshakes, 0);
  }

  Rig rig;

 private:
  Talker MakeTalker() {
    Peer peer = rig.Connect();
    return HasClientTls(mode_) ? Talker(std::move(peer), OneContexts().client.get())
                               : Talker(std::move(peer));
  }

  const Mode mode_;

 public:
  Talker client;
  std::optional<Talker> endpoint;
  /// What each end reads in one step.
  size_t most_to_client = 64 * 1024;
  size_t most_to_endpoint = 64 * 1024;
};

}  // namespace rig
