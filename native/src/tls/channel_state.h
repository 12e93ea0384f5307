// What a Channel is made of; for those who make one.
#pragma once

#include <memory>
#include <string>

#include "tls/channel.h"
#include "tls/failure.h"
#include "tls/handles.h"
#include "tls/server_edition.h"
#include "tls/session_store.h"
#include "tls/transport.h"

namespace sluice::tls {

/// The server's side until its handshake is done: callbacks of OpenSSL find it as the SSL's app
/// data.
struct ServerHandshake {
  std::shared_ptr<const ServerEdition> edition;
  std::string server_name;
  /// The client asks for acme-tls/1 alone.
  bool is_challenge = false;
  /// No protocol is common: OpenSSL does not say it clearly in all versions.
  bool is_alpn_refused = false;
};

/// The client's side, as long as it lives: tickets come at any time.
struct ClientSide {
  std::shared_ptr<SessionStore> sessions;  // nullptr: none are kept
  std::string session_key;
};

struct Channel::State {
  State(int fd, std::string_view received) : transport(fd, received) {}

  Transport transport;
  std::unique_ptr<ServerHandshake> server;
  std::unique_ptr<ClientSide> client;
  std::string server_name;  // as the server's side got it
  std::string early;        // early data that Handshake has read
  mutable std::unique_ptr<const PeerCertificate> peer;
  Failure failure;
  bool is_established = false;
  bool is_broken = false;
  bool wants_to_write = false;
  /// OpenSSL may hold bytes that Receive would return.
  bool may_hold = false;
  /// Early data may still come.
  bool reads_early = false;
  /// The last Receive brought early data.
  bool was_early = false;
  bool has_finished = false;
  SslHandle ssl;  // goes first: it writes to the transport

  /// Makes the SSL and its BIO. @returns false: no memory
  bool Open(SSL_CTX* context);
  /// Acts on a call of OpenSSL that did not succeed.
  /// @returns EAGAIN, 0 where the peer's end came, or the errno of what broke
  int Judge(int result);
  /// What is only needed until the handshake is done goes.
  void Settle();
  int Break(int error_number);
  void NotePeerLeft(int error_number);
};

}  // namespace sluice::tls
