// One stream of a client's HTTP/2 connection: a request and its answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"

namespace sluice::http2 {

/// What a session keeps of a stream; whose owner derives from it, and uses it again. Fields are the
/// session's to write but for `waiting`.
struct ServerStream {
  int32_t id = 0;
  /// The session knows it: it may be answered and reset.
  bool is_live = false;
  /// The client has ended its request.
  bool has_request_ended = false;
  /// A final head has been given to the session.
  bool has_head = false;
  /// The end comes behind what waits.
  bool is_ending = false;
  /// The end has been written.
  bool has_ended = false;
  /// Where bytes of the answer wait for the client's window; the owner's. Never nullptr while open.
  ByteBuffer* waiting = nullptr;
  /// Of what Send was given last: goes out behind what waits; only within the call.
  std::string_view passing = {};
  /// Lines that end the answer; empty: none.
  std::string trailers;
  /// Frames with head and body, as they went over the wire (RFC 9113 section 4.1).
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;

  /// Everything that was given to the session has been made into frames.
  bool is_taken() const { return waiting->empty() && (!is_ending || has_ended); }

  /// Makes it ready for another request.
  void Begin(int32_t stream_id, ByteBuffer* holds) {
    id = stream_id;
    is_live = true;
    has_request_ended = has_head = is_ending = has_ended = false;
    waiting = holds;
    passing = {};
    trailers.clear();
    received_bytes = sent_bytes = 0;
  }
};

}  // namespace sluice::http2
