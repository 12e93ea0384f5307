// How connections come to the front end, and how they leave it.
#include <algorithm>
#include <utility>

#include "frontend/front_end.h"

namespace sluice::frontend {

// --- beginning ---

void FrontEnd::OnAccepted(l4::Accepted* accepted, size_t count) {
  if (is_closed_) return;
  for (size_t index = 0; index < count; ++index)
    OpenConnection(std::move(accepted[index]), false);
}

void FrontEnd::OpenConnection(l4::Accepted&& accepted, bool came_by_mail) {
  const auto place = static_cast<size_t>(accepted.listener);
  const bool is_known = place < listeners_.size() && listeners_[place] != nullptr;
  if (!is_known || Room() == 0) return Drop(std::move(accepted.fd), came_by_mail);
  if (free_connections_.empty()) {
    const auto number = static_cast<int32_t>(connections_.size());
    connections_.push_back(
        std::make_unique<ClientConnection>(static_cast<ConnectionOwner*>(this), number));
    free_connections_.push_back(number);
  }
  ClientConnection* const connection =
      connections_[static_cast<size_t>(free_connections_.back())].get();
  connection->signs = 0;
  if (loop_->Watch(accepted.fd.get(), ClientConnection::kEvents, connection) != 0)
    return Drop(std::move(accepted.fd), came_by_mail);
  free_connections_.pop_back();
  ++open_connections_;
  ++accepted_;
  connection->fd = std::move(accepted.fd);
  connection->listener = static_cast<uint16_t>(accepted.listener);
  connection->end = ClientEnd::kDelivered;
  connection->came_by_mail = came_by_mail;
  connection->is_admitted = connection->is_trusted = false;
  connection->is_at_gate = connection->has_said_end = false;
  connection->accepted_low_ms = static_cast<uint32_t>(accepted.accepted_at_us / 1000);
  connection->client = accepted.peer;
  connection->is_unix = accepted.peer == l4::PeerAddress{};
  connection->requests = 0;
  const ListenerSettings& settings = listeners_[place]->settings;
  if (!settings.reads_proxy_header) return AskForAdmission(connection);
  connection->preface = std::make_unique<l4::Preface>(true, false);
  connection->state = ConnectionState::kPreface;
  // It may have waited for this thread, or for another worker, longer than that. What it has said
  // meanwhile, the next wait tells.
  ArmAt(connection, std::max(accepted.accepted_at_us / 1000 + settings.preface_timeout_ms,
                             loop_->now_ms() + 1));
}

void FrontEnd::Drop(UniqueFd fd, bool came_by_mail) {
  ResetOnClose(fd.get());
  ++dropped_;
  if (came_by_mail) ++ended_mail_;
}

void FrontEnd::ReadPreface(ClientConnection* connection) {
  l4::Preface& preface = *connection->preface;
  const IoResult got =
      Read(connection, window_.get(), std::min(preface.free_bytes(), kBodyWindowBytes));
  if (got.would_block()) return;
  if (got.error != 0) return CloseConnection(connection, ClientEnd::kGone, false);
  const bool is_bad =
      got.bytes == 0 || preface.Add({window_.get(), got.bytes}) != l4::SessionEnd::kNone;
  if (is_bad) return CloseConnection(connection, ClientEnd::kBadProxyHeader, true);
  if (preface.is_complete()) return AskForAdmission(connection);
  OnConnectionReady(connection);
}

void FrontEnd::AskForAdmission(ClientConnection* connection) {
  connection->state = ConnectionState::kOpening;
  connection->deadline_ms = UINT64_MAX;
  connection_notices_.PushBack(connection);
}

void FrontEnd::Admit(ClientConnection* connection, int32_t trust_bits) {
  connection->is_trusted = (trust_bits & trust::kForwarded) != 0;
  const std::unique_ptr<l4::Preface> preface = std::move(connection->preface);
  if (preface != nullptr && (trust_bits & trust::kProxyHeader) != 0 && preface->is_proxied())
    connection->client = preface->source();
  const std::string_view received = preface == nullptr ? std::string_view() : preface->bytes();
  if (ListenerOf(*connection).settings.tls.is_on) return BeginTls(connection, received);
  KeepUnread(connection, received);
  connection->state = ConnectionState::kReading;
  ArmAt(connection, loop_->now_ms() + ListenerOf(*connection).settings.request_head_timeout_ms);
  OnConnectionReady(connection);
}

// --- between requests ---

void FrontEnd::NextRequest(ClientConnection* connection) {
  const ListenerSettings& settings = ListenerOf(*connection).settings;
  connection->state = ConnectionState::kReading;
  if (connection->holds_input() || connection->is_readable()) {
    ArmAt(connection, loop_->now_ms() + settings.request_head_timeout_ms);
    OnConnectionReady(connection);
  } else {
    WaitForRequest(connection);
  }
}

void FrontEnd::WaitForRequest(ClientConnection* connection) {
  const ListenerEdition& listener = ListenerOf(*connection);
  if (is_draining_ || listener.is_closing)
    return CloseConnection(connection, ClientEnd::kDelivered, false);
  connection->unread.reset();
  ArmAt(connection, loop_->now_ms() + listener.settings.keep_alive_timeout_ms);
}

// --- ending ---

void FrontEnd::EndAfterAnswer(ClientConnection* connection, bool is_request_unread) {
  // A close with bytes unread is a reset, which may take the answer from the client. In front of a
  // client's end there may be some, too.
  const bool has_more = is_request_unread || connection->holds_input() || connection->is_readable();
  // What ends with the connection is whole for the client only with TLS's own end.
  const bool is_ended = connection->is_plain() || connection->carrier->FinishSending();
  if ((has_more || !is_ended) && !connection->is_broken()) return Linger(connection);
  CloseConnection(connection, ClientEnd::kDelivered, false);
}

void FrontEnd::Linger(ClientConnection* connection) {
  if (!connection->is_open()) return CloseConnection(connection, connection->end, false);
  connection->FinishSending();
  connection->state = ConnectionState::kLingering;
  connection->unread.reset();
  ArmAt(connection, loop_->now_ms() + kLingerMs);
  OnConnectionReady(connection);
}

void FrontEnd::CloseConnection(ClientConnection* connection, ClientEnd end, bool with_reset) {
  if (connection->session != nullptr)
    DetachStreams(connection, end == ClientEnd::kStalled ? end : ClientEnd::kGone);
  LeaveGate(connection);
  connection->Close(loop_, with_reset);
  loop_->timers().Cancel(connection);
  connection->ListHook<ConnectionReadyTag>::Unlink();
  connection->ListHook<ConnectionNoticeTag>::Unlink();
  connection->unread.reset();
  connection->preface.reset();
  if (connection->came_by_mail) ++ended_mail_;
  --open_connections_;
  connection->end = end;
  // Those whose TLS fails have been admitted.
  const bool is_told = connection->is_admitted || end == ClientEnd::kBadProxyHeader ||
                       end == ClientEnd::kPrefaceTimeout;
  connection->state = ConnectionState::kClosed;
  if (is_told) {
    connection_notices_.PushBack(connection);
  } else {
    GiveConnection(connection);
  }
}

void FrontEnd::GiveConnection(ClientConnection* connection) {
  connection->state = ConnectionState::kFree;
  connection->tls_fault.reset();
  free_connections_.push_back(connection->number);
}

// --- time ---

void FrontEnd::ArmAt(ClientConnection* connection, uint64_t deadline_ms) {
  connection->deadline_ms = deadline_ms;
  // A timer that fires too early is armed again then: cheaper than moving it with every request.
  if (deadline_ms == UINT64_MAX) return;
  if (!connection->is_armed() || deadline_ms < connection->expires_at_ms())
    loop_->timers().Arm(connection, deadline_ms);
}

void FrontEnd::OnConnectionTimer(ClientConnection* connection, uint64_t now_ms) {
  if (now_ms < connection->deadline_ms) return ArmAt(connection, connection->deadline_ms);
  switch (connection->state) {
    case ConnectionState::kFree:
    case ConnectionState::kOpening:
    case ConnectionState::kTunnel:
    case ConnectionState::kClosed:
      break;
    case ConnectionState::kPreface:
      CloseConnection(connection, ClientEnd::kPrefaceTimeout, true);
      break;
    case ConnectionState::kHandshaking:
      FailTls(connection, ClientEnd::kTlsTimeout, tls::HandshakeEnd::kTimeout);
      break;
    case ConnectionState::kReading:
      // Empty lines begin no request (RFC 9112 section 2.2): some clients send one behind a body.
      if (connection->holds_input() &&
          connection->unread->bytes.view().find_first_not_of("\r\n") != std::string_view::npos) {
        BeginFaulty(connection, http1::RequestFault::kHeadTimeout,
                    connection->unread->bytes.view());
      } else {
        CloseConnection(connection, ClientEnd::kIdle, false);
      }
      break;
    case ConnectionState::kSession:
      OnSessionTimer(connection, now_ms);
      break;
    case ConnectionState::kExchange:
      OnExchangeTimer(connection, now_ms);
      break;
    case ConnectionState::kLingering:
      if (connection->stream != nullptr) return LeaveStream(connection->stream);
      CloseConnection(connection, connection->end, false);
      break;
  }
}

void FrontEnd::ArmExchange(ClientConnection* connection) {
  const ClientExchange& exchange = *connection->exchange;
  const ListenerSettings& settings = exchange.edition->settings;
  uint64_t deadline_ms = UINT64_MAX;
  if (!exchange.is_taken()) deadline_ms = exchange.written_at_ms + settings.write_stall_timeout_ms;
  if (WantsBody(exchange)) {
    deadline_ms = std::min(deadline_ms, exchange.body_moved_at_ms + settings.body_idle_timeout_ms);
    if (settings.min_body_rate > 0)
      deadline_ms = std::min(deadline_ms, loop_->now_ms() + kRateLookMs);
  }
  ArmAt(connection, deadline_ms);
}

bool FrontEnd::IsBodyTooSlow(const ClientExchange& exchange, uint64_t now_ms) const {
  const ListenerSettings& settings = exchange.edition->settings;
  if (now_ms >= exchange.body_moved_at_ms + settings.body_idle_timeout_ms) return true;
  const uint64_t took_ms = now_ms - std::min(now_ms, exchange.body_began_at_ms);
  return took_ms > kRateGraceMs && exchange.body_bytes * 1000 < settings.min_body_rate * took_ms;
}

void FrontEnd::OnExchangeTimer(ClientConnection* connection, uint64_t now_ms) {
  ClientExchange* const exchange = connection->exchange;
  const ListenerSettings& settings = exchange->edition->settings;
  if (!exchange->is_taken() && !HasStreamMoved(exchange) &&
      now_ms >= exchange->written_at_ms + settings.write_stall_timeout_ms)
    return Finish(exchange, ClientEnd::kStalled);
  if (WantsBody(*exchange) && IsBodyTooSlow(*exchange, now_ms))
    return ReportFault(exchange, http1::RequestFault::kBodyTimeout);
  ArmExchange(connection);
}

}  // namespace sluice::frontend
