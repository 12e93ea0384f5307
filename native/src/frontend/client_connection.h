// One client's connection: its socket, what epoll said of it, and what it is doing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/byte_buffer.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/unique_fd.h"
#include "frontend/event.h"
#include "http1/client_request.h"
#include "l4/accepted.h"
#include "l4/preface.h"

namespace sluice::frontend {

class ClientConnection;
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

/// kFree → (kPreface) → kOpening → kReading ⇄ kExchange → (kLingering) → kClosed → kFree; from
/// kExchange also to kTunnel; from every state to kClosed.
enum class ConnectionState : uint8_t {
  kFree,
  kPreface,    // reads the PROXY header
  kOpening,    // TypeScript is to say whether it is admitted
  kReading,    // between two requests, or inside a head
  kExchange,   // an exchange is open; its body may still be coming
  kLingering,  // the last answer is out; what still comes is dropped
  kTunnel,     // the socket belongs to a tunnel, the exchange is open
  kClosed,     // waits for its end to be told
};

/// Bytes that were read and not used yet: the beginning of a head, or what came behind a request.
struct Unread {
  ByteBuffer bytes;
  /// Of the head that begins the bytes; only while has_partial_head.
  http1::ClientRequestParser parser;
  bool has_partial_head = false;
};

/// Lives in a table and is used again: all that an idle connection costs.
class ClientConnection final : public Pollable,
                               public Timer,
                               public ListHook<ConnectionReadyTag>,
                               public ListHook<ConnectionNoticeTag> {
 public:
  /// What its socket is watched for.
  static constexpr uint32_t kEvents = EventLoop::kSocketEvents | EPOLLPRI;

  ClientConnection(ConnectionOwner* owner, int32_t place) : number(place), owner_(owner) {}

  bool is_readable() const { return (signs & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0; }
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
  bool holds_input() const { return unread != nullptr && !unread->bytes.empty(); }

  const int32_t number;
  UniqueFd fd;
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
  uint32_t requests = 0;
  /// The client: the peer, or whom a believed PROXY header names.
  l4::PeerAddress client;
  ClientExchange* exchange = nullptr;  // kExchange, kTunnel
  std::unique_ptr<Unread> unread;
  std::unique_ptr<l4::Preface> preface;  // kPreface, kOpening
  /// When it is to be looked at; the timer may fire earlier, never later.
  uint64_t deadline_ms = UINT64_MAX;

 private:
  void OnEvents(uint32_t epoll_events) override {
    signs |= epoll_events;
    owner_->OnConnectionReady(this);
  }
  void OnTimer(uint64_t now_ms) override { owner_->OnConnectionTimer(this, now_ms); }

  ConnectionOwner* owner_;
};

static_assert(sizeof(ClientConnection) <= 224);

}  // namespace sluice::frontend
