// How many files this process may open, and how many it still can.
#pragma once

#include <cstdint>

namespace sluice::binding {

/// RLIMIT_NOFILE; UINT64_MAX stands for no limit.
struct FileLimits {
  uint64_t soft = 0;
  uint64_t hard = 0;
};

/// Raises the soft limit to the hard one where it may. @returns both afterwards
FileLimits RaiseFileLimit();

/// Descriptors that can still be opened below the soft limit. Before Linux 6.2 an upper bound: it
/// counts from the lowest free one.
uint64_t CountFreeFiles();

}  // namespace sluice::binding
