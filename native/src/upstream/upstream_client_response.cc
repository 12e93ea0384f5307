// How the client reads a response, and what becomes of its connection afterwards.
#include <algorithm>

#include "http1/client_head.h"
#include "upstream/upstream_client.h"

namespace sluice::upstream {

namespace {

/// One read at most: large enough that its system call does not count, small enough that four fit
/// into an arena.
constexpr size_t kReadWindowBytes = 128 * 1024;
/// Less room than this in the arena is not worth a read: the batch goes out first.
constexpr size_t kMinReadWindowBytes = 64 * 1024;

constexpr int kNotModified = 304;
constexpr uint64_t kMsPerSecond = 1000;

}  // namespace

void UpstreamClient::OnConnectionReady(Connection* connection) {
  if (connection->ListHook<ReadyTag>::is_linked()) return;
  switch (connection->state) {
    case ConnectionState::kClosed:
      return;
    case ConnectionState::kConnecting:
      // Connecting to the next address: nothing to do before its event or its time.
      if (!connection->is_readable && !connection->is_writable) return;
      break;
    case ConnectionState::kIdle:
      if (!connection->is_readable) return;
      break;
    case ConnectionState::kBusy: {
      const Exchange* const exchange = connection->exchange;
      const bool can_read = connection->is_readable && !exchange->is_paused;
      const bool can_write = connection->is_writable && !connection->is_write_broken &&
                             exchange->request.unsent_bytes() > 0;
      if (!can_read && !can_write) return;
      break;
    }
  }
  ready_.PushBack(connection);
}

bool UpstreamClient::HasRoomToRead(const Connection* connection) const {
  const size_t head_bytes = connection->pool()->settings().response_head_bytes;
  return !batch_.is_full() &&
         batch_.free_bytes() >= kMinReadWindowBytes + head_bytes + EventBatch::kAlignment;
}

void UpstreamClient::HandleReady(Connection* connection) {
  switch (connection->state) {
    case ConnectionState::kClosed:
      return;
    case ConnectionState::kConnecting:
      OnConnectStep(connection, connection->ContinueConnect());
      // An endpoint may speak (or hang up) at once; the edge that told so has been consumed.
      connection->has_spoken_unasked = connection->is_readable;
      OnConnectionReady(connection);
      return;
    case ConnectionState::kIdle:
      // The endpoint closed it, or sent what nobody asked for.
      CloseConnection(connection);
      return;
    case ConnectionState::kBusy:
      break;
  }
  Exchange* const exchange = connection->exchange;
  if (connection->is_writable) SendUnsent(connection, exchange);
  if (connection->is_readable && !exchange->is_paused) ReadResponse(connection);
  OnConnectionReady(connection);  // with more to read, it comes again next turn
}

void UpstreamClient::ReadResponse(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  // The rewritten head goes behind what was read, on the next boundary, and is never longer than
  // the head itself.
  const size_t reserved_bytes =
      connection->reader.has_head()
          ? 0
          : connection->pool()->settings().response_head_bytes + EventBatch::kAlignment;
  const size_t window_bytes = std::min(kReadWindowBytes, batch_.free_bytes() - reserved_bytes);
  char* const data = batch_.arena() + batch_.used_bytes();
  const IoResult received = Receive(connection->fd(), data, window_bytes);
  if (received.would_block()) {
    connection->is_readable = false;
    return;
  }
  if (received.error != 0 || received.bytes == 0) {
    OnEnd(connection, received.error);
    return;
  }
  bytes_from_endpoints_ += received.bytes;
  // A short read has emptied the socket, unless the end is in there too: that only another read
  // tells.
  if (received.bytes < window_bytes && !connection->is_hung_up) connection->is_readable = false;
  if (!exchange->has_response_begun) {
    exchange->has_response_begun = true;
    exchange->request.SetRetaining(false);
  }
  Report(connection, received.bytes, connection->reader.Read(data, received.bytes));
}

int32_t UpstreamClient::LastFlags(const Exchange* exchange) const {
  return event_flag::kLast | (exchange->is_request_sent() ? 0 : event_flag::kRequestUnfinished);
}

void UpstreamClient::Report(Connection* connection, size_t input_bytes,
                            const ReadOutcome& outcome) {
  using Verdict = ReadOutcome::Verdict;
  Exchange* const exchange = connection->exchange;
  Event event;
  switch (outcome.verdict) {
    case Verdict::kNeedMore:
      return;
    case Verdict::kTooLarge:
      Fail(exchange, EngineError::kResponseHeadTooLarge, 0);
      return;
    case Verdict::kInvalid:
      Fail(exchange,
           exchange->is_head_reported ? EngineError::kTruncated : EngineError::kBadResponse, 0);
      return;
    case Verdict::kHead: {
      batch_.Use(input_bytes);
      const http1::ResponseHead& head = connection->reader.head();
      const bool is_length_kept =
          (exchange->send_flags & send_flag::kHeadMethod) != 0 || head.status == kNotModified;
      event.type = EventType::kHead;
      event.status = head.status;
      event.head_offset = batch_.used_bytes();
      event.head_bytes = http1::WriteClientHead(outcome.head_input, head, is_length_kept,
                                                batch_.arena() + batch_.used_bytes());
      batch_.Use(event.head_bytes);
      connection->reader.FreeHeadInput();
      if (head.body == http1::BodyKind::kNone) event.flags |= event_flag::kBodyless;
      if (head.body == http1::BodyKind::kLength) {
        event.flags |= event_flag::kLengthKnown;
        event.content_length = head.content_length;
      }
      exchange->is_head_reported = true;
      break;
    }
    case Verdict::kBody:
      connection->last_progress_ms = loop_->now_ms();
      if (outcome.body_bytes == 0 && !outcome.is_complete) {  // framing alone
        ArmBusy(connection);
        return;
      }
      event.type = EventType::kBody;
      batch_.Use(outcome.body_bytes);
      break;
  }
  event.body_bytes = outcome.body_bytes;
  if (outcome.body_bytes > 0)
    event.body_offset = static_cast<size_t>(outcome.body - batch_.arena());
  event.elapsed_us = ElapsedUs(exchange);
  if (outcome.is_complete) event.flags |= LastFlags(exchange);
  AddEvent(exchange, &event);
  if (outcome.is_complete) {
    Finish(connection, outcome.has_surplus);
  } else {
    connection->last_progress_ms = loop_->now_ms();
    ArmBusy(connection);
  }
}

void UpstreamClient::OnEnd(Connection* connection, int error_number) {
  Exchange* const exchange = connection->exchange;
  // EPIPE: the endpoint's orderly end came first, and the reset only said that it takes no more of
  // the request (Linux, tcp_reset in CLOSE_WAIT).
  if (error_number == 0 && connection->write_error != EPIPE) error_number = connection->write_error;
  if (error_number == 0 && connection->reader.ends_with_close()) {
    Event event;
    event.type = EventType::kBody;
    event.flags = LastFlags(exchange);
    event.elapsed_us = ElapsedUs(exchange);
    AddEvent(exchange, &event);
    Finish(connection, false);
    return;
  }
  if (!exchange->has_response_begun && Replay(connection)) return;
  Fail(exchange, exchange->is_head_reported ? EngineError::kTruncated : EngineError::kReset,
       error_number);
}

bool UpstreamClient::Replay(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  OutgoingRequest& request = exchange->request;
  if (!connection->has_served || exchange->is_replayed || !request.is_whole()) return false;
  if (request.has_reached_endpoint() && !exchange->is_idempotent()) return false;
  ConnectionPool* const pool = connection->pool();
  exchange->is_replayed = true;
  ++replays_;
  request.Rewind();
  // Its own place in the pool, and a fresh connection: the other idle ones may be just as dead, or
  // may be fine.
  CloseConnection(connection);
  Connect(exchange, pool);
  return true;
}

void UpstreamClient::Finish(Connection* connection, bool has_surplus) {
  Exchange* const exchange = connection->exchange;
  const http1::ResponseHead& head = connection->reader.head();
  const bool is_sent = exchange->is_request_sent();
  connection->exchange = nullptr;
  connection->has_served = true;
  Free(exchange);

  // With N announced, the endpoint may close at any moment after N s: one less keeps clear of it.
  uint64_t idle_ms = connection->pool()->settings().keep_alive_idle_ms;
  if (head.keep_alive_timeout_s > 0) {
    idle_ms = std::min(idle_ms, (head.keep_alive_timeout_s - 1) * kMsPerSecond);
  }
  // A read that filled its window does not say whether more was there.
  const bool is_quiet = !has_surplus && !connection->has_spoken_unasked &&
                        !connection->is_hung_up && !connection->is_write_broken &&
                        (!connection->is_readable || !HasInput(connection->fd()));
  if (is_sent && is_quiet && head.keep_alive && idle_ms > 0) {
    connection->is_readable = false;
    Keep(connection, idle_ms);
  } else {
    CloseConnection(connection);
  }
}

void UpstreamClient::Keep(Connection* connection, uint64_t idle_ms) {
  ConnectionPool* const pool = connection->pool();
  const bool is_current = pool->is_open() ? pool->IsCurrent(*connection) : !pool->waiting.empty();
  Exchange* const waiting = pool->waiting.front();
  // As in TakeIdle: since the response was read, the endpoint may have closed the connection.
  if (waiting != nullptr && is_current && (waiting->send_flags & send_flag::kFresh) == 0 &&
      (waiting->is_idempotent() || !HasInput(connection->fd()))) {
    waiting->ListHook<WaitingTag>::Unlink();
    loop_->timers().Cancel(waiting);
    ++reuses_;
    Attach(waiting, connection);
    SendUnsent(connection, waiting);
    return;
  }
  if (!is_current || waiting != nullptr || pool->idle_connections >= pool->settings().max_idle) {
    CloseConnection(connection);
    return;
  }
  connection->state = ConnectionState::kIdle;
  pool->idle.PushFront(connection);
  ++pool->idle_connections;
  ++idle_connections_;
  ArmAt(connection, loop_->now_ms() + idle_ms);
}

}  // namespace sluice::upstream
