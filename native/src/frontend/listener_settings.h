// What the front end is told of a listener: FrontEndListenerSettings in src/engine/front-end.ts,
// which is its documentation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::frontend {

/// Path prefixes and the routes they lead to, in the order in which they are tried.
struct HostTable {
  std::vector<std::string> paths;
  std::vector<int32_t> routes;  // as many as paths
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
  std::vector<HostTable> host_tables;
};

}  // namespace sluice::frontend
