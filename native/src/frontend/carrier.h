// What may lie between a client's connection and its socket: TLS, or the session of HTTP/2 that the
// connection is a stream of.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "base/socket.h"

namespace sluice {

class EventLoop;

namespace tls {
class Channel;
}

namespace frontend {

/// Belongs to its connection. Calls are ClientConnection's, which has none of this where it is
/// plain; results are those of base/socket.h. One thread.
class Carrier {
 public:
  virtual ~Carrier() = default;

  virtual IoResult Receive(void* into, size_t size) = 0;
  /// What the last Receive has disproved of what epoll said (its bits). After EAGAIN 0 means that
  /// it is to be called again at once.
  /// @param drains_by_short_read as ClientConnection::drains_by_short_read
  virtual uint32_t Disproved(const IoResult& got, bool drains_by_short_read) const = 0;
  /// Bytes that are not taken must come again, as the first of the next call.
  virtual IoResult Send(const void* bytes, size_t size) = 0;
  virtual IoResult SendParts(const iovec* parts, size_t count) = 0;
  /// Bytes lie here that Receive would return; no event tells of them.
  virtual bool HasPending() const = 0;
  /// Bytes that Send has taken lie here still; Flush sends them once the socket is writable.
  virtual bool HasUnsent() const = 0;
  /// @returns the bytes that went out
  virtual IoResult Flush() = 0;
  /// Says that nothing more comes; may be called again. @returns false: not all of that is out yet,
  /// and the socket is full
  virtual bool FinishSending() = 0;
  /// Nothing is called any more but the destructor. @param with_reset as ClientConnection::Close
  virtual void Close(EventLoop* loop, bool with_reset) = 0;

  /// The TLS that carries it, for what it says of the client; nullptr: none.
  virtual const tls::Channel* channel() const = 0;
};

}  // namespace frontend
}  // namespace sluice
