// One client's connection: its socket, what epoll said of it, and what it is doing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/byte_buffer.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/socket.h"
#include "base/unique_fd.h"
#include "frontend/carrier.h"
#include "frontend/event.h"
#include "frontend/tls_fault.h"
#include "http1/client_request.h"
#include "l4/accepted.h"
#include "l4/preface.h"

namespace sluice::frontend {

class ClientConnection;
class ClientSession;
class ClientStream;
struct ClientExchange;

struct ConnectionReadyTag;
struct ConnectionNoticeTag;

/// Who acts for connections.
class ConnectionOwner {
 public:
  /// epoll has told something; it may only be remembered.
  virtual void OnConnectionReady(ClientConnection* connection) = 0;
  virtual void OnConnectionTimer(ClientConnection* connection, uint64_t now_ms) = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// kFree → (kPreface) → kOpening → (kHandshaking) → kReading ⇄ kExchange → (kLingering) → kClosed →
/// kFree; from kExchange also to kTunnel; from every state to kClosed.
enum class ConnectionState : uint8_t {
  kFree,
  kPreface,      // reads the PROXY header
  kOpening,      // TypeScript is to say whether it is admitted
  kHandshaking,  // TLS begins; it has a carrier from its first bytes on
  kReading,      // between two requests, or inside a head
  kExchange,     // an exchange is open; its body may still be coming
  kLingering,    // the last answer is out; what still comes is dropped
  kTunnel,       // the socket belongs to a tunnel, the exchange is open
  kSession,      // speaks HTTP/2: its exchanges are those of its streams
  kClosed,       // waits for its end to be told
};

/// Bytes that were read and not used yet: the beginning of a head, or what came behind a request.
struct Unread {
  ByteBuffer bytes;
  /// Of the head that begins the bytes; only while has_partial_head.
  http1::ClientRequestParser parser;
  bool has_partial_head = false;
};

/// Lives in a table and is used again: all that an idle connection costs.
class ClientConnection : public Pollable,
                         public Timer,
                         public ListHook<ConnectionReadyTag>,
                         public ListHook<ConnectionNoticeTag> {
 public:
  /// What its socket is watched for.
  static constexpr uint32_t kEvents = EventLoop::kSocketEvents | EPOLLPRI;

  ClientConnection(ConnectionOwner* owner, int32_t place);
  ~ClientConnection() override;

  bool is_readable() const {
    return (signs & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ||
           (carrier != nullptr && carrier->HasPending());
  }
  bool is_writable() const { return (signs & EPOLLOUT) != 0; }
  /// The client has finished sending; nothing can come behind what lies there now.
  bool has_finished() const { return (signs & EPOLLRDHUP) != 0; }
  /// The client has reset the connection, or is not there any more.
  bool is_broken() const { return (signs & (EPOLLERR | EPOLLHUP)) != 0; }
  /// A read that did not fill its buffer has taken everything: not where the end may be in there
  /// too, which only another read tells; nor where urgent data stands in the stream (a read stops
  /// in front of it); nor for UNIX sockets (one stops behind a message with descriptors).
  bool drains_by_short_read() const {
    return (signs & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) == 0 && !is_unix;
  }
  /// What a read of the socket, with room for `size` bytes, has disproved of what epoll said.
  void Heed(const IoResult& got, size_t size) {
    const bool is_drained = got.error == 0 && got.bytes < size && drains_by_short_read();
    if (got.would_block() || is_drained) signs &= ~uint32_t{EPOLLIN};
    if (got.would_block()) signs &= ~uint32_t{EPOLLRDHUP};
  }
  bool holds_input() const { return unread != nullptr && !unread->bytes.empty(); }

  // What a connection sends and receives goes through these, whatever lies between it and the
  // socket. Results are those of base/socket.h.
  bool is_plain() const { return carrier == nullptr; }
  bool is_open() const { return fd.is_open() || carrier != nullptr; }
  IoResult Receive(void* into, size_t size) {
    return is_plain() ? sluice::Receive(fd.get(), into, size) : carrier->Receive(into, size);
  }
  IoResult Send(const void* bytes, size_t size) {
    return is_plain() ? sluice::Send(fd.get(), bytes, size) : carrier->Send(bytes, size);
  }
  IoResult SendParts(const iovec* parts, size_t count) {
    return is_plain() ? sluice::SendParts(fd.get(), parts, count)
                      : carrier->SendParts(parts, count);
  }
  /// Bytes that were sent do not lie with the kernel yet.
  bool HasUnsent() const { return !is_plain() && carrier->HasUnsent(); }
  /// TLS carries it, itself or the session that it is a stream of.
  const tls::Channel* channel() const { return is_plain() ? nullptr : carrier->channel(); }
  /// Says that nothing more comes; what was sent is still delivered. To be called again when it is
  /// writable, until has_said_end.
  void FinishSending();
  /// Reads what nobody wants: of a socket as it comes, not decrypted.
  IoResult Drop(void* window, size_t size) {
    return fd.is_open() ? sluice::Receive(fd.get(), window, size) : carrier->Receive(window, size);
  }
  /// What a carrier has to tell, as if epoll did.
  void Signal(uint32_t epoll_events) { OnEvents(epoll_events); }
  /// Ends it, open or not; the loop forgets its socket. @param with_reset what is not delivered is
  /// dropped, and the client can tell
  void Close(EventLoop* loop, bool with_reset);

  const int32_t number;
  /// nullptr: it has a socket of its own.
  ClientStream* const stream = nullptr;
  std::unique_ptr<ClientSession> session;  // kSession
  /// What of HTTP/2 the client did wrong, told with its end.
  uint32_t http2_error = 0;
  uint8_t http2_flood = 0;
  UniqueFd fd;  // none: a stream
  /// nullptr: plain.
  std::unique_ptr<Carrier> carrier;
  /// epoll's events that no call has disproved yet.
  uint32_t signs = 0;
  uint16_t listener = 0;
  ConnectionState state = ConnectionState::kFree;
  ClientEnd end = ClientEnd::kDelivered;
  bool came_by_mail : 1 = false;
  /// TypeScript has been told of it and has admitted it: it will be told of its end.
  bool is_admitted : 1 = false;
  bool is_trusted : 1 = false;
  bool is_unix : 1 = false;
  /// Counts at the gate of handshakes.
  bool is_at_gate : 1 = false;
  /// The client has been told that nothing more comes.
  bool has_said_end : 1 = false;
  uint32_t requests = 0;
  /// The client: the peer, or whom a believed PROXY header names.
  l4::PeerAddress client;
  ClientExchange* exchange = nullptr;  // kExchange, kTunnel
  std::unique_ptr<Unread> unread;
  std::unique_ptr<l4::Preface> preface;  // kPreface, kOpening
  /// nullptr: TLS with the client has not failed.
  std::unique_ptr<TlsFault> tls_fault;
  /// When it was accepted, the lower half of the clock's milliseconds.
  uint32_t accepted_low_ms = 0;
  /// When it is to be looked at; the timer may fire earlier, never later.
  uint64_t deadline_ms = UINT64_MAX;

 protected:
  /// A stream.
  ClientConnection(ConnectionOwner* owner, ClientStream* self);

 private:
  void OnEvents(uint32_t epoll_events) override {
    signs |= epoll_events;
    owner_->OnConnectionReady(this);
  }
  void OnTimer(uint64_t now_ms) override { owner_->OnConnectionTimer(this, now_ms); }

  ConnectionOwner* owner_;
};

static_assert(sizeof(ClientConnection) <= 256);

}  // namespace sluice::frontend
