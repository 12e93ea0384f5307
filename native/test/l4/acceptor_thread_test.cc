// Accepting goes on whatever the thread does that asked for it, and what that one asks is done when
// its call returns.
#include "l4/acceptor_thread.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "l4/arrivals.h"

namespace {

using namespace sluice::l4;
using sluice::UniqueFd;

struct Shortages final : ShortageSink {
  std::vector<int> seen;
  std::function<void()> on_shortage = [] {};
  void OnShortage(int error_number) override {
    seen.push_back(error_number);
    on_shortage();
  }
};

/// Waits for a fact of another thread, for 5 s at most.
void Until(const std::function<bool()>& fact) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!fact() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  CHECK(fact());
}

bool HasNews(const AcceptorThread& acceptor, int timeout_ms = 5000) {
  pollfd news{acceptor.news_fd(), POLLIN, 0};
  return ::poll(&news, 1, timeout_ms) == 1;
}

std::shared_ptr<Mailbox> MakeMailbox() {
  auto made = Mailbox::Create();
  CHECK(static_cast<bool>(made));
  return made.value();
}

struct Fixture {
  explicit Fixture(size_t max_open = SIZE_MAX) {
    auto started = AcceptorThread::Start(max_open);
    CHECK(static_cast<bool>(started));
    acceptor = std::move(started.value());
    ListeningSocket socket = ListenOnLoopback();
    port = socket.port();
    CHECK_EQ(acceptor->Listen(7, std::move(socket)), 0);
  }

  std::unique_ptr<AcceptorThread> acceptor;
  uint16_t port = 0;
};

/// What /proc says of the thread of this name; empty: there is none.
std::string StatusOfThread(const std::string& name) {
  DIR* const tasks = ::opendir("/proc/self/task");
  CHECK(tasks != nullptr);
  std::string found;
  while (const dirent* const task = ::readdir(tasks)) {
    std::ifstream file("/proc/self/task/" + std::string(task->d_name) + "/status");
    const std::string status((std::istreambuf_iterator<char>(file)), {});
    if (status.find("Name:\t" + name + "\n") != std::string::npos) found = status;
  }
  ::closedir(tasks);
  return found;
}

TEST(AcceptsWhileItsOwnerDoesNothing) {
  Fixture fixture;
  const auto mailbox = MakeMailbox();
  CHECK(fixture.acceptor->AddWorker(mailbox->number()));
  const auto clients = ConnectTimes(20, fixture.port);
  // No call from here on: the owner could as well be blocked.
  std::vector<Accepted> all;
  std::vector<Accepted> taken;
  Until([&] {
    mailbox->Take(&taken);
    for (Accepted& accepted : taken)
      all.push_back(std::move(accepted));
    return all.size() == 20;
  });
  for (const Accepted& accepted : all)
    CHECK_EQ(accepted.listener, 7);
  CHECK_EQ(fixture.acceptor->stats().accepted, 20);
}

TEST(SleepsWhileNothingComes) {
  Fixture fixture;
  const auto mailbox = MakeMailbox();
  CHECK(fixture.acceptor->AddWorker(mailbox->number()));
  const auto switches = [] {
    const std::string status = StatusOfThread("sluice-accept");
    const std::string key = "\nvoluntary_ctxt_switches:\t";
    const size_t at = status.find(key);
    CHECK(at != std::string::npos);
    return std::stoul(status.substr(at + key.size()));
  };
  // It goes to sleep once after the last call; nothing wakes it after that.
  Until([&] { return switches() > 0; });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const unsigned long before = switches();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(switches() - before <= 1);
}

TEST(TakesNoSignals) {
  Fixture fixture;
  Until([] { return !StatusOfThread("sluice-accept").empty(); });
  const std::string status = StatusOfThread("sluice-accept");
  const std::string key = "SigBlk:\t";
  const unsigned long long blocked =
      std::stoull(status.substr(status.find(key) + key.size(), 16), nullptr, 16);
  for (const int signal_number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGPROF})
    CHECK((blocked >> (signal_number - 1) & 1) == 1);
  // The owner's own mask is as it was.
  sigset_t mask;
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &mask), 0);
  CHECK_EQ(sigismember(&mask, SIGTERM), 0);
}

TEST(PutsNothingIntoARemovedMailbox) {
  // Clients connect without a pause while mailboxes come and go.
  Fixture fixture;
  std::atomic<bool> is_over{false};
  std::atomic<size_t> connected{0};
  std::thread client([&] {
    while (!is_over.load()) {
      const UniqueFd connection = ConnectTo(fixture.port);
      connected.fetch_add(1);
    }
  });
  const auto last = MakeMailbox();
  CHECK(fixture.acceptor->AddWorker(last->number()));
  for (int round = 0; round < 50; ++round) {
    const auto mailbox = MakeMailbox();
    CHECK(fixture.acceptor->AddWorker(mailbox->number()));
    Until([&] { return mailbox->open() > 0; });
    fixture.acceptor->RemoveWorker(mailbox->number());
    CHECK_EQ(mailbox->queued(), 0);
    CHECK_EQ(mailbox->open(), 0);
    CHECK(mailbox->is_closed());
  }
  is_over.store(true);
  client.join();
  // Nobody has read: all of it came to the one that stayed.
  Until([&] { return fixture.acceptor->stats().accepted == connected.load(); });
  CHECK_EQ(last->queued(), connected.load());
}

TEST(ClosesWithConnectionsOnTheirWay) {
  for (int round = 0; round < 20; ++round) {
    Fixture fixture;
    const auto mailbox = MakeMailbox();
    CHECK(fixture.acceptor->AddWorker(mailbox->number()));
    const auto clients = ConnectTimes(5, fixture.port);
    fixture.acceptor->Close();
    fixture.acceptor->Close();
    CHECK(fixture.acceptor->is_closed());
    CHECK(StatusOfThread("sluice-accept").empty());
    // Each was handed over, or reset with the socket.
    CHECK_EQ(fixture.acceptor->stats().accepted, mailbox->queued());
    // Calls to a closed one do nothing.
    CHECK_EQ(fixture.acceptor->Listen(1, ListenOnLoopback()), 0);
    CHECK(fixture.acceptor->AddWorker(mailbox->number()));
    fixture.acceptor->RemoveWorker(mailbox->number());
    CHECK(fixture.acceptor->stats().open.empty());
  }
}

TEST(TellsOfAShortageAndItsEnd) {
  Fixture fixture(2);
  Shortages shortages;
  const auto mailbox = MakeMailbox();
  CHECK(fixture.acceptor->AddWorker(mailbox->number()));
  const auto clients = ConnectTimes(3, fixture.port);
  CHECK(HasNews(*fixture.acceptor));
  fixture.acceptor->TellShortages(&shortages);
  CHECK(shortages.seen == std::vector<int>{EMFILE});
  CHECK(!HasNews(*fixture.acceptor, 0));
  CHECK_EQ(fixture.acceptor->stats().accepted, 2);
  std::vector<Accepted> taken;
  mailbox->Take(&taken);
  mailbox->OnEnded(2);
  CHECK(HasNews(*fixture.acceptor));
  fixture.acceptor->TellShortages(&shortages);
  CHECK((shortages.seen == std::vector<int>{EMFILE, 0}));
  Until([&] { return fixture.acceptor->stats().accepted == 3; });
}

TEST(TellsAnOwnerThatWasBusyOfAShortageThatIsOver) {
  Fixture fixture(1);
  Shortages shortages;
  const auto mailbox = MakeMailbox();
  CHECK(fixture.acceptor->AddWorker(mailbox->number()));
  const auto clients = ConnectTimes(4, fixture.port);
  // It is short, and not, and short again, while nobody asks.
  std::vector<Accepted> taken;
  Until([&] {
    mailbox->Take(&taken);
    mailbox->OnEnded(static_cast<int32_t>(taken.size()));
    return fixture.acceptor->stats().accepted == 4;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(Acceptor::kShortageMs * 3));
  CHECK(HasNews(*fixture.acceptor, 0));
  fixture.acceptor->TellShortages(&shortages);
  CHECK((shortages.seen == std::vector<int>{EMFILE, 0}));
  fixture.acceptor->TellShortages(&shortages);
  CHECK_EQ(shortages.seen.size(), 2);
}

TEST(MayBeClosedByWhoHearsOfAShortage) {
  Fixture fixture(1);
  Shortages shortages;
  shortages.on_shortage = [&] { fixture.acceptor->Close(); };
  const auto mailbox = MakeMailbox();
  CHECK(fixture.acceptor->AddWorker(mailbox->number()));
  const auto clients = ConnectTimes(2, fixture.port);
  CHECK(HasNews(*fixture.acceptor));
  fixture.acceptor->TellShortages(&shortages);
  CHECK(fixture.acceptor->is_closed());
  CHECK_EQ(shortages.seen.size(), 1);
}

}  // namespace
