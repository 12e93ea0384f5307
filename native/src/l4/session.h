// One session: a client connection, the connection to its endpoint, and what is known of both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/connector.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/socket.h"
#include "base/unique_fd.h"
#include "l4/accepted.h"
#include "l4/pipe_pool.h"
#include "l4/preface.h"
#include "l4/session_event.h"
#include "l4/session_settings.h"

namespace sluice::l4 {

class Session;
class SessionEndpoint;

struct SessionReadyTag;
struct SessionNoticeTag;

/// Who acts for sessions.
class SessionOwner {
 public:
  /// epoll has told something; it may only be remembered.
  virtual void OnSessionReady(Session* session) = 0;
  virtual void OnSessionTimer(Session* session, uint64_t now_ms) = 0;

 protected:
  ~SessionOwner() = default;
};

/// One of the two sockets of a session, and what epoll said of it that no call has disproved yet.
class Side final : public Pollable {
 public:
  explicit Side(Session* session) : session_(session) {}

  bool is_readable() const { return (signs & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0; }
  bool is_writable() const { return (signs & EPOLLOUT) != 0; }
  /// The peer has finished sending; nothing can come behind what lies there now.
  bool has_finished() const { return (signs & EPOLLRDHUP) != 0; }
  bool is_broken() const { return (signs & EPOLLERR) != 0; }
  /// A read that did not fill its buffer has taken everything. Not so where urgent data stands in
  /// the stream (a read stops in front of it), nor for UNIX sockets (one stops behind a message
  /// with descriptors).
  bool drains_by_short_read() const { return !is_unix && !has_had_urgent_data(); }
  /// Urgent data stands in the stream, or stood in it. A splice never gets past it, and says 0, as
  /// at the end, where the peer has finished.
  bool has_had_urgent_data() const { return (signs & EPOLLPRI) != 0; }

  /// A connected socket begins to be used. @param sends_at_once TCP_NODELAY is set already
  void Begin(bool is_unix_socket, bool sends_at_once);

  UniqueFd fd;
  /// epoll's events.
  uint32_t signs = 0;
  bool is_unix = false;
  /// TCP_NODELAY is set, or there is no such thing (UNIX).
  bool has_no_delay = true;
  bool has_sent = false;

 private:
  void OnEvents(uint32_t epoll_events) override;

  Session* session_;
};

/// The bytes on their way from one side to the other.
struct Direction {
  struct FreeDeleter {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  bool holds_bytes() const { return held_end > held_start || (pipe != nullptr && pipe->bytes > 0); }

  /// What the sink did not take; no memory where it took everything.
  std::unique_ptr<char, FreeDeleter> held;
  uint32_t held_start = 0;
  uint32_t held_end = 0;
  /// Of what is held, from its start: bytes that are ours (a PROXY header), not the source's.
  uint32_t own_bytes = 0;
  /// Only while bytes lie in it.
  std::unique_ptr<Pipe> pipe;
  /// Handed to the sink's kernel.
  uint64_t moved_bytes = 0;
  bool splices = false;
  uint8_t small_splices = 0;  // in a row; see Relay::kSmallSplices
  bool can_splice = true;
  /// The source has finished, and everything of it has been read.
  bool has_ended = false;
  /// ... and everything, the end included, has been passed on.
  bool is_delivered = false;
};

/// kFree → (kPreface) → kUndecided ⇄ kConnecting → kRelaying → kEnded → kFree; from every state to
/// kEnded.
enum class SessionState : uint8_t {
  kFree,
  /// Reads the PROXY header and the ClientHello.
  kPreface,
  /// Waits for a decision.
  kUndecided,
  kConnecting,
  kRelaying,
  /// Waits for its ENDED to be told; all that it had is given back.
  kEnded,
};

/// Lives in a SessionTable and is used again: all that an idle session costs.
class Session final : public Timer,
                      public ListHook<SessionReadyTag>,
                      public ListHook<SessionNoticeTag> {
 public:
  Session(EventLoop* loop, SessionOwner* owner, int32_t number)
      : id(number), connector(loop, &endpoint, &endpoint.fd, EPOLLPRI), owner_(owner) {}

  /// Begins a life.
  void Begin(Accepted&& accepted, const SessionListenerSettings& settings);
  /// Gives back everything but the id; sockets are closed already.
  void Clear();

  SessionOwner* owner() const { return owner_; }

  const int32_t id;
  SessionState state = SessionState::kFree;
  int32_t listener = 0;
  RelayKind relay = RelayKind::kAdaptive;
  bool half_close = true;
  bool came_by_mail = false;
  /// The PROXY header's addresses are passed on.
  bool is_believed = false;
  bool was_opened = false;
  bool was_connected = false;

  // What is still to be told, in this order.
  bool has_opened_notice = false;
  bool has_failed_notice = false;
  bool has_connected_notice = false;
  SessionEnd end = SessionEnd::kNone;
  ConnectFailure failure = ConnectFailure::kNone;
  int error_number = 0;
  /// Place of the event that asks for a decision in the batch that is with the sink.
  uint32_t batch_place = 0;
  uint64_t connect_us = 0;

  PeerAddress peer;
  uint64_t accepted_at_us = 0;
  uint64_t connect_began_at_us = 0;
  uint64_t ended_at_us = 0;
  /// When something last moved, or the state changed.
  uint64_t moved_at_ms = 0;
  uint64_t idle_timeout_ms = 0;
  uint64_t linger_timeout_ms = 0;
  /// Still to be set on the endpoint's socket; idle_s 0: nothing is. It takes four system calls, so
  /// only sessions that live long enough for a probe get it, by their timer.
  KeepAlive keep_alive;

  /// Until the first bytes are with the endpoint, where there is something to remember.
  std::unique_ptr<Preface> preface;
  /// While connecting.
  std::shared_ptr<SessionEndpoint> target;

  Side client{this};
  Side endpoint{this};
  Connector connector;
  Direction from_client;
  Direction to_client;

 private:
  void OnTimer(uint64_t now_ms) override { owner_->OnSessionTimer(this, now_ms); }

  SessionOwner* owner_;
};

static_assert(sizeof(Session) <= 512);

}  // namespace sluice::l4
