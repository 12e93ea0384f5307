// What the session engine is told of a listener and of an endpoint: the interfaces of the same
// names in src/engine/session-engine.ts, which are their documentation.
#pragma once

#include <cstdint>

#include "base/socket.h"
#include "l4/session_event.h"

namespace sluice::l4 {

struct SessionListenerSettings {
  RelayKind relay = RelayKind::kAdaptive;
  bool half_close = true;
  uint64_t session_idle_timeout_ms = 0;
  uint64_t linger_timeout_ms = 0;
  uint64_t preface_timeout_ms = 0;
  bool reads_proxy_header = false;
  bool reads_client_hello = false;
};

struct SessionEndpointSettings {
  uint64_t connect_timeout_ms = 0;
  int proxy_header = 0;  // 0 none, or the version
  KeepAlive keep_alive;
};

}  // namespace sluice::l4
