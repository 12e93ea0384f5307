// A connection of HTTP/2 to an endpoint: its socket, its session, and how long it may be silent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/byte_buffer.h"
#include "base/connector.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "http2/client_session.h"
#include "upstream/wire.h"

namespace sluice::upstream {

class Connection;
class ConnectionPool;
class Http2Connection;

struct CarrierTag;
struct CarrierReadyTag;
struct CarrierFlushTag;
struct CarrierSettleTag;

/// Who acts for connections of HTTP/2. All calls but that of the timer come from within others: it
/// may only be remembered.
class Http2ConnectionOwner {
 public:
  virtual void OnCarrierReady(Http2Connection* carrier) = 0;
  /// It has something to send.
  virtual void OnCarrierOutput(Http2Connection* carrier) = 0;
  /// More or fewer streams may be opened on it than before; of none are left, it may go.
  virtual void OnCarrierRoom(Http2Connection* carrier) = 0;
  virtual void OnCarrierTimer(Http2Connection* carrier, uint64_t now_ms) = 0;

 protected:
  ~Http2ConnectionOwner() = default;
};

/// Carries streams; an endpoint's connection pool has few of them. Counts as one connection of its
/// pool, whatever its streams. What all streams have to send goes out in one write.
///
/// Silence: with streams open, the endpoint is asked (PING) after settings.ping_ms without a byte
/// of it, and given up after as long again. Without streams, it is closed after keep_alive_idle.
class Http2Connection final : public Pollable,
                              public Timer,
                              public ListHook<CarrierTag>,
                              public ListHook<CarrierReadyTag>,
                              public ListHook<CarrierFlushTag>,
                              public ListHook<CarrierSettleTag>,
                              private http2::ClientSessionOwner {
 public:
  /// Takes over a socket that is connected, and out of the loop's set.
  Http2Connection(EventLoop* loop, Http2ConnectionOwner* owner, ConnectionPool* pool);
  ~Http2Connection();

  /// Takes the socket of a connection, and the TLS on it. @returns 0 or an errno
  int Begin(Connection* from);

  ConnectionPool* pool() const { return pool_; }
  const Connector::Addresses& addresses() const { return addresses_; }
  const Address& address() const { return (*addresses_)[address_]; }
  uint32_t edition() const { return edition_; }

  /// A stream may begin: it is in use, and not all that may be are open.
  bool has_room() const;
  /// Clients that do not read hold most of its window.
  bool is_clogged() const { return session_->is_clogged(); }
  /// It will tell how many streams there may be: an attempt had better wait for that.
  bool is_beginning() const { return !is_draining_ && !session_->has_settings(); }
  size_t streams() const { return session_->streams(); }
  std::unique_ptr<http2::ClientStream> OpenStream(Pollable* watcher);

  /// Nothing new on it; what is open goes on. Idempotent.
  void Drain();
  bool is_draining() const { return is_draining_ || !session_->takes_streams(); }
  /// Nothing has come since then: it may be dead.
  bool has_been_silent_since(uint64_t since_ms) const { return last_received_ms_ <= since_ms; }
  /// No stream is left, and there is no reason to keep it for others.
  bool is_useless() const;

  /// Reads once. @param window room for what comes @returns false: it is over, and its streams have
  /// been told
  bool Read(char* window, size_t window_bytes);
  /// Sends what there is. @returns as Read
  bool Flush();
  bool can_read() const { return is_readable_; }
  bool can_flush() const { return is_writable_; }

  /// When something is due; UINT64_MAX: nothing is.
  uint64_t deadline_ms() const { return deadline_ms_; }
  /// Sets that anew, by what it is doing.
  void Arm();
  /// The deadline has passed. @returns false: it is to be closed, with the errno `timeout_error`
  bool OnDeadline();
  int timeout_error() const { return streams() > 0 ? ETIMEDOUT : 0; }

  /// Closes the socket, politely where nothing is wrong (error_number 0); streams end with that
  /// errno, or refusal, ECONNABORTED for 0.
  void Close(int error_number);
  bool is_closed() const { return !wire_.is_open(); }
  /// Closed, because the endpoint does not believe our certificate, or misses one: as
  /// Wire::refusal. Its streams have been lost with this number; 0: it was something else.
  int refusal() const { return refusal_; }

  /// Counts as idle in its pool.
  bool is_idle = false;
  /// Place in the client's list.
  size_t index = 0;

 private:
  void OnEvents(uint32_t epoll_events) override;
  void OnTimer(uint64_t now_ms) override { owner_->OnCarrierTimer(this, now_ms); }
  void OnOutput() override { owner_->OnCarrierOutput(this); }
  void OnRoomChanged() override { owner_->OnCarrierRoom(this); }

  /// A write failed: what the endpoint said before it closed is read first, as far as it is there.
  void ReadOut();

  /// One write has at most about so many bytes: four records of TLS.
  static constexpr size_t kWriteBytes = 64 * 1024;

  EventLoop* loop_;
  Http2ConnectionOwner* owner_;
  ConnectionPool* pool_;
  Wire wire_;
  Connector::Addresses addresses_;
  size_t address_ = 0;
  uint32_t edition_ = 0;
  std::unique_ptr<http2::ClientSession> session_;
  ByteBuffer unsent_;
  bool is_readable_ = true;  // until a read says otherwise: TLS may have read ahead
  bool is_hung_up_ = false;
  bool is_writable_ = true;
  bool is_broken_ = false;  // the session: what is left to say is said, then it is closed
  bool is_draining_ = false;
  bool is_resting_ = false;  // without streams, since its deadline was set
  bool is_asked_ = false;    // a PING is out, since silent_since_ms_
  int refusal_ = 0;
  uint64_t last_received_ms_ = 0;
  uint64_t silent_since_ms_ = 0;  // with streams open
  uint64_t deadline_ms_ = UINT64_MAX;
};

}  // namespace sluice::upstream
