// Deadlines in milliseconds: a hierarchical timing wheel (Varghese and Lauck 1987; laid out as in
// Tokio's timer).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/intrusive_list.h"

namespace sluice {

class TimerWheel;
struct TimerTag;

/// Something that wants to be called at a point in time. It leaves its wheel by itself when it
/// goes.
class Timer : private ListHook<TimerTag> {
 public:
  Timer() = default;
  virtual ~Timer() = default;

  bool is_armed() const { return is_linked(); }
  /// When it will fire; only meaningful while armed. A millisecond of the wheel's clock.
  uint64_t expires_at_ms() const { return expires_at_ms_; }

 protected:
  /// The timer has fired and is no longer armed; it may arm itself again.
  virtual void OnTimer(uint64_t now_ms) = 0;

 private:
  friend class TimerWheel;
  friend class IntrusiveList<Timer, TimerTag>;

  uint64_t expires_at_ms_ = 0;
};

/// Five levels of 64 slots: 1 ms apart up to 64 ms, then 64 times coarser per level, 12 days in
/// all; what lies further is looked at again by then. Arming and cancelling are O(1). One thread.
///
/// Users that move a deadline with every request keep it in a field of their own and arm the timer
/// again only when it fires too early: that costs no wheel operation on the hot path.
class TimerWheel {
 public:
  explicit TimerWheel(uint64_t now_ms) : elapsed_ms_(now_ms) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Arms the timer, or moves it. A point that has passed fires with the next Advance.
  void Arm(Timer* timer, uint64_t at_ms);
  /// Nothing happens when it is not armed.
  void Cancel(Timer* timer) { timer->Unlink(); }

  /// Fires every timer that is due, in the order of their milliseconds.
  void Advance(uint64_t now_ms);

  /// When Advance should be called next; never later than the earliest timer. Nothing: no timer is
  /// armed.
  std::optional<uint64_t> NextAt();

 private:
  static constexpr unsigned kLevelBits = 6;
  static constexpr size_t kSlots = 1u << kLevelBits;
  static constexpr size_t kLevels = 5;
  static constexpr uint64_t kSpanMs = uint64_t{1} << (kLevelBits * kLevels);

  struct Slot {
    size_t level;
    size_t index;
    uint64_t starts_at_ms;
  };
  std::optional<Slot> NextSlot();
  void Insert(Timer* timer);

  uint64_t elapsed_ms_;
  // A set bit may stand for a slot that was emptied by cancelling: NextSlot clears it when it meets
  // it.
  std::array<uint64_t, kLevels> occupied_{};
  std::array<std::array<IntrusiveList<Timer, TimerTag>, kSlots>, kLevels> slots_;
};

}  // namespace sluice
