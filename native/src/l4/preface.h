// What a client says before its session is opened: PROXY header and ClientHello.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "l4/accepted.h"
#include "l4/client_hello.h"
#include "l4/proxy_header.h"
#include "l4/session_event.h"

namespace sluice::l4 {

/// Collects a preface and keeps what it said. Bytes of the PROXY header are consumed; all others
/// are the endpoint's, or, where sessions are decrypted, the first of TLS.
class Preface {
 public:
  Preface(bool reads_proxy_header, bool reads_client_hello)
      : needs_proxy_header_(reads_proxy_header), needs_client_hello_(reads_client_hello) {}

  /// How many more bytes may be read.
  size_t free_bytes() const;
  /// Takes what came. @returns kNone while more is needed or all is there (is_complete), else why
  /// the session ends
  SessionEnd Add(std::string_view received);
  bool is_complete() const { return !needs_proxy_header_ && !needs_client_hello_; }

  /// Bytes for the endpoint.
  std::string_view bytes() const { return bytes_; }
  /// The header named addresses.
  bool is_proxied() const { return is_proxied_; }
  const PeerAddress& source() const { return source_; }
  const PeerAddress& destination() const { return destination_; }
  /// What the header's TLVs said; empty where they did not.
  const std::string& authority() const { return authority_; }
  const std::string& alpn() const { return alpn_; }
  const std::string& unique_id() const { return unique_id_; }
  const ClientHello& hello() const { return hello_; }
  /// What a handshake has come to stands for what a ClientHello offers; its bytes are gone.
  void SetHello(ClientHello hello) {
    hello_ = std::move(hello);
    bytes_.clear();
  }

 private:
  SessionEnd ReadProxyHeader();
  SessionEnd ReadClientHello();

  bool needs_proxy_header_;
  bool needs_client_hello_;
  bool is_proxied_ = false;
  std::string bytes_;
  PeerAddress source_;
  PeerAddress destination_;
  std::string authority_;
  std::string alpn_;
  std::string unique_id_;
  ClientHello hello_;
};

}  // namespace sluice::l4
