// Shares out among the workers what is accepted for all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/event_loop.h"
#include "base/timer_wheel.h"
#include "l4/accepted.h"
#include "l4/acceptor.h"
#include "l4/listening_socket.h"
#include "l4/mailbox.h"

namespace sluice::l4 {

/// Gives each connection to the worker that has the fewest open; of several, to the one after the
/// last that got one. A round of accepting costs each worker at most one hand-over.
///
/// While there is no worker nothing is accepted: the kernel's backlog keeps the connections. What a
/// worker that has gone has not read goes to the others, or waits here for the next one.
///
/// A worker that leaves its mail unread for kStalledMs has a loop that stands still, for whatever
/// reason. As long as another one reads, it gets nothing more until it looks again, and what lies
/// there unread goes to the others.
class Distributor final : private AcceptedSink, private Timer {
 public:
  /// Far above what a loop that turns needs, with a collection of garbage and a busy machine; short
  /// enough that the client of a connection that is moved gets its answer within a second.
  static constexpr uint64_t kStalledMs = 500;

  /// Loop and sink outlive it.
  /// @param max_open most connections that the workers may have open together
  Distributor(EventLoop* loop, ShortageSink* shortage_sink, size_t max_open = SIZE_MAX);
  Distributor(const Distributor&) = delete;
  Distributor& operator=(const Distributor&) = delete;

  /// Accepts on this socket from the moment that there is a worker, and no more on the one that the
  /// listener had before. @returns 0, or epoll_ctl's errno: then the former one goes on
  int Listen(int32_t listener, ListeningSocket socket);
  /// Accepts no more for this listener; what its backlog holds is still shared out. Idempotent.
  void CloseListener(int32_t listener);
  /// @returns false when there is no mailbox of this number any more. Idempotent.
  bool AddWorker(int32_t mailbox);
  /// It gets no more; sessions that it has stay its own. Idempotent.
  void RemoveWorker(int32_t mailbox);
  /// Stops accepting for good, closes what waits for a worker. Idempotent; may be called by the
  /// sink from within its calls.
  void Close();
  bool is_closed() const { return is_closed_; }
  bool is_listening() const { return acceptors_.is_listening(); }

  /// Connections accepted since start.
  uint64_t accepted() const { return accepted_; }
  /// Connections open in each worker, in the order of AddWorker. Statistic.
  std::vector<int32_t> open() const;
  /// Accepted connections that wait for a worker.
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Worker {
    std::shared_ptr<Mailbox> mailbox;
    std::vector<Accepted> share;  // of the connections that are being shared out
    int32_t open = 0;             // with them
    bool is_stalled = false;      // when they were counted
  };

  void OnAccepted(Accepted* accepted, size_t count) override;
  void OnShortage(int error_number) override;
  size_t Room() const override;
  void OnTimer(uint64_t now_ms) override;

  /// Its mail lies unread for too long, or was taken back for that.
  bool IsStalled(const Mailbox& mailbox) const;
  /// Sees to it that unread mail is looked at when it has become too old.
  void WatchMail();
  /// Gives `waiting_` to the workers, as long as there are any.
  void ShareOut();
  Worker& NextWorker();
  /// Takes the worker out; what it has not read, and its share, goes into `waiting_`.
  void Drop(size_t index);

  EventLoop* const loop_;
  ShortageSink* const shortage_sink_;
  const size_t max_open_;
  std::vector<Worker> workers_;
  std::vector<Accepted> waiting_;
  size_t next_ = 0;  // place in workers_ where ties are looked at first
  uint64_t accepted_ = 0;
  bool is_closed_ = false;
  AcceptorGroup acceptors_;
};

}  // namespace sluice::l4
