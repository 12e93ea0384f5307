// Runs a distributor in a thread of its own.
#include "l4/acceptor_thread.h"

#include <csignal>

#include <utility>

namespace sluice::l4 {

namespace {

/// At most 15 bytes (pthread_setname_np(3)).
constexpr const char* kThreadName = "sluice-accept";

/// A new thread inherits its maker's mask: while this lives, one that takes no signals.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Result<std::unique_ptr<AcceptorThread>> AcceptorThread::Start(size_t max_open) {
  auto loop = EventLoop::Create();
  if (!loop) return loop.error();
  auto commands = WakeUp::Create();
  if (!commands) return commands.error();
  auto news = WakeUp::Create();
  if (!news) return news.error();
  std::unique_ptr<AcceptorThread> made(
      new AcceptorThread(std::move(loop.value()), std::move(commands.value()),
                         std::move(news.value()), max_open));  // private constructor
  int error = made->loop_->Watch(made->commands_.fd(), EPOLLIN, made.get());
  if (error != 0) return SystemError{error, "epoll_ctl"};
  {
    const AllSignalsBlocked no_signals;
    error = pthread_create(&made->thread_, nullptr, Main, made.get());
  }
  if (error != 0) return SystemError{error, "pthread_create"};
  made->is_running_ = true;
  (void)pthread_setname_np(made->thread_, kThreadName);
  return made;
}

AcceptorThread::AcceptorThread(std::unique_ptr<EventLoop> loop, WakeUp commands, WakeUp news,
                               size_t max_open)
    : loop_(std::move(loop)),
      distributor_(loop_.get(), static_cast<ShortageSink*>(this), max_open),
      commands_(std::move(commands)),
      news_(std::move(news)) {
  loop_->AddTask(this);
}

AcceptorThread::~AcceptorThread() {
  Close();
}

void* AcceptorThread::Main(void* self) {
  auto* const thread = static_cast<AcceptorThread*>(self);
  while (!thread->must_end_)
    thread->loop_->Turn(-1);
  return nullptr;
}

int AcceptorThread::Listen(int32_t listener, ListeningSocket socket) {
  int error = 0;
  Run([&] { error = distributor_.Listen(listener, std::move(socket)); });
  return error;
}

void AcceptorThread::CloseListener(int32_t listener) {
  Run([&] { distributor_.CloseListener(listener); });
}

bool AcceptorThread::AddWorker(int32_t mailbox) {
  bool is_there = true;
  Run([&] { is_there = distributor_.AddWorker(mailbox); });
  return is_there;
}

void AcceptorThread::RemoveWorker(int32_t mailbox) {
  Run([&] { distributor_.RemoveWorker(mailbox); });
}

void AcceptorThread::Close() {
  if (!is_running_) return;
  Run([&] {
    distributor_.Close();
    must_end_ = true;
  });
  is_running_ = false;
  (void)pthread_join(thread_, nullptr);
}

AcceptorThread::Stats AcceptorThread::stats() {
  Stats stats;
  const auto read = [&] {
    stats.accepted = distributor_.accepted();
    stats.open = distributor_.open();
    stats.waiting = distributor_.waiting();
  };
  if (is_running_) {
    Run(read);
  } else {
    read();  // nobody else has it any more
  }
  return stats;
}

void AcceptorThread::TellShortages(ShortageSink* sink) {
  news_.Clear();
  int begun = 0;
  bool is_over = false;
  {
    const std::lock_guard lock(mutex_);
    begun = std::exchange(shortage_begun_, 0);
    is_over = std::exchange(is_shortage_over_, false);
  }
  if (begun != 0 && !std::exchange(is_shortage_told_, true)) sink->OnShortage(begun);
  if (is_over && is_running_ && std::exchange(is_shortage_told_, false)) sink->OnShortage(0);
}

void AcceptorThread::Run(const std::function<void()>& call) {
  if (!is_running_) return;
  std::unique_lock lock(mutex_);
  call_ = &call;
  commands_.Ring();
  call_done_.wait(lock, [this] { return call_ == nullptr; });
}

void AcceptorThread::OnEvents(uint32_t /*epoll_events*/) {
  has_call_ = true;
}

void AcceptorThread::OnReady() {
  if (!std::exchange(has_call_, false)) return;
  commands_.Clear();
  const std::function<void()>* call = nullptr;
  {
    const std::lock_guard lock(mutex_);
    call = call_;
  }
  // Without the lock, which OnShortage takes, too. The owner waits: `call` stays where it is.
  if (call == nullptr) return;
  (*call)();
  {
    const std::lock_guard lock(mutex_);
    call_ = nullptr;
    // Under the lock: after Close's call the owner may destroy this as soon as the thread is gone.
    call_done_.notify_one();
  }
}

void AcceptorThread::OnShortage(int error_number) {
  const std::lock_guard lock(mutex_);
  if (error_number != 0) {
    shortage_begun_ = error_number;
    is_shortage_over_ = false;
  } else {
    is_shortage_over_ = true;
  }
  news_.Ring();
}

}  // namespace sluice::l4
