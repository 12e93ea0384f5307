// Accepts for all workers in a thread of its own, so that nothing that keeps the primary busy keeps
// connections waiting.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "l4/accepted.h"
#include "l4/distributor.h"
#include "l4/listening_socket.h"
#include "l4/wake_up.h"

namespace sluice::l4 {

/// A thread that runs one Distributor, and its face for the thread that made it (the owner), which
/// makes all calls.
///
/// Each call is carried out in the accepting thread, between two of its turns, while the owner
/// waits: so the distributor has one thread only, and what a call shall do is done when it returns.
/// The accepting thread never waits for the owner. It sleeps in epoll while nothing happens, and
/// takes no signals: they are for the owner's handlers.
class AcceptorThread final : private Pollable, private LoopTask, private ShortageSink {
 public:
  /// Starts the thread, which `ps -L` calls "sluice-accept". Fails with the errno of epoll_create1,
  /// eventfd, epoll_ctl or pthread_create.
  /// @param max_open most connections that the workers may have open together
  static Result<std::unique_ptr<AcceptorThread>> Start(size_t max_open = SIZE_MAX);
  /// Closes.
  ~AcceptorThread();
  AcceptorThread(const AcceptorThread&) = delete;
  AcceptorThread& operator=(const AcceptorThread&) = delete;

  /// As Distributor's. Nothing happens once it is closed.
  int Listen(int32_t listener, ListeningSocket socket);
  void CloseListener(int32_t listener);
  bool AddWorker(int32_t mailbox);
  /// When it returns, nothing is being put into this mailbox any more.
  void RemoveWorker(int32_t mailbox);
  /// Stops accepting for good, closes what waits for a worker, and ends the thread. Idempotent.
  void Close();
  bool is_closed() const { return !is_running_; }

  struct Stats {
    uint64_t accepted = 0;      // since start
    std::vector<int32_t> open;  // in each worker, in the order of AddWorker
    size_t waiting = 0;         // accepted connections that wait for a worker
  };
  Stats stats();

  /// Readable when there is something to tell of shortages.
  int news_fd() const { return news_.fd(); }
  /// Tells what has changed since the last call: that a shortage began (an errno), that it is over
  /// (0), or one after the other. A shortage that ended and began anew in between is still the same
  /// one. The sink may close this from within its calls, and hears nothing more then.
  void TellShortages(ShortageSink* sink);

 private:
  AcceptorThread(std::unique_ptr<EventLoop> loop, WakeUp commands, WakeUp news, size_t max_open);

  static void* Main(void* self);

  // In the accepting thread.
  void OnEvents(uint32_t epoll_events) override;
  bool HasWork() const override { return false; }
  void OnReady() override;
  void OnTurnEnd() override {}
  void OnShortage(int error_number) override;

  /// Has the accepting thread make this call; returns when it has.
  void Run(const std::function<void()>& call);

  // Of the accepting thread while it runs.
  const std::unique_ptr<EventLoop> loop_;
  Distributor distributor_;
  bool has_call_ = false;  // epoll said so in this turn
  bool must_end_ = false;

  // Of the owner.
  pthread_t thread_{};
  bool is_running_ = false;
  bool is_shortage_told_ = false;

  // Of both.
  WakeUp commands_;
  WakeUp news_;
  std::mutex mutex_;
  std::condition_variable call_done_;
  const std::function<void()>* call_ = nullptr;  // guarded by mutex_
  int shortage_begun_ = 0;                       // guarded by mutex_; errno, 0: none since told
  bool is_shortage_over_ = false;                // guarded by mutex_
};

}  // namespace sluice::l4
