// The engine's loop: one epoll set, one timer wheel, one reading of the clock per wait.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/timer_wheel.h"
#include "base/unique_fd.h"

namespace sluice {

/// Something with a descriptor in the loop's epoll set.
class Pollable {
 public:
  /// Remembers what epoll said. It must not act on it, let alone free anything: other events of the
  /// same wait are still to come. Work is done in LoopTask::OnReady.
  virtual void OnEvents(uint32_t epoll_events) = 0;

 protected:
  ~Pollable() = default;
};

/// A part of the engine that works in the loop's turns.
class LoopTask {
 public:
  /// There is work that needs no event: the next wait must not block.
  virtual bool HasWork() const = 0;
  /// After a wait, before timers: acts on what OnEvents remembered.
  virtual void OnReady() = 0;
  /// After timers: hands over what the turn brought.
  virtual void OnTurnEnd() = 0;

 protected:
  ~LoopTask() = default;
};

/// One thread's loop. A turn is: wait, tell every Pollable, OnReady, timers, OnTurnEnd. All that
/// the kernel has to tell is taken down before a timer fires, or a thread that was kept from its
/// loop would take answers that lie there for silence. Tasks may be added and removed at any time,
/// also from within their own calls; everything else about a turn is the tasks' own.
class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> Create();

  /// Edge-triggered interest of a stream socket, registered once for its whole life.
  static constexpr uint32_t kSocketEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

  /// Puts a descriptor into the set. Before it is closed, Forget or Unwatch must be called.
  /// @returns 0 or an errno
  int Watch(int fd, uint32_t epoll_events, Pollable* pollable);
  /// Takes it out again.
  void Unwatch(int fd);
  /// For a descriptor that is closed right after: drops what epoll may still say of it, and saves
  /// the system call. Closing alone is not enough: a child that another thread has forked and that
  /// has not yet run exec keeps the socket, and thereby its place in the set, alive (epoll(7),
  /// "Q6").
  void Forget(int fd);

  void AddTask(LoopTask* task);
  void RemoveTask(LoopTask* task);

  TimerWheel& timers() { return timers_; }

  /// The clock as read after the last wait, or by Refresh.
  uint64_t now_us() const { return now_us_; }
  /// Cut off: a deadline counted from it can come up to a millisecond early.
  uint64_t now_ms() const { return now_us_ / 1000; }
  /// Reads the clock: for work that does not come out of a wait, or that comes late in a turn.
  void Refresh();
  /// The clock when the last wait ended: timers are judged by it, since what came later has not
  /// been looked for.
  uint64_t waited_at_us() const { return waited_at_us_; }
  /// How long waits have blocked since the loop was made; all other time, its thread was busy or
  /// with somebody else.
  uint64_t idle_us() const { return idle_us_; }

  /// One turn. @param timeout_ms longest wait; negative: until an event or a timer
  void Turn(int timeout_ms);

 private:
  /// Who is told of a descriptor. An event carries descriptor and generation: one that was said of
  /// an earlier holder of the same number is dropped.
  struct Registration {
    Pollable* pollable = nullptr;
    uint32_t generation = 0;
  };

  explicit EventLoop(UniqueFd epoll_fd);
  void Dispatch(const epoll_event& event);
  /// How long the next wait may last; where it may block, the clock has been read.
  int WaitMs(int timeout_ms);
  bool HasWork() const;

  static constexpr size_t kEventsPerWait = 512;
  /// Bounds a turn: descriptors that are ready again at once must not keep timers from firing.
  static constexpr int kWaitsPerTurn = 64;
  /// A wait that takes less found something at once: the system call itself takes some
  /// microseconds, which are work. To sleep and to be woken takes more.
  static constexpr uint64_t kBlockedUs = 10;

  UniqueFd epoll_fd_;
  uint64_t now_us_;
  uint64_t waited_at_us_;
  uint64_t idle_us_ = 0;
  TimerWheel timers_;
  std::vector<Registration> registrations_;  // by descriptor
  bool is_in_turn_ = false;
  // Removing leaves a nullptr behind while a turn walks over the tasks.
  std::vector<LoopTask*> tasks_;
  std::array<epoll_event, kEventsPerWait> events_;
};

}  // namespace sluice
