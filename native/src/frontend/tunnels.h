// Relays between a client and an endpoint that have switched protocols (101), over the relay of L4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/event_loop.h"
#include "base/unique_fd.h"
#include "tls/channel.h"

namespace sluice::frontend {

enum class TunnelEnd : uint8_t {
  kClean,          // both sides have finished, and everything was delivered
  kClientReset,    // the endpoint got a reset, too
  kEndpointReset,  // the client got a reset, too
  kIdle,           // nothing moved for the idle timeout
  kClosed,         // Close was called, or the kernel did not watch the sockets (no memory)
};

/// Told in the loop's turn, once for each tunnel that was opened; both sockets are closed.
class TunnelSink {
 public:
  virtual void OnTunnelEnded(int32_t id, TunnelEnd end, uint64_t bytes_from_client,
                             uint64_t bytes_to_client) = 0;

 protected:
  ~TunnelSink() = default;
};

/// What a tunnel begins with.
///
/// A side over TLS comes with its channel, whose handshake is done; what lies in it, read or
/// unsent, goes on its way. A client that is a stream of HTTP/2 (RFC 8441) has no socket: one end
/// of a pair of UNIX sockets (OpenSocketPair) stands for it, and the owner of the stream moves
/// bytes between the other end and the stream:
///   - DATA is written there; what does not fit is kept, and its flow control given back only as it
///     leaves (EPOLLOUT); END_STREAM is FinishSending.
///   - What is read there goes out as DATA, as far as the stream's window lets it; where it does
///     not, nothing is read; the end is END_STREAM.
///   - RST_STREAM is Tunnels::Close: a UNIX socket knows no reset. The other way round,
///     OnTunnelEnded with anything but kClean is RST_STREAM.
/// A pair costs two copies through the kernel, for these streams alone; all others pay nothing.
struct TunnelStart {
  UniqueFd client;
  UniqueFd endpoint;
  /// nullptr: plain.
  std::unique_ptr<tls::Channel> client_tls;
  std::unique_ptr<tls::Channel> endpoint_tls;
  bool is_client_unix = false;
  bool is_endpoint_unix = false;
  /// Read from the client already, for the endpoint.
  std::string_view from_client = {};
  /// For the client, in this order: bytes of our own (the 101's head, not counted), then what the
  /// endpoint has sent already.
  std::string_view head = {};
  std::string_view from_endpoint = {};
  /// 0: none.
  uint64_t idle_timeout_ms = 0;
};

/// All tunnels of one front end. Half-close is passed on; a tunnel that ends otherwise resets the
/// side that did not end it, and so does one whose side over TLS is cut (no close_notify) before
/// the other has finished; a direction holds at most Relay::kBufferBytes, or what it began with;
/// small writes go out at once (TCP_NODELAY). One thread.
class Tunnels {
 public:
  Tunnels(EventLoop* loop, TunnelSink* sink);
  ~Tunnels();
  Tunnels(const Tunnels&) = delete;
  Tunnels& operator=(const Tunnels&) = delete;

  /// Takes both sockets, which are connected, non-blocking and not in the loop's set. Nothing is
  /// sent or told from within the call. @param id the caller's number; not open here
  void Open(int32_t id, TunnelStart&& start);
  /// Ends a tunnel with a reset of both sides; OnTunnelEnded(kClosed) follows in a turn, not from
  /// within the call. Nothing happens where it is not open.
  void Close(int32_t id);
  size_t count() const;
  size_t held_bytes() const;
  /// Closes all without telling, for good: the loop forgets them and may go. Idempotent.
  void CloseAll();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::frontend
