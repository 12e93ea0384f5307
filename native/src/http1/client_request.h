// Reads the head of a client's request strictly, as its bytes arrive (RFC 9112 sections 2 to 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http1/response_head.h"

namespace sluice::http1 {

/// The methods that are told by number; the same numbers stand in src/engine/front-end.ts.
enum class Method : uint8_t {
  kOther = 0,
  kGet = 1,
  kHead = 2,
  kPost = 3,
  kPut = 4,
  kDelete = 5,
  kConnect = 6,
  kOptions = 7,
  kTrace = 8,
  kPatch = 9,
};

/// What is wrong with a request; the same numbers stand in src/engine/front-end.ts.
enum class RequestFault : uint8_t {
  kNone = 0,
  kBadRequest = 1,
  kBadFraming = 2,
  kBadHost = 3,
  kHeadTooLarge = 4,
  kTargetTooLong = 5,
  kBadVersion = 6,
  kHeadTimeout = 7,
  kBodyTimeout = 8,
  kBodyTooLarge = 9,
};

struct ClientRequestLimits {
  uint32_t head_bytes = 0;
  uint32_t target_bytes = 0;  // of the request line
  uint32_t headers = 0;
};

/// Body of a request by its head.
inline constexpr int64_t kNoRequestBody = -1;
inline constexpr int64_t kChunkedRequestBody = -2;

/// What the front end must know of a request. Views point into the input of the last call.
struct ClientRequest {
  Method method = Method::kOther;
  std::string_view method_text = {};
  /// Path and query as the client sent them; "/" for an absolute form without a path, "*" for OPTIONS
  /// *, the authority for CONNECT. Never holds a fragment's '#', a blank or a control.
  std::string_view target = {};
  size_t path_bytes = 0;  // of target, up to the '?'
  /// Host with port as it came; of an absolute form its authority, which wins (RFC 9112 section
  /// 3.2.2). Empty only for HTTP/1.0 without a Host.
  std::string_view host = {};
  int minor_version = 1;
  /// kNoRequestBody, kChunkedRequestBody, or Content-Length (below 2^63). `Content-Length: 0` is 0.
  int64_t body_bytes = kNoRequestBody;
  /// The connection may carry another request behind this one: by version and Connection options.
  bool keep_alive = false;
  bool expects_continue = false;  // Expect: 100-continue, of HTTP/1.1 only
  bool wants_upgrade = false;     // Connection: upgrade and an Upgrade field, of HTTP/1.1 only
  bool takes_trailers = false;    // TE holds trailers
  int64_t max_forwards = -1;      // -1: none, or no number
  /// Connection names fields besides close, keep-alive, upgrade, te and the hop-by-hop ones.
  bool has_nominations = false;
  bool has_via = false;
  uint32_t headers = 0;
  /// The field lines, each with its CRLF, without the empty line.
  std::string_view lines = {};
  size_t head_bytes = 0;  // length of the head in the input, empty line included
};

/// Resumable, strict parser of one request head. No allocation, trivially copyable: a connection
/// keeps a copy only while its head is incomplete. Runs on the worker's thread.
///
/// The verdict depends on the bytes alone, never on how they were split. Empty lines (CRLF) in front
/// of the request line are skipped, at most kMaxLeadingLines (RFC 9112 section 2.2). Faults:
/// - kBadRequest: a bare CR or LF, NUL or another control but HTAB, white space before a colon, a line
///   fold, a name or method that is no token, a target that is none of the four forms for its method,
///   two blanks, a scheme other than http and https (any case), userinfo in an authority, a Connection
///   option that names a protected field (RequestNominationIsRefused), Expect other than 100-continue.
/// - kBadFraming: both Content-Length and Transfer-Encoding, one of them twice, a Content-Length that
///   is not digits alone (a list, a sign, empty, 2^63 and more), a Transfer-Encoding other than
///   "chunked" in any case, Transfer-Encoding in HTTP/1.0.
/// - kBadHost: Host missing in HTTP/1.1, twice, or not `uri-host [":" port]` (src/l7/router.ts,
///   HOST_FIELD); empty. Also where an absolute form makes it meaningless.
/// - kTargetTooLong, kHeadTooLarge: as soon as the limit is passed. kBadVersion: HTTP/N.M but 1.0, 1.1
///   (a request line without any version is kBadRequest).
class ClientRequestParser {
 public:
  static constexpr unsigned kMaxLeadingLines = 4;

  explicit ClientRequestParser(ClientRequestLimits limits = {}) : limits_(limits) {}

  /// Forgets everything; the next input starts a new request.
  void Reset(ClientRequestLimits limits);

  /// Reads on in a growing buffer.
  /// @param input all bytes of this head received so far, from its first byte, and perhaps more bytes
  ///        behind it; between two calls it only grows (it may move). No call starts over.
  /// @param request written on kDone only
  /// @returns kNeedMore, kDone, or kInvalid (fault() says why; never kTooLarge)
  ParseStatus Parse(std::string_view input, ClientRequest* request);
  RequestFault fault() const { return fault_; }

 private:
  // (the implementation's own)
  ClientRequestLimits limits_;
  RequestFault fault_ = RequestFault::kNone;
};

/// The value of a field of a parsed request, as the front end tells it: the first whose name matches
/// (any case); `next` is where to go on for another of the same name. @returns false when there is none
bool FindField(std::string_view lines, std::string_view name, size_t* next, std::string_view* value);

}  // namespace sluice::http1
