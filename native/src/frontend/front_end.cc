// The front end's calls, its turn, and how it tells TypeScript and acts on what that decides.
#include "frontend/front_end.h"

#include <algorithm>
#include <utility>

#include "l4/peer_address.h"

namespace sluice::frontend {

FrontEnd::FrontEnd(EventLoop* loop, upstream::UpstreamClient* client, FrontEndMemory memory,
                   FrontEndSink* sink, std::shared_ptr<l4::Mailbox> mailbox,
                   FrontEndIdentity identity)
    : loop_(loop),
      client_(client),
      sink_(sink),
      mailbox_(std::move(mailbox)),
      identity_(std::move(identity)),
      batch_(memory),
      tunnels_(loop, static_cast<TunnelSink*>(this)),
      window_(std::make_unique<char[]>(kBodyWindowBytes)),
      head_out_(std::make_unique<char[]>(upstream::kMaxResponseHeadBytes +
                                         http1::kAnswerExtraBytes + AddedFields::kMostBytes)) {
  loop_->AddTask(this);
  if (mailbox_ != nullptr) start_error_ = loop_->Watch(mailbox_->wake_fd(), EPOLLIN, this);
}

FrontEnd::~FrontEnd() {
  Close();
}

// --- calls ---

void FrontEnd::Drain() {
  if (is_closed_) return;
  is_draining_ = true;
  for (const auto& connection : connections_) {
    if (IsIdle(*connection)) CloseConnection(connection.get(), ClientEnd::kDelivered, false);
    if (connection->state == ConnectionState::kSession)
      LeaveSession(connection->session.get(), ClientEnd::kDelivered);
  }
}

FrontEndStats FrontEnd::stats() const {
  FrontEndStats stats;
  stats.connections = open_connections_;
  stats.handshakes = gate_.in_progress();
  stats.queued = mailbox_ == nullptr || is_closed_ ? 0 : mailbox_->queued();
  for (const auto& connection : connections_) {
    if (connection->state == ConnectionState::kReading) ++stats.idle_connections;
    if (connection->state == ConnectionState::kSession) {
      if (connection->session->streams.empty()) ++stats.idle_connections;
      stats.held_bytes += connection->session->out().size();
    }
    if (const ClientExchange* const exchange = connection->exchange; exchange != nullptr) {
      stats.held_bytes += exchange->out.size();
      if (exchange->asked != nullptr)
        stats.held_bytes += exchange->asked->head_input.size() + exchange->asked->body.size();
      if (exchange->pipe != nullptr) stats.held_bytes += exchange->pipe->bytes;
    }
    if (connection->holds_input()) stats.held_bytes += connection->unread->bytes.size();
  }
  for (const auto& stream : streams_) {
    if (stream->exchange != nullptr) stats.held_bytes += stream->exchange->out.size();
    if (stream->holds_input()) stats.held_bytes += stream->unread->bytes.size();
  }
  stats.exchanges = exchanges_.in_use();
  stats.tunnels = tunnels_.count();
  stats.held_bytes += tunnels_.held_bytes();
  stats.accepted = accepted_;
  stats.requests = requests_;
  stats.dropped = dropped_;
  stats.bytes_from_clients = bytes_from_clients_;
  stats.bytes_to_clients = bytes_to_clients_;
  stats.http2_connections = sessions_;
  return stats;
}

void FrontEnd::Close() {
  if (is_closed_) return;
  ReleaseLosers();
  is_closed_ = true;
  tunnels_.CloseAll();
  CloseStreams();
  for (const auto& connection : connections_) {
    ClientExchange* const exchange = std::exchange(connection->exchange, nullptr);
    if (exchange != nullptr) {
      ReleaseAttempts(exchange);
      exchange->ListHook<ExchangeNoticeTag>::Unlink();
      pipes_.Give(std::move(exchange->pipe));
      GiveExchange(exchange);
    }
    // Without an exchange the kernel may still have the end of an answer.
    const bool may_reset = exchange != nullptr || connection->state == ConnectionState::kPreface ||
                           connection->state == ConnectionState::kOpening ||
                           connection->state == ConnectionState::kHandshaking;
    connection->Close(loop_, may_reset);
    loop_->timers().Cancel(connection.get());
    connection->ListHook<ConnectionReadyTag>::Unlink();
    connection->ListHook<ConnectionNoticeTag>::Unlink();
    connection->state = ConnectionState::kFree;
    connection->unread.reset();
    connection->preface.reset();
    connection->tls_fault.reset();
    connection->session.reset();
  }
  gate_.Clear();
  while (ClientExchange* const exchange = notices_.PopFront())
    GiveExchange(exchange);
  for (ClientExchange* const exchange : std::exchange(told_, {}))
    GiveExchange(exchange);
  open_connections_ = 0;
  pipes_.Clear();
  if (mailbox_ != nullptr) {
    mailbox_->OnEnded(std::exchange(ended_mail_, 0));
    loop_->Unwatch(mailbox_->wake_fd());
    mailbox_->Leave();
  }
  loop_->RemoveTask(this);
}

ClientExchange* FrontEnd::FindOpen(int32_t exchange) const {
  ClientExchange* const found = exchanges_.Find(exchange);
  const bool is_open =
      found != nullptr && found->stage != Stage::kFree && found->stage != Stage::kFinished;
  return is_open && !is_closed_ ? found : nullptr;
}

// --- the turn ---

bool FrontEnd::HasWork() const {
  if (!losers_.empty() || !ready_.empty() || !notices_.empty() || !connection_notices_.empty() ||
      !to_write_.empty()) {
    return true;
  }
  return mailbox_ != nullptr && !mailbox_->FallAsleep();
}

void FrontEnd::OnReady() {
  ReleaseLosers();
  if (mailbox_ != nullptr) {
    mailbox_->Take(&mail_);
    for (l4::Accepted& accepted : mail_)
      OpenConnection(std::move(accepted), true);
    mail_.clear();
  }
  // What the upstream client has brought to an end is told before the requests that come now: they
  // are decided with what is open by then.
  WriteNotices();
  // Each connection once a turn: who has more waits until the others have had theirs.
  IntrusiveList<ClientConnection, ConnectionReadyTag> turn;
  turn.TakeAll(ready_);
  while (ClientConnection* const connection = turn.front()) {
    if (!HasRoomToRead()) {
      Deliver();  // may close any connection, those in `turn` included, or the front end
      if (is_closed_) return;
      continue;
    }
    connection->ListHook<ConnectionReadyTag>::Unlink();
    HandleReady(connection);
  }
}

void FrontEnd::OnTurnEnd() {
  ReleaseLosers();
  for (int batches = 0; batches < kBatchesPerTurn; ++batches) {
    WriteNotices();
    if (batch_.count() == 0) break;
    Deliver();
    if (is_closed_) return;
  }
  WriteSessions();
  if (mailbox_ != nullptr && ended_mail_ > 0) mailbox_->OnEnded(std::exchange(ended_mail_, 0));
}

void FrontEnd::Deliver() {
  const size_t count = batch_.count();
  sink_->OnBatch(count);
  if (is_closed_) return;
  // The batch may have taken long: what follows counts its times from now on.
  loop_->Refresh();
  for (size_t place = 0; place < count; ++place)
    Act(place);
  batch_.Empty();
  for (ClientExchange* const exchange : told_)
    GiveExchange(exchange);
  told_.clear();
}

void FrontEnd::Act(size_t place) {
  const int32_t* const words = batch_.Words(place);
  const int32_t decision = words[kDecision];
  const auto type = static_cast<EventType>(words[kType]);
  if (type == EventType::kOpened) {
    ClientConnection* const connection = connections_[static_cast<size_t>(words[kNumber])].get();
    if (connection->state != ConnectionState::kOpening || !connection->is_admitted) return;
    if (decision == kAdmitConnection) return Admit(connection, words[kTrust]);
    connection->is_admitted = false;
    return CloseConnection(connection, ClientEnd::kDelivered, true);
  }
  if (type != EventType::kRequest && type != EventType::kAttemptFailed &&
      type != EventType::kResponseAsked) {
    return;
  }
  // Told only: the other attempt goes on.
  if ((words[kFlags] & event_flag::kOngoing) != 0) return;
  ClientExchange* const exchange = FindOpen(words[kNumber]);
  if (exchange == nullptr) return;
  if (type == EventType::kRequest && words[kRoute] == kUnknownHost && words[kHostTable] >= 0 &&
      exchange->holder == Holder::kArena) {
    listeners_[exchange->listener]->routes.Remember(exchange->request.host, words[kHostTable]);
  }
  // TypeScript may have answered it since, or broken it off.
  if (exchange->stage != Stage::kUndecided || exchange->batch_place != place) return;
  if (decision >= 0) {
    StartAttempt(exchange, decision, static_cast<uint64_t>(std::max(words[kExchangeTimeoutMs], 0)),
                 words[kProfile]);
  } else if (decision == kLater) {
    PutOff(exchange);
  } else if (decision == kPass && exchange->asked != nullptr) {
    PassAsked(exchange);
  } else {
    BreakOff(exchange->id);  // who has settled it has called Answer or BreakOff
  }
}

// --- reporting ---

void FrontEnd::Notice(ClientExchange* exchange) {
  if (!exchange->ListHook<ExchangeNoticeTag>::is_linked()) notices_.PushBack(exchange);
}

void FrontEnd::WriteNotices() {
  while (ClientExchange* const exchange = notices_.front()) {
    if (!WriteNoticesOf(exchange)) return;
    exchange->ListHook<ExchangeNoticeTag>::Unlink();
    if (exchange->stage == Stage::kFinished) told_.push_back(exchange);
  }
  while (ClientConnection* const connection = connection_notices_.front()) {
    if (batch_.is_full()) return;
    connection->ListHook<ConnectionNoticeTag>::Unlink();
    PutConnectionEvent(connection);
  }
}

bool FrontEnd::WriteNoticesOf(ClientExchange* exchange) {
  if (exchange->has_request_notice) {
    // Its client left before it was told of: nobody asks for anything.
    if (exchange->stage == Stage::kFinished) return true;
    if (batch_.is_full()) return false;
    exchange->has_request_notice = false;
    PutRequest(exchange);
  }
  const bool is_finished = (exchange->progress & event_flag::kFinished) != 0;
  const bool has_more =
      exchange->has_failed_notice || exchange->has_asked_notice || exchange->has_fault_notice;
  // Before the head of the attempt that went on.
  if (exchange->hedge != nullptr && exchange->hedge->ended != nullptr && !PutEnded(exchange))
    return false;
  // In one event where nothing comes in between.
  const int32_t first = has_more ? exchange->progress & ~event_flag::kFinished : exchange->progress;
  if (first != 0 && !PutProgress(exchange, first)) return false;
  if (exchange->has_failed_notice) {
    if (batch_.is_full()) return false;
    exchange->has_failed_notice = false;
    exchange->batch_place = static_cast<uint32_t>(batch_.count());
    int32_t* const words = batch_.Add(EventType::kAttemptFailed, exchange->id, exchange->listener);
    words[kFlags] = exchange->failure_flags;
    words[kReason] = exchange->failure;
    words[kErrno] = exchange->failure_errno;
    words[kElapsedUs] = FrontEndBatch::Capped(exchange->failure_us);
  }
  if (exchange->has_asked_notice && !PutAsked(exchange)) return false;
  if (exchange->has_fault_notice) {
    if (batch_.is_full()) return false;
    exchange->has_fault_notice = false;
    int32_t* const words = batch_.Add(EventType::kFault, exchange->id, exchange->listener);
    words[kFault] = static_cast<int32_t>(exchange->fault);
  }
  return !is_finished || !has_more || PutProgress(exchange, event_flag::kFinished);
}

bool FrontEnd::PutProgress(ClientExchange* exchange, int32_t bits) {
  if (batch_.is_full() || !HasRoomFor(exchange->facts.get())) return false;
  exchange->progress &= ~bits;
  int32_t* const words = batch_.Add(EventType::kProgress, exchange->id, exchange->listener);
  words[kFlags] = bits;
  words[kStatus] = exchange->status;
  words[kElapsedUs] = FrontEndBatch::Capped(exchange->first_byte_us);
  words[kConnectUs] = FrontEndBatch::Capped(exchange->connect_us);
  words[kGrpcStatus] = exchange->grpc_status;
  words[kReason] = static_cast<int32_t>(exchange->end);
  FrontEndBatch::PutLong(words, kToClientLow, exchange->bytes_to_client);
  FrontEndBatch::PutLong(words, kFromClientLow, exchange->bytes_from_client);
  PutFacts(words, std::move(exchange->facts));
  return true;
}

bool FrontEnd::PutEnded(ClientExchange* exchange) {
  if (batch_.is_full() || !HasRoomFor(exchange->hedge->ended->facts.get())) return false;
  const std::unique_ptr<EndedAttempt> ended = std::move(exchange->hedge->ended);
  const EventType type = ended->status == 0 ? EventType::kAttemptFailed : EventType::kResponseAsked;
  int32_t* const words = batch_.Add(type, exchange->id, exchange->listener);
  words[kFlags] = ended->flags | event_flag::kOngoing;
  words[kStatus] = ended->status;
  words[kElapsedUs] = FrontEndBatch::Capped(ended->elapsed_us);
  words[kConnectUs] = FrontEndBatch::Capped(ended->connect_us);
  words[kReason] = ended->failure;
  words[kErrno] = ended->failure_errno;
  PutFacts(words, std::move(ended->facts));
  return true;
}

bool FrontEnd::PutAsked(ClientExchange* exchange) {
  AskedResponse* const asked = exchange->asked.get();
  if (asked != nullptr) {
    if (batch_.is_full() || !HasRoomFor(asked->facts.get())) return false;
    exchange->batch_place = static_cast<uint32_t>(batch_.count());
    int32_t* const words = batch_.Add(EventType::kResponseAsked, exchange->id, exchange->listener);
    words[kFlags] = asked->flags;
    words[kStatus] = asked->head.status;
    words[kElapsedUs] = FrontEndBatch::Capped(asked->elapsed_us);
    words[kConnectUs] = FrontEndBatch::Capped(asked->connect_us);
    PutFacts(words, std::move(asked->facts));
  }
  exchange->has_asked_notice = false;
  return true;
}

bool FrontEnd::HasRoomFor(const EndpointFacts* facts) const {
  // Each begins on a boundary of the arena.
  return facts == nullptr || batch_.free_bytes() >= facts->retry_after.size() +
                                                        facts->report.size() +
                                                        2 * FrontEndBatch::kAlignment;
}

void FrontEnd::PutFacts(int32_t* words, std::unique_ptr<EndpointFacts> facts) {
  if (facts == nullptr) return;
  batch_.PutText(words, kRetryAfterOffset, facts->retry_after);
  batch_.PutText(words, kReportOffset, facts->report);
}

void FrontEnd::PutFault(int32_t* words, const TlsFault& fault) {
  words[kTlsFailure] = static_cast<int32_t>(fault.failure);
  words[kTlsAlert] = fault.alert;
  words[kErrno] = fault.error_number;
  if (batch_.free_bytes() >= fault.verify_error.size() + FrontEndBatch::kAlignment)
    batch_.PutText(words, kReportOffset, fault.verify_error);
}

void FrontEnd::PutConnectionEvent(ClientConnection* connection) {
  const bool is_closed = connection->state == ConnectionState::kClosed;
  const EventType type = is_closed ? EventType::kClosed : EventType::kOpened;
  int32_t* const words = batch_.Add(type, connection->number, connection->listener);
  l4::PutAddress(connection->client, words + kPeer0);
  if (is_closed) {
    words[kReason] = static_cast<int32_t>(connection->end);
    if (connection->tls_fault != nullptr) PutFault(words, *connection->tls_fault);
    if (connection->end == ClientEnd::kHttp2Error || connection->end == ClientEnd::kHttp2Flood) {
      words[kFloodKind] = connection->http2_flood;
      words[kErrno] = static_cast<int32_t>(connection->http2_error);
    }
    return GiveConnection(connection);
  }
  words[kDecision] = kRefuseConnection;
  connection->is_admitted = true;  // is to be decided by this event
  if (connection->preface == nullptr || !connection->preface->is_proxied()) return;
  words[kFlags] = event_flag::kProxied;
  l4::PutAddress(connection->preface->source(), words + kClaimed0);
}

}  // namespace sluice::frontend
