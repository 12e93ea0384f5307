// TLS with the clients of a listener, whatever its mode.
#pragma once

#include <cstdint>
#include <memory>

#include "tls/handshake_gate.h"
#include "tls/server_context.h"

namespace sluice::tls {

/// TlsListenerSettings in src/engine/tls.ts, which is its documentation.
struct ListenerTls {
  /// nullptr: there is none, or it is gone and no handshake succeeds.
  std::shared_ptr<ServerContext> context;
  uint64_t handshake_timeout_ms = 0;
  HandshakeLimits limits;
};

}  // namespace sluice::tls
