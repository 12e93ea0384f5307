// Hands accepted connections from the primary's acceptor to one worker.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "l4/accepted.h"

namespace sluice::l4 {

/// A queue of accepted connections with one reader, and the count of connections that its worker
/// has: from the moment they are put in until the reader says that they have ended.
///
/// The two sides live on different threads and may die in any order: whoever is left finds the
/// mailbox closed. Known in the whole process by its number.
class Mailbox {
 public:
  /// Makes one and enters it into the process's list. Fails with eventfd()'s errno.
  static Result<std::shared_ptr<Mailbox>> Create();
  /// @returns nullptr when there is none of this number
  static std::shared_ptr<Mailbox> Find(int32_t number);
  ~Mailbox();

  int32_t number() const { return number_; }

  // --- the acceptor's side; any thread ---

  /// Puts connections in and wakes the reader if it sleeps. @returns false when it is closed:
  /// nothing was taken
  bool Put(Accepted* accepted, size_t count);
  /// Connections that were put in and have not ended.
  int32_t open() const { return open_.load(std::memory_order_relaxed); }  // statistic
  /// Closes it and takes what nobody has read. Idempotent.
  std::vector<Accepted> CloseAndTake();

  // --- the reader's side; its thread ---

  /// Readable when the reader has been woken; level-triggered.
  int wake_fd() const { return wake_fd_.get(); }
  /// Moves everything into `taken` (which is cleared first) and empties the wake-up. The reader
  /// counts as awake from here on.
  void Take(std::vector<Accepted>* taken);
  /// The reader is about to wait. @returns false when there is something to take: do not wait
  bool FallAsleep();
  /// How many lie unread. Statistic.
  size_t queued() const { return queued_.load(std::memory_order_relaxed); }
  /// `count` connections have ended.
  void OnEnded(int32_t count) { open_.fetch_sub(count, std::memory_order_relaxed); }  // statistic
  /// The reader goes; what it has not read stays for CloseAndTake. Idempotent.
  void Leave();

 private:
  Mailbox(int32_t number, UniqueFd wake_fd);

  const int32_t number_;
  UniqueFd wake_fd_;
  std::atomic<int32_t> open_{0};
  std::atomic<size_t> queued_{0};
  std::atomic<bool> is_asleep_{true};
  std::mutex mutex_;
  std::vector<Accepted> accepted_;  // guarded by mutex_
  bool is_closed_ = false;          // guarded by mutex_
};

}  // namespace sluice::l4
