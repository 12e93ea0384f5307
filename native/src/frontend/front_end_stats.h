// What a front end has counted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tls/handshake_gate.h"

namespace sluice::frontend {

/// Counters; the fields of FrontEndStats in src/engine/front-end.ts.
struct FrontEndStats {
  size_t connections = 0;
  size_t idle_connections = 0;
  size_t queued = 0;
  size_t exchanges = 0;
  size_t tunnels = 0;
  size_t held_bytes = 0;
  size_t handshakes = 0;
  uint64_t accepted = 0;
  uint64_t requests = 0;
  uint64_t dropped = 0;
  uint64_t bytes_from_clients = 0;
  uint64_t bytes_to_clients = 0;
  size_t http2_connections = 0;
};

/// Counters of one listener, over all its editions.
struct ListenerCounts {
  tls::HandshakeCounts handshakes;
  /// Requests that came over HTTP/2, those with a head that is too large included.
  uint64_t http2_streams = 0;
  /// Streams that were not begun (REFUSED_STREAM), for want of room.
  uint64_t refused_streams = 0;
};

}  // namespace sluice::frontend
