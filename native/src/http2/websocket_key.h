// The key of a WebSocket handshake and its answer (RFC 6455 section 4): the proxy makes one for
// each WebSocket over HTTP/2, which has none (RFC 8441).
#pragma once

#include <string>
#include <string_view>

namespace sluice::http2 {

/// @returns 16 random bytes in base64: what Sec-WebSocket-Key is
std::string MakeWebSocketKey();

/// What Sec-WebSocket-Accept must be for a key: base64 of SHA-1 (FIPS 180-4) over it and a text.
std::string WebSocketAccept(std::string_view key);

}  // namespace sluice::http2
