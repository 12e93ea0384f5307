// How the client gets a connection for an attempt: an idle one, a new one, or a place in the queue.
#include <algorithm>
#include <utility>

#include "upstream/upstream_client.h"

namespace sluice::upstream {

namespace {

uint32_t ConnectTimeMs(const Exchange& exchange, const PoolSettings& settings) {
  const uint32_t own_ms = exchange.profile->connect_timeout_ms;
  return own_ms > 0 ? own_ms : settings.connect_timeout_ms;
}

}  // namespace

void UpstreamClient::Begin(Exchange* exchange, ConnectionPool* pool) {
  if (pool->Multiplexes(exchange->send_flags)) return BeginStream(exchange, pool);
  const bool is_fresh = (exchange->send_flags & send_flag::kFresh) != 0;
  if (pool->waiting.empty()) {
    if (!is_fresh) {
      if (Connection* const idle = TakeIdle(pool, !exchange->is_idempotent())) {
        Attach(exchange, idle);
        SendUnsent(idle, exchange);
        return;
      }
    }
    // Only an attempt that wants a fresh connection gets here while others are idle: the oldest
    // makes room.
    if (!pool->has_room() && !pool->idle.empty()) CloseConnection(pool->idle.back());
    if (pool->has_room()) {
      Connect(exchange, pool);
      return;
    }
  }
  StartWaiting(exchange, pool);
}

Connection* UpstreamClient::TakeIdle(ConnectionPool* pool, bool is_certainty_needed) {
  while (Connection* const connection = pool->idle.front()) {
    // A request that cannot be replayed is worth one more system call: the endpoint's FIN may be
    // here already although epoll has not been asked since. An idempotent one trusts epoll: asking
    // would cost each request a call and could not exclude that the FIN comes just afterwards,
    // which the replay repairs in either case.
    const bool is_usable = !connection->HasEnded() && loop_->now_ms() < connection->deadline_ms &&
                           !(is_certainty_needed && connection->HasInput());
    if (!is_usable) {
      CloseConnection(connection);
      continue;
    }
    connection->ListHook<IdleTag>::Unlink();
    --pool->idle_connections;
    --idle_connections_;
    ++reuses_;
    return connection;
  }
  return nullptr;
}

void UpstreamClient::StartWaiting(Exchange* exchange, ConnectionPool* pool) {
  SetState(exchange, ExchangeState::kWaiting);
  exchange->pool = pool;
  exchange->is_reused = false;
  pool->waiting.PushBack(exchange);
  const uint64_t until_ms = loop_->now_ms() + ConnectTimeMs(*exchange, pool->settings());
  loop_->timers().Arm(exchange, std::min(until_ms, exchange->due_ms()));
}

void UpstreamClient::Connect(Exchange* exchange, ConnectionPool* pool) {
  Connection* const connection = AddConnection(pool);
  connection->exchange = exchange;
  ++pool->connections;
  if (pool->Multiplexes(exchange->send_flags)) {
    connection->may_multiplex = true;
    ++pool->connecting_carriers;
  }
  SetState(exchange, ExchangeState::kAttached);
  exchange->pool = nullptr;
  exchange->connection = connection;
  exchange->is_reused = false;
  // Until the connection is there: since when.
  exchange->connect_us = loop_->now_us();
  OnConnectStep(connection, connection->BeginConnect(loop_->now_ms() +
                                                     ConnectTimeMs(*exchange, pool->settings())));
}

void UpstreamClient::OnConnectStep(Connection* connection, ConnectStep step) {
  Exchange* const exchange = connection->exchange;
  const int error_number = connection->connect_error();
  switch (step) {
    case ConnectStep::kInProgress:
      ArmAt(connection, std::min(connection->attempt_deadline_ms(), exchange->due_ms()));
      return;
    case ConnectStep::kConnected:
      if (!connection->pool()->speaks_tls()) return OnConnected(connection);
      if (!connection->Secure(connection->pool()->OffersHttp2(exchange->send_flags)))
        return OnConnectFailed(connection, EngineError::kTls, 0);
      Handshake(connection);
      return;
    case ConnectStep::kFailed: {
      if (error_number == EMFILE || error_number == ENFILE)
        return OnConnectFailed(connection, EngineError::kFileLimit, error_number);
      // EAGAIN: a UNIX listener whose queue stayed full.
      const bool is_silent = error_number == ETIMEDOUT || error_number == EAGAIN;
      OnConnectFailed(connection,
                      is_silent ? EngineError::kConnectTimeout : EngineError::kConnectRefused,
                      error_number);
      return;
    }
  }
}

void UpstreamClient::Handshake(Connection* connection) {
  switch (connection->Handshake()) {
    case tls::HandshakeStep::kWaiting:
      ArmAt(connection, std::min(connection->connect_until_ms(), connection->exchange->due_ms()));
      return;
    case tls::HandshakeStep::kFailed:
      OnConnectFailed(connection, EngineError::kTls, connection->wire().tls_failure());
      return;
    case tls::HandshakeStep::kDone:
      OnConnected(connection);
      return;
  }
}

void UpstreamClient::OnConnected(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  ConnectionPool* const pool = connection->pool();
  ++connects_;
  exchange->connect_us = loop_->now_us() - exchange->connect_us;
  const bool is_http2 =
      connection->has_chosen_http2() || (connection->may_multiplex && connection->is_plain());
  if (connection->may_multiplex && !is_http2 && !pool->is_auto(exchange->send_flags))
    return OnConnectFailed(connection, EngineError::kTls, Wire::kNoCommonProtocol);
  if (pool->is_auto(exchange->send_flags)) pool->SetChosen(is_http2);
  StopConnecting(connection);
  if (is_http2 && !MakeCarrier(connection)) return;
  // An endpoint may speak at once. Over TLS, tickets are no such thing.
  if (connection->wire().channel() != nullptr)
    connection->is_readable = connection->has_spoken_unasked = connection->HasInput();
  Attach(exchange, connection);
  SendUnsent(connection, exchange);
}

void UpstreamClient::OnConnectFailed(Connection* connection, EngineError error, int error_number) {
  ConnectionPool* const pool = connection->pool();
  const bool may_multiplex = connection->may_multiplex;
  Fail(connection->exchange, error, error_number);
  // Whoever waited for this one would only wait for the next such failure.
  if (may_multiplex && pool->connections == 0) FailWaiting(pool, error, error_number);
}

}  // namespace sluice::upstream
