// Counts what costs work and brings nothing: frames of a client against rates of them.
#pragma once

#include <cstdint>

#include "http2/server_limits.h"

namespace sluice::http2 {

/// What a client has sent too much of; the same numbers stand in src/engine/front-end-event.ts.
enum class FloodKind : uint8_t {
  kNone = 0,
  kResets = 1,         // streams that it reset, or made us reset (CVE-2023-44487, CVE-2025-8671)
  kContinuations = 2,  // CONTINUATION frames of one header block (CVE-2024-27316)
  kSettings = 3,
  kPings = 4,
  kPriorities = 5,
  kWindowUpdates = 6,
  kEmptyData = 7,
  kHeaders = 8,  // header blocks that unpack to far more than a head may have
};

/// A bucket that empties by one each time and fills with time. Arithmetic only.
class TokenBucket {
 public:
  explicit TokenBucket(Rate rate) : rate_(rate), millitokens_(uint64_t{rate.burst} * kMilli) {}

  /// @param now_ms a clock that does not go back @returns false: it is empty
  bool Take(uint64_t now_ms) {
    const uint64_t most = uint64_t{rate_.burst} * kMilli;
    if (now_ms > filled_at_ms_) {
      // A rate of so many a second is as many thousandths a millisecond.
      const uint64_t gone_ms = now_ms - filled_at_ms_;
      const uint64_t missing = most - millitokens_;
      const bool is_full = gone_ms >= missing / rate_.per_second + 1;
      millitokens_ = is_full ? most : millitokens_ + gone_ms * rate_.per_second;
      filled_at_ms_ = now_ms;
    }
    if (millitokens_ < kMilli) return false;
    millitokens_ -= kMilli;
    return true;
  }

 private:
  static constexpr uint64_t kMilli = 1000;
  Rate rate_;
  uint64_t millitokens_;
  uint64_t filled_at_ms_ = 0;
};

/// One for each connection. HOT: once per frame.
///
/// Frames that belong to traffic are free: each request and each DATA frame with bytes, in either
/// direction, earns kEarned frames of the kinds that go along with it (WINDOW_UPDATE, PRIORITY,
/// PING: RFC 9113 sections 5.3, 6.7, 6.9); unspent ones are kept up to the burst. DATA that is
/// small because the client's window is earns nothing.
class FloodGuard {
 public:
  explicit FloodGuard(const ServerLimits& limits)
      : limits_(limits), resets_(limits.resets), control_frames_(limits.control_frames) {}

  /// A request began, or bytes went either way.
  void Earn() {
    earned_ += kEarned;
    if (earned_ > limits_.control_frames.burst) earned_ = limits_.control_frames.burst;
  }

  /// A frame of the client begins. @param type, flags, payload_bytes as in its header
  /// @returns what there are too many of
  FloodKind OnFrame(uint8_t type, uint8_t flags, uint64_t payload_bytes, uint64_t now_ms);
  /// A stream is reset for what the client did on it.
  FloodKind OnReset(uint64_t now_ms) {
    return resets_.Take(now_ms) ? FloodKind::kNone : FloodKind::kResets;
  }
  /// DATA that was padding alone.
  FloodKind OnEmptyData(uint64_t now_ms) { return Spend(FloodKind::kEmptyData, now_ms); }

 private:
  static constexpr uint32_t kEarned = 2;

  FloodKind Spend(FloodKind kind, uint64_t now_ms) {
    return control_frames_.Take(now_ms) ? FloodKind::kNone : kind;
  }
  FloodKind SpendEarned(FloodKind kind, uint64_t now_ms) {
    if (earned_ == 0) return Spend(kind, now_ms);
    --earned_;
    return FloodKind::kNone;
  }

  ServerLimits limits_;
  TokenBucket resets_;
  TokenBucket control_frames_;
  uint32_t earned_ = 0;
  uint32_t continuations_ = 0;
};

}  // namespace sluice::http2
