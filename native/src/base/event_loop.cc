// The engine's loop.
#include "base/event_loop.h"

#include <cerrno>

#include <algorithm>
#include <bit>
#include <climits>
#include <utility>

#include "base/clock.h"

namespace sluice {

Result<std::unique_ptr<EventLoop>> EventLoop::Create() {
  UniqueFd epoll_fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_fd.is_open()) return SystemError{errno, "epoll_create1"};
  return std::unique_ptr<EventLoop>(
      new EventLoop(std::move(epoll_fd)));  // private constructor: no make_unique
}

EventLoop::EventLoop(UniqueFd epoll_fd)
    : epoll_fd_(std::move(epoll_fd)),
      now_us_(MonotonicUs()),
      waited_at_us_(now_us_),
      timers_(now_us_ / 1000) {}

int EventLoop::Watch(int fd, uint32_t epoll_events, Pollable* pollable) {
  const auto place = static_cast<size_t>(fd);
  const uint32_t generation =
      place < registrations_.size() ? registrations_[place].generation + 1 : 1;
  epoll_event event{};
  event.events = epoll_events;
  event.data.u64 = (uint64_t{generation} << 32) | static_cast<uint32_t>(fd);
  if (::epoll_ctl(epoll_fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errno;
  if (place >= registrations_.size()) registrations_.resize(std::bit_ceil(place + 1));
  registrations_[place] = {pollable, generation};
  return 0;
}

void EventLoop::Unwatch(int fd) {
  Forget(fd);
  (void)::epoll_ctl(epoll_fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::Forget(int fd) {
  const auto place = static_cast<size_t>(fd);
  if (place < registrations_.size()) registrations_[place].pollable = nullptr;
}

void EventLoop::Dispatch(const epoll_event& event) {
  const Registration& registration = registrations_[static_cast<uint32_t>(event.data.u64)];
  if (registration.pollable == nullptr || registration.generation != event.data.u64 >> 32) return;
  registration.pollable->OnEvents(event.events);
}

void EventLoop::AddTask(LoopTask* task) {
  tasks_.push_back(task);
}

void EventLoop::RemoveTask(LoopTask* task) {
  std::replace(tasks_.begin(), tasks_.end(), task, static_cast<LoopTask*>(nullptr));
  if (!is_in_turn_) std::erase(tasks_, nullptr);
}

void EventLoop::Refresh() {
  now_us_ = MonotonicUs();
}

bool EventLoop::HasWork() const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [](const LoopTask* task) { return task && task->HasWork(); });
}

int EventLoop::WaitMs(int timeout_ms) {
  if (timeout_ms == 0 || HasWork()) return 0;
  Refresh();  // work since the last wait may have taken longer than the timer has left
  const auto timer_at_ms = timers_.NextAt();
  if (!timer_at_ms) return timeout_ms;
  const uint64_t now_ms = this->now_ms();
  // One more than the difference: now_ms is cut off, and a wait that ends too early is a turn for
  // nothing.
  const uint64_t timer_ms = *timer_at_ms > now_ms ? *timer_at_ms - now_ms + 1 : 0;
  const int capped_ms = static_cast<int>(std::min<uint64_t>(timer_ms, INT_MAX));
  return timeout_ms < 0 ? capped_ms : std::min(timeout_ms, capped_ms);
}

void EventLoop::Turn(int timeout_ms) {
  is_in_turn_ = true;
  int wait_ms = WaitMs(timeout_ms);
  for (int waits = 0; waits < kWaitsPerTurn; ++waits, wait_ms = 0) {
    const uint64_t began_us = now_us_;
    const int count =
        ::epoll_wait(epoll_fd_.get(), events_.data(), static_cast<int>(events_.size()), wait_ms);
    Refresh();
    if (wait_ms != 0 && now_us_ - began_us >= kBlockedUs) idle_us_ += now_us_ - began_us;
    // A wait fails only by EINTR (or a closed epoll set, which cannot be): the next turn waits
    // again.
    for (int index = 0; index < count; ++index)
      Dispatch(events_[static_cast<size_t>(index)]);
    if (count < static_cast<int>(events_.size())) break;
  }
  waited_at_us_ = now_us_;
  for (size_t index = 0; index < tasks_.size(); ++index) {
    if (tasks_[index] != nullptr) tasks_[index]->OnReady();
  }
  timers_.Advance(waited_at_us_ / 1000);
  for (size_t index = 0; index < tasks_.size(); ++index) {
    if (tasks_[index] != nullptr) tasks_[index]->OnTurnEnd();
  }
  is_in_turn_ = false;
  std::erase(tasks_, nullptr);
}

}  // namespace sluice
