// Turns what one connection receives into heads and body bytes of one response.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http1/chunked_decoder.h"
#include "http1/response_head.h"

namespace sluice::upstream {

/// What one piece of input brought.
struct ReadOutcome {
  enum class Verdict : uint8_t {
    kNeedMore,  // the head is not complete
    kHead,      // the head is complete, and perhaps some of the body
    kBody,      // more of the body
    kInvalid,   // not a response that we accept
    kTooLarge,  // a limit of the head is passed
  };
  Verdict verdict = Verdict::kNeedMore;
  /// kHead: the head's bytes; valid until the next call.
  std::string_view head_input;
  /// Body bytes, decoded, inside the input.
  const char* body = nullptr;
  size_t body_bytes = 0;
  /// The response ended within this piece.
  bool is_complete = false;
  /// Bytes followed the end of the response.
  bool has_surplus = false;
};

/// Reads one response after the other. Interim responses (1xx) are skipped; 101 is invalid, since
/// nothing asked for it.
class ResponseReader {
 public:
  /// Interim responses before the final one; more are invalid.
  static constexpr unsigned kMaxInterims = 16;

  explicit ResponseReader(http1::HeadLimits limits) : parser_(limits) {}

  /// A new response begins. @param is_head_request it answers a HEAD request
  void Begin(bool is_head_request);

  /// Reads the next bytes; body bytes are decoded in place. HOT.
  ReadOutcome Read(char* data, size_t size);

  bool has_head() const { return phase_ != Phase::kHead; }
  /// The endpoint's closing ends the response properly.
  bool ends_with_close() const { return phase_ == Phase::kUntilClose; }
  /// Gives back the memory of a head that came in pieces: head_input has been used.
  void FreeHeadInput() { std::string().swap(partial_head_); }
  /// Valid once has_head().
  const http1::ResponseHead& head() const { return head_; }

 private:
  enum class Phase : uint8_t { kHead, kNone, kLength, kChunked, kUntilClose };

  ReadOutcome ReadHead(char* data, size_t size);
  void ReadBody(char* data, size_t size, ReadOutcome* outcome);

  http1::ResponseHeadParser parser_;
  http1::ChunkedDecoder chunks_;
  http1::ResponseHead head_;
  Phase phase_ = Phase::kHead;
  bool is_head_request_ = false;
  unsigned interims_ = 0;
  uint64_t body_left_bytes_ = 0;  // kLength
  std::string
      partial_head_;  // a head that came in pieces; empty and without memory in the usual case
};

}  // namespace sluice::upstream
