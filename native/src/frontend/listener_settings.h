// What the front end is told of a listener: FrontEndListenerSettings in src/engine/front-end.ts,
// which is its documentation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http2/server_limits.h"
#include "tls/listener_tls.h"

namespace sluice::frontend {

/// Path prefixes and the routes they lead to, in the order in which they are tried.
struct HostTable {
  std::vector<std::string> paths;
  std::vector<int32_t> routes;  // as many as paths
};

/// TLS with the listener's clients.
struct TlsSettings : tls::ListenerTls {
  bool is_on = false;
  /// Request fields that tell endpoints of a client's certificate, lower case; empty: none.
  std::string subject_field;
  std::string fingerprint_field;
};

/// HTTP/2 with the listener's clients.
struct Http2Settings {
  /// Connections without TLS may begin with it.
  bool is_clear_text = false;
  /// head_bytes is the listener's.
  http2::ServerLimits limits;
};

struct ListenerSettings {
  std::string scheme;
  uint32_t head_bytes = 0;
  uint32_t target_bytes = 0;
  uint32_t headers = 0;
  uint64_t body_bytes = 0;  // 0: unlimited
  uint64_t request_head_timeout_ms = 0;
  uint64_t body_idle_timeout_ms = 0;
  uint64_t min_body_rate = 0;  // bytes a second; 0: any
  uint64_t keep_alive_timeout_ms = 0;
  uint32_t requests_per_connection = 0;  // 0: unlimited
  uint64_t write_stall_timeout_ms = 0;
  uint64_t tunnel_idle_timeout_ms = 0;
  uint64_t preface_timeout_ms = 0;
  bool reads_proxy_header = false;
  Http2Settings http2;
  std::string hsts_line;  // `strict-transport-security: …\r\n`; empty: none is said
  TlsSettings tls;
  std::vector<HostTable> host_tables;
};

}  // namespace sluice::frontend
