// Counts handshakes in progress, and tells their ends apart.
#include "tls/handshake_gate.h"

namespace sluice::tls {

bool HandshakeGate::Enter(const l4::PeerAddress& client, const HandshakeLimits& limits) {
  if (limits.handshakes > 0 && in_progress_ >= limits.handshakes) return false;
  if (client != l4::PeerAddress{}) {
    uint32_t& of_client = by_client_[client.ip];
    if (limits.handshakes_per_client > 0 && of_client >= limits.handshakes_per_client) return false;
    ++of_client;
  }
  ++in_progress_;
  return true;
}

void HandshakeGate::Leave(const l4::PeerAddress& client) {
  --in_progress_;
  const auto found = by_client_.find(client.ip);
  if (client != l4::PeerAddress{} && found != by_client_.end() && --found->second == 0)
    by_client_.erase(found);
}

void HandshakeGate::Clear() {
  in_progress_ = 0;
  by_client_.clear();
}

HandshakeEnd EndOf(const Channel& channel) {
  const bool is_resumed = channel.is_resumed();
  if (channel.version() == "TLSv1.3")
    return is_resumed ? HandshakeEnd::kTls13Resumed : HandshakeEnd::kTls13;
  return is_resumed ? HandshakeEnd::kTls12Resumed : HandshakeEnd::kTls12;
}

HandshakeEnd EndOf(TlsFailure failure) {
  constexpr auto kFirst = static_cast<uint8_t>(HandshakeEnd::kPeerLeft);
  return static_cast<HandshakeEnd>(kFirst + static_cast<uint8_t>(failure) - 1);
}

static_assert(static_cast<uint8_t>(HandshakeEnd::kOther) -
                      static_cast<uint8_t>(HandshakeEnd::kPeerLeft) ==
                  static_cast<uint8_t>(TlsFailure::kOther) -
                      static_cast<uint8_t>(TlsFailure::kPeerLeft),
              "failures stand in the order of TlsFailure");

}  // namespace sluice::tls
