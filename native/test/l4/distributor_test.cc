// Who gets which connection: the fewest open first, ties in turn, and nothing lost when a worker
// goes.
#include "l4/distributor.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "l4/arrivals.h"

namespace {

using namespace sluice::l4;
using sluice::EventLoop;
using sluice::UniqueFd;

struct Shortages final : ShortageSink {
  std::vector<int> seen;
  void OnShortage(int error_number) override { seen.push_back(error_number); }
};

struct Fixture {
  explicit Fixture(size_t workers, size_t max_open = SIZE_MAX)
      : distributor(loop.get(), &shortages, max_open) {
    for (size_t index = 0; index < workers; ++index)
      AddMailbox();
    for (const auto& mailbox : mailboxes)
      CHECK(distributor.AddWorker(mailbox->number()));
    ListeningSocket socket = ListenOnLoopback();
    port = socket.port();
    CHECK_EQ(distributor.Listen(5, std::move(socket)), 0);
  }

  std::shared_ptr<Mailbox> AddMailbox() {
    auto made = Mailbox::Create();
    CHECK(static_cast<bool>(made));
    mailboxes.push_back(made.value());
    return mailboxes.back();
  }

  /// Connects and turns until they have been accepted.
  void Arrive(size_t count) {
    const uint64_t wanted = distributor.accepted() + count;
    for (UniqueFd& client : ConnectTimes(count, port))
      clients.push_back(std::move(client));
    TurnUntil(loop.get(), [&] { return distributor.accepted() >= wanted; });
  }

  std::unique_ptr<EventLoop> loop = MakeLoop();
  Shortages shortages;
  std::vector<std::shared_ptr<Mailbox>> mailboxes;
  Distributor distributor;
  uint16_t port = 0;
  std::vector<UniqueFd> clients;
};

using Counts = std::vector<int32_t>;

TEST(SharesARoundOutEqually) {
  Fixture fixture(3);
  fixture.Arrive(9);
  CHECK((fixture.distributor.open() == Counts{3, 3, 3}));
  std::vector<Accepted> taken;
  fixture.mailboxes[1]->Take(&taken);
  CHECK_EQ(taken.size(), 3);
  for (const Accepted& accepted : taken) {
    CHECK_EQ(accepted.listener, 5);
    CHECK(accepted.fd.is_open());
  }
}

TEST(GivesToTheFewestOpen) {
  Fixture fixture(3);
  fixture.Arrive(9);
  std::vector<Accepted> taken;
  fixture.mailboxes[2]->Take(&taken);
  fixture.mailboxes[2]->OnEnded(3);
  fixture.mailboxes[0]->Take(&taken);
  fixture.mailboxes[0]->OnEnded(1);
  CHECK((fixture.distributor.open() == Counts{2, 3, 0}));
  fixture.Arrive(2);
  CHECK((fixture.distributor.open() == Counts{2, 3, 2}));
  fixture.Arrive(2);
  CHECK((fixture.distributor.open() == Counts{3, 3, 3}));
}

TEST(GivesTiesToTheOneAfterTheLastThatGotOne) {
  Fixture fixture(3);
  for (size_t turn = 0; turn < 7; ++turn) {
    fixture.Arrive(1);
    Counts wanted(3, 0);
    wanted[turn % 3] = 1;
    CHECK(fixture.distributor.open() == wanted);
    // It ends at once, so that all are equal again.
    std::vector<Accepted> taken;
    fixture.mailboxes[turn % 3]->Take(&taken);
    fixture.mailboxes[turn % 3]->OnEnded(1);
  }
}

TEST(DoesNotAcceptWhileThereIsNoWorker) {
  Fixture fixture(0);
  fixture.clients = ConnectTimes(3, fixture.port);
  fixture.loop->Turn(20);
  CHECK_EQ(fixture.distributor.accepted(), 0);
  CHECK(fixture.distributor.AddWorker(fixture.AddMailbox()->number()));
  TurnUntil(fixture.loop.get(), [&] { return fixture.distributor.accepted() == 3; });
  CHECK((fixture.distributor.open() == Counts{3}));
}

TEST(GivesTheUnreadMailOfARemovedWorkerToTheOthers) {
  Fixture fixture(3);
  fixture.Arrive(6);
  std::vector<Accepted> taken;
  fixture.mailboxes[0]->Take(&taken);
  fixture.Arrive(3);
  fixture.distributor.RemoveWorker(fixture.mailboxes[0]->number());
  fixture.distributor.RemoveWorker(fixture.mailboxes[0]->number());
  // What it has read stays its own.
  CHECK_EQ(fixture.mailboxes[0]->open(), 2);
  const Counts open = fixture.distributor.open();
  CHECK_EQ(open.size(), 2);
  CHECK_EQ(open[0] + open[1], 7);
  CHECK(std::abs(open[0] - open[1]) <= 1);
  CHECK_EQ(fixture.distributor.waiting(), 0);
}

TEST(KeepsWhatNobodyCanTakeForTheNextWorker) {
  Fixture fixture(1);
  fixture.Arrive(4);
  fixture.distributor.RemoveWorker(fixture.mailboxes[0]->number());
  CHECK_EQ(fixture.distributor.waiting(), 4);
  // It does not accept either.
  const UniqueFd client = ConnectTo(fixture.port);
  fixture.loop->Turn(20);
  CHECK_EQ(fixture.distributor.accepted(), 4);
  CHECK(fixture.distributor.AddWorker(fixture.AddMailbox()->number()));
  CHECK_EQ(fixture.distributor.waiting(), 0);
  TurnUntil(fixture.loop.get(), [&] { return fixture.distributor.accepted() == 5; });
  CHECK((fixture.distributor.open() == Counts{5}));
}

TEST(FindsOutThatAWorkerHasLeft) {
  Fixture fixture(3);
  fixture.Arrive(6);
  fixture.mailboxes[1]->Leave();
  fixture.Arrive(6);
  const Counts open = fixture.distributor.open();
  CHECK_EQ(open.size(), 2);
  CHECK_EQ(open[0], 6);
  CHECK_EQ(open[1], 6);
  fixture.distributor.RemoveWorker(fixture.mailboxes[1]->number());
  fixture.mailboxes[0]->Leave();
  fixture.mailboxes[2]->Leave();
  fixture.Arrive(1);
  CHECK(fixture.distributor.open().empty());
  CHECK_EQ(fixture.distributor.waiting(), 13);
  CHECK(fixture.distributor.AddWorker(fixture.AddMailbox()->number()));
  CHECK((fixture.distributor.open() == Counts{13}));
}

TEST(SharesOutTheBacklogOfAListenerThatIsClosed) {
  Fixture fixture(2);
  fixture.clients = ConnectTimes(4, fixture.port);
  fixture.distributor.CloseListener(5);
  fixture.distributor.CloseListener(5);
  CHECK((fixture.distributor.open() == Counts{2, 2}));
  CHECK(!fixture.distributor.is_listening());
}

TEST(TakesAWorkerOnlyOnceAndOnlyWithAMailbox) {
  Fixture fixture(1);
  CHECK(fixture.distributor.AddWorker(fixture.mailboxes[0]->number()));
  CHECK_EQ(fixture.distributor.open().size(), 1);
  auto gone = fixture.AddMailbox();
  const int32_t number = gone->number();
  fixture.mailboxes.clear();
  gone.reset();
  CHECK(!fixture.distributor.AddWorker(number));
}

TEST(AcceptsNoMoreThanMayBeOpen) {
  Fixture fixture(2, 5);
  fixture.clients = ConnectTimes(8, fixture.port);
  TurnUntil(fixture.loop.get(), [&] { return !fixture.shortages.seen.empty(); });
  CHECK_EQ(fixture.distributor.accepted(), 5);
  fixture.loop->Turn(70);
  CHECK_EQ(fixture.distributor.accepted(), 5);
  std::vector<Accepted> taken;
  fixture.mailboxes[0]->Take(&taken);
  fixture.mailboxes[0]->OnEnded(1);
  TurnUntil(fixture.loop.get(), [&] { return fixture.distributor.accepted() == 6; });
  CHECK(fixture.shortages.seen == std::vector<int>{EMFILE});
  fixture.mailboxes[0]->OnEnded(2);
  fixture.mailboxes[1]->Take(&taken);
  fixture.mailboxes[1]->OnEnded(2);
  TurnUntil(fixture.loop.get(), [&] { return fixture.distributor.accepted() == 8; });
  CHECK((fixture.shortages.seen == std::vector<int>{EMFILE, 0}));
}

TEST(ClosesWhatWaitsWhenItIsClosed) {
  Fixture fixture(1);
  fixture.Arrive(2);
  fixture.distributor.RemoveWorker(fixture.mailboxes[0]->number());
  fixture.distributor.Close();
  fixture.distributor.Close();
  CHECK(!fixture.distributor.is_listening());
  CHECK_EQ(fixture.distributor.waiting(), 0);
  char byte = 0;
  for (const UniqueFd& client : fixture.clients)
    CHECK_EQ(::recv(client.get(), &byte, 1, 0), 0);
  CHECK(fixture.distributor.AddWorker(fixture.AddMailbox()->number()));
  CHECK(fixture.distributor.open().empty());
}

/// Turns for this long while these workers read.
void TurnWhileReading(Fixture* fixture, const std::vector<size_t>& readers, uint64_t time_ms,
                      std::vector<Accepted>* all) {
  const uint64_t end_us = fixture->loop->now_us() + time_ms * 1000;
  std::vector<Accepted> taken;
  while (fixture->loop->now_us() < end_us) {
    fixture->loop->Turn(10);
    for (const size_t reader : readers) {
      fixture->mailboxes[reader]->Take(&taken);
      for (Accepted& accepted : taken)
        all->push_back(std::move(accepted));
    }
  }
}

constexpr uint64_t kPastStalledMs = Distributor::kStalledMs + 100;

TEST(GivesToOthersWhatAStalledWorkerLeavesUnread) {
  Fixture fixture(3);
  std::vector<Accepted> read;
  fixture.Arrive(9);
  TurnWhileReading(&fixture, {0, 2}, kPastStalledMs, &read);
  CHECK_EQ(read.size(), 9);
  CHECK_EQ(fixture.mailboxes[1]->open(), 0);
  // It gets nothing more, although it has the fewest.
  fixture.Arrive(4);
  CHECK_EQ(fixture.mailboxes[1]->queued(), 0);
  // Until it looks again.
  std::vector<Accepted> taken;
  fixture.mailboxes[1]->Take(&taken);
  fixture.Arrive(4);
  CHECK_EQ(fixture.mailboxes[1]->queued(), 4);
}

TEST(PassesAStalledWorkerOverWithItsMailStillThere) {
  Fixture fixture(2);
  fixture.Arrive(2);
  std::vector<Accepted> taken;
  fixture.mailboxes[0]->Take(&taken);
  // The loop itself was kept from its timer: the mail is seen to be old with the next arrivals.
  ::usleep(kPastStalledMs * 1000);
  fixture.Arrive(3);
  TurnUntil(fixture.loop.get(), [&] { return fixture.mailboxes[0]->open() == 5; });
  CHECK_EQ(fixture.mailboxes[1]->open(), 0);
}

TEST(LeavesMailWhereItIsWhileNobodyReads) {
  Fixture fixture(2);
  fixture.Arrive(4);
  std::vector<Accepted> read;
  TurnWhileReading(&fixture, {}, kPastStalledMs, &read);
  CHECK((fixture.distributor.open() == Counts{2, 2}));
  // Arrivals are shared out as ever.
  fixture.Arrive(2);
  CHECK((fixture.distributor.open() == Counts{3, 3}));
  // As soon as one reads, it has all.
  TurnWhileReading(&fixture, {1}, kPastStalledMs, &read);
  CHECK_EQ(read.size(), 6);
}

TEST(TakesTheMailOfAWorkerThatLeftWithoutAWord) {
  Fixture fixture(2);
  fixture.Arrive(4);
  fixture.mailboxes[0]->Leave();
  std::vector<Accepted> read;
  TurnWhileReading(&fixture, {1}, kPastStalledMs, &read);
  CHECK_EQ(read.size(), 4);
  CHECK_EQ(fixture.distributor.open().size(), 1);
}

/// A worker's thread: reads its mail, ends what it has read at once, until it shall leave.
struct WorkerThread {
  explicit WorkerThread(const std::shared_ptr<Mailbox>& mailbox)
      : thread([this, mailbox] {
          std::vector<Accepted> taken;
          while (!shall_leave.load()) {
            mailbox->Take(&taken);
            served.fetch_add(taken.size());
            mailbox->OnEnded(static_cast<int32_t>(taken.size()));
            std::this_thread::yield();
          }
          mailbox->Leave();
        }) {}

  std::atomic<bool> shall_leave{false};
  std::atomic<size_t> served{0};
  std::thread thread;
};

TEST(LosesNothingWhileWorkersComeAndGo) {
  Fixture fixture(0);
  std::vector<std::unique_ptr<WorkerThread>> workers;
  const auto add = [&] {
    const auto mailbox = fixture.AddMailbox();
    workers.push_back(std::make_unique<WorkerThread>(mailbox));
    CHECK(fixture.distributor.AddWorker(mailbox->number()));
  };
  add();
  add();
  size_t arrived = 0;
  for (size_t round = 0; round < 40; ++round) {
    if (round % 4 == 3) {
      // The oldest leaves without a word; the primary learns of it a round later.
      workers[round / 4]->shall_leave.store(true);
      add();
    }
    if (round % 4 == 0 && round > 0) {
      fixture.distributor.RemoveWorker(fixture.mailboxes[round / 4 - 1]->number());
    }
    fixture.Arrive(10);
    arrived += 10;
  }
  const auto served = [&] {
    return std::accumulate(
        workers.begin(), workers.end(), size_t{0},
        [](size_t sum, const auto& worker) { return sum + worker->served.load(); });
  };
  for (const auto& mailbox : fixture.mailboxes) {
    if (&mailbox != &fixture.mailboxes.back() && &mailbox != &fixture.mailboxes.back() - 1) {
      fixture.distributor.RemoveWorker(mailbox->number());
    }
  }
  TurnUntil(fixture.loop.get(), [&] { return served() == arrived; });
  for (const auto& worker : workers) {
    worker->shall_leave.store(true);
    worker->thread.join();
  }
}

}  // namespace
