// Judges hosts and authorities in a request (RFC 9112 section 3.2, RFC 3986 section 3.2).
#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::http1 {

/// Says whether `text` is `uri-host [":" port]` with at most five digits of a port, IPv6 in
/// brackets: what a Host field may hold (HOST_FIELD in src/l7/router.ts). HOT: once per request.
bool IsHostField(std::string_view text);

/// Says whether `text` is `uri-host ":" port` with a port from 1 to 65535: what CONNECT may name
/// (RFC 9110 section 9.3.6).
bool IsAuthorityWithPort(std::string_view text);

/// Length of `http://` or `https://`, any case, at the front of `target`; 0 where it is not there.
size_t HttpSchemeSize(std::string_view target);

}  // namespace sluice::http1
