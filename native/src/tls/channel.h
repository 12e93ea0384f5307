// One side of one TLS connection over a non-blocking socket: handshake, reads, writes, the end.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/socket.h"

struct ssl_st;

namespace sluice::tls {

class ClientContext;
class ServerContext;

/// The protocol by which an ACME server looks at a name; what is proven by it carries nothing more
/// (RFC 8737 section 3).
inline constexpr std::string_view kChallengeProtocol = "acme-tls/1";

/// How far a handshake has got.
enum class HandshakeStep : uint8_t {
  kDone,
  /// Goes on when the socket is readable, or writable: see Channel::wants_to_write.
  kWaiting,
  kFailed,  // see Channel::failure
};

/// How a call's last read of the socket ended, for users of edge-triggered events.
enum class SocketRead : uint8_t {
  kNone,   // the call read nothing from the socket: says nothing of it
  kFull,   // the buffer was filled: more may lie there
  kShort,  // it was not: nothing more lies there but the peer's end, if that has come by now
  kEmpty,  // EAGAIN
};

/// Why a handshake failed, or a connection broke; the same numbers stand in src/engine/tls.ts.
enum class TlsFailure : uint8_t {
  kNone = 0,
  kPeerLeft = 1,        // the peer closed or reset the connection; see error_number
  kNotTls = 2,          // what came is not TLS, e.g. plain HTTP
  kVersion = 3,         // no common version
  kCipher = 4,          // no common cipher suite, group or signature
  kNoCertificate = 5,   // the peer showed none, and one is required
  kBadCertificate = 6,  // the peer's was not believed; see verify_error
  kAlert = 7,           // the peer refused us: alert says why
  kAlpn = 8,            // no common protocol, and one is required
  kOther = 9,
};

/// What a peer's certificate says of it. Empty: it showed none.
struct PeerCertificate {
  std::string subject;  // RFC 2253
  std::string issuer;
  std::string serial;       // hex digits
  std::string fingerprint;  // SHA-256 of the DER form, 64 hex digits
  bool is_shown() const { return !fingerprint.empty(); }
};

/// Does not own the socket, which must stay open as long as it lives. One thread. Results are those
/// of base/socket.h: bytes, or an errno: EAGAIN (see below), EPROTO where TLS was broken
/// (`failure`), else that of the socket.
///
/// Epoll tells of the socket, not of TLS: after a Receive, bytes may lie here decrypted or read
/// that no event tells of again. Whoever reads goes on until Receive says EAGAIN, or asks
/// HasPending. Renegotiation is refused; TLS 1.3 key updates and tickets are done within Receive.
///
/// What TLS has to send goes out at once or is kept here (HasUnsent): after any call, also
/// Handshake and Receive, whoever finds HasUnsent calls Flush when the socket is writable, before
/// it closes or says FIN. Send takes nothing while something lies here. A server's tickets of TLS
/// 1.3 are held back (no HasUnsent) until it says something, its end included.
class Channel {
 public:
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  int fd() const;

  /// Begins or goes on. Idempotent once it is done. With early data it is done as soon as that has
  /// come: Receive goes on with the rest.
  HandshakeStep Handshake();
  bool is_established() const;
  /// EAGAIN of the last call was the socket's for writing, not for reading.
  bool wants_to_write() const;

  /// Reads at most `size` decrypted bytes: 0 without an error is the peer's end, orderly
  /// (close_notify) or not (`was_cut`).
  IoResult Receive(void* buffer, size_t size);
  /// Bytes lie here that Receive would return without the socket.
  bool HasPending() const;
  /// Of the last call of Handshake or Receive. After kShort the same call does not read again: it
  /// says EAGAIN (kWaiting) by itself; the next call reads.
  SocketRead last_read() const;
  /// The connection ended without close_notify: what ends with the connection may be incomplete.
  bool was_cut() const;
  /// What the last Receive took was early data (0-RTT), which may have been played again, and the
  /// handshake's end has not come yet.
  bool is_early() const;

  /// Takes at most `size` bytes: less means that the socket is full (HasUnsent), EAGAIN that none
  /// was taken. What was taken need not come again. Each call makes records of at most 16 KiB; what
  /// fits one goes out in one, and several go out in one system call. An errno of the socket says
  /// that nothing more can be sent; Receive goes on with what the peer said before it left.
  IoResult Send(const void* bytes, size_t size);
  /// Several parts, put together into as few records as they fit; else as Send.
  IoResult SendParts(const iovec* parts, size_t count);
  /// Bytes that were taken by Send lie here encrypted: the socket was full. Flush sends them.
  bool HasUnsent() const;
  IoResult Flush();

  /// Says that nothing more comes (close_notify); EAGAIN: not yet. The socket is the caller's to
  /// shut down.
  IoResult FinishSending();

  /// As of the handshake; empty: none.
  std::string_view protocol() const;     // ALPN
  std::string_view server_name() const;  // SNI
  std::string_view version() const;      // "TLSv1.3"
  std::string_view cipher() const;
  bool is_resumed() const;
  /// Of the server's side: whether the certificate that it has shown names a host, which may be an
  /// IPv4 address. @param host without port
  bool HasShownNameOf(std::string_view host) const;
  /// Made once, at the first call after the handshake; the same for a resumed session.
  const PeerCertificate& peer() const;

  TlsFailure failure() const;
  int error_number() const;               // kPeerLeft
  int alert() const;                      // kAlert: its description (RFC 8446 section 6)
  std::string_view verify_error() const;  // kBadCertificate: OpenSSL's words for it
  int verify_code() const;                // kBadCertificate: X509_V_ERR_... of it
  std::string_view words() const;         // OpenSSL's words for any failure; may be empty

 private:
  friend class ClientContext;
  friend class ServerContext;
  struct State;
  explicit Channel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::tls
