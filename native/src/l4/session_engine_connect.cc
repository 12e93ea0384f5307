// How a session gets its endpoint: connecting, and the first bytes.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "l4/peer_address.h"
#include "l4/session_engine.h"

namespace sluice::l4 {

namespace {

/// Keep-alive is set after half of the silence that it allows before its first probe.
constexpr uint64_t kKeepAliveSetMsPerIdleS = 500;

ConnectFailure FailureFor(int error_number) {
  if (IsDescriptorShortage(error_number)) return ConnectFailure::kFileLimit;
  const bool was_silent = error_number == ETIMEDOUT || error_number == EAGAIN;
  return was_silent ? ConnectFailure::kTimeout : ConnectFailure::kRefused;
}

/// The protocol of a ClientHello's list where it offers exactly one: then it is the one that will
/// be spoken.
std::string_view OnlyProtocol(std::string_view alpn) {
  if (alpn.empty() || static_cast<uint8_t>(alpn.front()) != alpn.size() - 1) return {};
  return alpn.substr(1);
}

}  // namespace

void SessionEngine::BeginConnect(Session* session, int32_t slot) {
  session->state = SessionState::kConnecting;
  session->connect_began_at_us = loop_->now_us();
  session->target = FindEndpoint(slot);
  if (session->target == nullptr || session->target->addresses()->empty())
    return FailConnect(session, ConnectFailure::kNoAddress, 0);
  const SessionEndpointSettings& settings = session->target->settings();
  ConnectOptions options;
  options.until_ms = loop_->now_ms() + settings.connect_timeout_ms;
  options.has_no_delay = settings.tls != nullptr;  // else Relay sets it where it matters
  options.waits_for_descriptors = true;
  session->endpoint.signs = 0;
  const ConnectStep step =
      session->connector.Begin(session->target->addresses(), session->target->preferred(), options);
  if (session->endpoint.fd.is_open()) ++endpoint_connections_;
  OnConnectStep(session, step);
}

void SessionEngine::ContinueConnect(Session* session) {
  const bool had_socket = session->endpoint.fd.is_open();
  const ConnectStep step = session->connector.Continue(&session->endpoint.signs);
  if (had_socket) --endpoint_connections_;
  if (session->endpoint.fd.is_open()) ++endpoint_connections_;
  OnConnectStep(session, step);
}

void SessionEngine::OnConnectStep(Session* session, ConnectStep step) {
  switch (step) {
    case ConnectStep::kConnected:
      return OnConnected(session);
    case ConnectStep::kInProgress:
      return ArmBy(session, session->connector.attempt_deadline_ms());
    case ConnectStep::kFailed:
      return FailConnect(session, FailureFor(session->connector.error()),
                         session->connector.error());
  }
}

uint64_t SessionEngine::ConnectUs(const Session& session) const {
  // The clock stands still within a turn: what succeeds on the spot takes a microsecond.
  return std::max<uint64_t>(loop_->now_us() - session.connect_began_at_us, 1);
}

void SessionEngine::FailConnect(Session* session, ConnectFailure failure, int error_number) {
  CloseEndpointSide(session, false);
  session->target.reset();
  session->connector.DropAddresses();
  session->state = SessionState::kUndecided;
  session->failure = failure;
  session->error_number = error_number;
  session->connect_us = ConnectUs(*session);
  session->has_failed_notice = true;
  Notice(session);
}

void SessionEngine::OnConnected(Session* session) {
  if (session->target->settings().tls != nullptr) return BeginEndpointHandshake(session);
  StartRelay(session);
}

// --- TLS with the endpoint ---

void SessionEngine::BeginEndpointHandshake(Session* session) {
  const SessionEndpointSettings& settings = session->target->settings();
  // It names the connection to whoever reads it before TLS begins (proxy-protocol.txt section 2).
  if (settings.proxy_header != 0 && !SendProxyHeader(session, settings.proxy_header))
    return FailConnect(session, ConnectFailure::kRefused, PendingError(session->endpoint.fd.get()));
  session->handshake = std::make_unique<SessionHandshake>();
  session->handshake->until_ms = session->connect_began_at_us / 1000 + settings.connect_timeout_ms;
  std::vector<std::string> protocols;
  if (session->is_decrypted && !session->client.tls->protocol().empty())
    protocols.emplace_back(session->client.tls->protocol());
  Side& endpoint = session->endpoint;
  endpoint.tls = settings.tls->Connect(endpoint.fd.get(), settings.tls_server_name,
                                       settings.tls_session_key, protocols);
  if (endpoint.tls == nullptr) return FailConnect(session, ConnectFailure::kTls, 0);
  session->state = SessionState::kEndpointHandshake;
  ArmBy(session, session->handshake->until_ms);
  ContinueEndpointHandshake(session);
}

bool SessionEngine::SendProxyHeader(Session* session, int version) {
  std::array<char, kMaxWrittenProxyHeaderBytes> header;
  const size_t header_bytes = WriteProxyHeaderFor(*session, version, header.data());
  // There is room for it in any new socket.
  return Send(session->endpoint.fd.get(), header.data(), header_bytes).bytes == header_bytes;
}

void SessionEngine::ContinueEndpointHandshake(Session* session) {
  const tls::Channel& channel = *session->endpoint.tls;
  switch (session->endpoint.Handshake()) {
    case tls::HandshakeStep::kDone:
      return StartRelay(session);
    case tls::HandshakeStep::kWaiting:
      return;
    case tls::HandshakeStep::kFailed:
      NoteFailure(channel, session->handshake.get());
      return FailConnect(session, ConnectFailure::kTls, channel.error_number());
  }
}

// --- the first bytes ---

void SessionEngine::StartRelay(Session* session) {
  const Connector& connector = session->connector;
  const size_t address = connector.address();
  session->target->Prefer(connector.addresses(), address);
  const SessionEndpointSettings& settings = session->target->settings();
  const int proxy_header = settings.proxy_header;
  const bool is_unix = (*connector.addresses())[address].is_unix();
  const bool has_tls = session->endpoint.tls != nullptr;
  session->endpoint.Begin(is_unix, has_tls);
  session->keep_alive = is_unix ? KeepAlive{} : settings.keep_alive;
  session->target.reset();
  session->connector.DropAddresses();

  session->state = SessionState::kRelaying;
  session->was_connected = true;
  session->error_number = 0;
  session->connect_us = ConnectUs(*session);
  session->moved_at_ms = loop_->now_ms();
  session->has_connected_notice = true;
  Notice(session);

  relay_.Start(session, session->relay);

  ArmBy(session, SilenceDeadlineMs(session));
  if (session->keep_alive.idle_s > 0) {
    ArmBy(session, session->moved_at_ms +
                       static_cast<uint64_t>(session->keep_alive.idle_s) * kKeepAliveSetMsPerIdleS);
  }

  std::array<char, kMaxWrittenProxyHeaderBytes> header;
  FirstBytes first;
  if (proxy_header != 0 && !has_tls) {
    const size_t header_bytes = WriteProxyHeaderFor(*session, proxy_header, header.data());
    first.own = {header.data(), header_bytes};
  }
  const auto preface = std::exchange(session->preface, nullptr);
  if (preface != nullptr) first.kept = preface->bytes();
  RelayBothWays(session, first);
}

size_t SessionEngine::WriteProxyHeaderFor(const Session& session, int version, char* out) {
  ProxyHeader header;
  const Preface* const preface = session.preface.get();
  if (preface != nullptr && preface->is_proxied() && session.is_believed) {
    header.has_addresses = true;
    header.source = preface->source();
    header.destination = preface->destination();
    header.authority = preface->authority();
    header.alpn = preface->alpn();
    header.unique_id = preface->unique_id();
  } else if (!session.client.is_unix) {
    header.has_addresses = true;
    header.source = session.peer;
    header.destination = OwnAddressOf(session.client.fd.get());
  }
  if (preface != nullptr && header.authority.empty())
    header.authority = preface->hello().server_name;
  if (preface != nullptr && header.alpn.empty()) header.alpn = OnlyProtocol(preface->hello().alpn);
  std::array<char, sizeof unique_id_> unique_id;
  if (header.unique_id.empty()) {
    ++unique_id_[1];
    std::memcpy(unique_id.data(), unique_id_, sizeof unique_id_);
    header.unique_id = {unique_id.data(), unique_id.size()};
  }
  return WriteProxyHeader(version, header, out);
}

}  // namespace sluice::l4
