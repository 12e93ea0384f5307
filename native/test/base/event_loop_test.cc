// A turn of the loop: what it waits for, and what may change in the middle of it.
#include "base/event_loop.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/socket.h"
#include "check.h"

namespace {

using sluice::EventLoop;
using sluice::UniqueFd;

struct SocketPair {
  SocketPair() {
    int fds[2];
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    left.Reset(fds[0]);
    right.Reset(fds[1]);
  }
  UniqueFd left;
  UniqueFd right;
};

struct Seen final : sluice::Pollable {
  uint32_t events = 0;
  void OnEvents(uint32_t epoll_events) override { events |= epoll_events; }
};

struct Task final : sluice::LoopTask {
  bool has_work = false;
  std::function<void()> on_ready = [] {};
  std::function<void()> on_turn_end = [] {};
  bool HasWork() const override { return has_work; }
  void OnReady() override { on_ready(); }
  void OnTurnEnd() override { on_turn_end(); }
};

struct Alarm final : sluice::Timer {
  int fired = 0;
  void OnTimer(uint64_t) override { ++fired; }
};

std::unique_ptr<EventLoop> MakeLoop() {
  auto made = EventLoop::Create();
  CHECK(static_cast<bool>(made));
  return std::move(made.value());
}

TEST(TellsWhatEpollSaysOncePerEdge) {
  auto loop = MakeLoop();
  SocketPair pair;
  Seen seen;
  CHECK_EQ(loop->Watch(pair.left.get(), EventLoop::kSocketEvents, &seen), 0);
  CHECK_EQ(sluice::Send(pair.right.get(), "x", 1).bytes, 1);
  loop->Turn(1000);
  CHECK((seen.events & EPOLLIN) != 0);
  seen.events = 0;
  loop->Turn(0);
  CHECK_EQ(seen.events, 0);
  pair.right.Reset();
  loop->Turn(1000);
  CHECK((seen.events & (EPOLLRDHUP | EPOLLHUP)) != 0);
}

TEST(DropsWhatIsSaidOfADescriptorThatWasClosedBefore) {
  auto loop = MakeLoop();
  Seen before;
  Seen after;
  SocketPair pair;
  const int number = pair.left.get();
  // As a forked child does, the copy keeps the socket and its place in the epoll set alive.
  const UniqueFd copy(::dup(number));
  CHECK_EQ(loop->Watch(number, EventLoop::kSocketEvents, &before), 0);
  loop->Turn(0);
  before.events = 0;
  loop->Forget(number);
  pair.left.Reset();
  SocketPair next;
  CHECK_EQ(next.left.get(), number);
  CHECK_EQ(loop->Watch(number, EventLoop::kSocketEvents, &after), 0);
  loop->Turn(0);
  after.events = 0;
  CHECK_EQ(sluice::Send(pair.right.get(), "x", 1).bytes, 1);
  loop->Turn(0);
  CHECK_EQ(before.events, 0);
  CHECK_EQ(after.events, 0);
  CHECK_EQ(sluice::Send(next.right.get(), "x", 1).bytes, 1);
  loop->Turn(0);
  CHECK((after.events & EPOLLIN) != 0);
}

TEST(DoesNotWaitWhenATaskHasWork) {
  auto loop = MakeLoop();
  Task task;
  task.has_work = true;
  loop->AddTask(&task);
  const uint64_t before_us = loop->now_us();
  loop->Turn(10'000);
  CHECK(loop->now_us() - before_us < 5'000'000);
  loop->RemoveTask(&task);
}

TEST(WakesForATimer) {
  auto loop = MakeLoop();
  Alarm alarm;
  loop->timers().Arm(&alarm, loop->now_ms() + 5);
  const uint64_t before_us = loop->now_us();
  for (int turn = 0; turn < 10 && alarm.fired == 0; ++turn)
    loop->Turn(-1);
  CHECK_EQ(alarm.fired, 1);
  CHECK(loop->now_us() - before_us >= 4000);
}

TEST(LetsTasksComeAndGoInTheMiddleOfATurn) {
  auto loop = MakeLoop();
  Task first;
  Task second;
  Task late;
  int second_ran = 0;
  int late_ran = 0;
  second.on_ready = [&] { ++second_ran; };
  second.on_turn_end = [&] { ++second_ran; };
  late.on_turn_end = [&] { ++late_ran; };
  first.on_ready = [&] {
    loop->RemoveTask(&second);
    loop->RemoveTask(&first);
    loop->AddTask(&late);
  };
  loop->AddTask(&first);
  loop->AddTask(&second);
  loop->Turn(0);
  CHECK_EQ(second_ran, 0);
  CHECK_EQ(late_ran, 1);
  loop->RemoveTask(&late);
}

TEST(TellsEverythingThatIsReadyBeforeATimerFires) {
  constexpr size_t kReady = 1000;  // more than one wait brings
  auto loop = MakeLoop();
  std::vector<UniqueFd> fds;
  std::vector<Seen> seen(kReady);
  for (Seen& pollable : seen) {
    fds.emplace_back(::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
    CHECK_EQ(loop->Watch(fds.back().get(), EPOLLIN | EPOLLET, &pollable), 0);
  }
  Alarm alarm;
  loop->timers().Arm(&alarm, loop->now_ms());
  while (sluice::MonotonicUs() / 1000 <= alarm.expires_at_ms() + 1)
    continue;
  loop->Turn(1000);
  CHECK_EQ(alarm.fired, 1);
  for (const Seen& pollable : seen)
    CHECK((pollable.events & EPOLLIN) != 0);
}

TEST(JudgesTimersByTheTimeOfTheWait) {
  auto loop = MakeLoop();
  Alarm alarm;
  Task task;
  task.on_ready = [&] {
    loop->timers().Arm(&alarm, loop->now_ms() + 5);
    while (loop->now_ms() <= alarm.expires_at_ms())
      loop->Refresh();
  };
  loop->AddTask(&task);
  loop->Turn(0);
  CHECK_EQ(alarm.fired, 0);
  CHECK(loop->now_us() > loop->waited_at_us());
  task.on_ready = [] {};
  loop->Turn(0);
  CHECK_EQ(alarm.fired, 1);
  loop->RemoveTask(&task);
}

TEST(CountsAsIdleOnlyWhatBlocked) {
  auto loop = MakeLoop();
  CHECK_EQ(loop->idle_us(), 0);
  const uint64_t before_us = sluice::MonotonicUs();
  loop->Turn(20);
  const uint64_t idle_us = loop->idle_us();
  CHECK(idle_us >= 19'000);
  CHECK(idle_us <= sluice::MonotonicUs() - before_us);
  // Neither looks without waiting, nor what a turn does, nor what is done between turns.
  Task task;
  const auto spin = [] {
    for (const uint64_t end_us = sluice::MonotonicUs() + 5000; sluice::MonotonicUs() < end_us;)
      continue;
  };
  task.on_ready = spin;
  loop->AddTask(&task);
  loop->Turn(0);
  spin();
  task.has_work = true;
  loop->Turn(1000);
  CHECK_EQ(loop->idle_us(), idle_us);
  loop->RemoveTask(&task);
}

TEST(ReportsADescriptorThatCannotBeWatched) {
  auto loop = MakeLoop();
  Seen seen;
  CHECK_EQ(loop->Watch(-1, EPOLLIN, &seen), EBADF);
}

}  // namespace
