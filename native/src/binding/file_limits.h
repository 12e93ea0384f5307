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

/// Free descriptors from the lowest free one up to the soft limit; an upper bound, since some above
/// it may be in use.
uint64_t CountFreeFiles();

}  // namespace sluice::binding
