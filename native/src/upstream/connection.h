// One connection to an endpoint: its socket, how it gets connected, and what epoll last said about
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/connector.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/socket.h"
#include "upstream/response_reader.h"

namespace sluice::upstream {

class Connection;
class ConnectionPool;
class Exchange;

struct ReadyTag;
struct IdleTag;

/// Who acts for a connection.
class ConnectionOwner {
 public:
  /// There is something to do; called while epoll's events are taken down, so it may only be
  /// remembered.
  virtual void OnConnectionReady(Connection* connection) = 0;
  virtual void OnConnectionTimer(Connection* connection, uint64_t now_ms) = 0;

 protected:
  ~ConnectionOwner() = default;
};

enum class ConnectionState : uint8_t { kConnecting, kBusy, kIdle, kClosed };

/// A stream socket to one of a pool's addresses, from the preferred one on (see Connector).
class Connection final : public Pollable,
                         public Timer,
                         public ListHook<ReadyTag>,
                         public ListHook<IdleTag> {
 public:
  Connection(EventLoop* loop, ConnectionOwner* owner, ConnectionPool* pool);
  ~Connection();

  ConnectionPool* pool() const { return pool_; }
  int fd() const { return fd_.get(); }
  /// The pool's addresses when it began to connect.
  const Connector::Addresses& addresses() const { return connector_.addresses(); }
  /// Where it is connected to.
  const Address& address() const { return (*addresses())[connector_.address()]; }

  /// Begins with the first address. @param until_ms end of the time for all of them
  ConnectStep BeginConnect(uint64_t until_ms);
  /// Goes on after an event, or after `attempt_deadline_ms` has passed.
  ConnectStep ContinueConnect();
  /// The errno of the address tried last.
  int connect_error() const { return connector_.error(); }
  /// Until when the address now tried may be silent.
  uint64_t attempt_deadline_ms() const { return connector_.attempt_deadline_ms(); }

  /// Hands the socket over, out of the loop's set.
  UniqueFd TakeSocket();
  /// Closes the socket; the object stays for whoever still looks at it in this turn.
  void Close();

  ConnectionState state = ConnectionState::kConnecting;
  Exchange* exchange = nullptr;  // kConnecting, kBusy
  ResponseReader reader;
  /// Received behind an interim response at which the sink paused; is_readable stays set meanwhile.
  std::string held_input;

  // What epoll said and no read or write has disproved yet.
  bool is_readable = false;
  bool is_hung_up = false;  // the endpoint has finished sending, or the connection broke
  bool is_writable = false;
  /// A write failed; reading decides what becomes of the exchange.
  bool is_write_broken = false;
  /// Its errno. A failed write takes the socket's error with it: after a reset, the reads that
  /// follow find what looks like an orderly end.
  int write_error = 0;
  /// Bytes came before the first request was sent. They are taken for its answer (an overloaded
  /// endpoint may say 503 to whoever connects), but the connection is not kept.
  bool has_spoken_unasked = false;
  /// It has carried a response to its end before.
  bool has_served = false;

  uint64_t last_progress_ms = 0;
  uint64_t deadline_ms = UINT64_MAX;
  /// Place in the client's list of connections.
  size_t index = 0;

 private:
  void OnEvents(uint32_t epoll_events) override;
  void OnTimer(uint64_t now_ms) override { owner_->OnConnectionTimer(this, now_ms); }
  ConnectStep OnStep(ConnectStep step);

  EventLoop* loop_;
  ConnectionOwner* owner_;
  ConnectionPool* pool_;
  UniqueFd fd_;
  Connector connector_;
};

}  // namespace sluice::upstream
