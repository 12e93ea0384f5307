// The bytes of one request on their way to an endpoint, and what of them can still be sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_buffer.h"

namespace sluice::upstream {

/// Holds what the kernel has not taken yet, and while the request may have to be sent once more
/// also what it has taken. Knows nothing of framing: bytes come in as they go over the wire. HOT: a
/// request that the kernel takes at once and that need not be kept is never copied.
class OutgoingRequest {
 public:
  /// Sent bytes kept for a replay, the head included; one that has sent more is not replayed.
  static constexpr size_t kMaxReplayBytes = 64 * 1024;

  /// Forgets the last request.
  void Begin();

  /// Keeps bytes that are sent from now on, as long as they and those kept already are no more than
  /// this; else drops what is kept. 0: keeps none.
  void Retain(size_t most_bytes);

  /// Takes note of bytes that the kernel took without their having been held here; nothing may be
  /// unsent.
  void NoteSent(std::string_view bytes);
  /// Holds bytes that are still to be sent.
  void AddUnsent(std::string_view bytes) { held_.Append(bytes); }
  /// The first `count` unsent bytes were taken by the kernel.
  void MarkSent(size_t count);
  /// Everything that is held is to be sent (again).
  void Rewind() { sent_ = 0; }
  /// The endpoint says that it has not acted on what it was sent.
  void NoteRefused() { has_reached_endpoint_ = false; }

  /// Everything that is held, sent or not.
  std::string_view held() const { return held_.view(); }
  std::string_view unsent() const { return held_.view().substr(sent_); }
  size_t unsent_bytes() const { return held_.size() - sent_; }
  /// Every byte handed in so far is still held: the request can begin again.
  bool is_whole() const { return is_whole_; }
  /// A kernel has taken at least one byte, on this connection or an earlier one.
  bool has_reached_endpoint() const { return has_reached_endpoint_; }

 private:
  void DropRetained();

  ByteBuffer held_;  // first the kept sent bytes, then the unsent ones
  size_t sent_ = 0;
  size_t most_retained_ = 0;
  bool is_whole_ = true;
  bool has_reached_endpoint_ = false;
};

}  // namespace sluice::upstream
