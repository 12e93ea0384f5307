// Accepts connections on listening sockets of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "base/timer_wheel.h"
#include "l4/accepted.h"
#include "l4/listening_socket.h"

namespace sluice::l4 {

/// Accepts on one listening socket and hands over what one turn of the loop brought, at most
/// kMaxRound connections, in one call.
///
/// Level-triggered: what a round has left, the next turn's wait tells of again. When descriptors or
/// memory run short accept() fails while connections stay in the backlog, so that epoll would tell
/// of them without end: then the socket leaves the set, and a timer tries again.
class Acceptor final : private Pollable, private LoopTask, private Timer {
 public:
  /// Bounds what one listener does in a turn: sessions get their time in between.
  static constexpr size_t kMaxRound = 64;
  /// Bounds what Finish hands over, about as much as a backlog holds by default: whoever keeps
  /// connecting must not keep the thread.
  static constexpr int kMaxLastRounds = 16;
  /// How long accepting rests after a shortage. A process out of descriptors gets some back within
  /// any such time, and 20 failing calls a second cost nothing.
  static constexpr uint64_t kShortageMs = 50;

  /// Begins to accept. Loop and sink outlive it. Fails with epoll_ctl's errno.
  /// @param listener its number
  static Result<std::unique_ptr<Acceptor>> Start(EventLoop* loop, int32_t listener,
                                                 ListeningSocket socket, AcceptedSink* sink);
  /// Not from within a call of the sink.
  ~Acceptor() override;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Leaves connections in the backlog until Resume. A shortage that has been told of stays told.
  void Pause();
  void Resume();
  /// Closes the socket. Idempotent; may be called by the sink from within its calls.
  void Stop();
  /// Hands over what lies in the backlog, as far as there is room for it, and stops: closing alone
  /// would reset it. Called by the sink from within its calls, it only stops.
  void Finish();

  int32_t listener() const { return listener_; }
  /// The sink has been told of a shortage that is not over.
  bool is_short() const { return is_shortage_told_; }

 private:
  enum class State : uint8_t {
    kPolling,  // in the epoll set
    kResting,  // the timer will try again
    kPaused,
    kStopped,
  };

  Acceptor(EventLoop* loop, int32_t listener, ListeningSocket socket, AcceptedSink* sink);

  void OnEvents(uint32_t epoll_events) override;
  bool HasWork() const override { return false; }
  void OnReady() override;
  void OnTurnEnd() override {}
  void OnTimer(uint64_t now_ms) override;

  /// Accepts until nothing is left, the round is full or accept fails. @returns 0, or the errno for
  /// which accepting must rest (EMFILE where the sink has no more room)
  int FillRound();
  /// Gives round_ to the sink.
  void HandOver();
  /// Accepts once and hands over; rests where it has to.
  void RunRound();
  void Rest(int error_number);
  /// Takes up polling; rests where epoll refuses.
  void Poll();
  void TellShortage(int error_number);

  EventLoop* const loop_;
  const int32_t listener_;
  ListeningSocket socket_;
  AcceptedSink* const sink_;
  std::vector<Accepted> round_;
  State state_ = State::kPaused;
  bool is_readable_ = false;       // epoll said so in this turn
  bool is_in_round_ = false;       // round_ is with the sink
  bool is_shortage_told_ = false;  // the sink knows of a shortage that is not over
};

/// All acceptors of one thread's listeners with one sink; a shortage is told of for all together.
class AcceptorGroup final : private AcceptedSink {
 public:
  /// Loop and sink outlive it.
  AcceptorGroup(EventLoop* loop, AcceptedSink* sink) : loop_(loop), sink_(sink) {}
  AcceptorGroup(const AcceptorGroup&) = delete;
  AcceptorGroup& operator=(const AcceptorGroup&) = delete;

  /// Accepts on this socket, from Resume on where the group is paused, and then no more on the one
  /// that the listener had before, whose backlog is still handed over. Nothing happens once the
  /// group is stopped. @returns 0, or epoll_ctl's errno: then the former one goes on
  int Add(int32_t listener, ListeningSocket socket);
  /// Accepts no more for this listener, once its backlog is handed over. Idempotent.
  void Remove(int32_t listener);
  void Pause();
  void Resume();
  /// Closes all sockets, for good. Idempotent; may be called by the sink from within its calls.
  void Stop();
  bool is_stopped() const { return is_stopped_; }
  /// There are sockets that are not stopped.
  bool is_listening() const { return !is_stopped_ && !acceptors_.empty(); }

 private:
  void OnAccepted(Accepted* accepted, size_t count) override;
  void OnShortage(int error_number) override;
  size_t Room() const override { return sink_->Room(); }

  EventLoop* const loop_;
  AcceptedSink* const sink_;
  /// Finishes those of a listener that come before `end`.
  void Retire(int32_t listener, size_t end);

  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  /// Stopped ones that may be what calls the sink right now.
  std::vector<std::unique_ptr<Acceptor>> retired_;
  int calls_ = 0;  // of the sink that have not returned
  size_t short_acceptors_ = 0;
  bool is_paused_ = false;
  bool is_stopped_ = false;
};

}  // namespace sluice::l4
