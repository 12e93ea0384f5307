// Writes the head of a client's request for the endpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http1/client_request.h"

namespace sluice::http1 {

/// A change that a policy makes to a request.
struct FieldEdit {
  std::string_view name = {};   // a token, lower case
  std::string_view value = {};  // without CR, LF, NUL
  bool is_removal = false;
  /// Fields whose name has underscores for its hyphens are taken off as well (see
  /// RequestField::kLookalike).
  bool covers_lookalikes = false;
};

/// What the proxy says of itself and of the client.
struct EndpointHeadOptions {
  std::string_view scheme = {};          // http, https
  std::string_view via_name = {};        // pseudonym in Via
  std::string_view client_address = {};  // text without port; "unknown" where there is none
  std::string_view request_id = {};      // what to send unless a trusted peer's own is used
  bool is_trusted = false;       // X-Forwarded-*, Forwarded, X-Real-IP, X-Request-Id are believed
  bool passes_trailers = false;  // TE: trailers goes on, the response's trailers will be taken
  bool is_http2 = false;         // the request has come over HTTP/2: Via says so
  const FieldEdit* edits = nullptr;
  size_t edit_count = 0;
};

/// Room that WriteEndpointHead needs at most for a request.
size_t EndpointHeadBound(const ClientRequest& request, const EndpointHeadOptions& options);

/// Writes request line and fields, each ended by CRLF, without framing and without the empty line,
/// as src/l7/request-head.ts does for the uws front end (RFC 9110 sections 7.6, semantics.md 9 and
/// 10): the method as it came, the target, HTTP/1.1; Host; X-Forwarded-For, -Proto, -Host, Via,
/// X-Request-Id (appended to what a trusted peer said, in place of what others said); Max-Forwards
/// (one less for OPTIONS); then the client's fields in their order and with their bytes, copied as
/// runs, without: Connection and what it names, Keep-Alive, Proxy-Connection, TE, Trailer,
/// Transfer-Encoding, Content-Length, Upgrade, Host, Proxy-Authenticate, Proxy-Authorization, Via
/// (merged), Max-Forwards; of untrusted peers Forwarded, X-Real-IP, X-Request-Id and all that
/// begins with X-Forwarded-; and whatever has an underscore for a hyphen in the name of one of
/// these (RequestField::kLookalike), also of trusted peers. Expect stays, but of HTTP/1.0, where it
/// means nothing (RFC 9110 section 10.1.1). Host is empty for an HTTP/1.0 client that said none;
/// Via tells the client's version, 2.0 with is_http2. An upgrade adds `connection: upgrade` and
/// `upgrade: VALUE`, else TE `connection: te` and `te: trailers`. Edits come last: a set field
/// takes the place of all of its name, Host and those that the proxy adds included; of several
/// edits of a name the last one counts. Framing, Connection and what belongs to it cannot be
/// edited, and Host not removed.
///
/// HOT: once per request; no allocation; bench "endpoint head". @param out room for
/// EndpointHeadBound
/// @returns bytes written
size_t WriteEndpointHead(const ClientRequest& request, const EndpointHeadOptions& options,
                         char* out);

/// The id that a request carries onwards: a trusted peer's own where it is usable (1 to 128 visible
/// ASCII characters), else `made`. @param made stays valid as long as the result
std::string_view RequestIdOf(const ClientRequest& request, bool is_trusted, std::string_view made);

/// Says whether Via names this proxy: the request has passed here before.
bool HasLoop(const ClientRequest& request, std::string_view via_name);

}  // namespace sluice::http1
