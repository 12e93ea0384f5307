// What clients may do over HTTP/2: FrontEndHttp2Settings in src/engine/front-end.ts, which is its
// documentation.
#pragma once

#include <cstdint>

namespace sluice::http2 {

/// What a connection begins with, which no setting makes smaller (RFC 9113 section 6.9.2).
inline constexpr uint32_t kLeastConnectionWindowBytes = 65'535;

/// So many at once, then so many a second.
struct Rate {
  uint32_t burst = 0;
  uint32_t per_second = 0;
};

struct ServerLimits {
  uint32_t streams = 0;
  uint32_t stream_window_bytes = 0;
  uint32_t connection_window_bytes = 0;
  Rate resets;
  uint32_t continuations = 0;
  Rate control_frames;
  uint64_t ack_timeout_ms = 0;  // 0: none
  /// Of a request's head in the form of HTTP/1.1, as of the listener.
  uint32_t head_bytes = 0;
};

}  // namespace sluice::http2
