// A client, an endpoint, and the bytes on their way between them: what a session and a tunnel have
// in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/event_loop.h"
#include "base/socket.h"
#include "base/unique_fd.h"
#include "l4/pipe_pool.h"
#include "tls/channel.h"

namespace sluice::l4 {

class RelayPair;

/// Who acts for pairs.
class RelayPairOwner {
 public:
  /// epoll has told something of one of its sides; it may only be remembered.
  virtual void OnPairReady(RelayPair* pair) = 0;

 protected:
  ~RelayPairOwner() = default;
};

/// One of the two sockets of a pair, and what epoll said of it that no call has disproved yet.
class Side final : public Pollable {
 public:
  /// What a side is watched for, once, for its whole life.
  static constexpr uint32_t kEvents = EventLoop::kSocketEvents | EPOLLPRI;

  explicit Side(RelayPair* pair) : pair_(pair) {}

  bool is_readable() const { return (signs & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0; }
  bool is_writable() const { return (signs & EPOLLOUT) != 0; }
  /// The peer has finished sending; nothing can come behind what lies there now.
  bool has_finished() const { return (signs & EPOLLRDHUP) != 0; }
  bool is_broken() const { return (signs & EPOLLERR) != 0; }
  /// A read that did not fill its buffer has taken everything. Not so where urgent data stands in
  /// the stream (a read stops in front of it), nor for UNIX sockets (one stops behind a message
  /// with descriptors).
  bool drains_by_short_read() const { return !is_unix && !has_had_urgent_data(); }
  /// As is_readable, of a side that may have a channel.
  bool has_input() const { return is_readable() || (tls != nullptr && tls->HasPending()); }
  /// What it was sent lies here, encrypted: the socket was full.
  bool has_unsent() const { return tls != nullptr && tls->HasUnsent(); }
  /// The connection ended, and its channel had not been told so.
  bool was_cut() const { return tls != nullptr && tls->was_cut(); }
  /// Urgent data stands in the stream, or stood in it. A splice never gets past it, and says 0, as
  /// at the end, where the peer has finished.
  bool has_had_urgent_data() const { return (signs & EPOLLPRI) != 0; }

  /// A connected socket begins to be used. @param sends_at_once TCP_NODELAY is set already
  void Begin(bool is_unix_socket, bool sends_at_once);
  /// Sets TCP_NODELAY, where this piece is not the only one or does not fit one segment.
  void PrepareToSend(size_t size) {
    if (has_no_delay) return;
    if (has_sent || size > kOneSegmentBytes) {
      SetNoDelay(fd.get());
      has_no_delay = true;
    }
    has_sent = true;
  }

  // For a side that may have a channel; what they find is remembered in `signs`.

  /// Begins or goes on with its channel.
  tls::HandshakeStep Handshake();
  IoResult Read(char* buffer, size_t size);
  /// Less than `size` without an error: it is full.
  IoResult Write(const char* bytes, size_t size);
  /// Sends what lies here, encrypted. EAGAIN: it is full.
  IoResult Flush();
  /// Says that nothing more comes. @returns false: it is full, and to be said again when it is
  /// writable
  bool Finish();
  /// Where it has a channel, says so to that alone: the socket is about to be closed. @returns as
  /// Finish
  bool FinishChannel();

  /// The errno that broke the connection, told once. It tells a reset from an end even where a read
  /// cannot: behind a FIN, a read finds the end only. @returns 0 where nothing did
  int TakeError();
  /// Closes the socket, where it is open, with its channel, and lets the loop forget it.
  /// @param with_reset has no effect on UNIX sockets
  void Close(EventLoop* loop, bool with_reset);

  UniqueFd fd;
  /// nullptr: plain.
  std::unique_ptr<tls::Channel> tls;
  /// epoll's events.
  uint32_t signs = 0;
  bool is_unix = false;
  /// TCP_NODELAY is set, or there is no such thing (UNIX).
  bool has_no_delay = true;
  bool has_sent = false;

 private:
  /// A first piece up to this size fits into one segment everywhere (RFC 9293 section 3.7.1), so
  /// Nagle's algorithm has nothing to hold back, and TCP_NODELAY can wait for the second piece.
  /// Many connections carry only one: they are spared the system call.
  static constexpr size_t kOneSegmentBytes = 512;

  void OnEvents(uint32_t epoll_events) override;
  /// The peer's end has come before the channel's last read, which did not look for it.
  bool hides_end() const;

  RelayPair* pair_;
};

/// The bytes on their way from one side to the other.
struct Direction {
  struct FreeDeleter {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  bool holds_bytes() const { return held_end > held_start || (pipe != nullptr && pipe->bytes > 0); }
  /// The source has finished, and the sink has got everything but that end.
  bool is_done() const { return has_ended && !holds_bytes(); }

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
  /// A side has a channel: bytes are read and sent through it.
  bool is_over_tls = false;
  bool splices = false;
  uint8_t small_splices = 0;  // in a row; see Relay::kSmallSplices
  bool can_splice = true;
  /// The source has finished, and everything of it has been read.
  bool has_ended = false;
  /// ... and everything, the end included, has been passed on.
  bool is_delivered = false;
};

/// Both sides and both directions. Whoever derives from it stays where it is.
class RelayPair {
 public:
  explicit RelayPair(RelayPairOwner* owner) : owner_(owner) {}
  RelayPair(const RelayPair&) = delete;
  RelayPair& operator=(const RelayPair&) = delete;

  RelayPairOwner* owner() const { return owner_; }
  bool has_tls() const { return client.tls != nullptr || endpoint.tls != nullptr; }

  Side client{this};
  Side endpoint{this};
  Direction from_client;
  Direction to_client;

 protected:
  ~RelayPair() = default;

 private:
  RelayPairOwner* owner_;
};

}  // namespace sluice::l4
