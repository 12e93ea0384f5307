// Connections go from one thread to another: none is lost, and a sleeping reader is always woken.
#include "l4/mailbox.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "check.h"

namespace {

using sluice::UniqueFd;
using sluice::l4::Accepted;
using sluice::l4::Mailbox;

std::shared_ptr<Mailbox> MakeMailbox() {
  auto made = Mailbox::Create();
  CHECK(static_cast<bool>(made));
  return made.value();
}

/// Stands for a connection; told apart by its listener.
Accepted Letter(int32_t listener) {
  Accepted accepted;
  accepted.listener = listener;
  return accepted;
}

bool PutOne(Mailbox* mailbox, int32_t listener) {
  Accepted accepted = Letter(listener);
  return mailbox->Put(&accepted, 1);
}

bool IsWoken(const Mailbox& mailbox, int timeout_ms = 0) {
  pollfd wake{mailbox.wake_fd(), POLLIN, 0};
  return ::poll(&wake, 1, timeout_ms) == 1;
}

TEST(IsFoundByItsNumberWhileItLives) {
  auto first = MakeMailbox();
  auto second = MakeMailbox();
  CHECK(first->number() != second->number());
  CHECK(Mailbox::Find(first->number()) == first);
  const int32_t number = first->number();
  first.reset();
  CHECK(Mailbox::Find(number) == nullptr);
  CHECK(Mailbox::Find(second->number()) == second);
  CHECK(Mailbox::Find(-1) == nullptr);
}

TEST(HandsOverInOrder) {
  auto mailbox = MakeMailbox();
  std::vector<Accepted> letters;
  letters.push_back(Letter(1));
  letters.push_back(Letter(2));
  CHECK(mailbox->Put(letters.data(), letters.size()));
  CHECK(PutOne(mailbox.get(), 3));
  CHECK_EQ(mailbox->queued(), 3);
  std::vector<Accepted> taken(5);
  mailbox->Take(&taken);
  CHECK_EQ(taken.size(), 3);
  for (size_t index = 0; index < taken.size(); ++index)
    CHECK_EQ(taken[index].listener, index + 1);
  CHECK_EQ(mailbox->queued(), 0);
  mailbox->Take(&taken);
  CHECK(taken.empty());
}

TEST(CountsFromPutUntilEnded) {
  auto mailbox = MakeMailbox();
  for (int round = 0; round < 3; ++round)
    PutOne(mailbox.get(), round);
  CHECK_EQ(mailbox->open(), 3);
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  CHECK_EQ(mailbox->open(), 3);
  mailbox->OnEnded(2);
  CHECK_EQ(mailbox->open(), 1);
}

TEST(WakesASleepingReaderUntilItTakes) {
  auto mailbox = MakeMailbox();
  CHECK(!IsWoken(*mailbox));
  PutOne(mailbox.get(), 1);
  PutOne(mailbox.get(), 2);
  CHECK(IsWoken(*mailbox));
  CHECK(IsWoken(*mailbox));
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  CHECK_EQ(taken.size(), 2);
  CHECK(!IsWoken(*mailbox));
}

TEST(DoesNotWakeAReaderThatIsAwake) {
  auto mailbox = MakeMailbox();
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  PutOne(mailbox.get(), 1);
  CHECK(!IsWoken(*mailbox));
  CHECK(!mailbox->FallAsleep());
  mailbox->Take(&taken);
  CHECK_EQ(taken.size(), 1);
  CHECK(mailbox->FallAsleep());
  PutOne(mailbox.get(), 2);
  CHECK(IsWoken(*mailbox));
}

TEST(KeepsWhatAReaderThatLeftHasNotRead) {
  auto mailbox = MakeMailbox();
  int pipe_ends[2];
  CHECK_EQ(::pipe(pipe_ends), 0);
  const UniqueFd read_end(pipe_ends[0]);
  Accepted accepted = Letter(7);
  accepted.fd.Reset(pipe_ends[1]);
  CHECK(mailbox->Put(&accepted, 1));
  mailbox->Leave();
  mailbox->Leave();
  CHECK(!PutOne(mailbox.get(), 8));
  CHECK_EQ(mailbox->open(), 1);
  {
    const std::vector<Accepted> left = mailbox->CloseAndTake();
    CHECK_EQ(left.size(), 1);
    CHECK_EQ(left[0].fd.get(), pipe_ends[1]);
    CHECK_EQ(mailbox->open(), 0);
  }
  CHECK_EQ(::fcntl(pipe_ends[1], F_GETFD), -1);
  CHECK(mailbox->CloseAndTake().empty());
}

TEST(TakesNothingWhenItIsClosedAndLeavesItsOwn) {
  auto mailbox = MakeMailbox();
  PutOne(mailbox.get(), 1);
  CHECK_EQ(mailbox->CloseAndTake().size(), 1);
  Accepted accepted = Letter(2);
  accepted.fd.Reset(::dup(STDERR_FILENO));
  CHECK(!mailbox->Put(&accepted, 1));
  CHECK(accepted.fd.is_open());
  // The wake-up of what was taken back is still there: one look empties it.
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  CHECK(taken.empty());
  CHECK(!IsWoken(*mailbox));
}

TEST(ClosesWhatNobodyHasTaken) {
  auto mailbox = MakeMailbox();
  Accepted accepted = Letter(1);
  accepted.fd.Reset(::dup(STDERR_FILENO));
  const int fd = accepted.fd.get();
  CHECK(mailbox->Put(&accepted, 1));
  mailbox.reset();
  CHECK_EQ(::fcntl(fd, F_GETFD), -1);
}

/// Reads as a worker's loop does, until `wanted` have come. @returns wake-ups that did not come
int ReadAll(Mailbox* mailbox, size_t wanted, std::vector<int32_t>* seen) {
  std::vector<Accepted> taken;
  int missed = 0;
  while (seen->size() < wanted && missed == 0) {
    if (mailbox->FallAsleep() && !IsWoken(*mailbox, 10'000)) ++missed;
    mailbox->Take(&taken);
    for (const Accepted& accepted : taken)
      seen->push_back(accepted.listener);
    mailbox->OnEnded(static_cast<int32_t>(taken.size()));
  }
  return missed;
}

TEST(LosesNoWakeUpBetweenThreads) {
  constexpr int32_t kLetters = 30'000;
  auto mailbox = MakeMailbox();
  std::vector<int32_t> seen;
  int missed = 0;
  std::thread reader([&] { missed = ReadAll(mailbox.get(), 2 * kLetters, &seen); });
  const auto write = [&](int32_t first) {
    for (int32_t letter = 0; letter < kLetters; ++letter) {
      CHECK(PutOne(mailbox.get(), first + letter));
      // Lets the reader fall asleep at every distance from the next one.
      for (std::atomic<int> idle{0}; idle < letter % 64 * 16; ++idle)
        continue;
    }
  };
  std::thread writer([&] { write(kLetters); });
  write(0);
  writer.join();
  reader.join();
  CHECK_EQ(missed, 0);
  CHECK_EQ(seen.size(), 2 * kLetters);
  CHECK_EQ(mailbox->open(), 0);
  // Of each writer, in its order.
  int32_t next[2] = {0, kLetters};
  for (const int32_t letter : seen)
    CHECK_EQ(letter, next[letter / kLetters]++);
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  CHECK(!IsWoken(*mailbox));
}

TEST(WakesForASingleConnectionHoweverTheReaderFallsAsleep) {
  constexpr int32_t kLetters = 20'000;
  auto mailbox = MakeMailbox();
  std::atomic<int32_t> read{0};
  int missed = 0;
  std::thread reader([&] {
    std::vector<Accepted> taken;
    while (read.load() < kLetters && missed == 0) {
      if (mailbox->FallAsleep() && !IsWoken(*mailbox, 5'000)) ++missed;
      mailbox->Take(&taken);
      read.fetch_add(static_cast<int32_t>(taken.size()));
    }
    read.store(kLetters);
  });
  for (int32_t letter = 0; letter < kLetters; ++letter) {
    PutOne(mailbox.get(), letter);
    // Nothing comes behind it that would wake in its place.
    while (read.load() <= letter)
      std::this_thread::yield();
    for (std::atomic<int> idle{0}; idle < letter % 32; ++idle)
      continue;
  }
  reader.join();
  CHECK_EQ(missed, 0);
}

TEST(LosesNothingWhenItIsClosedInTheMiddle) {
  for (int round = 0; round < 200; ++round) {
    auto mailbox = MakeMailbox();
    std::atomic<bool> is_over{false};
    size_t read = 0;
    std::thread reader([&, owned = mailbox] {
      std::vector<Accepted> taken;
      while (!is_over.load()) {
        owned->Take(&taken);
        read += taken.size();
      }
      owned->Leave();
    });
    size_t put = 0;
    while (put < 50 + static_cast<size_t>(round) && PutOne(mailbox.get(), 1))
      ++put;
    const size_t left = mailbox->CloseAndTake().size();
    is_over.store(true);
    reader.join();
    CHECK_EQ(read + left, put);
    CHECK_EQ(mailbox->open(), read);
  }
}

TEST(ComesAndGoesOnManyThreads) {
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([] {
      for (int round = 0; round < 500; ++round) {
        auto mailbox = MakeMailbox();
        const int32_t number = mailbox->number();
        CHECK(Mailbox::Find(number) == mailbox);
        (void)Mailbox::Find(number + 1);
        mailbox.reset();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

TEST(TellsSinceWhenSomethingLiesUnread) {
  auto mailbox = MakeMailbox();
  CHECK_EQ(mailbox->unread_since_us(), 0);
  const uint64_t before_us = sluice::MonotonicUs();
  PutOne(mailbox.get(), 1);
  const uint64_t since_us = mailbox->unread_since_us();
  CHECK(since_us >= before_us && since_us <= sluice::MonotonicUs());
  PutOne(mailbox.get(), 2);
  CHECK_EQ(mailbox->unread_since_us(), since_us);
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  CHECK_EQ(mailbox->unread_since_us(), 0);
}

TEST(MissesItsReaderFromARecallUntilItLooks) {
  auto mailbox = MakeMailbox();
  CHECK(mailbox->Recall().empty());
  CHECK(!mailbox->is_missed());
  std::vector<Accepted> taken;
  mailbox->Take(&taken);  // awake from here on
  PutOne(mailbox.get(), 1);
  PutOne(mailbox.get(), 2);
  CHECK_EQ(mailbox->Recall().size(), 2);
  CHECK(mailbox->is_missed());
  CHECK_EQ(mailbox->open(), 0);
  CHECK_EQ(mailbox->queued(), 0);
  CHECK_EQ(mailbox->unread_since_us(), 0);
  // A reader that is about to wait looks first.
  CHECK(!mailbox->FallAsleep());
  mailbox->Take(&taken);
  CHECK(taken.empty());
  CHECK(!mailbox->is_missed());
  CHECK(mailbox->FallAsleep());
  // It is not closed.
  CHECK(!mailbox->is_closed());
  CHECK(PutOne(mailbox.get(), 3));
  CHECK(IsWoken(*mailbox));
  mailbox->Take(&taken);
  CHECK_EQ(taken.size(), 1);
}

TEST(LosesNothingBetweenAReaderAndRecalls) {
  auto mailbox = MakeMailbox();
  constexpr size_t kLetters = 20'000;
  std::atomic<size_t> read{0};
  std::atomic<bool> is_over{false};
  std::thread reader([&] {
    std::vector<Accepted> taken;
    while (!is_over.load()) {
      (void)mailbox->FallAsleep();
      mailbox->Take(&taken);
      read.fetch_add(taken.size());
    }
  });
  size_t recalled = 0;
  for (size_t letter = 0; letter < kLetters; ++letter) {
    PutOne(mailbox.get(), 1);
    if (letter % 7 == 0) recalled += mailbox->Recall().size();
  }
  while (mailbox->queued() > 0)
    std::this_thread::yield();
  is_over.store(true);
  reader.join();
  CHECK_EQ(read.load() + recalled, kLetters);
  CHECK_EQ(mailbox->open(), read.load());
}

}  // namespace
