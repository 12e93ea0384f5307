// The batch of events that is being filled for TypeScript, and the arena that their bytes lie in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "upstream/event.h"

namespace sluice::upstream {

/// One event before it is written down. Offsets and lengths are those of the arena.
struct Event {
  EventType type = EventType::kNone;
  int32_t exchange = 0;
  int32_t status = 0;
  int32_t flags = 0;
  size_t head_offset = 0;
  size_t head_bytes = 0;
  size_t body_offset = 0;
  size_t body_bytes = 0;
  uint64_t content_length = 0;
  uint64_t elapsed_us = 0;
  int32_t error_number = 0;
  /// kHead: in the word of the errno, which only kFailed has.
  uint64_t connect_us = 0;
};

/// Memory of the events (EVENT_STRIDE words each) and of the arena; both belong to the caller and
/// outlive the batch.
struct BatchMemory {
  int32_t* events = nullptr;
  size_t event_capacity = 0;
  char* arena = nullptr;
  size_t arena_bytes = 0;
};

/// Filled from the start, handed over as a whole, emptied. HOT: one Add per event.
class EventBatch {
 public:
  /// Heads and bodies lie on boundaries of this many bytes.
  static constexpr size_t kAlignment = 8;

  explicit EventBatch(BatchMemory memory) : memory_(memory) {}

  size_t count() const { return count_; }
  bool is_full() const { return count_ == memory_.event_capacity; }
  /// Numbers batches, so that an exchange can say whether the current one holds events of it; never
  /// 0.
  uint32_t serial() const { return serial_; }

  char* arena() const { return memory_.arena; }
  /// Where the free part of the arena begins, on a boundary of kAlignment.
  size_t used_bytes() const { return used_bytes_; }
  size_t free_bytes() const { return memory_.arena_bytes - used_bytes_; }
  /// Takes the next `bytes` of the free part; at most free_bytes().
  void Use(size_t bytes) {
    const size_t end = (used_bytes_ + bytes + kAlignment - 1) & ~(kAlignment - 1);
    used_bytes_ = end < memory_.arena_bytes ? end : memory_.arena_bytes;
  }

  /// Writes an event down; the batch must not be full.
  void Add(const Event& event);
  /// Turns every event of an exchange into NONE.
  void Withdraw(int32_t exchange);
  void Empty();

 private:
  BatchMemory memory_;
  size_t count_ = 0;
  size_t used_bytes_ = 0;
  uint32_t serial_ = 1;
};

}  // namespace sluice::upstream
