// The hierarchical timing wheel.
#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace sluice {

void TimerWheel::Arm(Timer* timer, uint64_t at_ms) {
  timer->Unlink();
  timer->expires_at_ms_ = at_ms;
  Insert(timer);
}

void TimerWheel::Insert(Timer* timer) {
  // Beyond the wheel's span the timer lies in the furthest slot and is inserted again when that
  // comes up.
  const uint64_t at_ms = std::clamp(timer->expires_at_ms_, elapsed_ms_ + 1,
                                    elapsed_ms_ + kSpanMs - (kSpanMs >> kLevelBits));
  // The level is that of the highest bit in which now and then differ, so a level's slots never
  // wrap over one another.
  const uint64_t difference = (elapsed_ms_ ^ at_ms) | (kSlots - 1);
  const size_t level = std::min<size_t>(
      (63 - static_cast<size_t>(std::countl_zero(difference))) / kLevelBits, kLevels - 1);
  const size_t index = (at_ms >> (kLevelBits * level)) & (kSlots - 1);
  slots_[level][index].PushBack(timer);
  occupied_[level] |= uint64_t{1} << index;
}

std::optional<TimerWheel::Slot> TimerWheel::NextSlot() {
  for (size_t level = 0; level < kLevels; ++level) {
    const unsigned shift = static_cast<unsigned>(kLevelBits * level);
    const size_t current = (elapsed_ms_ >> shift) & (kSlots - 1);
    while (occupied_[level] != 0) {
      const auto ahead = std::countr_zero(std::rotr(occupied_[level], static_cast<int>(current)));
      const size_t index = (current + static_cast<size_t>(ahead)) & (kSlots - 1);
      if (slots_[level][index].empty()) {
        occupied_[level] &= ~(uint64_t{1} << index);
        continue;
      }
      const uint64_t level_start_ms = elapsed_ms_ >> (shift + kLevelBits) << (shift + kLevelBits);
      uint64_t starts_at_ms = level_start_ms + (static_cast<uint64_t>(index) << shift);
      // Only the top level can hold a slot of the next round.
      if (starts_at_ms <= elapsed_ms_) starts_at_ms += uint64_t{1} << (shift + kLevelBits);
      return Slot{level, index, starts_at_ms};
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> TimerWheel::NextAt() {
  const auto slot = NextSlot();
  if (!slot) return std::nullopt;
  return slot->starts_at_ms;
}

void TimerWheel::Advance(uint64_t now_ms) {
  IntrusiveList<Timer, TimerTag> due;
  for (;;) {
    const auto slot = NextSlot();
    if (!slot || slot->starts_at_ms > now_ms) break;
    elapsed_ms_ = slot->starts_at_ms;
    occupied_[slot->level] &= ~(uint64_t{1} << slot->index);
    due.TakeAll(slots_[slot->level][slot->index]);
    // A timer that fires may cancel or arm any other, those in `due` included: each is taken off
    // before it runs.
    while (Timer* const timer = due.PopFront()) {
      if (timer->expires_at_ms_ <= elapsed_ms_) {
        timer->OnTimer(now_ms);
      } else {
        Insert(timer);
      }
    }
  }
  elapsed_ms_ = std::max(elapsed_ms_, now_ms);
}

}  // namespace sluice
