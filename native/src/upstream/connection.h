// One connection to an endpoint: its socket, how it gets connected, and what epoll last said about
// it; or one stream of a connection of HTTP/2, which behaves like a connection of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/connector.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/socket.h"
#include "http2/client_stream.h"
#include "upstream/response_reader.h"
#include "upstream/wire.h"

namespace sluice::upstream {

class Connection;
class ConnectionPool;
class Exchange;
class Http2Connection;

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

enum class ConnectionState : uint8_t {
  kConnecting,
  kHandshaking,  // connected, and TLS is not there yet
  kBusy,
  kIdle,
  kClosed,
};

/// A stream socket to one of a pool's addresses, from the preferred one on (see Connector); over
/// TLS where the pool has that. With a stream in place of the socket: always kBusy, until it is
/// closed.
class Connection final : public Pollable,
                         public Timer,
                         public ListHook<ReadyTag>,
                         public ListHook<IdleTag> {
 public:
  Connection(EventLoop* loop, ConnectionOwner* owner, ConnectionPool* pool);
  ~Connection();

  ConnectionPool* pool() const { return pool_; }
  int fd() const { return wire_.fd(); }
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
  /// Until when it must be there.
  uint64_t connect_until_ms() const { return connect_until_ms_; }
  /// Until when the address now tried may be silent.
  uint64_t attempt_deadline_ms() const { return connector_.attempt_deadline_ms(); }

  /// Begins TLS as the pool wants it. @param takes_http2 else HTTP/1.1 alone is offered
  /// @returns false: there is no memory, or the pool's context is gone
  bool Secure(bool takes_http2);
  tls::HandshakeStep Handshake();
  Wire& wire() { return wire_; }
  const Wire& wire() const { return wire_; }
  /// The endpoint has chosen HTTP/2 (ALPN).
  bool has_chosen_http2() const;

  /// From now on it is this stream of `carrier`; its socket has been taken.
  void BecomeStream(Http2Connection* carrier);
  bool is_stream() const { return kind_ == Kind::kStream; }
  http2::ClientStream* stream() const { return stream_.get(); }
  /// nullptr: it is no stream, or what carried it is closed.
  Http2Connection* carrier() const {
    return stream_ != nullptr && stream_->is_carried() ? carrier_ : nullptr;
  }

  // As of a socket (base/socket.h), whatever the bytes go over. HOT: a branch where it is plain.
  IoResult Receive(char* buffer, size_t size) {
    if (kind_ == Kind::kPlain) [[likely]]
      return sluice::Receive(fd(), buffer, size);
    return ReceiveOver(buffer, size);
  }
  IoResult Send(std::string_view bytes) {
    if (kind_ == Kind::kPlain) [[likely]]
      return sluice::Send(fd(), bytes.data(), bytes.size());
    return SendOver(bytes);
  }
  IoResult SendParts(const iovec* parts, size_t count) {
    if (kind_ == Kind::kPlain) [[likely]]
      return sluice::SendParts(fd(), parts, count);
    return SendPartsOver(parts, count);
  }
  /// Of an idle connection, or of one whose response is complete: it is of no more use.
  bool HasInput() { return kind_ == Kind::kPlain ? sluice::HasInput(fd()) : wire_.HasInput(); }
  /// What epoll has said of an idle connection says the same. HOT.
  bool HasEnded() { return is_readable && (kind_ == Kind::kPlain || wire_.HasInput()); }
  /// Bytes that Send has taken are not with the kernel yet: TLS holds them.
  bool HasUnsent() const { return kind_ == Kind::kTls && wire_.HasUnsent(); }
  /// Sends those. @returns an errno, or 0
  int Flush();
  /// A write failed. The endpoint may have answered before it closed: reading finds the answer, or
  /// that there is none.
  void NoteWriteBroken(int error_number);
  /// Its bytes go over a socket as they are.
  bool is_plain() const { return kind_ == Kind::kPlain; }

  /// Hands the socket over, out of the loop's set; first the channel, where there is one.
  UniqueFd TakeSocket() { return wire_.TakeSocket(); }
  std::unique_ptr<tls::Channel> TakeChannel() { return wire_.TakeChannel(); }
  /// Closes the socket; the object stays for whoever still looks at it in this turn.
  void Close();

  ConnectionState state = ConnectionState::kConnecting;
  Exchange* exchange = nullptr;  // kConnecting, kHandshaking, kBusy
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
  /// It has carried a response to its end before; of a stream: its connection was there before.
  bool has_served = false;
  /// While it connects: HTTP/2 may come of it, and attempts may wait for that.
  bool may_multiplex = false;
  /// ConnectionPool::edition() as it began.
  uint32_t edition = 0;

  uint64_t last_progress_ms = 0;
  uint64_t deadline_ms = UINT64_MAX;
  /// Place in the client's list of connections.
  size_t index = 0;

 private:
  enum class Kind : uint8_t { kPlain, kTls, kStream };

  void OnEvents(uint32_t epoll_events) override;
  void OnTimer(uint64_t now_ms) override { owner_->OnConnectionTimer(this, now_ms); }
  ConnectStep OnStep(ConnectStep step);
  IoResult ReceiveOver(char* buffer, size_t size);
  IoResult SendOver(std::string_view bytes);
  IoResult SendPartsOver(const iovec* parts, size_t count);

  ConnectionOwner* owner_;
  ConnectionPool* pool_;
  Wire wire_;
  Connector connector_;
  Kind kind_ = Kind::kPlain;
  uint64_t connect_until_ms_ = 0;
  Http2Connection* carrier_ = nullptr;  // kStream
  std::unique_ptr<http2::ClientStream> stream_;
};

}  // namespace sluice::upstream
