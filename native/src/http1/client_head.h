// Rewrites an endpoint's response head for the client.
#pragma once

#include <cstddef>
#include <string_view>

#include "http1/response_head.h"

namespace sluice::http1 {

/// Rewrites a parsed response head into `out` as the front end writes it:
/// `200 OK\r\nname: value\r\nname: value`, without the version, the last line's end and the empty
/// line.
///
/// Dropped: Connection and every field that it nominates, Keep-Alive, Proxy-Connection, TE,
/// Trailer, Transfer-Encoding, Upgrade (RFC 9110 section 7.6.1), Date (the front end writes its
/// own), and Content-Length unless kept. The others keep their order and the bytes of their values;
/// white space before a colon goes.
///
/// A nomination of a field that is meant for every recipient is ignored, since it would let an
/// endpoint (or who speaks through it) strip what clients and caches rely on; RFC 9110
/// section 7.6.1 forbids sending one. Protected are `accept-ranges`, `age`, `allow`,
/// `authorization`, `cache-control`, `cookie`, `date`, `etag`, `expires`, `forwarded`, `host`,
/// `last-modified`, `link`, `location`, `pragma`, `proxy-authenticate`, `retry-after`, `server`,
/// `set-cookie`, `strict-transport-security`, `vary`, `via`, `warning`, `www-authenticate`, and all
/// that begin with `access-control-`, `content-`, `cross-origin-`, `sec-`, `x-forwarded-`, as well
/// as `x-content-type-options`, `x-frame-options`, `x-real-ip` and `x-request-id`.
///
/// An empty reason becomes the standard phrase, or "Unknown" for a status without one; where that
/// does not fit into head.head_bytes (a long phrase and next to nothing dropped) it stays empty,
/// which is valid.
///
/// HOT: once per response. Runs on the worker's thread.
///
/// @param input starts with the head that ResponseHeadParser accepted as `head`; may not overlap
///        `out`
/// @param keep_content_length true for HEAD and 304, where the length describes a body that is not
///        sent; a 1xx or 204 loses it all the same (RFC 9110 section 8.6)
/// @param out room for head.head_bytes bytes; never written beyond
/// @returns bytes written
size_t WriteClientHead(std::string_view input, const ResponseHead& head, bool keep_content_length,
                       char* out);

}  // namespace sluice::http1
