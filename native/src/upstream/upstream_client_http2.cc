// How the client makes connections that carry streams, gives streams to attempts, and tends what
// carries them.
#include <algorithm>
#include <utility>

#include "upstream/upstream_client.h"

namespace sluice::upstream {

// --- attempts ---

Http2Connection* UpstreamClient::FindCarrier(const ConnectionPool* pool) const {
  Http2Connection* clogged = nullptr;
  for (Http2Connection* carrier = pool->carriers.front(); carrier != nullptr;
       carrier = pool->carriers.After(carrier)) {
    if (!carrier->has_room()) continue;
    if (!carrier->is_clogged()) return carrier;
    if (clogged == nullptr) clogged = carrier;
  }
  // Better than none, where no other is to be had.
  const bool is_alone = !IsCarrierComing(pool) && !MayConnectCarrier(pool);
  return is_alone ? clogged : nullptr;
}

bool UpstreamClient::IsCarrierComing(const ConnectionPool* pool) const {
  if (pool->connecting_carriers > 0) return true;
  for (Http2Connection* carrier = pool->carriers.front(); carrier != nullptr;
       carrier = pool->carriers.After(carrier)) {
    if (carrier->is_beginning()) return true;
  }
  return false;
}

bool UpstreamClient::MayConnectCarrier(const ConnectionPool* pool) const {
  return !IsCarrierComing(pool) && (pool->has_room() || !pool->idle.empty());
}

void UpstreamClient::BeginStream(Exchange* exchange, ConnectionPool* pool) {
  if (!pool->waiting.empty() || !DispatchOne(pool, exchange)) StartWaiting(exchange, pool);
}

void UpstreamClient::DispatchWaiting() {
  while (ConnectionPool* const pool = dispatch_.PopFront()) {
    while (Exchange* const exchange = pool->waiting.front()) {
      if (!DispatchOne(pool, exchange)) break;
    }
  }
}

bool UpstreamClient::DispatchOne(ConnectionPool* pool, Exchange* exchange) {
  Http2Connection* carrier = nullptr;
  if (pool->Multiplexes(exchange->send_flags)) {
    carrier = FindCarrier(pool);
    if (carrier == nullptr && !MayConnectCarrier(pool)) return false;
    // Idle connections of HTTP/1.1, which upgrades have left, make room.
    if (carrier == nullptr && !pool->has_room()) CloseConnection(pool->idle.back());
  } else if (!pool->has_room()) {
    return false;
  }
  exchange->ListHook<WaitingTag>::Unlink();
  loop_->timers().Cancel(exchange);
  if (carrier != nullptr) {
    AttachStream(exchange, carrier);
  } else {
    Connect(exchange, pool);
  }
  return true;
}

void UpstreamClient::FailWaiting(ConnectionPool* pool, EngineError error, int error_number) {
  for (Exchange* exchange = pool->waiting.front(); exchange != nullptr;) {
    Exchange* const next = pool->waiting.After(exchange);
    if (pool->Multiplexes(exchange->send_flags)) Fail(exchange, error, error_number);
    exchange = next;
  }
}

// --- streams ---

Connection* UpstreamClient::AddConnection(ConnectionPool* pool) {
  connections_.push_back(
      std::make_unique<Connection>(loop_, static_cast<ConnectionOwner*>(this), pool));
  Connection* const connection = connections_.back().get();
  connection->index = connections_.size() - 1;
  return connection;
}

void UpstreamClient::StopConnecting(Connection* connection) {
  if (!connection->may_multiplex) return;
  ConnectionPool* const pool = connection->pool();
  connection->may_multiplex = false;
  --pool->connecting_carriers;
  if (!pool->waiting.empty() && !pool->is_linked()) dispatch_.PushBack(pool);
}

bool UpstreamClient::MakeCarrier(Connection* connection) {
  ConnectionPool* const pool = connection->pool();
  auto made =
      std::make_unique<Http2Connection>(loop_, static_cast<Http2ConnectionOwner*>(this), pool);
  if (const int error_number = made->Begin(connection)) {
    OnConnectFailed(connection, EngineError::kConnectRefused, error_number);
    return false;
  }
  Http2Connection* const carrier = made.get();
  carrier->index = carriers_.size();
  carriers_.push_back(std::move(made));
  // The place that the connection had in its pool is the carrier's.
  pool->carriers.PushBack(carrier);
  BecomeStream(connection, carrier);
  OnCarrierReady(carrier);
  return true;
}

void UpstreamClient::AttachStream(Exchange* exchange, Http2Connection* carrier) {
  Connection* const connection = AddConnection(carrier->pool());
  BecomeStream(connection, carrier);
  connection->has_served = true;
  ++reuses_;
  Attach(exchange, connection);
  SendUnsent(connection, exchange);
}

void UpstreamClient::BecomeStream(Connection* connection, Http2Connection* carrier) {
  ConnectionPool* const pool = carrier->pool();
  if (carrier->is_idle) {
    carrier->is_idle = false;
    --pool->idle_connections;
    --idle_connections_;
  }
  connection->BecomeStream(carrier);
  ++pool->streams;
  ++streams_;
  carrier->Arm();
}

void UpstreamClient::DropStream(Connection* connection) {
  connection->Close();
  --connection->pool()->streams;
  --streams_;
}

void UpstreamClient::OnStreamEnd(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  const http2::ClientStream& stream = *connection->stream();
  const bool is_head_reported = exchange->is_head_reported;
  const EngineError broken = is_head_reported ? EngineError::kTruncated : EngineError::kReset;
  switch (stream.end()) {
    case http2::StreamEnd::kOpen:
    case http2::StreamEnd::kComplete:
      Complete(connection, exchange->send_flags & send_flag::kTrailers ? stream.trailers()
                                                                       : std::string_view());
      return;
    case http2::StreamEnd::kRefused:
      if (exchange->has_response_begun) return Fail(exchange, broken, ECONNRESET);
      exchange->request.NoteRefused();
      if (!Replay(connection)) Fail(exchange, EngineError::kStreamRefused, 0);
      return;
    case http2::StreamEnd::kReset:
      return Fail(exchange, broken, ECONNRESET);
    case http2::StreamEnd::kMalformed:
      return Fail(exchange, is_head_reported ? broken : EngineError::kBadResponse, 0);
    case http2::StreamEnd::kTooLarge:
      return Fail(exchange, is_head_reported ? broken : EngineError::kResponseHeadTooLarge, 0);
    case http2::StreamEnd::kLost:
      if (Wire::IsFailure(stream.error_number())) {
        exchange->request.NoteRefused();
        return Fail(exchange, EngineError::kTls, stream.error_number());
      }
      if (!exchange->has_response_begun && Replay(connection)) return;
      return Fail(exchange, broken, stream.error_number());
  }
}

// --- what carries them ---

void UpstreamClient::OnCarrierReady(Http2Connection* carrier) {
  if (!carrier->ListHook<CarrierReadyTag>::is_linked()) ready_carriers_.PushBack(carrier);
}

void UpstreamClient::OnCarrierOutput(Http2Connection* carrier) {
  if (!carrier->ListHook<CarrierFlushTag>::is_linked()) flush_carriers_.PushBack(carrier);
}

void UpstreamClient::OnCarrierRoom(Http2Connection* carrier) {
  if (!carrier->ListHook<CarrierSettleTag>::is_linked()) settle_carriers_.PushBack(carrier);
}

void UpstreamClient::OnCarrierTimer(Http2Connection* carrier, uint64_t now_ms) {
  if (now_ms >= carrier->deadline_ms() && !carrier->OnDeadline()) {
    CloseCarrier(carrier, carrier->timeout_error());
  } else {
    carrier->Arm();
  }
}

void UpstreamClient::ReadCarriers() {
  // Each once a turn, as connections.
  IntrusiveList<Http2Connection, CarrierReadyTag> turn;
  turn.TakeAll(ready_carriers_);
  while (Http2Connection* const carrier = turn.PopFront()) {
    if (carrier->can_read() && !carrier->Read(window_.get(), kSinkWindowBytes)) {
      ConnectionPool* const pool = carrier->pool();
      const int refusal = carrier->refusal();
      CloseCarrier(carrier, 0);
      // As where a connect fails: whoever waits would be refused as well.
      if (refusal != 0 && pool->connections == 0) FailWaiting(pool, EngineError::kTls, refusal);
      continue;
    }
    if (carrier->can_flush()) OnCarrierOutput(carrier);
    if (carrier->can_read()) OnCarrierReady(carrier);
  }
}

void UpstreamClient::FlushCarriers() {
  IntrusiveList<Http2Connection, CarrierFlushTag> turn;
  turn.TakeAll(flush_carriers_);
  while (Http2Connection* const carrier = turn.PopFront()) {
    if (!carrier->Flush()) CloseCarrier(carrier, 0);
  }
}

void UpstreamClient::SettleCarriers() {
  while (Http2Connection* const carrier = settle_carriers_.PopFront())
    SettleCarrier(carrier);
}

void UpstreamClient::SettleCarrier(Http2Connection* carrier) {
  ConnectionPool* const pool = carrier->pool();
  const bool is_awaited = !pool->waiting.empty();
  if (is_awaited && !pool->is_linked()) dispatch_.PushBack(pool);
  if (carrier->streams() > 0) {
    carrier->Arm();
    return;
  }
  const bool is_current = pool->is_open() ? pool->IsCurrent(*carrier) : is_awaited;
  if (carrier->is_useless() || !is_current) return CloseCarrier(carrier, 0);
  if (carrier->is_idle) return;
  if (!is_awaited) {
    if (pool->idle_connections >= pool->settings().max_idle) return CloseCarrier(carrier, 0);
    carrier->is_idle = true;
    ++pool->idle_connections;
    ++idle_connections_;
  }
  carrier->Arm();
}

void UpstreamClient::DrainCarriers(ConnectionPool* pool, bool with_current) {
  for (Http2Connection* carrier = pool->carriers.front(); carrier != nullptr;
       carrier = pool->carriers.After(carrier)) {
    if (!with_current && pool->IsCurrent(*carrier)) continue;
    // A pool that is closed keeps them for attempts that wait already.
    if (!with_current || pool->waiting.empty()) carrier->Drain();
    OnCarrierRoom(carrier);
  }
}

void UpstreamClient::CloseCarrier(Http2Connection* carrier, int error_number) {
  ConnectionPool* const pool = carrier->pool();
  carrier->Close(error_number);
  carrier->ListHook<CarrierTag>::Unlink();
  carrier->ListHook<CarrierReadyTag>::Unlink();
  carrier->ListHook<CarrierFlushTag>::Unlink();
  carrier->ListHook<CarrierSettleTag>::Unlink();
  if (carrier->is_idle) {
    --pool->idle_connections;
    --idle_connections_;
  }
  --pool->connections;
  if (!pool->waiting.empty() && !pool->is_linked()) dispatch_.PushBack(pool);
  const size_t index = carrier->index;
  closed_carriers_.push_back(std::move(carriers_[index]));
  if (index + 1 != carriers_.size()) {
    carriers_[index] = std::move(carriers_.back());
    carriers_[index]->index = index;
  }
  carriers_.pop_back();
}

}  // namespace sluice::upstream
