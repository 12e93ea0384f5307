// The machine's monotonic clock.
#pragma once

#include <ctime>

#include <cstdint>

namespace sluice {

/// Microseconds since some fixed point in the past; never goes back. Any thread. About 30 ns
/// (vDSO).
inline uint64_t MonotonicUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace sluice
