// The engine's calls, its turn, and how sessions begin and end.
#include "l4/session_engine.h"

#include <sys/random.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace sluice::l4 {

SessionEngine::SessionEngine(EventLoop* loop, SessionBatchMemory memory, SessionBatchSink* sink,
                             std::shared_ptr<Mailbox> mailbox)
    : loop_(loop),
      sink_(sink),
      mailbox_(std::move(mailbox)),
      batch_(memory),
      sessions_(loop, this) {
  // Cannot fail for so few bytes once the machine has started; were it to, ids would still differ
  // within the engine.
  (void)!::getrandom(&unique_id_[0], sizeof unique_id_[0], GRND_NONBLOCK);
  loop_->AddTask(this);
  if (mailbox_ != nullptr) start_error_ = loop_->Watch(mailbox_->wake_fd(), EPOLLIN, this);
}

SessionEngine::~SessionEngine() {
  Close();
}

// --- listeners and endpoints ---

void SessionEngine::OpenListener(int32_t listener, const SessionListenerSettings& settings) {
  const auto place = static_cast<size_t>(listener);
  if (listeners_.size() <= place) listeners_.resize(place + 1);
  listeners_[place] = settings;
  if (handshakes_.size() <= place) handshakes_.resize(place + 1);
}

bool SessionEngine::OpenEndpoint(int32_t slot, std::vector<Address> addresses,
                                 const SessionEndpointSettings& settings) {
  const auto place = static_cast<size_t>(slot);
  if (is_closed_) return false;
  if (endpoints_.size() <= place) endpoints_.resize(place + 1);
  // Sessions that are connecting go on with what they began with.
  const std::shared_ptr<SessionEndpoint> former = endpoints_[place];
  auto endpoint = std::make_shared<SessionEndpoint>(std::move(addresses), settings);
  if (former != nullptr && *former->addresses() == *endpoint->addresses())
    endpoint->Prefer(endpoint->addresses(), former->preferred());
  endpoints_[place] = std::move(endpoint);
  return true;
}

bool SessionEngine::SetAddresses(int32_t slot, std::vector<Address> addresses) {
  const std::shared_ptr<SessionEndpoint> endpoint = FindEndpoint(slot);
  if (endpoint == nullptr) return false;
  // A name resolved anew, to the same: the address that accepted last stays the preferred one.
  if (*endpoint->addresses() != addresses) endpoint->SetAddresses(std::move(addresses));
  return true;
}

void SessionEngine::CloseEndpoint(int32_t slot) {
  if (FindEndpoint(slot) != nullptr) endpoints_[static_cast<size_t>(slot)] = nullptr;
}

std::shared_ptr<SessionEndpoint> SessionEngine::FindEndpoint(int32_t slot) const {
  const auto place = static_cast<size_t>(slot);
  return slot >= 0 && place < endpoints_.size() ? endpoints_[place] : nullptr;
}

// --- calls ---

void SessionEngine::CloseSession(int32_t session) {
  Session* const found = sessions_.Find(session);
  if (found == nullptr || is_closed_) return;
  if (found->state == SessionState::kFree || found->state == SessionState::kEnded) return;
  loop_->Refresh();
  End(found, SessionEnd::kClosed, 0);
  if (is_delivering_) batch_.Withdraw(session);
}

SessionEngineStats SessionEngine::stats() const {
  SessionEngineStats stats;
  stats.sessions = open_sessions_;
  stats.queued = mailbox_ == nullptr || is_closed_ ? 0 : mailbox_->queued();
  stats.handshakes = gate_.in_progress();
  stats.endpoint_connections = endpoint_connections_;
  stats.held_bytes = relay_.held_bytes();
  stats.pipes = relay_.pipes().count();
  stats.splicing = relay_.splicing();
  stats.opened = opened_;
  stats.dropped = dropped_;
  stats.bytes_from_clients = bytes_from_clients_;
  stats.bytes_to_clients = bytes_to_clients_;
  return stats;
}

void SessionEngine::Close() {
  if (is_closed_) return;
  is_closed_ = true;
  sessions_.ForEach([this](Session* session) {
    if (session->state != SessionState::kFree && session->state != SessionState::kEnded) {
      GiveBack(session, true, true);
    }
    session->ListHook<SessionNoticeTag>::Unlink();
    session->Clear();
  });
  relay_.pipes().Clear();
  if (mailbox_ != nullptr) {
    mailbox_->OnEnded(std::exchange(ended_mail_, 0));
    loop_->Unwatch(mailbox_->wake_fd());
    mailbox_->Leave();
  }
  loop_->RemoveTask(this);
}

// --- the turn ---

bool SessionEngine::HasWork() const {
  if (!ready_.empty() || !notices_.empty()) return true;
  return mailbox_ != nullptr && !mailbox_->FallAsleep();
}

void SessionEngine::OnReady() {
  if (mailbox_ != nullptr) {
    mailbox_->Take(&mail_);
    for (Accepted& accepted : mail_)
      OpenSession(std::move(accepted), true);
    mail_.clear();
  }
  // Each session once a turn: who has more to move waits until the others have had theirs.
  IntrusiveList<Session, SessionReadyTag> turn;
  turn.TakeAll(ready_);
  while (Session* const session = turn.PopFront())
    HandleReady(session);
}

void SessionEngine::OnTurnEnd() {
  for (int batches = 0; batches < kBatchesPerTurn && !notices_.empty(); ++batches) {
    WriteNotices();
    Deliver();
    if (is_closed_) return;
  }
  if (mailbox_ != nullptr && ended_mail_ > 0) mailbox_->OnEnded(std::exchange(ended_mail_, 0));
}

void SessionEngine::OnPairReady(RelayPair* pair) {
  auto* const session = static_cast<Session*>(pair);
  if (!session->ListHook<SessionReadyTag>::is_linked()) ready_.PushBack(session);
}

void SessionEngine::HandleReady(Session* session) {
  switch (session->state) {
    case SessionState::kFree:
    case SessionState::kEnded:
      break;
    case SessionState::kPreface:
      ReadPreface(session);
      break;
    case SessionState::kHandshake:
      session->client.tls == nullptr ? ReadHello(session) : ContinueHandshake(session);
      break;
    case SessionState::kUndecided:
      EndIfClientBroken(session);
      break;
    case SessionState::kConnecting:
      if (!EndIfClientBroken(session)) ContinueConnect(session);
      break;
    case SessionState::kEndpointHandshake:
      if (!EndIfClientBroken(session)) ContinueEndpointHandshake(session);
      break;
    case SessionState::kRelaying:
      RelayBothWays(session);
      break;
  }
}

void SessionEngine::OnSessionTimer(Session* session, uint64_t now_ms) {
  switch (session->state) {
    case SessionState::kFree:
    case SessionState::kEnded:
    case SessionState::kUndecided:
      break;
    case SessionState::kPreface:
      End(session, SessionEnd::kPrefaceTimeout, 0);
      break;
    case SessionState::kHandshake:
      if (now_ms < session->handshake->until_ms)
        return ArmBy(session, session->handshake->until_ms);
      CountHandshake(*session, tls::HandshakeEnd::kTimeout);
      End(session, SessionEnd::kTlsTimeout, 0);
      break;
    case SessionState::kConnecting:
      ContinueConnect(session);
      break;
    case SessionState::kEndpointHandshake:
      if (now_ms < session->handshake->until_ms)
        return ArmBy(session, session->handshake->until_ms);
      FailConnect(session, ConnectFailure::kTimeout, ETIMEDOUT);
      break;
    case SessionState::kRelaying: {
      SetKeepAlive(session->endpoint.fd.get(), std::exchange(session->keep_alive, {}));
      const uint64_t deadline_ms = SilenceDeadlineMs(session);
      if (now_ms < deadline_ms) return ArmBy(session, deadline_ms);
      const bool has_one_finished = session->from_client.has_ended || session->to_client.has_ended;
      End(session, has_one_finished ? SessionEnd::kLingerTimeout : SessionEnd::kIdleTimeout, 0);
      break;
    }
  }
}

uint64_t SessionEngine::SilenceDeadlineMs(const Session* session) {
  const bool has_one_finished = session->from_client.has_ended || session->to_client.has_ended;
  return session->moved_at_ms +
         (has_one_finished ? session->linger_timeout_ms : session->idle_timeout_ms);
}

void SessionEngine::ArmBy(Session* session, uint64_t at_ms) {
  // A timer that fires too early is armed again then: cheaper than moving it with every byte.
  if (!session->is_armed() || session->expires_at_ms() > at_ms) loop_->timers().Arm(session, at_ms);
}

// --- beginning ---

void SessionEngine::OnAccepted(Accepted* accepted, size_t count) {
  if (is_closed_) return;
  for (size_t index = 0; index < count; ++index)
    OpenSession(std::move(accepted[index]), false);
}

// --- ending ---

void SessionEngine::End(Session* session, SessionEnd end, int error_number) {
  // Whoever broke the connection needs no reset; whoever was refused in the handshake is to read
  // why.
  const bool is_clean = end == SessionEnd::kClean;
  GiveBack(session, !is_clean && end != SessionEnd::kClientReset && end != SessionEnd::kTlsFailed,
           !is_clean && end != SessionEnd::kEndpointReset);
  session->state = SessionState::kEnded;
  session->end = end;
  session->error_number = error_number;
  session->ended_at_us = loop_->now_us();
  session->has_opened_notice = session->has_failed_notice = false;
  Notice(session);
}

void SessionEngine::GiveBack(Session* session, bool resets_client, bool resets_endpoint) {
  LeaveGate(session);
  session->client.Close(loop_, resets_client);
  CloseEndpointSide(session, resets_endpoint && session->was_connected);
  relay_.Release(&session->from_client);
  relay_.Release(&session->to_client);
  session->preface.reset();
  session->target.reset();
  session->connector.DropAddresses();
  loop_->timers().Cancel(session);
  session->ListHook<SessionReadyTag>::Unlink();
  if (session->came_by_mail) ++ended_mail_;
  --open_sessions_;
}

void SessionEngine::CloseEndpointSide(Session* session, bool with_reset) {
  if (session->endpoint.fd.is_open()) --endpoint_connections_;
  session->endpoint.Close(loop_, with_reset);
}

// --- reporting ---

void SessionEngine::Notice(Session* session) {
  if (!session->ListHook<SessionNoticeTag>::is_linked()) notices_.PushBack(session);
}

void SessionEngine::WriteNotices() {
  while (Session* const session = notices_.front()) {
    if (!WriteNoticesOf(session)) return;
    session->ListHook<SessionNoticeTag>::Unlink();
    if (session->state != SessionState::kEnded) continue;
    session->Clear();
    sessions_.Give(session);
  }
}

bool SessionEngine::WriteNoticesOf(Session* session) {
  const auto place = static_cast<uint32_t>(batch_.count());
  if (session->has_opened_notice) {
    if (!batch_.AddOpened(*session)) return false;
    session->has_opened_notice = false;
    session->was_opened = true;
    session->batch_place = place;
    ++opened_;
  }
  if (session->has_failed_notice) {
    if (!batch_.AddConnectFailed(*session)) return false;
    session->has_failed_notice = false;
    session->batch_place = place;
  }
  if (session->has_connected_notice) {
    if (!batch_.AddConnected(*session)) return false;
    session->has_connected_notice = false;
  }
  return session->state != SessionState::kEnded || batch_.AddEnded(*session);
}

void SessionEngine::Deliver() {
  const size_t count = batch_.count();
  is_delivering_ = true;
  sink_->OnBatch(count);
  is_delivering_ = false;
  if (is_closed_) return;
  // The batch may have taken long: what follows counts its times from now on.
  loop_->Refresh();
  for (size_t place = 0; place < count; ++place)
    Decide(place);
  batch_.Empty();
}

void SessionEngine::Decide(size_t place) {
  const auto decision = batch_.DecisionAt(place);
  if (!decision) return;
  Session* const session = sessions_.Find(decision->session);
  // The sink may have closed it since.
  if (session == nullptr || session->state != SessionState::kUndecided) return;
  if (session->batch_place != place) return;
  if (decision->is_opening) session->is_believed = decision->is_believed;
  if (decision->slot == kLater) {
    session->is_put_off = true;
    return;
  }
  Follow(session, decision->slot);
}

void SessionEngine::DecideLate(int32_t number, int32_t slot) {
  Session* const session = is_closed_ ? nullptr : sessions_.Find(number);
  if (session == nullptr || session->state != SessionState::kUndecided) return;
  if (!std::exchange(session->is_put_off, false)) return;
  loop_->Refresh();
  Follow(session, slot);
}

void SessionEngine::Follow(Session* session, int32_t slot) {
  if (slot < 0) return End(session, SessionEnd::kRefused, 0);
  BeginConnect(session, slot);
}

}  // namespace sluice::l4
