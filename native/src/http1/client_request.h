// Reads the head of a client's request strictly, as its bytes arrive (RFC 9112 sections 2 to 6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http1/request_field.h"
#include "http1/response_head.h"

namespace sluice::http1 {

/// The methods that are told by number; the same numbers stand in src/engine/front-end-event.ts.
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

/// What is wrong with a request; the same numbers stand in src/engine/front-end-event.ts.
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
  kTooEarly = 10,
  kNoTunnel = 11,  // the endpoint's: see FrontEnd::LacksTunnel
};

struct ClientRequestLimits {
  uint32_t head_bytes = 0;
  uint32_t target_bytes = 0;  // of the request line
  uint32_t headers = 0;
};

/// Body of a request by its head.
inline constexpr int64_t kNoRequestBody = -1;
inline constexpr int64_t kChunkedRequestBody = -2;

/// A field line that the proxy reads, rewrites or drops. Offsets within ClientRequest::lines, so
/// that they outlive a move of the bytes.
struct MarkedLine {
  uint32_t begin;
  uint32_t value;  // behind the colon
  uint32_t end;    // behind the CRLF
  RequestField field;
};

/// Marked lines of one head; more are kHeadTooLarge. Real requests have two to ten of them.
inline constexpr size_t kMaxMarkedLines = 32;

/// What the front end must know of a request. Views point into the input of the last call.
struct ClientRequest {
  Method method = Method::kOther;
  std::string_view method_text = {};
  /// Path and query as the client sent them; "/" for an absolute form without a path, "*" for
  /// OPTIONS
  /// * (and OPTIONS with an absolute form that has neither path nor query, RFC 9112 section 3.2.4),
  /// the authority for CONNECT. An absolute form with a query but no path: begins with the '?', and
  /// path_bytes is 0; WriteEndpointHead sends the '/' that is missing. Never holds a fragment's
  /// '#', a blank or a control.
  std::string_view target = {};
  size_t path_bytes = 0;  // of target, up to the '?'
  /// Host with port as it came; of an absolute form and of CONNECT the authority in the request
  /// line, which wins (RFC 9112 sections 3.2.2, 3.3). Empty only for HTTP/1.0 without a Host.
  std::string_view host = {};
  int minor_version = 1;
  /// kNoRequestBody, kChunkedRequestBody, or Content-Length (below 2^63). `Content-Length: 0` is 0.
  int64_t body_bytes = kNoRequestBody;
  /// The connection may carry another request behind this one: by version and Connection options.
  bool keep_alive = false;
  bool expects_continue = false;  // Expect: 100-continue, of HTTP/1.1 only
  /// Connection: upgrade and an Upgrade field, of HTTP/1.1 only; false where UpgradeIsRefused.
  bool wants_upgrade = false;
  bool takes_trailers = false;  // TE holds trailers, of HTTP/1.1 only
  int64_t max_forwards = -1;    // -1: none, or no number
  /// Connection names fields besides close, keep-alive, upgrade, te and the hop-by-hop ones.
  bool has_nominations = false;
  bool has_via = false;
  uint32_t headers = 0;
  /// The field lines, each with its CRLF, without the empty line.
  std::string_view lines = {};
  size_t head_bytes = 0;  // length of the head in the input, empty line included
  /// Only the first marked_line_count are written.
  uint32_t marked_line_count = 0;
  std::array<MarkedLine, kMaxMarkedLines> marked_lines;
};

/// Resumable, strict parser of one request head. No allocation, trivially copyable: a connection
/// keeps a copy only while its head is incomplete. Runs on the worker's thread.
///
/// The verdict depends on the bytes alone, never on how they were split: lines are judged one after
/// the other, each when it is complete, but for a control that cannot be and a passed limit, which
/// decide at their byte. Empty lines (CRLF) in front of the request line are skipped, at most
/// kMaxLeadingLines (RFC 9112 section 2.2). Faults:
/// - kBadRequest: a bare CR or LF, NUL or another control but HTAB, white space before a colon, a
/// line
///   fold, a name or method that is no token, a target that is none of the four forms for its
///   method, two blanks, a scheme other than http and https (any case), userinfo in an authority,
///   CONNECT without a port from 1 to 65535, a Connection option that names a protected field
///   (RequestNominationIsRefused), Expect other than 100-continue.
/// - kBadFraming: both Content-Length and Transfer-Encoding, one of them twice, a Content-Length
/// that
///   is not digits alone (a list, a sign, empty, 2^63 and more), a Transfer-Encoding other than
///   "chunked" in any case, HTAB around either value, Transfer-Encoding in HTTP/1.0; content of
///   CONNECT, which has none (RFC 9110 section 9.3.6) and behind which recipients look for
///   different things.
/// - kBadHost: Host missing in HTTP/1.1, twice, or not `uri-host [":" port]` (src/l7/router.ts,
///   HOST_FIELD); empty. Also where an absolute form makes it meaningless.
/// - kTargetTooLong, kHeadTooLarge (also more than kMaxMarkedLines or kMaxConnectionOptions): as
/// soon
///   as the limit is passed. kBadVersion: HTTP/N.M but 1.0, 1.1 (a request line without any version
///   is kBadRequest).
/// What stands first in the head decides; of a request line its blanks and bytes, then its version,
/// then its target; what is missing in the whole head (Host) comes last.
class ClientRequestParser {
 public:
  static constexpr unsigned kMaxLeadingLines = 4;

  explicit ClientRequestParser(ClientRequestLimits limits = {}) : limits_(limits) {}

  /// Forgets everything; the next input starts a new request.
  void Reset(ClientRequestLimits limits);

  /// Reads on in a growing buffer. HOT: bench "client request".
  /// @param input all bytes of this head received so far, from its first byte, and perhaps more
  /// bytes
  ///        behind it; between two calls it only grows (it may move). No call starts over.
  /// @param request written on kDone only
  /// @returns kNeedMore, kDone, or kInvalid (fault() says why; never kTooLarge); after a final one
  /// the
  ///          same again until Reset
  ParseStatus Parse(std::string_view input, ClientRequest* request);
  RequestFault fault() const { return state_.fault; }
  /// Of the last Reset.
  const ClientRequestLimits& limits() const { return limits_; }

 private:
  /// All that must survive between two calls, as offsets within the input.
  struct State {
    ParseStatus status = ParseStatus::kNeedMore;
    RequestFault fault = RequestFault::kNone;
    Method method = Method::kOther;
    bool is_in_fields = false;
    uint8_t leading_lines = 0;
    uint8_t connection_options = 0;
    bool is_minor_zero = false;
    bool is_authority_in_line = false;  // host_* are of the request line
    bool has_host = false;
    bool has_content_length = false;
    bool has_transfer_encoding = false;
    bool has_close = false;
    bool has_keep_alive = false;
    bool has_upgrade_option = false;
    bool has_upgrade = false;
    bool has_refused_protocol = false;
    bool has_trailers_coding = false;
    bool has_expectation = false;
    bool has_nominations = false;
    bool has_via = false;
    char made_target = 0;  // '/' or '*' where the target is not in the input
    uint32_t marked_lines = 0;
    uint32_t headers = 0;
    uint32_t at = 0;    // everything before is scanned
    uint32_t line = 0;  // start of the line that is being read
    uint32_t method_begin = 0;
    uint32_t method_bytes = 0;
    uint32_t target_begin = 0;
    uint32_t target_bytes = 0;
    uint32_t path_bytes = 0;
    uint32_t host_begin = 0;
    uint32_t host_bytes = 0;
    uint32_t lines_begin = 0;
    int64_t content_length = 0;
    int64_t max_forwards = -1;
  };

  ParseStatus Refuse(RequestFault fault);
  ParseStatus ReadRequestLine(std::string_view input);
  ParseStatus ReadFieldLines(std::string_view input);
  RequestFault TakeRequestLine(const char* begin, const char* line, const char* line_end);
  RequestFault TakeTarget(const char* begin, const char* target, const char* target_end);
  RequestFault TakeAbsoluteForm(const char* begin, const char* target, const char* target_end);
  RequestFault TakeField(const char* begin, RequestField field, const MarkedLine& line);
  RequestFault TakeConnection(std::string_view value);
  void Tell(std::string_view input, ClientRequest* request) const;

  ClientRequestLimits limits_;
  State state_;
  std::array<MarkedLine, kMaxMarkedLines> marked_lines_;  // the first state_.marked_lines
};

/// Tells the value of a field of a parsed request: the first from `*next` on whose name matches
/// (any case), without the white space around it; then `*next` is where to go on for another of the
/// same name. @param next an offset within `lines`, 0 at first @returns false when there is none
bool FindField(std::string_view lines, std::string_view name, size_t* next,
               std::string_view* value);

}  // namespace sluice::http1
