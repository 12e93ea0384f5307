// The client's calls, its turn and its reports.
#include "upstream/upstream_client.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http1/request_head.h"

namespace sluice::upstream {

namespace {

constexpr std::string_view kContentLength = "content-length: ";
constexpr std::string_view kChunked = "transfer-encoding: chunked\r\n";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

char* Put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

/// Writes the framing fields and the empty line behind a head. @returns the end
char* PutFraming(char* at, int64_t body_bytes) {
  if (body_bytes >= 0) {
    at = Put(at, kContentLength);
    at = std::to_chars(at, at + 20, body_bytes).ptr;
    at = Put(at, kLineEnd);
  } else if (body_bytes == kChunkedBody) {
    at = Put(at, kChunked);
  }
  return Put(at, kLineEnd);
}

}  // namespace

UpstreamClient::UpstreamClient(EventLoop* loop, BatchMemory memory, BatchSink* sink)
    : loop_(loop),
      sink_(sink),
      batch_(memory),
      batch_responses_(&batch_),
      exchanges_(this),
      window_(std::make_unique_for_overwrite<char[]>(kSinkWindowBytes)) {
  profiles_.push_back(std::make_unique<AttemptProfile>());
  loop_->AddTask(this);
}

UpstreamClient::~UpstreamClient() {
  Close();
}

// --- exchanges ---

SendResult UpstreamClient::Send(int32_t id, int32_t slot, size_t head_bytes, int32_t flags,
                                int64_t body_bytes, uint64_t timeout_ms, Misuse* misuse,
                                int32_t profile) {
  Exchange* const exchange = Claim(id, misuse);
  const AttemptProfile* const settings = FindProfile(profile, misuse);
  if (exchange == nullptr || settings == nullptr) return SendResult::kOk;
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return SendResult::kNoPool;
  if (head_bytes > kMaxRequestHeadBytes) return SendResult::kHeadTooLarge;
  if (!http1::IsSendableRequestHead({scratch_.data(), head_bytes})) return SendResult::kBadHead;
  Prepare(&batch_responses_, exchange, settings, timeout_ms);
  Start(exchange, pool, head_bytes, flags & send_flag::kOfTypeScript, body_bytes);
  return SendResult::kOk;
}

SendResult UpstreamClient::SendFor(ResponseSink* sink, int32_t id, int32_t slot, size_t head_bytes,
                                   int32_t flags, int64_t body_bytes, uint64_t timeout_ms,
                                   Misuse* misuse, int32_t profile) {
  Exchange* const exchange = Claim(id, misuse);
  const AttemptProfile* const settings = FindProfile(profile, misuse);
  if (exchange == nullptr || settings == nullptr) return SendResult::kOk;
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return SendResult::kNoPool;
  if (head_bytes > kMaxEndpointHeadBytes) return SendResult::kHeadTooLarge;
  Prepare(sink, exchange, settings, timeout_ms);
  Start(exchange, pool, head_bytes, flags, body_bytes);
  return SendResult::kOk;
}

Exchange* UpstreamClient::Claim(int32_t id, Misuse* misuse) {
  Exchange& exchange = exchanges_.At(id);
  if (exchange.state == ExchangeState::kHeld) Free(&exchange);
  if (exchange.state == ExchangeState::kFree) return &exchange;
  *misuse = Misuse::kExchangeInUse;
  return nullptr;
}

void UpstreamClient::Prepare(ResponseSink* sink, Exchange* exchange, const AttemptProfile* profile,
                             uint64_t timeout_ms) {
  loop_->Refresh();
  exchange->sink = sink;
  exchange->profile = profile;
  exchange->is_replayed = false;
  exchange->started_us = loop_->now_us();
  exchange->body_ended_us = 0;
  exchange->deadline_ms = timeout_ms == 0 ? Exchange::kNever : loop_->now_ms() + timeout_ms;
  exchange->attempt_deadline_ms = Exchange::kNever;
}

void UpstreamClient::Start(Exchange* exchange, ConnectionPool* pool, size_t head_bytes,
                           int32_t flags, int64_t body_bytes) {
  const char* const end = PutFraming(scratch_.data() + head_bytes, body_bytes);
  const std::string_view bytes(scratch_.data(), static_cast<size_t>(end - scratch_.data()));
  exchange->send_flags = flags;
  exchange->body_left_bytes = body_bytes;
  exchange->body_taken_bytes = 0;
  exchange->is_request_complete = body_bytes == kNoBody || body_bytes == 0;
  if (exchange->is_request_complete) StartAttemptTime(exchange);

  Connection* idle = nullptr;
  if ((flags & send_flag::kFresh) == 0 && pool->waiting.empty() && !pool->Multiplexes(flags))
    idle = TakeIdle(pool, !exchange->is_idempotent());
  if (idle != nullptr) {
    Attach(exchange, idle);
    SendFirst(idle, exchange, bytes);
  } else {
    exchange->request.AddUnsent(bytes);
    Begin(exchange, pool);
  }
}

size_t UpstreamClient::Write(int32_t id, std::string_view bytes, bool is_last, Misuse* misuse) {
  Exchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || exchange->state == ExchangeState::kFree) return 0;
  OutgoingRequest& request = exchange->request;
  if (exchange->is_request_complete) {
    if (!bytes.empty()) *misuse = Misuse::kBodyAfterEnd;
    return request.unsent_bytes();
  }
  const bool is_chunked = exchange->body_left_bytes == kChunkedBody;
  if (is_chunked) {
    exchange->is_request_complete = is_last;
  } else {
    if (bytes.size() > static_cast<uint64_t>(exchange->body_left_bytes)) {
      *misuse = Misuse::kBodyLongerThanSaid;
      return request.unsent_bytes();
    }
    exchange->body_left_bytes -= static_cast<int64_t>(bytes.size());
    exchange->is_request_complete = exchange->body_left_bytes == 0;
  }
  exchange->body_taken_bytes += static_cast<int64_t>(bytes.size());
  if (exchange->state == ExchangeState::kFailing &&
      (exchange->failure_flags & event_flag::kRetryable) == 0)
    return 0;
  loop_->Refresh();
  if (exchange->is_request_complete) {
    exchange->body_ended_us = loop_->now_us();
    StartAttemptTime(exchange);
  }
  if (is_last && !exchange->is_request_complete) {
    // Shorter than announced: the endpoint waits for bytes that will never come, so the attempt
    // cannot end well; nor can one that `resend` begins.
    exchange->is_request_complete = true;
    if (exchange->state == ExchangeState::kHeld) return 0;
    if (exchange->state != ExchangeState::kFailing) {
      const bool is_passed_on = exchange->is_head_reported && !exchange->is_asked;
      Fail(exchange, is_passed_on ? EngineError::kTruncated : EngineError::kReset, 0);
    }
    exchange->failure_flags &= ~event_flag::kRetryable;
    return 0;
  }

  char size_line[20];
  std::array<std::string_view, 3> parts;
  size_t count = 0;
  if (is_chunked && !bytes.empty()) {
    char* const end = std::to_chars(size_line, size_line + 16, bytes.size(), 16).ptr;
    parts[count++] = {size_line, static_cast<size_t>(Put(end, kLineEnd) - size_line)};
  }
  if (!bytes.empty()) parts[count++] = bytes;
  if (is_chunked) {
    // The line end behind the data and the last chunk are one literal where both are due.
    static constexpr std::string_view kEnd = "\r\n0\r\n\r\n";
    if (!bytes.empty()) parts[count++] = is_last ? kEnd : kLineEnd;
    if (bytes.empty() && is_last) parts[count++] = kLastChunk;
  }
  if (count == 0) return request.unsent_bytes();

  Connection* const connection = exchange->connection;
  IoResult sent;
  const bool can_send = exchange->state == ExchangeState::kAttached &&
                        connection->state == ConnectionState::kBusy &&
                        !connection->is_write_broken && request.unsent_bytes() == 0;
  // What is promised to be held stays, however long it gets.
  if (exchange->profile->holds() && exchange->state == ExchangeState::kAttached &&
      !exchange->is_head_reported) {
    Keep(exchange);
  }
  if (can_send) {
    std::array<iovec, 3> vectors;
    for (size_t index = 0; index < count; ++index) {
      vectors[index] = {const_cast<char*>(parts[index].data()), parts[index].size()};
    }
    sent = connection->SendParts(vectors.data(), count);
  }
  size_t left_bytes = sent.bytes;
  for (size_t index = 0; index < count; ++index) {
    const size_t taken = std::min(left_bytes, parts[index].size());
    left_bytes -= taken;
    request.NoteSent(parts[index].substr(0, taken));
    request.AddUnsent(parts[index].substr(taken));
  }
  if (request.unsent_bytes() > 0) exchange->is_drain_awaited = true;
  if (can_send) OnSent(connection, exchange, sent);
  return request.unsent_bytes();
}

void UpstreamClient::Pause(int32_t id) {
  Exchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || exchange->state == ExchangeState::kFree) return;
  exchange->is_paused = true;
  Connection* const connection = exchange->connection;
  if (exchange->state == ExchangeState::kAttached && connection->state == ConnectionState::kBusy) {
    ArmBusy(connection);  // the endpoint's silence no longer counts
  }
}

void UpstreamClient::Resume(int32_t id) {
  Exchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || !exchange->is_paused) return;
  exchange->is_paused = false;
  Connection* const connection = exchange->connection;
  if (exchange->state != ExchangeState::kAttached || connection->state != ConnectionState::kBusy)
    return;
  loop_->Refresh();
  connection->last_progress_ms = loop_->now_ms();
  ArmBusy(connection);
  OnConnectionReady(connection);
}

void UpstreamClient::Release(int32_t id) {
  Exchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr) return;
  if (exchange->batch_serial == batch_.serial()) batch_.Withdraw(id);
  if (exchange->state == ExchangeState::kAttached) CloseConnection(exchange->connection);
  Free(exchange);
}

ClientStats UpstreamClient::stats() const {
  ClientStats stats;
  stats.connections = connections_.size() - streams_ + carriers_.size();
  stats.idle_connections = idle_connections_;
  stats.exchanges = open_exchanges_ + held_exchanges_;
  stats.connects = connects_;
  stats.reuses = reuses_;
  stats.replays = replays_;
  stats.bytes_to_endpoints = bytes_to_endpoints_;
  stats.bytes_from_endpoints = bytes_from_endpoints_;
  return stats;
}

void UpstreamClient::Close() {
  if (is_closed_) return;
  is_closed_ = true;
  while (!connections_.empty())
    CloseConnection(connections_.back().get());
  while (!carriers_.empty())
    CloseCarrier(carriers_.back().get(), 0);
  exchanges_.ForEach([this](Exchange& exchange) { Free(&exchange); });
  slots_.clear();
  for (const auto& pool : pools_)
    pool->MarkClosed();
  loop_->RemoveTask(this);
}

// --- the turn ---

bool UpstreamClient::HasWork() const {
  return !ready_.empty() || !notices_.empty() || !dispatch_.empty() || batch_.count() > 0 ||
         !ready_carriers_.empty() || !flush_carriers_.empty() || !settle_carriers_.empty();
}

void UpstreamClient::OnReady() {
  FreeClosed();
  WriteNotices();
  if (!ready_carriers_.empty()) ReadCarriers();
  // Each connection once a turn: who has more to read waits until the others have had theirs.
  IntrusiveList<Connection, ReadyTag> turn;
  turn.TakeAll(ready_);
  while (Connection* const connection = turn.front()) {
    if (!HasRoomToRead(connection)) {
      Deliver();  // may close any connection, those in `turn` included, or the client
      if (is_closed_) return;
      continue;
    }
    connection->ListHook<ReadyTag>::Unlink();
    HandleReady(connection);
  }
}

void UpstreamClient::OnTurnEnd() {
  if (!settle_carriers_.empty()) SettleCarriers();
  DispatchWaiting();
  if (!flush_carriers_.empty()) FlushCarriers();
  WriteNotices();
  Deliver();
  // What the batch began goes out now, and not after a wait.
  if (!flush_carriers_.empty()) FlushCarriers();
}

void UpstreamClient::Deliver() {
  if (batch_.count() == 0) return;
  sink_->OnBatch(batch_.count());
  batch_.Empty();
  // The batch may have taken long: what follows in this turn counts its times from now on.
  loop_->Refresh();
}

uint64_t UpstreamClient::ElapsedUs(const Exchange* exchange) const {
  // What is read in a turn was there when its wait ended, however long the batches since have
  // taken.
  const uint64_t waited_us = loop_->waited_at_us();
  // A client takes its time to send a body: the endpoint's time begins where that ends.
  const uint64_t since_us = std::max(exchange->started_us, exchange->body_ended_us);
  return waited_us > since_us ? waited_us - since_us : 0;
}

void UpstreamClient::Notice(Exchange* exchange) {
  if (!exchange->ListHook<NoticeTag>::is_linked()) notices_.PushBack(exchange);
}

void UpstreamClient::WriteNotices() {
  while (Exchange* const exchange = notices_.front()) {
    if (batch_.is_full()) return;
    if (exchange->has_drained_notice) {
      exchange->has_drained_notice = false;
      exchange->sink->OnDrained(exchange);
      continue;
    }
    exchange->ListHook<NoticeTag>::Unlink();
    if (exchange->state != ExchangeState::kFailing) continue;
    exchange->sink->OnFailed(exchange);
    if ((exchange->failure_flags & event_flag::kRetryable) != 0) {
      SetState(exchange, ExchangeState::kHeld);
    } else {
      Free(exchange);
    }
  }
}

}  // namespace sluice::upstream
