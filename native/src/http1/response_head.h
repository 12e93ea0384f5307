// Parses the head of an endpoint's HTTP/1.x response strictly, as its bytes arrive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http1 {

/// How the bytes behind a response head are delimited (RFC 9112 section 6.3).
enum class BodyKind : uint8_t {
  kNone,        // no body at all: HEAD, 1xx, 204, 304
  kLength,      // exactly ResponseHead::content_length bytes
  kChunked,     // Transfer-Encoding: chunked
  kUntilClose,  // everything until the endpoint closes
};

/// What a parser says about the bytes it has seen so far. Every value but kNeedMore is final.
enum class ParseStatus : uint8_t {
  kNeedMore,  // valid so far, the head has not ended
  kDone,      // the head is complete and valid
  kInvalid,   // no continuation of these bytes is a head that we accept
  kTooLarge,  // a limit is passed
};

/// Bounds of one head.
struct HeadLimits {
  uint32_t head_bytes;  // status line, field lines and empty line together
  uint32_t headers;     // number of field lines
};

/// Connection options (RFC 9110 section 7.6.1) that one head may carry over all its Connection
/// lines; one more is kTooLarge. Real endpoints send one or two; the bound keeps the rewriting for
/// the client free of allocation.
inline constexpr size_t kMaxConnectionOptions = 32;

/// A longer announced idle time reads as this, a day: no pool keeps connections that long, and its
/// milliseconds fit 32 bits.
inline constexpr uint32_t kMaxKeepAliveTimeoutS = 86'400;

/// What the engine must know of a response head. The field lines themselves stay in the input.
struct ResponseHead {
  int status = 0;         // 100..999
  int minor_version = 1;  // 0 or 1
  BodyKind body = BodyKind::kUntilClose;
  // Below 2^63. Of kLength, and of HEAD and 304 where has_content_length.
  uint64_t content_length = 0;
  bool has_content_length = false;  // a Content-Length line was there
  // The connection may carry another exchange after this response: by version and Connection
  // options, never with kUntilClose, never after 101, never where the endpoint announces
  // `Keep-Alive: timeout=0`.
  bool keep_alive = false;
  bool has_nominations = false;  // a Connection option besides close and keep-alive was there
  // The smallest `Keep-Alive: timeout=N`, at most kMaxKeepAliveTimeoutS; 0 = not announced.
  uint32_t keep_alive_timeout_s = 0;
  size_t head_bytes = 0;  // length of the head in the input, empty line included
};

/// Resumable, strict parser of one response head. No allocation. Runs on the worker's thread.
///
/// The verdict depends on the bytes alone, never on how they were split: it is the one of the
/// shortest prefix that decides. Controls, bad names, line folds and passed limits decide at their
/// byte; the values of the fields that we interpret (Content-Length, Transfer-Encoding, Connection)
/// decide at the end of their line.
///
/// Accepted: `HTTP/1.[01] SP 3DIGIT [SP reason] CRLF`, then `name [SP|HTAB] ":" value CRLF` lines,
/// then CRLF (RFC 9112; white space before the colon is stripped in responses, section 5.1).
/// Refused, because recipients disagree about them: bare CR or LF, NUL and every other control but
/// HTAB, line folds, a Content-Length that is not one number below 2^63 or comes twice, a
/// Transfer-Encoding other than one `chunked`, HTAB around either value, both of them together,
/// Transfer-Encoding in HTTP/1.0, in 1xx and in 204.
class ResponseHeadParser {
 public:
  explicit ResponseHeadParser(HeadLimits limits) : limits_(limits) {}

  /// Forgets everything; the next input starts a new head.
  void Reset();

  /// Reads on in a growing buffer.
  ///
  /// @param input all bytes of this head received so far, from its first byte, and perhaps body
  ///        bytes behind them; between two calls it only grows (it may move). No call starts over:
  ///        it goes on where the last one stopped.
  /// @param is_head_request the request was HEAD: no body follows whatever the head says
  /// @param head written on kDone only
  /// @returns the verdict; after a final one, the same again until Reset()
  ParseStatus Parse(std::string_view input, bool is_head_request, ResponseHead* head);

 private:
  enum class Phase : uint8_t { kStatusCode, kReason, kLineStart, kName, kBeforeColon, kValue };

  ParseStatus Advance(std::string_view input);
  ParseStatus FinishField(std::string_view name, std::string_view value);
  ParseStatus FinishConnection(std::string_view value);
  void FinishKeepAlive(std::string_view value);
  void Conclude(bool is_head_request);

  HeadLimits limits_;
  ResponseHead head_;
  ParseStatus status_ = ParseStatus::kNeedMore;
  Phase phase_ = Phase::kStatusCode;
  bool has_transfer_encoding_ = false;
  bool has_close_ = false;
  bool has_keep_alive_ = false;
  bool has_zero_timeout_ = false;
  uint32_t headers_ = 0;
  uint32_t connection_options_ = 0;
  size_t at_ = 0;         // everything before is read
  size_t line_ = 0;       // start of the line that is being read
  size_t name_size_ = 0;  // of that line, once its name has ended
  size_t value_ = 0;      // start of that line's value, behind the colon
};

}  // namespace sluice::http1
