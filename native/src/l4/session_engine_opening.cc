// How a session begins: what its client says first, and TLS with it.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "l4/session_engine.h"

namespace sluice::l4 {

namespace {

/// First byte of all that TLS begins with: a record of type handshake (RFC 8446 section 5.1).
constexpr char kHandshakeRecord = 0x16;

}  // namespace

void SessionEngine::OpenSession(Accepted&& accepted, bool came_by_mail) {
  const auto place = static_cast<size_t>(accepted.listener);
  const bool is_known = place < listeners_.size() && listeners_[place].has_value();
  Session* const session = is_known ? sessions_.Take() : nullptr;
  if (session == nullptr) return Drop(std::move(accepted.fd), came_by_mail);
  const SessionListenerSettings& settings = *listeners_[place];
  session->Begin(std::move(accepted), settings);
  if (loop_->Watch(session->client.fd.get(), Side::kEvents, &session->client) != 0) {
    Drop(std::move(session->client.fd), came_by_mail);
    session->Clear();
    return sessions_.Give(session);
  }
  session->came_by_mail = came_by_mail;
  ++open_sessions_;
  if (session->preface == nullptr) return AfterPreface(session);
  session->state = SessionState::kPreface;
  ArmBy(session, FirstDeadlineMs(*session, settings.preface_timeout_ms));
}

uint64_t SessionEngine::FirstDeadlineMs(const Session& session, uint64_t timeout_ms) const {
  // It may have waited for this thread, or for another worker, longer than that. What it has said
  // meanwhile, the next wait tells.
  return std::max(session.accepted_at_us / 1000 + timeout_ms, loop_->now_ms() + 1);
}

void SessionEngine::Drop(UniqueFd fd, bool came_by_mail) {
  ResetOnClose(fd.get());
  ++dropped_;
  if (came_by_mail) ++ended_mail_;
}

void SessionEngine::ReadPreface(Session* session) {
  Preface& preface = *session->preface;
  Side& client = session->client;
  while (client.is_readable()) {
    const size_t room = std::min(preface.free_bytes(), Relay::kBufferBytes);
    const IoResult got = Receive(client.fd.get(), relay_.buffer(), room);
    if (got.would_block()) {
      client.signs &= ~uint32_t{EPOLLIN};
      return;
    }
    if (got.error != 0) return End(session, SessionEnd::kClientReset, got.error);
    if (got.bytes == 0) return End(session, SessionEnd::kPrefaceTimeout, 0);
    if (got.bytes < room && client.drains_by_short_read() && !client.has_finished()) {
      client.signs &= ~uint32_t{EPOLLIN};
    }
    const SessionEnd end = preface.Add({relay_.buffer(), got.bytes});
    if (end != SessionEnd::kNone) return End(session, end, 0);
    if (preface.is_complete()) return AfterPreface(session);
  }
}

void SessionEngine::AfterPreface(Session* session) {
  if (session->is_decrypted) return BeginHandshake(session);
  AskForDecision(session);
}

void SessionEngine::AskForDecision(Session* session) {
  session->state = SessionState::kUndecided;
  session->has_opened_notice = true;
  Notice(session);
}

// --- TLS with the client ---

void SessionEngine::BeginHandshake(Session* session) {
  const SessionListenerSettings& settings = *listeners_[static_cast<size_t>(session->listener)];
  session->state = SessionState::kHandshake;
  session->handshake = std::make_unique<SessionHandshake>();
  session->handshake->until_ms = FirstDeadlineMs(*session, settings.tls.handshake_timeout_ms);
  ArmBy(session, session->handshake->until_ms);
  // What came behind a PROXY header. Else the next wait tells.
  if (session->preface != nullptr && !session->preface->bytes().empty())
    AcceptTls(session, session->preface->bytes());
}

void SessionEngine::ReadHello(Session* session) {
  // OpenSSL's memory is spent on clients that have said something, and what they have said goes in
  // by one read.
  Side& client = session->client;
  if (!client.is_readable()) return;
  const IoResult got = client.Read(relay_.buffer(), Relay::kBufferBytes);
  if (got.would_block()) return;
  if (got.error != 0) return End(session, SessionEnd::kClientReset, got.error);
  // Who leaves without a word has not begun a handshake.
  if (got.bytes == 0) return End(session, SessionEnd::kClean, 0);
  AcceptTls(session, {relay_.buffer(), got.bytes});
}

void SessionEngine::AcceptTls(Session* session, std::string_view received) {
  const SessionListenerSettings& settings = *listeners_[static_cast<size_t>(session->listener)];
  if (received.front() != kHandshakeRecord)
    return FailHandshake(session, tls::TlsFailure::kNotTls, 0);
  if (!gate_.Enter(session->client_address(), settings.tls.limits)) {
    CountHandshake(*session, tls::HandshakeEnd::kLimit);
    return End(session, SessionEnd::kTlsLimit, 0);
  }
  session->is_at_gate = true;
  // Of a listener whose sessions are not to be decrypted any more, one that was accepted before.
  if (settings.tls.context != nullptr)
    session->client.tls = settings.tls.context->Accept(session->client.fd.get(), received);
  if (session->client.tls == nullptr) return FailHandshake(session, tls::TlsFailure::kOther, 0);
  ContinueHandshake(session);
}

void SessionEngine::ContinueHandshake(Session* session) {
  switch (session->client.Handshake()) {
    case tls::HandshakeStep::kWaiting:
      return;
    case tls::HandshakeStep::kDone:
      return OnHandshakeDone(session);
    case tls::HandshakeStep::kFailed: {
      const tls::Channel& channel = *session->client.tls;
      NoteFailure(channel, session->handshake.get());
      return FailHandshake(session, channel.failure(), channel.error_number());
    }
  }
}

void SessionEngine::FailHandshake(Session* session, tls::TlsFailure failure, int error_number) {
  session->handshake->failure = failure;
  CountHandshake(*session, tls::EndOf(failure));
  // The alert that says why is on its way: a reset would take it from the client.
  DropInput(session->client, relay_.buffer());
  End(session, SessionEnd::kTlsFailed, error_number);
}

void SessionEngine::OnHandshakeDone(Session* session) {
  const tls::Channel& channel = *session->client.tls;
  LeaveGate(session);
  CountHandshake(*session, tls::EndOf(channel));
  if (channel.protocol() == tls::kChallengeProtocol) {
    (void)session->client.FinishChannel();
    return End(session, SessionEnd::kClean, 0);
  }
  if (session->preface == nullptr) session->preface = std::make_unique<Preface>(false, false);
  ClientHello hello;
  hello.is_tls = true;
  hello.server_name = HostName(channel.server_name());
  if (const std::string_view protocol = channel.protocol(); !protocol.empty()) {
    hello.alpn.push_back(static_cast<char>(protocol.size()));
    hello.alpn.append(protocol);
  }
  session->preface->SetHello(std::move(hello));
  AskForDecision(session);
}

const tls::PeerCertificate* SessionEngine::ClientCertificate(int32_t id) const {
  const Session* const session = sessions_.Find(id);
  if (session == nullptr || session->client.tls == nullptr) return nullptr;
  const tls::PeerCertificate& certificate = session->client.tls->peer();
  return certificate.is_shown() ? &certificate : nullptr;
}

void SessionEngine::LeaveGate(Session* session) {
  if (std::exchange(session->is_at_gate, false)) gate_.Leave(session->client_address());
}

void SessionEngine::CountHandshake(const Session& session, tls::HandshakeEnd end) {
  handshakes_[static_cast<size_t>(session.listener)].Add(end);
}

tls::HandshakeCounts SessionEngine::handshakes(int32_t listener) const {
  const auto place = static_cast<size_t>(listener);
  return listener >= 0 && place < handshakes_.size() ? handshakes_[place] : tls::HandshakeCounts{};
}

void SessionEngine::NoteFailure(const tls::Channel& channel, SessionHandshake* handshake) {
  handshake->failure = channel.failure();
  handshake->alert = channel.alert();
  handshake->text = channel.verify_error();
}

}  // namespace sluice::l4
