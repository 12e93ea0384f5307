// A stream of HTTP/2 as the front end sees it: a connection with one request, whose bytes go
// through the session of the connection that it is of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/intrusive_list.h"
#include "frontend/client_connection.h"
#include "http2/server_stream.h"

namespace sluice::frontend {

struct SessionStreamTag;

/// What a stream has in a carrier's place: its bytes are framed by its session, so nothing is read
/// or written here. It says whose TLS carries it.
class StreamCarrier final : public Carrier {
 public:
  IoResult Receive(void* /*into*/, size_t /*size*/) override { return {0, EAGAIN}; }
  uint32_t Disproved(const IoResult& /*got*/, bool /*drains_by_short_read*/) const override {
    return 0;
  }
  IoResult Send(const void* /*bytes*/, size_t /*size*/) override { return {0, EPIPE}; }
  IoResult SendParts(const iovec* /*parts*/, size_t /*count*/) override { return {0, EPIPE}; }
  bool HasPending() const override { return false; }
  bool HasUnsent() const override { return false; }
  IoResult Flush() override { return {}; }
  bool FinishSending() override { return true; }
  void Close(EventLoop* /*loop*/, bool /*with_reset*/) override {}
  const tls::Channel* channel() const override {
    return wire == nullptr || wire->carrier == nullptr ? nullptr : wire->carrier->channel();
  }

  const ClientConnection* wire = nullptr;
};

/// Lives in a table and is used again. Its signs: EPOLLHUP, the stream is over by the client's
/// doing; EPOLLOUT, all that waited has been taken; in a tunnel those of `fd`, the near end of a
/// pair of sockets whose far end the tunnel has.
class ClientStream final : public ClientConnection,
                           public http2::ServerStream,
                           public ListHook<SessionStreamTag> {
 public:
  ClientStream(ConnectionOwner* owner, size_t place_in_table)
      : ClientConnection(owner, this), place(place_in_table) {
    carrier = std::make_unique<StreamCarrier>();
  }

  /// Begins another request. @param of the connection that it came on
  void Begin(ClientConnection* of, int32_t stream_id) {
    ServerStream::Begin(stream_id, &early);
    wire = of;
    static_cast<StreamCarrier*>(carrier.get())->wire = of;
    signs = 0;
    listener = of->listener;
    is_trusted = of->is_trusted;
    is_unix = of->is_unix;
    client = of->client;
    requests = 0;
    own_fields = 0;
    seen_bytes = 0;
    websocket_key.clear();
    is_tunnel_over = has_said_end_of_request = false;
  }

  const size_t place;
  /// nullptr: it has gone before its stream.
  ClientConnection* wire = nullptr;
  /// Lines of its head that are the proxy's.
  uint32_t own_fields = 0;
  /// Of sent_bytes, as of the last look whether anything moves.
  uint64_t seen_bytes = 0;
  /// Sec-WebSocket-Key that was sent in its name; empty: none.
  std::string websocket_key;
  /// The tunnel has ended in order; what it has said last is still on its way.
  bool is_tunnel_over = false;
  /// The tunnel knows that the client has finished.
  bool has_said_end_of_request = false;
  /// What is answered before there is an exchange: nothing.
  ByteBuffer early;
};

}  // namespace sluice::frontend
