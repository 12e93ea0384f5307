// Turns what one connection receives into heads and body bytes of one response.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http1/chunked_decoder.h"
#include "http1/response_head.h"

namespace sluice::upstream {

/// What the request has to do with how its response is read.
struct ResponseMode {
  bool is_head_request = false;
  /// 101 ends HTTP on this connection, instead of being invalid.
  bool takes_switch = false;
  /// So does any 2xx: the request was CONNECT.
  bool is_connect_request = false;
  bool keeps_trailers = false;
  /// A stream of HTTP/2 carries it: its end is the end of every body, whose length has been judged
  /// there. Such heads have no framing but perhaps a length.
  bool ends_with_stream = false;
};

/// What one piece of input brought.
struct ReadOutcome {
  enum class Verdict : uint8_t {
    kNeedMore,  // the head is not complete
    kInterim,   // an interim response: Read goes on with what is behind it
    kSwitched,  // the head is complete, and what is behind it is not HTTP
    kHead,      // the head is complete, and perhaps some of the body
    kBody,      // more of the body
    kInvalid,   // not a response that we accept
    kTooLarge,  // a limit of the head is passed
  };
  Verdict verdict = Verdict::kNeedMore;
  /// kInterim, kSwitched, kHead: the head's bytes; valid until the next call.
  std::string_view head_input;
  /// Body bytes, decoded, inside the input. With kInterim and kSwitched what is behind the head, as
  /// it came. Without any of them, behind all that was read but surplus.
  char* body = nullptr;
  size_t body_bytes = 0;
  /// The response ended within this piece.
  bool is_complete = false;
  /// Bytes followed the end of the response.
  bool has_surplus = false;
  /// With is_complete, where they are kept: trailer lines with their CRLFs; valid until the next
  /// call.
  std::string_view trailers;
};

/// Reads one response after the other, each with the interim responses (1xx) before it.
class ResponseReader {
 public:
  /// Interim responses before the final one; more are invalid.
  static constexpr unsigned kMaxInterims = 16;

  explicit ResponseReader(http1::HeadLimits limits) : parser_(limits) {}

  /// A new response begins.
  void Begin(ResponseMode mode);

  /// Reads the next bytes, of which there may be none; body bytes are decoded in place. HOT.
  ReadOutcome Read(char* data, size_t size);

  /// Of the final response.
  bool has_head() const { return phase_ != Phase::kHead; }
  /// What is still to come of a body of known length; 0 for all others.
  uint64_t length_left_bytes() const { return phase_ == Phase::kLength ? body_left_bytes_ : 0; }
  /// So many bytes of it, at most length_left_bytes(), have been taken without Read.
  void Skip(size_t bytes) { body_left_bytes_ -= bytes; }
  /// The endpoint's closing ends the response properly.
  bool ends_with_close() const { return phase_ == Phase::kUntilClose; }
  /// The stream ended behind what Read has taken, which had the final head or was behind it.
  /// @param trailers valid as long as the outcome
  void End(ReadOutcome* outcome, std::string_view trailers);
  /// Gives back the memory of a head that came in pieces, and of trailers: they have been used.
  void FreeReported(bool is_complete = true) {
    std::string().swap(partial_head_);
    if (is_complete) std::string().swap(trailers_);
  }
  /// Valid after kInterim and kSwitched, and once has_head().
  const http1::ResponseHead& head() const { return head_; }

 private:
  enum class Phase : uint8_t { kHead, kNone, kLength, kChunked, kUntilClose };

  ReadOutcome ReadHead(char* data, size_t size);
  bool IsSwitch() const;
  void BeginBody();
  void ReadBody(char* data, size_t size, ReadOutcome* outcome);

  http1::ResponseHeadParser parser_;
  http1::ChunkedDecoder chunks_;
  http1::ResponseHead head_;
  Phase phase_ = Phase::kHead;
  ResponseMode mode_;
  unsigned interims_ = 0;
  bool has_read_interim_ = false;  // by the last call
  uint64_t body_left_bytes_ = 0;   // kLength
  // A head that came in pieces; empty and without memory in the usual case.
  std::string partial_head_;
  std::string trailers_;
};

}  // namespace sluice::upstream
