// Hands accepted connections from the acceptor to one worker.
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
///
/// A sleeping reader is woken once, an awake one never: the wake-up is a system call and costs more
/// than the rest of the hand-over. Nothing is lost, by this pair:
///   - Put:        queued_ = n, then is_asleep_ is taken: wakes where it was true;
///   - FallAsleep: is_asleep_ = true, then queued_ is read: does not sleep where it is not 0.
/// All four are seq_cst, so one of the two sees what the other has written first. (Both may: then
/// the reader is woken for what it has taken already, which costs it one empty turn.)
class Mailbox {
 public:
  /// Makes one and enters it into the process's list. Fails with eventfd()'s errno.
  static Result<std::shared_ptr<Mailbox>> Create();
  /// @returns nullptr when there is none of this number
  static std::shared_ptr<Mailbox> Find(int32_t number);
  ~Mailbox();

  int32_t number() const { return number_; }

  // --- the acceptor's side; any thread ---

  /// Puts connections in and wakes the reader if it sleeps. @returns false when it is closed, or
  /// its reader has left: nothing was taken
  bool Put(Accepted* accepted, size_t count);
  /// Connections that were put in and have not ended.
  int32_t open() const { return open_.load(std::memory_order_relaxed); }  // statistic
  /// Since when the oldest unread connection lies there, on the monotonic clock; 0: nothing is
  /// unread. Statistic.
  uint64_t unread_since_us() const { return unread_since_us_.load(std::memory_order_relaxed); }
  /// Takes back what lies unread, which no longer counts as open here: its reader is missed until
  /// it looks again.
  std::vector<Accepted> Recall();
  /// Something was taken back, and the reader has not looked since. Statistic.
  bool is_missed() const { return is_missed_.load(std::memory_order_relaxed); }
  /// Closed, or its reader has left.
  bool is_closed();
  /// Closes it and takes what nobody has read, which no longer counts as open here. Idempotent.
  std::vector<Accepted> CloseAndTake();

  // --- the reader's side; its thread ---

  /// Readable when the reader has been woken; level-triggered.
  int wake_fd() const { return wake_fd_.get(); }
  /// Moves everything into `taken` (which is cleared first) and empties the wake-up. The reader
  /// counts as awake from here on. Cheap where there is nothing: for every turn.
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

  /// Empties the queue. Under mutex_.
  std::vector<Accepted> TakeUnread();

  const int32_t number_;
  UniqueFd wake_fd_;
  std::atomic<int32_t> open_{0};
  std::atomic<size_t> queued_{0};  // accepted_.size(); written under mutex_
  std::atomic<bool> is_asleep_{true};
  // Both are written under mutex_, and read without it as statistics.
  std::atomic<uint64_t> unread_since_us_{0};
  std::atomic<bool> is_missed_{false};
  // Writes to the eventfd that were promised and not read yet. A Put that was held up may write
  // long after the reader has taken what it brought: the reader must go on reading until it has
  // seen it, or the descriptor would stay readable for ever. Raised by Put before it writes,
  // lowered by Take.
  std::atomic<uint64_t> wake_ups_due_{0};
  std::mutex mutex_;
  std::vector<Accepted> accepted_;  // guarded by mutex_
  bool is_closed_ = false;          // guarded by mutex_
};

}  // namespace sluice::l4
