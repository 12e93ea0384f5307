// The engine of L4 sessions: takes accepted connections over, connects to the endpoints that the
// sink picks, relays, and reports in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/event_loop.h"
#include "base/socket.h"
#include "l4/accepted.h"
#include "l4/mailbox.h"
#include "l4/pipe_pool.h"
#include "l4/relay.h"
#include "l4/session.h"
#include "l4/session_batch.h"
#include "l4/session_endpoint.h"
#include "l4/session_settings.h"
#include "l4/session_table.h"
#include "l4/two_way_relay.h"
#include "tls/handshake_gate.h"

namespace sluice::l4 {

/// Takes batches; it may call anything of the engine from within, Close included.
class SessionBatchSink {
 public:
  /// The first `count` events are filled; decisions are read from them when it returns.
  virtual void OnBatch(size_t count) = 0;
  /// Accepting in this worker fails (an errno) or works again (0).
  virtual void OnShortage(int error_number) = 0;

 protected:
  ~SessionBatchSink() = default;
};

/// Counters; the fields of SessionEngineStats in src/engine/session-engine.ts.
struct SessionEngineStats {
  size_t sessions = 0;
  size_t queued = 0;
  /// Of clients, in progress.
  size_t handshakes = 0;
  size_t endpoint_connections = 0;
  size_t held_bytes = 0;
  size_t pipes = 0;
  size_t splicing = 0;
  uint64_t opened = 0;
  uint64_t dropped = 0;
  uint64_t bytes_from_clients = 0;
  uint64_t bytes_to_clients = 0;
};

/// One per worker, on one thread, inside one EventLoop. src/engine/session-engine.ts says what it
/// does; the calls here are those of its SessionEngine.
///
/// The order of a turn: connections out of the mailbox become sessions; sessions that epoll said
/// something about, each once; timers; then events go to the sink in batches, and what it decides
/// is begun at once. An attempt that fails on the spot is reported in a further batch of the same
/// turn. Events are written down only when a batch is handed over: a session that ends before its
/// OPENED was told has never been opened.
class SessionEngine final : public AcceptedSink,
                            private LoopTask,
                            private Pollable,
                            private SessionOwner {
 public:
  /// @param mailbox may be nullptr: then connections come through OnAccepted only
  SessionEngine(EventLoop* loop, SessionBatchMemory memory, SessionBatchSink* sink,
                std::shared_ptr<Mailbox> mailbox);
  ~SessionEngine();

  /// Why the mailbox cannot be watched (an errno: no memory, or no watches left to this user): then
  /// nothing comes out of it, and the engine is not to be used. 0: all is well.
  int start_error() const { return start_error_; }

  /// Makes a listener known, or changes its settings for sessions to come. @param listener 0..65535
  void OpenListener(int32_t listener, const SessionListenerSettings& settings);

  /// Makes a slot (0..65535) known, or gives it other addresses and settings for connections to
  /// come. @returns false when the engine is closed
  bool OpenEndpoint(int32_t slot, std::vector<Address> addresses,
                    const SessionEndpointSettings& settings);
  /// @returns false when the slot is not known
  bool SetAddresses(int32_t slot, std::vector<Address> addresses);
  void CloseEndpoint(int32_t slot);

  /// Decides for a session whose last decision was kLater. Nothing happens where none is due.
  /// @param slot as a decision in a batch, but not kLater
  void DecideLate(int32_t session, int32_t slot);

  /// Any number will do; nothing happens where no session of this number is open.
  void CloseSession(int32_t session);

  SessionEngineStats stats() const;
  /// What the client of a session has shown and what was believed. Any number will do. @returns
  /// nullptr: none, or no session of this number is open
  const tls::PeerCertificate* ClientCertificate(int32_t session) const;
  /// How handshakes of a listener's clients have ended, since start.
  tls::HandshakeCounts handshakes(int32_t listener) const;
  /// Sessions are open: the process should not end by itself.
  bool is_busy() const { return open_sessions_ > 0 || !notices_.empty(); }
  /// Ends everything without events. Idempotent; the loop forgets the engine.
  void Close();
  bool is_closed() const { return is_closed_; }

  // AcceptedSink, for an acceptor of this worker's own. Connections of a listener that is not known
  // are closed.
  void OnAccepted(Accepted* accepted, size_t count) override;
  size_t Room() const override { return static_cast<size_t>(kMaxSessions) - open_sessions_; }
  void OnShortage(int error_number) override { sink_->OnShortage(error_number); }

 private:
  // LoopTask, Pollable (the mailbox's wake-up), SessionOwner
  bool HasWork() const override;
  void OnReady() override;
  void OnTurnEnd() override;
  void OnEvents(uint32_t /*epoll_events*/) override {}  // OnReady looks into the mailbox
  void OnPairReady(RelayPair* pair) override;
  void OnSessionTimer(Session* session, uint64_t now_ms) override;

  std::shared_ptr<SessionEndpoint> FindEndpoint(int32_t slot) const;

  // Beginning.
  void OpenSession(Accepted&& accepted, bool came_by_mail);
  void Drop(UniqueFd fd, bool came_by_mail);
  uint64_t FirstDeadlineMs(const Session& session, uint64_t timeout_ms) const;
  void ReadPreface(Session* session);
  void AfterPreface(Session* session);
  void AskForDecision(Session* session);
  void BeginHandshake(Session* session);
  void ReadHello(Session* session);
  void AcceptTls(Session* session, std::string_view received);
  void ContinueHandshake(Session* session);
  void FailHandshake(Session* session, tls::TlsFailure failure, int error_number);
  void OnHandshakeDone(Session* session);
  void LeaveGate(Session* session);
  void CountHandshake(const Session& session, tls::HandshakeEnd end);
  static void NoteFailure(const tls::Channel& channel, SessionHandshake* handshake);

  // Connecting.
  void BeginConnect(Session* session, int32_t slot);
  void ContinueConnect(Session* session);
  void OnConnectStep(Session* session, ConnectStep step);
  void FailConnect(Session* session, ConnectFailure failure, int error_number);
  uint64_t ConnectUs(const Session& session) const;
  void OnConnected(Session* session);
  bool SendProxyHeader(Session* session, int version);
  void BeginEndpointHandshake(Session* session);
  void ContinueEndpointHandshake(Session* session);
  void StartRelay(Session* session);
  size_t WriteProxyHeaderFor(const Session& session, int version, char* out);

  // Relaying.
  void HandleReady(Session* session);
  void RelayBothWays(Session* session, const FirstBytes& first = {});
  bool EndIfClientBroken(Session* session);

  // Ending.
  void End(Session* session, SessionEnd end, int error_number);
  void GiveBack(Session* session, bool resets_client, bool resets_endpoint);
  void CloseEndpointSide(Session* session, bool with_reset);

  // Time.
  static uint64_t SilenceDeadlineMs(const Session* session);
  void ArmBy(Session* session, uint64_t at_ms);

  // Reporting.
  void Notice(Session* session);
  void WriteNotices();
  bool WriteNoticesOf(Session* session);
  void Deliver();
  void Decide(size_t place);
  void Follow(Session* session, int32_t slot);

  /// Bounds a turn: whoever keeps deciding for endpoints that fail on the spot must not keep the
  /// thread.
  static constexpr int kBatchesPerTurn = 64;

  EventLoop* loop_;
  SessionBatchSink* sink_;
  std::shared_ptr<Mailbox> mailbox_;
  SessionBatch batch_;
  Relay relay_;
  int start_error_ = 0;
  bool is_closed_ = false;
  bool is_delivering_ = false;

  SessionTable sessions_;
  std::vector<std::optional<SessionListenerSettings>> listeners_;  // by listener
  std::vector<std::shared_ptr<SessionEndpoint>> endpoints_;        // by slot
  IntrusiveList<Session, SessionReadyTag> ready_;
  IntrusiveList<Session, SessionNoticeTag> notices_;
  std::vector<Accepted> mail_;

  tls::HandshakeGate gate_;
  std::vector<tls::HandshakeCounts> handshakes_;  // by listener
  size_t open_sessions_ = 0;
  size_t endpoint_connections_ = 0;
  int32_t ended_mail_ = 0;  // not yet told to the mailbox
  uint64_t opened_ = 0;
  uint64_t dropped_ = 0;
  uint64_t bytes_from_clients_ = 0;
  uint64_t bytes_to_clients_ = 0;
  /// Of the connections that get a PROXY header: random for the engine, then counting.
  uint64_t unique_id_[2] = {};
};

}  // namespace sluice::l4
