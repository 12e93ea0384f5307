// Pipes for splicing, kept between uses.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/unique_fd.h"

namespace sluice::l4 {

/// A non-blocking pipe and how much lies in it.
struct Pipe {
  UniqueFd write_end;
  UniqueFd read_end;
  size_t bytes = 0;
};

/// One per engine. A pipe is needed only between reading and writing, so a few serve many sessions;
/// one that could not be emptied stays with its session, and counts.
class PipePool {
 public:
  /// Most pipes that exist at a time: two descriptors each, and up to kPipeBytes of kernel memory.
  static constexpr size_t kMaxPipes = 256;
  /// What a pipe holds where the kernel allows it (pipe(7): without privileges, 64 MiB for a user);
  /// else its own 64 KiB. Four times the kernel's default spare a large transfer three of four
  /// system calls: bench l4-keepalive-1mib-c16.
  static constexpr size_t kPipeBytes = 256 * 1024;
  /// Most that are kept while nobody needs them.
  static constexpr size_t kMaxIdlePipes = 8;

  /// @returns nullptr when none is to be had: move the bytes some other way
  std::unique_ptr<Pipe> Take();
  /// Takes a pipe back; one that is not empty is closed.
  void Give(std::unique_ptr<Pipe> pipe);
  /// Closes those that nobody uses.
  void Clear();

  /// Pipes that exist, in use or not.
  size_t count() const { return count_; }

 private:
  std::vector<std::unique_ptr<Pipe>> idle_;
  size_t count_ = 0;
};

}  // namespace sluice::l4
