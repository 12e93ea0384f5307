// Asks the kernel about descriptors.
#include "binding/file_limits.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/unique_fd.h"

namespace sluice::binding {

namespace {

FileLimits ReadLimits() {
  rlimit limits{};
  if (::getrlimit(RLIMIT_NOFILE, &limits) != 0) return {};
  return {limits.rlim_cur, limits.rlim_max};
}

/// Linux 6.2 and later give the count as the size of the folder; before, the lowest free number
/// stands for it, which is too low while there are holes.
uint64_t CountOpenFiles() {
  struct stat folder {};
  if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) {
    return static_cast<uint64_t>(folder.st_size);
  }
  // dup gives the lowest free number. Any open descriptor will do; stderr is open in every process
  // that Node runs in.
  const UniqueFd lowest(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  return lowest.is_open() ? static_cast<uint64_t>(lowest.get()) : UINT64_MAX;
}

}  // namespace

FileLimits RaiseFileLimit() {
  const FileLimits before = ReadLimits();
  if (before.soft >= before.hard) return before;
  const rlimit wanted{before.hard, before.hard};
  // Refused where the hard limit is above the kernel's fs.nr_open: then what was there stays.
  (void)::setrlimit(RLIMIT_NOFILE, &wanted);
  return ReadLimits();
}

uint64_t CountFreeFiles() {
  const uint64_t soft = ReadLimits().soft;
  const uint64_t used = CountOpenFiles();
  return soft > used ? soft - used : 0;
}

}  // namespace sluice::binding
