// What a session is at its begin and at its end.
#include "l4/session.h"

#include <utility>

#include "l4/session_endpoint.h"

namespace sluice::l4 {

void Session::Begin(Accepted&& accepted, const SessionListenerSettings& settings) {
  listener = accepted.listener;
  peer = accepted.peer;
  accepted_at_us = accepted.accepted_at_us;
  relay = settings.relay;
  half_close = settings.half_close;
  idle_timeout_ms = settings.session_idle_timeout_ms;
  linger_timeout_ms = settings.linger_timeout_ms;
  client.fd = std::move(accepted.fd);
  client.signs = 0;
  client.Begin(peer == PeerAddress{}, true);
  is_decrypted = settings.tls.context != nullptr;
  const bool reads_client_hello = settings.reads_client_hello && !is_decrypted;
  if (settings.reads_proxy_header || reads_client_hello) {
    preface = std::make_unique<Preface>(settings.reads_proxy_header, reads_client_hello);
  }
}

void Session::Clear() {
  state = SessionState::kFree;
  came_by_mail = is_believed = was_opened = was_connected = is_put_off = false;
  is_decrypted = is_at_gate = false;
  has_opened_notice = has_failed_notice = has_connected_notice = false;
  end = SessionEnd::kNone;
  failure = ConnectFailure::kNone;
  error_number = 0;
  connect_us = 0;
  preface.reset();
  target.reset();
  handshake.reset();
  connector.DropAddresses();
  from_client = Direction{};
  to_client = Direction{};
}

}  // namespace sluice::l4
