// How connections speak HTTP/2: how sessions begin, read, write, wait and end.
#include <algorithm>
#include <string_view>
#include <utility>

#include "frontend/client_session.h"
#include "frontend/front_end.h"

namespace sluice::frontend {

namespace {

/// What HTTP/2 begins with where nobody has agreed on it before (RFC 9113 section 3.4).
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long the echo of a notice is waited for: longer than nearly all round trips.
constexpr uint64_t kNoticeMs = 1'000;

/// One turn writes at most so much of one connection.
constexpr size_t kWrittenPerTurnBytes = 1024 * 1024;

}  // namespace

// --- beginning ---

bool FrontEnd::MayBeSession(const ClientConnection& connection, std::string_view bytes) const {
  if (connection.requests > 0 || connection.stream != nullptr || !connection.is_plain() ||
      !ListenerOf(connection).settings.http2.is_clear_text) {
    return false;
  }
  return bytes.substr(0, kPreface.size()) == kPreface.substr(0, bytes.size());
}

bool FrontEnd::TakesPreface(ClientConnection* connection, std::string_view bytes) {
  if (!MayBeSession(*connection, bytes)) return false;
  const std::string kept(bytes);  // may lie with the connection
  if (kept.size() < kPreface.size()) {
    if (connection->unread != nullptr) connection->unread->bytes.Clear();
    KeepUnread(connection, kept);
    connection->unread->has_partial_head = true;  // nothing is to be done before more comes
    connection->unread->parser.Reset(ListenerOf(*connection).limits);
    OnConnectionReady(connection);
    return true;
  }
  connection->unread.reset();
  BeginSession(connection, kept);
  return true;
}

void FrontEnd::BeginSession(ClientConnection* connection, std::string_view received) {
  const ListenerSettings& settings = ListenerOf(*connection).settings;
  http2::ServerLimits limits = settings.http2.limits;
  limits.head_bytes = settings.head_bytes;
  connection->state = ConnectionState::kSession;
  connection->session = std::make_unique<ClientSession>(
      connection, limits, static_cast<http2::ServerSessionSink*>(this), &answer_fields_,
      loop_->now_ms());
  ++sessions_;
  WriteLater(connection->session.get());
  if (!received.empty()) (void)connection->session->Receive(received, loop_->now_ms());
  HeedSession(connection);
  OnConnectionReady(connection);
}

// --- reading ---

bool FrontEnd::IsSessionReady(const ClientConnection& connection) const {
  const ClientSession& session = *connection.session;
  if (connection.is_broken()) return true;
  if (connection.is_writable() && (!session.out().empty() || connection.HasUnsent())) return true;
  // A client that takes nothing is not heard either.
  return connection.is_readable() && session.out().size() < http2::ServerSession::kMostOutBytes;
}

void FrontEnd::ReadSession(ClientConnection* connection) {
  ClientSession* const session = connection->session.get();
  if (connection->is_broken()) return CloseConnection(connection, ClientEnd::kGone, false);
  if (!session->out().empty() || connection->HasUnsent()) WriteLater(session);
  if (connection->is_readable() && session->out().size() < http2::ServerSession::kMostOutBytes) {
    const IoResult got = Read(connection, window_.get(), kBodyWindowBytes);
    if (!got.would_block()) {
      if (got.error != 0 || got.bytes == 0) {
        const bool is_idle = session->streams.empty();
        return CloseConnection(connection, is_idle ? ClientEnd::kDelivered : ClientEnd::kGone,
                               false);
      }
      (void)session->Receive({window_.get(), got.bytes}, loop_->now_ms());
      WriteLater(session);
    }
  }
  HeedSession(connection);
  OnConnectionReady(connection);  // with more to read, it comes again next turn
}

void FrontEnd::HeedSession(ClientConnection* connection) {
  ClientSession* const session = connection->session.get();
  counts_[connection->listener].refused_streams += session->TakeRefusedStreams();
  const ListenerEdition& listener = ListenerOf(*connection);
  const uint32_t most = listener.settings.requests_per_connection;
  if (is_draining_ || listener.is_closing || (most > 0 && connection->requests >= most))
    LeaveSession(session, ClientEnd::kDelivered);
  const bool is_known =
      session->is_notice_answered() || loop_->now_ms() >= session->notice_until_ms;
  if (session->is_leaving && is_known && !std::exchange(session->refuses_streams, true)) {
    session->RefuseStreams();
    WriteLater(session);
  }
  ArmSession(connection);
}

void FrontEnd::LeaveSession(ClientSession* session, ClientEnd end) {
  if (std::exchange(session->is_leaving, true)) return;
  session->leaves_for = end;
  session->notice_until_ms = loop_->now_ms() + kNoticeMs;
  session->GiveNotice();
  WriteLater(session);
  ArmSession(session->wire);
}

// --- writing ---

void FrontEnd::WriteLater(ClientSession* session) {
  if (!session->ListHook<SessionWriteTag>::is_linked()) to_write_.PushBack(session);
}

void FrontEnd::WriteSessions() {
  while (ClientSession* const session = to_write_.PopFront()) {
    ClientConnection* const connection = session->wire;
    WriteSession(session);
    const bool has_failed = session->end() != http2::SessionEnd::kNone;
    const bool is_written = session->out().empty() && !connection->HasUnsent();
    if (has_failed || (session->IsOver() && is_written)) {
      EndSession(connection);
    } else {
      ArmSession(connection);
    }
  }
}

void FrontEnd::WriteSession(ClientSession* session) {
  ClientConnection* const connection = session->wire;
  http2::FrameBuffer& out = session->out();
  if (connection->HasUnsent()) {
    const IoResult flushed = connection->carrier->Flush();
    if (flushed.error != 0 && !flushed.would_block()) return connection->Signal(EPOLLERR);
    if (flushed.bytes > 0) session->written_at_ms = loop_->now_ms();
  }
  for (size_t written = 0; !connection->HasUnsent();) {
    session->Pump();
    if (out.empty() || written >= kWrittenPerTurnBytes) break;
    const std::string_view bytes = out.view();
    const IoResult sent = connection->Send(bytes.data(), bytes.size());
    if (sent.error != 0 && !sent.would_block()) return connection->Signal(EPOLLERR);
    if (sent.bytes > 0) session->written_at_ms = loop_->now_ms();
    written += sent.bytes;
    bytes_to_clients_ += sent.bytes;
    out.DropFront(sent.bytes);
    if (!out.empty()) break;
  }
  if (!out.empty() || connection->HasUnsent()) {
    connection->signs &= ~uint32_t{EPOLLOUT};  // until the next edge
  } else if (session->streams.empty()) {
    out.Free();
  }
  // What was not read while too much lay here.
  OnConnectionReady(connection);
}

// --- time ---

void FrontEnd::ArmSession(ClientConnection* connection) {
  if (connection->state != ConnectionState::kSession) return;
  const ClientSession& session = *connection->session;
  const ListenerSettings& settings = ListenerOf(*connection).settings;
  const auto behind = [](uint64_t at_ms, uint64_t timeout_ms) {
    return at_ms == UINT64_MAX ? UINT64_MAX : at_ms + timeout_ms;
  };
  uint64_t deadline_ms = behind(session.head_began_at_ms(), settings.request_head_timeout_ms);
  if (settings.http2.limits.ack_timeout_ms > 0) {
    deadline_ms = std::min(
        deadline_ms, behind(session.settings_sent_at_ms(), settings.http2.limits.ack_timeout_ms));
  }
  if (!session.out().empty() || connection->HasUnsent())
    deadline_ms = std::min(deadline_ms, session.written_at_ms + settings.write_stall_timeout_ms);
  if (session.is_leaving) {
    if (!session.refuses_streams) deadline_ms = std::min(deadline_ms, session.notice_until_ms);
  } else if (session.streams.empty()) {
    const bool is_new = connection->requests == 0;
    deadline_ms =
        std::min(deadline_ms, session.idle_since_ms + (is_new ? settings.request_head_timeout_ms
                                                              : settings.keep_alive_timeout_ms));
  }
  ArmAt(connection, deadline_ms);
}

void FrontEnd::OnSessionTimer(ClientConnection* connection, uint64_t now_ms) {
  ClientSession* const session = connection->session.get();
  const ListenerSettings& settings = ListenerOf(*connection).settings;
  const bool holds_output = !session->out().empty() || connection->HasUnsent();
  if (holds_output && now_ms >= session->written_at_ms + settings.write_stall_timeout_ms)
    return CloseConnection(connection, ClientEnd::kStalled, true);
  const auto is_over = [now_ms](uint64_t at_ms, uint64_t timeout_ms) {
    return at_ms != UINT64_MAX && now_ms >= at_ms + timeout_ms;
  };
  if (is_over(session->head_began_at_ms(), settings.request_head_timeout_ms)) {
    session->Terminate(NGHTTP2_PROTOCOL_ERROR);
  } else if (settings.http2.limits.ack_timeout_ms > 0 &&
             is_over(session->settings_sent_at_ms(), settings.http2.limits.ack_timeout_ms)) {
    session->Terminate(NGHTTP2_SETTINGS_TIMEOUT);
  } else if (!session->is_leaving && session->streams.empty()) {
    const bool is_new = connection->requests == 0;
    const uint64_t timeout_ms =
        is_new ? settings.request_head_timeout_ms : settings.keep_alive_timeout_ms;
    if (is_over(session->idle_since_ms, timeout_ms)) LeaveSession(session, ClientEnd::kIdle);
  }
  WriteLater(session);
  HeedSession(connection);
}

// --- ending ---

void FrontEnd::EndSession(ClientConnection* connection) {
  ClientSession* const session = connection->session.get();
  ClientEnd end = session->leaves_for;
  if (session->end() == http2::SessionEnd::kError) end = ClientEnd::kHttp2Error;
  if (session->end() == http2::SessionEnd::kFlood) end = ClientEnd::kHttp2Flood;
  connection->http2_error = session->error_code();
  connection->http2_flood = static_cast<uint8_t>(session->flood());
  DetachStreams(connection, ClientEnd::kGone);
  connection->end = end;
  Linger(connection);
}

void FrontEnd::DetachStreams(ClientConnection* connection, ClientEnd end) {
  const std::unique_ptr<ClientSession> session = std::move(connection->session);
  if (session == nullptr) return;
  --sessions_;
  while (ClientStream* const stream = session->streams.PopFront()) {
    stream->is_live = false;
    stream->wire = nullptr;
    static_cast<StreamCarrier*>(stream->carrier.get())->wire = nullptr;
    if (stream->exchange == nullptr) {
      GiveStream(stream);
    } else if (stream->state == ConnectionState::kTunnel && !stream->is_tunnel_over) {
      stream->Signal(EPOLLHUP);
    } else {
      Finish(stream->exchange, end);
    }
  }
}

}  // namespace sluice::frontend
