// How the client sends the request of an attempt, and ends it when it fails or takes too long.
#include <algorithm>
#include <utility>

#include "upstream/upstream_client.h"

namespace sluice::upstream {

namespace {

/// Of bytes that are kept: room for a head, and for framing of chunks that is as long as the chunks
/// themselves. What comes in smaller ones is not worth its memory.
constexpr size_t KeptBytes(int64_t body_bytes) {
  return kMaxEndpointHeadBytes + 1024 + 2 * static_cast<size_t>(body_bytes);
}

/// A time of a profile, or of the pool where that has none.
uint32_t TimeOf(uint32_t profile_ms, uint32_t pool_ms) {
  return profile_ms > 0 ? profile_ms : pool_ms;
}

bool IsTimeout(EngineError error) {
  return error == EngineError::kFirstByteTimeout || error == EngineError::kIdleTimeout ||
         error == EngineError::kAttemptTimeout || error == EngineError::kExchangeTimeout;
}

/// What carries a stream may be dead: if nothing has come since the attempt began, nothing new goes
/// over it.
void Suspect(const Connection& connection) {
  Http2Connection* const carrier = connection.carrier();
  const uint64_t since_ms = connection.exchange->started_us / 1000;
  if (carrier != nullptr && carrier->has_been_silent_since(since_ms)) carrier->Drain();
}

ResponseMode ModeFor(int32_t send_flags, bool is_stream) {
  ResponseMode mode;
  mode.is_head_request = (send_flags & send_flag::kHeadMethod) != 0;
  mode.takes_switch = (send_flags & send_flag::kUpgrade) != 0;
  mode.is_connect_request = (send_flags & send_flag::kConnectMethod) != 0;
  mode.keeps_trailers = (send_flags & send_flag::kTrailers) != 0;
  mode.ends_with_stream = is_stream;
  return mode;
}

}  // namespace

// --- sending ---

void UpstreamClient::Attach(Exchange* exchange, Connection* connection) {
  SetState(exchange, ExchangeState::kAttached);
  exchange->pool = nullptr;
  exchange->connection = connection;
  exchange->is_reused = connection->has_served;
  if (exchange->is_reused) exchange->connect_us = 0;
  exchange->has_response_begun = false;
  exchange->is_head_reported = false;
  Keep(exchange);
  connection->state = ConnectionState::kBusy;
  connection->exchange = exchange;
  connection->last_progress_ms = loop_->now_ms();
  connection->reader.Begin(ModeFor(exchange->send_flags, connection->is_stream()));
}

void UpstreamClient::Keep(Exchange* exchange) {
  // What a fresh connection carries is never replayed: only on a reused one may the endpoint's idle
  // timeout meet it.
  // ... Any stream may be refused.
  const bool is_stream = exchange->connection != nullptr && exchange->connection->is_stream();
  const size_t replay_bytes = is_stream || (exchange->is_reused && exchange->is_idempotent())
                                  ? OutgoingRequest::kMaxReplayBytes
                                  : 0;
  const size_t kept_bytes =
      exchange->is_kept() ? KeptBytes(exchange->profile->held_body_bytes) : replay_bytes;
  exchange->request.Retain(kept_bytes);
}

void UpstreamClient::SendFirst(Connection* connection, Exchange* exchange, std::string_view bytes) {
  const IoResult sent = connection->Send(bytes);
  exchange->request.NoteSent(bytes.substr(0, sent.bytes));
  exchange->request.AddUnsent(bytes.substr(sent.bytes));
  OnSent(connection, exchange, sent);
}

void UpstreamClient::SendUnsent(Connection* connection, Exchange* exchange) {
  const std::string_view bytes = exchange->request.unsent();
  if (bytes.empty() || connection->is_write_broken) return;
  const IoResult sent = connection->Send(bytes);
  exchange->request.MarkSent(sent.bytes);
  OnSent(connection, exchange, sent);
}

void UpstreamClient::OnSent(Connection* connection, Exchange* exchange, const IoResult& sent) {
  bytes_to_endpoints_ += sent.bytes;
  if (sent.bytes > 0) connection->last_progress_ms = loop_->now_ms();
  if (exchange->request.unsent_bytes() > 0) {
    connection->is_writable = false;  // until the next edge
    if (sent.error != 0 && !sent.would_block()) {
      connection->NoteWriteBroken(sent.error);
      OnConnectionReady(connection);
    }
  } else if (exchange->is_drain_awaited) {
    exchange->is_drain_awaited = false;
    exchange->has_drained_notice = true;
    Notice(exchange);
  }
  ArmBusy(connection);
}

// --- ending ---

void UpstreamClient::Fail(Exchange* exchange, EngineError error, int error_number) {
  Connection* const connection =
      exchange->state == ExchangeState::kAttached ? exchange->connection : nullptr;
  const bool is_connecting = connection == nullptr ||
                             connection->state == ConnectionState::kConnecting ||
                             connection->state == ConnectionState::kHandshaking;
  const OutgoingRequest& request = exchange->request;
  const bool is_harmless =
      !request.has_reached_endpoint() || (is_connecting && exchange->is_idempotent());
  int32_t flags = 0;
  if (exchange->is_head_reported && !exchange->is_asked) flags |= event_flag::kHeadSeen;
  if (exchange->is_reused) flags |= event_flag::kReused;
  if (request.has_reached_endpoint()) flags |= event_flag::kSent;
  if (exchange->has_response_begun) flags |= event_flag::kAnswered;
  const bool is_hopeless = error == EngineError::kExchangeTimeout || exchange->is_cut_short();
  const bool is_held = exchange->is_kept() ? !exchange->is_head_reported
                                           : is_harmless && !exchange->has_response_begun;
  if (is_held && request.is_whole() && !is_hopeless) flags |= event_flag::kRetryable;

  if (connection != nullptr) {
    if (connection->is_stream() && IsTimeout(error)) Suspect(*connection);
    CloseConnection(connection);
  }
  loop_->timers().Cancel(exchange);
  exchange->ListHook<WaitingTag>::Unlink();
  exchange->connection = nullptr;
  exchange->pool = nullptr;
  exchange->failure = error;
  exchange->failure_errno = error_number;
  exchange->failure_flags = flags;
  exchange->failed_at_us = loop_->now_us();
  SetState(exchange, ExchangeState::kFailing);
  Notice(exchange);
}

void UpstreamClient::SetState(Exchange* exchange, ExchangeState state) {
  const auto is_open = [](ExchangeState of) {
    return of != ExchangeState::kFree && of != ExchangeState::kHeld;
  };
  open_exchanges_ += is_open(state) ? 1 : 0;
  open_exchanges_ -= is_open(exchange->state) ? 1 : 0;
  held_exchanges_ += state == ExchangeState::kHeld ? 1 : 0;
  held_exchanges_ -= exchange->state == ExchangeState::kHeld ? 1 : 0;
  exchange->state = state;
}

void UpstreamClient::Free(Exchange* exchange) {
  if (exchange->state == ExchangeState::kFree) return;
  loop_->timers().Cancel(exchange);
  exchange->ListHook<WaitingTag>::Unlink();
  exchange->ListHook<NoticeTag>::Unlink();
  SetState(exchange, ExchangeState::kFree);
  exchange->connection = nullptr;
  exchange->pool = nullptr;
  exchange->sink = nullptr;
  exchange->request.Begin();
  exchange->profile = nullptr;
  exchange->is_paused = false;
  exchange->is_asked = false;
  exchange->has_response_begun = false;
  exchange->is_head_reported = false;
  exchange->is_drain_awaited = false;
  exchange->has_drained_notice = false;
}

void UpstreamClient::CloseConnection(Connection* connection) {
  if (connection->state == ConnectionState::kClosed) return;
  ConnectionPool* const pool = connection->pool();
  if (connection->state == ConnectionState::kIdle) {
    --pool->idle_connections;
    --idle_connections_;
  }
  connection->ListHook<IdleTag>::Unlink();
  connection->ListHook<ReadyTag>::Unlink();
  loop_->timers().Cancel(connection);
  StopConnecting(connection);
  connection->state = ConnectionState::kClosed;
  connection->exchange = nullptr;
  if (connection->is_stream()) {
    DropStream(connection);
  } else {
    connection->Close();
    --pool->connections;
  }
  if (!pool->waiting.empty() && !pool->is_linked()) dispatch_.PushBack(pool);

  const size_t index = connection->index;
  closed_connections_.push_back(std::move(connections_[index]));
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->index = index;
  }
  connections_.pop_back();
}

void UpstreamClient::FreeClosed() {
  if (!closed_connections_.empty()) closed_connections_.clear();
  if (!closed_carriers_.empty()) closed_carriers_.clear();
  if (closed_pools_ == 0) return;
  closed_pools_ -= std::erase_if(pools_, [](const auto& pool) { return pool->is_abandoned(); });
}

// --- time ---

void UpstreamClient::ArmAt(Connection* connection, uint64_t deadline_ms) {
  connection->deadline_ms = deadline_ms;
  // An armed timer that is too early arms itself again when it fires; only one that is too late is
  // moved.
  if (deadline_ms == Exchange::kNever) return;
  if (!connection->is_armed() || deadline_ms < connection->expires_at_ms()) {
    loop_->timers().Arm(connection, deadline_ms);
  }
}

void UpstreamClient::ArmBusy(Connection* connection) {
  const Exchange* const exchange = connection->exchange;
  const PoolSettings& settings = connection->pool()->settings();
  uint64_t deadline_ms = Exchange::kNever;
  if (exchange->takes_response()) {
    const AttemptProfile& profile = *exchange->profile;
    if (exchange->is_head_reported || exchange->request.unsent_bytes() > 0) {
      deadline_ms =
          connection->last_progress_ms + TimeOf(profile.idle_timeout_ms, settings.idle_timeout_ms);
    } else if (exchange->is_request_complete) {
      deadline_ms = connection->last_progress_ms +
                    TimeOf(profile.first_byte_timeout_ms, settings.first_byte_timeout_ms);
    }
  }
  ArmAt(connection, std::min(deadline_ms, exchange->due_ms()));
}

void UpstreamClient::StartAttemptTime(Exchange* exchange) {
  const uint32_t timeout_ms = exchange->profile->attempt_timeout_ms;
  if (timeout_ms == 0 || exchange->is_head_reported) return;
  exchange->attempt_deadline_ms = loop_->now_ms() + timeout_ms;
  if (exchange->state == ExchangeState::kWaiting) {
    loop_->timers().Arm(exchange, std::min(exchange->expires_at_ms(), exchange->due_ms()));
  } else if (exchange->state == ExchangeState::kAttached) {
    Connection* const connection = exchange->connection;
    ArmAt(connection, std::min(connection->deadline_ms, exchange->due_ms()));
  }
}

void UpstreamClient::OnConnectionTimer(Connection* connection, uint64_t now_ms) {
  if (now_ms < connection->deadline_ms) {
    ArmAt(connection, connection->deadline_ms);
    return;
  }
  if (connection->state == ConnectionState::kIdle) {
    CloseConnection(connection);
    return;
  }
  Exchange* const exchange = connection->exchange;
  if (now_ms >= exchange->deadline_ms) {
    Fail(exchange, EngineError::kExchangeTimeout, 0);
  } else if (now_ms >= exchange->attempt_deadline_ms) {
    Fail(exchange, EngineError::kAttemptTimeout, 0);
  } else if (connection->state == ConnectionState::kConnecting) {
    OnConnectStep(connection, connection->ContinueConnect());
  } else if (connection->state == ConnectionState::kHandshaking) {
    OnConnectFailed(connection, EngineError::kConnectTimeout, ETIMEDOUT);
  } else if (exchange->is_head_reported || exchange->request.unsent_bytes() > 0) {
    Fail(exchange, EngineError::kIdleTimeout, 0);
  } else {
    Fail(exchange, EngineError::kFirstByteTimeout, 0);
  }
}

void UpstreamClient::OnExchangeTimer(Exchange* exchange, uint64_t now_ms) {
  if (now_ms >= exchange->deadline_ms) {
    Fail(exchange, EngineError::kExchangeTimeout, 0);
  } else if (now_ms >= exchange->attempt_deadline_ms) {
    Fail(exchange, EngineError::kAttemptTimeout, 0);
  } else {
    // Those that wait for a connection of HTTP/2 take part in its connect.
    const bool is_connecting = IsCarrierComing(exchange->pool);
    Fail(exchange, is_connecting ? EngineError::kConnectTimeout : EngineError::kPoolTimeout,
         is_connecting ? ETIMEDOUT : 0);
  }
}

}  // namespace sluice::upstream
