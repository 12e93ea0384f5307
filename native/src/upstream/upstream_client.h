// The engine's client: sends exchanges to endpoints over pooled connections, as HTTP/1.1 or as
// streams of HTTP/2, and reports to TypeScript in batches, to front ends in native code through
// sinks of theirs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "upstream/attempt_profile.h"
#include "upstream/batch_responses.h"
#include "upstream/connection.h"
#include "upstream/connection_pool.h"
#include "upstream/event_batch.h"
#include "upstream/exchange.h"
#include "upstream/http2_connection.h"
#include "upstream/response_sink.h"

namespace sluice::upstream {

/// Takes a batch of events; it may call anything of the client from within, Close included.
class BatchSink {
 public:
  virtual void OnBatch(size_t count) = 0;

 protected:
  ~BatchSink() = default;
};

/// Counters; the fields of EngineStats in src/engine/engine.ts.
struct ClientStats {
  size_t connections = 0;
  size_t idle_connections = 0;
  size_t exchanges = 0;
  uint64_t connects = 0;
  uint64_t reuses = 0;
  uint64_t replays = 0;
  uint64_t bytes_to_endpoints = 0;
  uint64_t bytes_from_endpoints = 0;
};

/// What a call was told that no correct caller says.
enum class Misuse : uint8_t {
  kNone,
  kExchangeInUse,      // send: the exchange has not ended
  kNotHeld,            // resend: the exchange did not fail with RETRYABLE, and nothing is asked
  kNoProfile,          // send, resend, duplicate: no such profile is open
  kBodyAfterEnd,       // write: the request was complete
  kBodyLongerThanSaid  // write: more bytes than send was told
};

/// One client per engine, on one thread, inside one EventLoop.
///
/// The order of a turn: what the last calls left to report; connections with something to read,
/// write or connect, each once; timers; attempts that wait for a connection; then the batch goes to
/// the sink, earlier when it is full. The sink may call back in: what goes wrong inside such a call
/// is reported with the next batch, never in a nested one. Response sinks are called as their
/// responses are read, and with failures where a turn begins and ends.
///
/// Timeouts. Connecting: connect_timeout over all addresses, anew after waiting in the pool's queue
/// (at most as long). First byte: from the request's last byte having been handed to the kernel
/// until the response's head is complete; while the client's body is still to come, nothing runs
/// but the exchange's deadline. Idle: while bytes are unsent, since the kernel last took some;
/// after the head, since the last read, unless the exchange is paused. Attempt: from its begin,
/// waiting in the queue included, or from the last byte of the client's body, until the head. The
/// times of an attempt's profile go before those of its pool. While a response that is asked about
/// waits for its decision, only the exchange's deadline runs.
///
/// An idle connection is closed after keep_alive_idle, or one second before the time the endpoint
/// announced by `Keep-Alive: timeout=N`, whichever is sooner; with N = 1 it is not kept at all.
///
/// HTTP/2. A stream is a Connection like any other, on a carrier (Http2Connection): what has the
/// socket. Carriers are made one at a time: attempts beyond the streams of those that are there
/// wait as attempts above max_connections do, and share the fate of the connect they wait for.
class UpstreamClient final : private LoopTask,
                             private ConnectionOwner,
                             private Http2ConnectionOwner,
                             private ExchangeOwner {
 public:
  UpstreamClient(EventLoop* loop, BatchMemory memory, BatchSink* sink);
  ~UpstreamClient();

  /// Opens the pool of a slot (0..65535) that has none; `addresses` is not empty. @returns false
  /// when one is open
  bool OpenPool(int32_t slot, std::vector<Address> addresses, const PoolSettings& settings);
  /// Other settings for a pool, for all that begins or goes on there from now on: attempts that
  /// wait for a connection have one at once where there may be more. @returns false when it is not
  /// open
  bool SetPool(int32_t slot, const PoolSettings& settings);
  /// @returns false when no such pool is open
  bool SetAddresses(int32_t slot, std::vector<Address> addresses);
  void ClosePool(int32_t slot);
  /// Makes the settings of attempts known by a number (1..kMaxProfile). Once more with the same
  /// number: they hold for attempts under way, too.
  void OpenProfile(int32_t number, AttemptProfile settings);

  /// Where the caller puts the head for Send and SendFor: room for kMaxEndpointHeadBytes and the
  /// framing behind it.
  char* scratch() { return scratch_.data(); }
  static constexpr size_t kScratchBytes = kMaxEndpointHeadBytes + 128;

  /// The calls of `Engine` in engine.ts. `id` is within 0..kMaxNumbers-1, `slot` any number. The
  /// head lies in scratch().
  SendResult Send(int32_t id, int32_t slot, size_t head_bytes, int32_t flags, int64_t body_bytes,
                  uint64_t timeout_ms, Misuse* misuse, int32_t profile = kPlainProfile);
  /// As Send, for a front end in native code: the response goes to `sink`, which stays until the
  /// exchange has ended or was released; the head may have kMaxEndpointHeadBytes, and the caller
  /// vouches for it (IsSendableRequestHead). The other calls are for both kinds of exchanges; what
  /// goes wrong within one is told to the sink later, and a released exchange is told of no more.
  /// HOT.
  SendResult SendFor(ResponseSink* sink, int32_t id, int32_t slot, size_t head_bytes, int32_t flags,
                     int64_t body_bytes, uint64_t timeout_ms, Misuse* misuse,
                     int32_t profile = kPlainProfile);
  /// Begins again with a request that is held, or whose response is asked about: the rest of that
  /// is dropped. What has been sent goes over a fresh connection: others may be as dead.
  SendResult Resend(int32_t id, int32_t slot, Misuse* misuse, int32_t profile = kPlainProfile);
  /// Begins a second exchange with the request of a first one; both go on, each for itself.
  /// @returns kNotWhole where the body has not been handed over to its end, or is not held any more
  SendResult Duplicate(int32_t from, int32_t to, int32_t slot, uint64_t timeout_ms, Misuse* misuse,
                       int32_t profile = kPlainProfile);
  /// ... whose response goes to `sink`, as with SendFor.
  SendResult DuplicateFor(ResponseSink* sink, int32_t from, int32_t to, int32_t slot,
                          uint64_t timeout_ms, Misuse* misuse, int32_t profile = kPlainProfile);
  /// A response that is asked about is passed on: its request is held no more, and the rest of the
  /// response comes; was it complete, the exchange is free. Else nothing happens.
  void Pass(int32_t id);
  /// @returns bytes held
  size_t Write(int32_t id, std::string_view bytes, bool is_last, Misuse* misuse);
  void Pause(int32_t id);
  void Resume(int32_t id);
  void Release(int32_t id);

  ClientStats stats() const;
  /// Exchanges are on their way: the process should not end by itself.
  bool is_busy() const { return open_exchanges_ > 0; }
  /// Ends everything without events. Idempotent; the loop forgets the client.
  void Close();
  bool is_closed() const { return is_closed_; }

 private:
  // LoopTask
  bool HasWork() const override;
  void OnReady() override;
  void OnTurnEnd() override;
  // ConnectionOwner, Http2ConnectionOwner, ExchangeOwner
  void OnConnectionReady(Connection* connection) override;
  void OnConnectionTimer(Connection* connection, uint64_t now_ms) override;
  void OnCarrierReady(Http2Connection* carrier) override;
  void OnCarrierOutput(Http2Connection* carrier) override;
  void OnCarrierRoom(Http2Connection* carrier) override;
  void OnCarrierTimer(Http2Connection* carrier, uint64_t now_ms) override;
  void OnExchangeTimer(Exchange* exchange, uint64_t now_ms) override;

  // Beginning an attempt.
  Exchange* Claim(int32_t id, Misuse* misuse);
  void Prepare(ResponseSink* sink, Exchange* exchange, const AttemptProfile* profile,
               uint64_t timeout_ms);
  void Start(Exchange* exchange, ConnectionPool* pool, size_t head_bytes, int32_t flags,
             int64_t body_bytes);
  ConnectionPool* FindPool(int32_t slot) const;
  void CloseOutdated(ConnectionPool* pool);
  const AttemptProfile* FindProfile(int32_t number, Misuse* misuse) const;
  void Begin(Exchange* exchange, ConnectionPool* pool);
  Connection* TakeIdle(ConnectionPool* pool, bool is_certainty_needed);
  void Connect(Exchange* exchange, ConnectionPool* pool);
  void OnConnectStep(Connection* connection, ConnectStep step);
  void Handshake(Connection* connection);
  void OnConnected(Connection* connection);
  void OnConnectFailed(Connection* connection, EngineError error, int error_number);
  void Attach(Exchange* exchange, Connection* connection);
  void StartWaiting(Exchange* exchange, ConnectionPool* pool);
  void DispatchWaiting();
  bool DispatchOne(ConnectionPool* pool, Exchange* exchange);

  // Streams of HTTP/2.
  Http2Connection* FindCarrier(const ConnectionPool* pool) const;
  bool IsCarrierComing(const ConnectionPool* pool) const;
  bool MayConnectCarrier(const ConnectionPool* pool) const;
  void BeginStream(Exchange* exchange, ConnectionPool* pool);
  void AttachStream(Exchange* exchange, Http2Connection* carrier);
  void BecomeStream(Connection* connection, Http2Connection* carrier);
  bool MakeCarrier(Connection* connection);
  Connection* AddConnection(ConnectionPool* pool);
  void StopConnecting(Connection* connection);
  void FailWaiting(ConnectionPool* pool, EngineError error, int error_number);
  void OnStreamEnd(Connection* connection);
  void DropStream(Connection* connection);
  void ReadCarriers();
  void FlushCarriers();
  void SettleCarriers();
  void SettleCarrier(Http2Connection* carrier);
  void DrainCarriers(ConnectionPool* pool, bool with_current);
  void CloseCarrier(Http2Connection* carrier, int error_number);

  // Sending.
  void Keep(Exchange* exchange);
  void SendFirst(Connection* connection, Exchange* exchange, std::string_view bytes);
  void SendUnsent(Connection* connection, Exchange* exchange);
  void Flush(Connection* connection);
  void OnSent(Connection* connection, Exchange* exchange, const IoResult& sent);

  // Receiving.
  void HandleReady(Connection* connection);
  void ReadResponse(Connection* connection);
  bool PassSpliced(Connection* connection);
  void TakeInput(Connection* connection, char* data, size_t size);
  void Report(Connection* connection, const ReadOutcome& outcome);
  void HandOver(Connection* connection, const ReadOutcome& outcome);
  void Heed(Connection* connection, SinkVerdict verdict);
  void OnEnd(Connection* connection, int error_number);
  void Complete(Connection* connection, std::string_view trailers);
  bool Replay(Connection* connection);
  void Finish(Connection* connection, bool has_surplus);
  void KeepAlive(Connection* connection, uint64_t idle_ms);

  // Ending.
  void Fail(Exchange* exchange, EngineError error, int error_number);
  void SetState(Exchange* exchange, ExchangeState state);
  void Free(Exchange* exchange);
  void CloseConnection(Connection* connection);
  void FreeClosed();

  // Time.
  uint64_t ElapsedUs(const Exchange* exchange) const;
  void StartAttemptTime(Exchange* exchange);
  void ArmBusy(Connection* connection);
  void ArmAt(Connection* connection, uint64_t deadline_ms);

  // Reporting.
  bool IsBatched(const Exchange& exchange) const { return exchange.sink == &batch_responses_; }
  bool HasRoomToRead(const Connection* connection) const;
  void WriteNotices();
  void Notice(Exchange* exchange);
  void Deliver();

  /// One read at most: large enough that its system call does not count, small enough that four fit
  /// into an arena.
  static constexpr size_t kReadWindowBytes = 128 * 1024;
  /// For a sink: what a slow client makes it hold.
  static constexpr size_t kSinkWindowBytes = 64 * 1024;

  EventLoop* loop_;
  BatchSink* sink_;
  EventBatch batch_;
  BatchResponses batch_responses_;
  bool is_closed_ = false;

  ExchangeTable exchanges_;
  size_t open_exchanges_ = 0;  // waiting, attached, failing
  size_t held_exchanges_ = 0;
  size_t idle_connections_ = 0;
  uint64_t connects_ = 0;
  uint64_t reuses_ = 0;
  uint64_t replays_ = 0;
  uint64_t bytes_to_endpoints_ = 0;
  uint64_t bytes_from_endpoints_ = 0;

  std::vector<ConnectionPool*> slots_;                  // by slot; the open ones
  std::vector<std::unique_ptr<ConnectionPool>> pools_;  // all, closed ones with work left included
  size_t closed_pools_ = 0;                             // of those, the closed ones
  std::vector<std::unique_ptr<AttemptProfile>> profiles_;  // by number; nullptr: not open
  std::vector<std::unique_ptr<Connection>> connections_;
  // Closed in this turn; freed when nobody can hold a pointer to them any more.
  std::vector<std::unique_ptr<Connection>> closed_connections_;
  std::vector<std::unique_ptr<Http2Connection>> carriers_;
  std::vector<std::unique_ptr<Http2Connection>> closed_carriers_;
  size_t streams_ = 0;  // of connections_, those that are streams

  IntrusiveList<Connection, ReadyTag> ready_;
  IntrusiveList<Exchange, NoticeTag> notices_;
  IntrusiveList<ConnectionPool, DispatchTag> dispatch_;
  IntrusiveList<Http2Connection, CarrierReadyTag> ready_carriers_;
  IntrusiveList<Http2Connection, CarrierFlushTag> flush_carriers_;
  // Streams came or went, or may.
  IntrusiveList<Http2Connection, CarrierSettleTag> settle_carriers_;
  std::array<char, kScratchBytes> scratch_;
  // What is read for other sinks than the batch, which has the arena; pages never written to take
  // no memory.
  std::unique_ptr<char[]> window_;
};

}  // namespace sluice::upstream
