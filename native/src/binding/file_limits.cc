// Asks the kernel about descriptors.
#include "binding/file_limits.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.h"

namespace sluice::binding {

namespace {

FileLimits ReadLimits() {
  rlimit limits{};
  if (::getrlimit(RLIMIT_NOFILE, &limits) != 0) return {};
  return {limits.rlim_cur, limits.rlim_max};
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
  // dup gives the lowest free number. Any open descriptor will do; stderr is open in every process
  // that Node runs in.
  const UniqueFd lowest(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!lowest.is_open()) return 0;
  const uint64_t soft = ReadLimits().soft;
  const auto used = static_cast<uint64_t>(lowest.get());
  return soft > used ? soft - used : 0;
}

}  // namespace sluice::binding
