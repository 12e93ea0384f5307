// What the session engine is told of a listener and of an endpoint: the interfaces of the same
// names in src/engine/session-engine.ts, which are their documentation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/socket.h"
#include "l4/session_event.h"
#include "tls/client_context.h"
#include "tls/listener_tls.h"

namespace sluice::l4 {

struct SessionListenerSettings {
  RelayKind relay = RelayKind::kAdaptive;
  bool half_close = true;
  uint64_t session_idle_timeout_ms = 0;
  uint64_t linger_timeout_ms = 0;
  uint64_t preface_timeout_ms = 0;
  bool reads_proxy_header = false;
  bool reads_client_hello = false;
  /// Without a context, sessions are relayed as they come.
  tls::ListenerTls tls;
};

struct SessionEndpointSettings {
  uint64_t connect_timeout_ms = 0;
  int proxy_header = 0;  // 0 none, or the version
  KeepAlive keep_alive;
  /// nullptr: plain.
  std::shared_ptr<tls::ClientContext> tls;
  std::string tls_server_name;
  std::string tls_session_key;
};

}  // namespace sluice::l4
