// How the client reads a response, and what becomes of its connection afterwards.
#include <algorithm>
#include <cstring>
#include <utility>

#include "upstream/upstream_client.h"

namespace sluice::upstream {

namespace {

/// Less room than this in the arena is not worth a read: the batch goes out first.
constexpr size_t kMinReadWindowBytes = 64 * 1024;

constexpr uint64_t kMsPerSecond = 1000;

/// A body of which less is left is read: moving it through a pipe would save nothing.
constexpr uint64_t kMinSpliceBytes = 64 * 1024;

}  // namespace

void UpstreamClient::OnConnectionReady(Connection* connection) {
  if (connection->ListHook<ReadyTag>::is_linked()) return;
  switch (connection->state) {
    case ConnectionState::kClosed:
      return;
    case ConnectionState::kConnecting:
      // Connecting to the next address: nothing to do before its event or its time.
    case ConnectionState::kHandshaking:
      if (!connection->is_readable && !connection->is_writable) return;
      break;
    case ConnectionState::kIdle:
      if (!connection->is_readable) return;
      break;
    case ConnectionState::kBusy: {
      const Exchange* const exchange = connection->exchange;
      const bool can_read = connection->is_readable && exchange->takes_response();
      const bool can_write = connection->is_writable && !connection->is_write_broken &&
                             (exchange->request.unsent_bytes() > 0 || connection->HasUnsent());
      if (!can_read && !can_write) return;
      break;
    }
  }
  ready_.PushBack(connection);
}

bool UpstreamClient::HasRoomToRead(const Connection* connection) const {
  const Exchange* const exchange = connection->exchange;
  if (exchange != nullptr && !IsBatched(*exchange)) return true;
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
      if (connection->is_plain()) connection->has_spoken_unasked = connection->is_readable;
      OnConnectionReady(connection);
      return;
    case ConnectionState::kHandshaking:
      Handshake(connection);
      OnConnectionReady(connection);
      return;
    case ConnectionState::kIdle:
      // The endpoint closed it, or sent what nobody asked for.
      if (connection->HasEnded()) {
        CloseConnection(connection);
      } else {
        connection->is_readable = false;
      }
      return;
    case ConnectionState::kBusy:
      break;
  }
  Exchange* const exchange = connection->exchange;
  if (connection->is_writable) {
    if (connection->HasUnsent()) Flush(connection);
    SendUnsent(connection, exchange);
  }
  if (connection->is_readable && exchange->takes_response()) ReadResponse(connection);
  OnConnectionReady(connection);  // with more to read, it comes again next turn
}

void UpstreamClient::ReadResponse(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  char* data = window_.get();
  size_t window_bytes = kSinkWindowBytes;
  if (IsBatched(*exchange)) {
    // The rewritten head goes behind what was read, on the next boundary, and is never longer than
    // the head itself.
    const size_t reserved_bytes =
        connection->reader.has_head()
            ? 0
            : connection->pool()->settings().response_head_bytes + EventBatch::kAlignment;
    window_bytes = std::min(kReadWindowBytes, batch_.free_bytes() - reserved_bytes);
    data = batch_.arena() + batch_.used_bytes();
  } else if (!connection->held_input.empty()) {
    const std::string held = std::exchange(connection->held_input, {});
    std::memcpy(data, held.data(), held.size());
    TakeInput(connection, data, held.size());
    return;
  }
  if (connection->reader.length_left_bytes() >= kMinSpliceBytes && exchange->is_head_reported &&
      !IsBatched(*exchange) && connection->is_plain() && PassSpliced(connection)) {
    return;
  }
  const IoResult received = connection->Receive(data, window_bytes);
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
    if (!exchange->profile->holds()) exchange->request.Retain(0);
  }
  TakeInput(connection, data, received.bytes);
}

void UpstreamClient::Flush(Connection* connection) {
  const int error_number = connection->Flush();
  if (error_number != 0) connection->NoteWriteBroken(error_number);
}

bool UpstreamClient::PassSpliced(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  ResponseReader& reader = connection->reader;
  const SpliceOutcome moved =
      exchange->sink->OnSpliceable(exchange, connection->fd(), reader.length_left_bytes());
  if (moved.is_declined) return false;
  reader.Skip(moved.bytes);
  bytes_from_endpoints_ += moved.bytes;
  if (moved.would_block) connection->is_readable = false;
  if (moved.verdict == SinkVerdict::kRelease) {
    Heed(connection, moved.verdict);
  } else if (moved.error != 0) {
    OnEnd(connection, moved.error);
  } else if (reader.length_left_bytes() == 0) {
    ReadOutcome outcome;
    outcome.verdict = ReadOutcome::Verdict::kBody;
    outcome.is_complete = true;
    Report(connection, outcome);
  } else {
    if (moved.bytes > 0) connection->last_progress_ms = loop_->now_ms();
    Heed(connection, moved.verdict);
  }
  return true;
}

void UpstreamClient::TakeInput(Connection* connection, char* data, size_t size) {
  Exchange* const exchange = connection->exchange;
  ReadOutcome outcome = connection->reader.Read(data, size);
  while (outcome.verdict == ReadOutcome::Verdict::kInterim) {
    const SinkVerdict verdict =
        exchange->sink->OnInterim(exchange, connection->reader.head(), outcome.head_input);
    if (verdict != SinkVerdict::kMore) {
      connection->held_input.assign(outcome.body, outcome.body_bytes);
      if (outcome.body_bytes > 0) connection->is_readable = true;
      Heed(connection, verdict);
      return;
    }
    outcome = connection->reader.Read(outcome.body, outcome.body_bytes);
  }
  if (connection->is_stream() && connection->stream()->is_at_end() &&
      connection->reader.has_head()) {
    connection->reader.End(&outcome, connection->stream()->trailers());
  }
  Report(connection, outcome);
}

void UpstreamClient::Report(Connection* connection, const ReadOutcome& outcome) {
  using Verdict = ReadOutcome::Verdict;
  Exchange* const exchange = connection->exchange;
  ResponseReader& reader = connection->reader;
  ResponsePart part;
  switch (outcome.verdict) {
    case Verdict::kInterim:  // not the last verdict of an input
    case Verdict::kNeedMore:
      return;
    case Verdict::kTooLarge:
      Fail(exchange, EngineError::kResponseHeadTooLarge, 0);
      return;
    case Verdict::kInvalid:
      Fail(exchange,
           exchange->is_head_reported ? EngineError::kTruncated : EngineError::kBadResponse, 0);
      return;
    case Verdict::kSwitched:
      HandOver(connection, outcome);
      return;
    case Verdict::kHead:
      part.head = &reader.head();
      part.head_input = outcome.head_input;
      part.is_asked = exchange->profile->AsksAbout(part.head->status) && exchange->is_kept() &&
                      exchange->request.is_whole() && !exchange->is_cut_short();
      exchange->is_head_reported = true;
      exchange->attempt_deadline_ms = Exchange::kNever;
      break;
    case Verdict::kBody:
      if (outcome.body_bytes > 0 || outcome.is_complete) break;
      connection->last_progress_ms = loop_->now_ms();  // framing alone
      ArmBusy(connection);
      return;
  }
  part.body = outcome.body;
  part.body_bytes = outcome.body_bytes;
  part.is_last = outcome.is_complete;
  part.is_request_unfinished = outcome.is_complete && !exchange->is_request_sent();
  part.trailers = outcome.trailers;
  part.elapsed_us = ElapsedUs(exchange);
  part.connect_us = exchange->connect_us;
  part.is_reused = exchange->is_reused;
  const SinkVerdict verdict = exchange->sink->OnResponse(exchange, part);
  if (part.head != nullptr || part.is_last) reader.FreeReported(part.is_last);
  exchange->is_asked = part.is_asked && verdict == SinkVerdict::kHold;
  if (part.is_last) {
    Finish(connection, outcome.has_surplus);
    return;
  }
  if (part.head != nullptr && !exchange->is_asked) exchange->request.Retain(0);
  connection->last_progress_ms = loop_->now_ms();
  Heed(connection, verdict);
}

void UpstreamClient::HandOver(Connection* connection, const ReadOutcome& outcome) {
  Exchange* const exchange = connection->exchange;
  if (!exchange->is_request_sent()) {
    // What is still to be sent is HTTP, and the endpoint speaks it no more.
    Fail(exchange, EngineError::kBadResponse, 0);
    return;
  }
  SwitchedConnection switched{connection->TakeSocket(), connection->TakeChannel()};
  exchange->sink->OnSwitched(exchange, connection->reader.head(), outcome.head_input,
                             std::move(switched), {outcome.body, outcome.body_bytes},
                             ElapsedUs(exchange));
  CloseConnection(connection);
  Free(exchange);
}

void UpstreamClient::Heed(Connection* connection, SinkVerdict verdict) {
  Exchange* const exchange = connection->exchange;
  if (verdict == SinkVerdict::kRelease) {
    CloseConnection(connection);
    Free(exchange);
    return;
  }
  if (verdict == SinkVerdict::kPause) exchange->is_paused = true;
  ArmBusy(connection);
}

void UpstreamClient::OnEnd(Connection* connection, int error_number) {
  if (connection->is_stream()) return OnStreamEnd(connection);
  Exchange* const exchange = connection->exchange;
  // EPIPE: the endpoint's orderly end came first, and the reset only said that it takes no more of
  // the request (Linux, tcp_reset in CLOSE_WAIT).
  if (error_number == 0 && connection->write_error != EPIPE) error_number = connection->write_error;
  // What ends with the connection is complete only where TLS says that this is the end.
  if (error_number == 0 && connection->reader.ends_with_close() && !connection->wire().was_cut()) {
    Complete(connection, {});
    return;
  }
  if (const int refusal = connection->wire().refusal();
      refusal != 0 && !connection->has_served && !exchange->has_response_begun) {
    exchange->request.NoteRefused();
    return Fail(exchange, EngineError::kTls, refusal);
  }
  if (!exchange->has_response_begun && Replay(connection)) return;
  Fail(exchange, exchange->is_head_reported ? EngineError::kTruncated : EngineError::kReset,
       error_number);
}

void UpstreamClient::Complete(Connection* connection, std::string_view trailers) {
  Exchange* const exchange = connection->exchange;
  ResponsePart end;
  end.is_last = true;
  end.is_request_unfinished = !exchange->is_request_sent();
  end.trailers = trailers;
  end.elapsed_us = ElapsedUs(exchange);
  exchange->sink->OnResponse(exchange, end);
  Finish(connection, false);
}

bool UpstreamClient::Replay(Connection* connection) {
  Exchange* const exchange = connection->exchange;
  OutgoingRequest& request = exchange->request;
  // What was refused may be sent again wherever it was.
  const bool is_refused = connection->is_stream() && !request.has_reached_endpoint();
  if (!connection->has_served && !is_refused) return false;
  if (exchange->is_replayed || !request.is_whole()) return false;
  if (request.has_reached_endpoint() && !exchange->is_idempotent()) return false;
  ConnectionPool* const pool = connection->pool();
  exchange->is_replayed = true;
  ++replays_;
  request.Rewind();
  // Its own place in the pool, and a fresh connection: the other idle ones may be just as dead, or
  // may be fine.
  CloseConnection(connection);
  if (pool->Multiplexes(exchange->send_flags)) {
    BeginStream(exchange, pool);
  } else {
    Connect(exchange, pool);
  }
  return true;
}

void UpstreamClient::Finish(Connection* connection, bool has_surplus) {
  Exchange* const exchange = connection->exchange;
  const http1::ResponseHead& head = connection->reader.head();
  const bool is_sent = exchange->is_request_sent();
  connection->exchange = nullptr;
  connection->has_served = true;
  if (exchange->is_asked) {
    exchange->connection = nullptr;
    SetState(exchange, ExchangeState::kHeld);
    if (exchange->deadline_ms != Exchange::kNever)
      loop_->timers().Arm(exchange, exchange->deadline_ms);
  } else {
    Free(exchange);
  }
  if (connection->is_stream()) {
    CloseConnection(connection);
    return;
  }

  // With N announced, the endpoint may close at any moment after N s: one less keeps clear of it.
  uint64_t idle_ms = connection->pool()->settings().keep_alive_idle_ms;
  if (head.keep_alive_timeout_s > 0) {
    idle_ms = std::min(idle_ms, (head.keep_alive_timeout_s - 1) * kMsPerSecond);
  }
  // A read that filled its window does not say whether more was there.
  const bool is_quiet = !has_surplus && !connection->has_spoken_unasked &&
                        !connection->is_hung_up && !connection->is_write_broken &&
                        (!connection->is_readable || !connection->HasInput());
  if (is_sent && is_quiet && head.keep_alive && idle_ms > 0) {
    connection->is_readable = false;
    KeepAlive(connection, idle_ms);
  } else {
    CloseConnection(connection);
  }
}

void UpstreamClient::KeepAlive(Connection* connection, uint64_t idle_ms) {
  ConnectionPool* const pool = connection->pool();
  const bool is_current = pool->is_open() ? pool->IsCurrent(*connection) : !pool->waiting.empty();
  Exchange* const waiting = pool->waiting.front();
  // As in TakeIdle: since the response was read, the endpoint may have closed the connection.
  if (waiting != nullptr && is_current && (waiting->send_flags & send_flag::kFresh) == 0 &&
      (waiting->is_idempotent() || !connection->HasInput())) {
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
