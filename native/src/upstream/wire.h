// What the bytes of a connection to an endpoint go over: a socket, or TLS on one.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/event_loop.h"
#include "base/socket.h"
#include "base/unique_fd.h"
#include "tls/channel.h"

namespace sluice::upstream {

/// Owns both. Results are those of base/socket.h, over TLS as well: a Receive of less than `size`
/// has found nothing more, unless `ends_next` says that the next one finds the end. One thread.
class Wire {
 public:
  explicit Wire(EventLoop* loop) : loop_(loop) {}
  ~Wire() { Close(); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int fd() const { return fd_.get(); }
  bool is_open() const { return fd_.is_open(); }
  /// For the connector, before Secure.
  UniqueFd* socket() { return &fd_; }

  /// nullptr: plain.
  tls::Channel* channel() const { return channel_.get(); }
  /// TLS begins on the connected socket.
  void Secure(std::unique_ptr<tls::Channel> channel) { channel_ = std::move(channel); }
  /// Why TLS failed: a tls::TlsFailure, shifted by kFailureShift, and its detail: an errno, an
  /// alert, or the code of a certificate's fault (X509_V_ERR_…).
  int tls_failure() const;
  static constexpr int kFailureShift = 16;
  /// What stands in the place of an errno is such a number.
  static bool IsFailure(int error_number) { return error_number >> kFailureShift != 0; }
  /// The endpoint does not believe our certificate, or misses one. In TLS 1.3 it says so when our
  /// side of the handshake is done, and requests may be on their way: it has acted on none of them
  /// (RFC 8446 sections 4.4.2.4 and 6.2). @returns tls_failure() then, else 0
  int refusal() const;
  static constexpr int kNoCommonProtocol = static_cast<int>(tls::TlsFailure::kAlpn)
                                           << kFailureShift;

  tls::HandshakeStep Handshake();
  /// Epoll says that the endpoint has finished: TLS reads on behind a short read, for no other edge
  /// will tell of the end.
  void NoteHangUp() { is_hung_up_ = true; }

  IoResult Receive(char* buffer, size_t size) {
    return channel_ == nullptr ? sluice::Receive(fd(), buffer, size) : ReceiveTls(buffer, size);
  }
  bool ends_next() const { return ends_next_; }
  IoResult Send(const char* bytes, size_t size) {
    return channel_ == nullptr ? sluice::Send(fd(), bytes, size) : channel_->Send(bytes, size);
  }
  IoResult SendParts(const iovec* parts, size_t count) {
    return channel_ == nullptr ? sluice::SendParts(fd(), parts, count)
                               : channel_->SendParts(parts, count);
  }
  /// Bytes that Send has taken lie here encrypted; Flush sends them.
  bool HasUnsent() const { return channel_ != nullptr && channel_->HasUnsent(); }
  IoResult Flush() { return channel_->Flush(); }
  /// Says whether a Receive would return at once. Of TLS: with bytes or the end, not with what TLS
  /// sends on its own account, such as tickets.
  bool HasInput() { return channel_ == nullptr ? sluice::HasInput(fd()) : HasTlsInput(); }
  /// The end came without TLS having said so: what came may be incomplete.
  bool was_cut() const { return channel_ != nullptr && channel_->was_cut(); }

  /// Hands both over, out of the loop's set.
  UniqueFd TakeSocket();
  std::unique_ptr<tls::Channel> TakeChannel() { return std::move(channel_); }
  /// Over TLS says so to the endpoint, as far as that goes without waiting.
  void Close();

 private:
  IoResult ReceiveTls(char* buffer, size_t size);
  IoResult ReceiveOnce(char* buffer, size_t size);
  bool MayReadOn() const { return is_hung_up_ && channel_->last_read() == tls::SocketRead::kShort; }
  bool HasTlsInput();

  EventLoop* loop_;
  UniqueFd fd_;
  std::unique_ptr<tls::Channel> channel_;  // goes before the socket
  bool is_hung_up_ = false;
  bool ends_next_ = false;
  // Taken out by HasInput, and the first of the next Receive.
  bool has_peeked_ = false;
  char peeked_ = 0;
};

}  // namespace sluice::upstream
