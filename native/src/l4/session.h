// One session: a client connection, the connection to its endpoint, and what is known of both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/connector.h"
#include "base/event_loop.h"
#include "base/intrusive_list.h"
#include "base/socket.h"
#include "l4/accepted.h"
#include "l4/preface.h"
#include "l4/relay_pair.h"
#include "l4/session_event.h"
#include "l4/session_settings.h"

namespace sluice::l4 {

class Session;
class SessionEndpoint;

struct SessionReadyTag;
struct SessionNoticeTag;

/// Who acts for sessions.
class SessionOwner : public RelayPairOwner {
 public:
  virtual void OnSessionTimer(Session* session, uint64_t now_ms) = 0;

 protected:
  ~SessionOwner() = default;
};

/// How TLS with one side begins, and why it could not.
struct SessionHandshake {
  /// It must be complete by then.
  uint64_t until_ms = 0;
  tls::TlsFailure failure = tls::TlsFailure::kOther;
  int alert = 0;
  /// OpenSSL's words for what is wrong with a certificate.
  std::string text;
};

/// kFree → (kPreface) → (kHandshake) → kUndecided ⇄ kConnecting → (kEndpointHandshake) → kRelaying
/// → kEnded → kFree; from every state to kEnded, and from kEndpointHandshake back to kUndecided.
enum class SessionState : uint8_t {
  kFree,
  /// Reads the PROXY header and the ClientHello.
  kPreface,
  /// TLS begins with the client.
  kHandshake,
  /// Waits for a decision.
  kUndecided,
  kConnecting,
  /// TLS begins with the endpoint.
  kEndpointHandshake,
  kRelaying,
  /// Waits for its ENDED to be told; all that it had is given back.
  kEnded,
};

/// Lives in a SessionTable and is used again: all that an idle session costs.
class Session final : public RelayPair,
                      public Timer,
                      public ListHook<SessionReadyTag>,
                      public ListHook<SessionNoticeTag> {
 public:
  Session(EventLoop* loop, SessionOwner* owner, int32_t number)
      : RelayPair(owner),
        id(number),
        connector(loop, &endpoint, &endpoint.fd, Side::kEvents & ~EventLoop::kSocketEvents) {}

  /// Begins a life.
  void Begin(Accepted&& accepted, const SessionListenerSettings& settings);
  /// Gives back everything but the id; sockets are closed already.
  void Clear();

  /// Whom its PROXY header names, or who has connected.
  const PeerAddress& client_address() const {
    return preface != nullptr && preface->is_proxied() ? preface->source() : peer;
  }

  const int32_t id;
  int32_t listener = 0;
  SessionState state = SessionState::kFree;
  RelayKind relay = RelayKind::kAdaptive;
  bool half_close = true;
  bool came_by_mail = false;
  /// The PROXY header's addresses are passed on.
  bool is_believed = false;
  bool was_opened = false;
  bool was_connected = false;

  /// Its client speaks TLS with us.
  bool is_decrypted = false;
  /// Counted in among the handshakes in progress.
  bool is_at_gate = false;

  /// The sink has put its decision off.
  bool is_put_off = false;

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
  /// The latest one, where there was one.
  std::unique_ptr<SessionHandshake> handshake;

  Connector connector;

 private:
  void OnTimer(uint64_t now_ms) override {
    static_cast<SessionOwner*>(owner())->OnSessionTimer(this, now_ms);
  }
};

static_assert(sizeof(Session) <= 512);

}  // namespace sluice::l4
