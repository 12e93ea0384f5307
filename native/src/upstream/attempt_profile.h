// What the client has to know of an attempt beyond its request: src/engine/attempt-profile.ts
// documents the fields.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::upstream {

/// The profile that always exists: attempts go by their pool's own times, hold what the engine's
/// own replay needs, and ask about no status.
inline constexpr int32_t kPlainProfile = 0;
/// Highest number of a profile.
inline constexpr int32_t kMaxProfile = 65535;
/// AttemptProfile::held_body_bytes of attempts that hold nothing beyond what the replay needs.
inline constexpr int64_t kHoldsNothing = -1;

/// Settings of attempts. Times of 0: the pool's own; attempt_timeout_ms of 0: none.
struct AttemptProfile {
  uint32_t connect_timeout_ms = 0;
  uint32_t first_byte_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t attempt_timeout_ms = 0;
  int64_t held_body_bytes = kHoldsNothing;
  /// Ascending.
  std::vector<int32_t> asked_statuses = {};

  bool holds() const { return held_body_bytes >= 0; }
  /// HOT where a list is empty, which is the rule.
  bool AsksAbout(int status) const {
    return !asked_statuses.empty() &&
           std::binary_search(asked_statuses.begin(), asked_statuses.end(), status);
  }
};

}  // namespace sluice::upstream
