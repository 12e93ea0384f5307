// Queues connections between two threads, and wakes the one that reads.
#include "l4/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/clock.h"

namespace sluice::l4 {

namespace {

/// Every mailbox of the process by its number.
///
/// The only state that belongs to no environment. The primary and a worker load the addon each for
/// itself, and between their environments only numbers can travel, in messages; so the number must
/// lead to the same mailbox from both threads. The list owns nothing.
class MailboxList {
 public:
  static MailboxList& OfProcess() {
    static MailboxList list;
    return list;
  }

  int32_t NewNumber() {
    const std::lock_guard lock(mutex_);
    return ++last_number_;
  }

  void Enter(const std::shared_ptr<Mailbox>& mailbox) {
    const std::lock_guard lock(mutex_);
    mailboxes_[mailbox->number()] = mailbox;
  }

  std::shared_ptr<Mailbox> Find(int32_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = mailboxes_.find(number);
    return found == mailboxes_.end() ? nullptr : found->second.lock();
  }

  void Remove(int32_t number) {
    const std::lock_guard lock(mutex_);
    mailboxes_.erase(number);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<int32_t, std::weak_ptr<Mailbox>> mailboxes_;  // guarded by mutex_
  int32_t last_number_ = 0;  // guarded by mutex_; never given out twice
};

}  // namespace

Result<std::shared_ptr<Mailbox>> Mailbox::Create() {
  UniqueFd wake_fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_fd.is_open()) return SystemError{errno, "eventfd"};
  MailboxList& list = MailboxList::OfProcess();
  // Private constructor: no make_shared.
  std::shared_ptr<Mailbox> mailbox(new Mailbox(list.NewNumber(), std::move(wake_fd)));
  list.Enter(mailbox);
  return mailbox;
}

std::shared_ptr<Mailbox> Mailbox::Find(int32_t number) {
  return MailboxList::OfProcess().Find(number);
}

Mailbox::Mailbox(int32_t number, UniqueFd wake_fd)
    : number_(number), wake_fd_(std::move(wake_fd)) {}

Mailbox::~Mailbox() {
  MailboxList::OfProcess().Remove(number_);
}

bool Mailbox::Put(Accepted* accepted, size_t count) {
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return false;
    if (accepted_.empty()) unread_since_us_.store(MonotonicUs(), std::memory_order_relaxed);
    accepted_.insert(accepted_.end(), std::make_move_iterator(accepted),
                     std::make_move_iterator(accepted + count));
    open_.fetch_add(static_cast<int32_t>(count), std::memory_order_relaxed);  // statistic
    queued_.store(accepted_.size(), std::memory_order_seq_cst);  // pairs with FallAsleep
  }
  // Outside the lock: the reader may run before write() has returned, and would meet the lock.
  if (is_asleep_.exchange(false, std::memory_order_seq_cst)) {
    wake_ups_due_.fetch_add(1, std::memory_order_relaxed);  // the reader sees it behind the write
    const uint64_t one = 1;
    (void)!::write(wake_fd_.get(), &one, sizeof one);  // an eventfd takes 2^64 of them
  }
  return true;
}

std::vector<Accepted> Mailbox::TakeUnread() {
  std::vector<Accepted> unread = std::exchange(accepted_, {});
  open_.fetch_sub(static_cast<int32_t>(unread.size()), std::memory_order_relaxed);  // statistic
  queued_.store(0, std::memory_order_relaxed);  // a reader that sees more finds nothing
  unread_since_us_.store(0, std::memory_order_relaxed);
  return unread;
}

std::vector<Accepted> Mailbox::Recall() {
  const std::lock_guard lock(mutex_);
  if (accepted_.empty()) return {};
  // relaxed: a reader that misses it finds it after its next wait, at its next heartbeat at the
  // latest; until then it only gets nothing.
  is_missed_.store(true, std::memory_order_relaxed);
  return TakeUnread();
}

bool Mailbox::is_closed() {
  const std::lock_guard lock(mutex_);
  return is_closed_;
}

std::vector<Accepted> Mailbox::CloseAndTake() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  return TakeUnread();
}

void Mailbox::Take(std::vector<Accepted>* taken) {
  taken->clear();
  // relaxed: what a Put misses by it, FallAsleep finds before the next wait.
  is_asleep_.store(false, std::memory_order_relaxed);
  if (wake_ups_due_.load(std::memory_order_relaxed) != 0) {
    uint64_t wake_ups = 0;
    if (::read(wake_fd_.get(), &wake_ups, sizeof wake_ups) == sizeof wake_ups) {
      wake_ups_due_.fetch_sub(wake_ups, std::memory_order_relaxed);
    }
  }
  // relaxed: hints, as above; the vector is read under the lock.
  if (queued_.load(std::memory_order_relaxed) == 0 && !is_missed()) return;
  const std::lock_guard lock(mutex_);
  is_missed_.store(false, std::memory_order_relaxed);
  unread_since_us_.store(0, std::memory_order_relaxed);
  // The two change places, so that both keep their memory.
  taken->swap(accepted_);
  queued_.store(0, std::memory_order_relaxed);
}

bool Mailbox::FallAsleep() {
  is_asleep_.store(true, std::memory_order_seq_cst);  // pairs with Put
  if (queued_.load(std::memory_order_seq_cst) == 0 && !is_missed()) return true;
  is_asleep_.store(false, std::memory_order_relaxed);
  return false;
}

void Mailbox::Leave() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

}  // namespace sluice::l4
