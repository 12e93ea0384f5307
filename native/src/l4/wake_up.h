// Wakes a thread that waits in a loop.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::l4 {

/// An eventfd: many rings before a look are one.
class WakeUp {
 public:
  /// Fails with eventfd()'s errno.
  static Result<WakeUp> Create() {
    UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!fd.is_open()) return SystemError{errno, "eventfd"};
    return WakeUp(std::move(fd));
  }

  /// Readable from Ring until Clear.
  int fd() const { return fd_.get(); }
  /// Any thread.
  void Ring() {
    const uint64_t one = 1;
    (void)!::write(fd_.get(), &one, sizeof one);  // an eventfd takes 2^64 of them
  }
  /// To be called before a look at what the ring was for: what comes after the look rings again.
  void Clear() {
    uint64_t rings = 0;
    (void)!::read(fd_.get(), &rings, sizeof rings);
  }

 private:
  explicit WakeUp(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace sluice::l4
