// The batch of events that is being filled for TypeScript, and the arena that requests lie in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "frontend/event.h"

namespace sluice::frontend {

/// Memory of the events (kEventStride words each) and of the arena; both belong to the caller and
/// outlive the batch.
struct FrontEndMemory {
  int32_t* events = nullptr;
  size_t event_capacity = 0;
  char* arena = nullptr;
  size_t arena_bytes = 0;
};

/// Filled from the start, handed over as a whole, read for decisions, emptied. HOT.
class FrontEndBatch {
 public:
  /// Texts begin on such boundaries.
  static constexpr size_t kAlignment = 8;

  explicit FrontEndBatch(FrontEndMemory memory) : memory_(memory) {}

  size_t count() const { return count_; }
  bool is_full() const { return count_ == memory_.event_capacity; }
  int32_t* Words(size_t place) const { return memory_.events + place * kEventStride; }

  /// Takes the next event and clears its words; the batch must not be full.
  int32_t* Add(EventType type, int32_t number, int32_t listener) {
    int32_t* const words = Words(count_++);
    std::fill_n(words, kEventStride, 0);
    words[kType] = static_cast<int32_t>(type);
    words[kNumber] = number;
    words[kListener] = listener;
    words[kDecision] = kSettled;  // what a sink that forgot to decide gets
    return words;
  }

  char* arena() const { return memory_.arena; }
  /// The free part of the arena.
  char* free() const { return memory_.arena + used_bytes_; }
  size_t free_bytes() const { return memory_.arena_bytes - used_bytes_; }
  /// Takes the next `bytes` of the free part; at most free_bytes().
  void Use(size_t bytes) {
    const size_t end = (used_bytes_ + bytes + kAlignment - 1) & ~(kAlignment - 1);
    used_bytes_ = std::min(end, memory_.arena_bytes);
  }

  /// Copies a text into the arena, which has room for it, and writes where it lies.
  /// @param offset the word of its offset; that of its length is the next
  void PutText(int32_t* words, size_t offset, std::string_view text) {
    if (text.empty()) return;
    std::memcpy(free(), text.data(), text.size());
    words[offset] = static_cast<int32_t>(used_bytes_);
    words[offset + 1] = static_cast<int32_t>(text.size());
    Use(text.size());
  }

  void Empty() { count_ = used_bytes_ = 0; }

  // What fits into words.
  static int32_t Capped(uint64_t value) {
    return static_cast<int32_t>(std::min<uint64_t>(value, INT32_MAX));
  }
  static void PutLong(int32_t* words, size_t low, uint64_t value) {
    words[low] = static_cast<int32_t>(static_cast<uint32_t>(value));
    words[low + 1] = static_cast<int32_t>(value >> 32);
  }

 private:
  FrontEndMemory memory_;
  size_t count_ = 0;
  size_t used_bytes_ = 0;
};

}  // namespace sluice::frontend
