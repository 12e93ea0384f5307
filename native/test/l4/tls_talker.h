// The test's end of a connection, plain or over TLS, and the contexts of both sides.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/socket.h"
#include "check.h"
#include "l4/made_certificate.h"
#include "l4/session_rig.h"
#include "tls/channel.h"
#include "tls/client_context.h"
#include "tls/server_context.h"

namespace rig {

inline constexpr char kName[] = "www.example.com";

/// One authority, and one certificate of it for kName.
struct Identity {
  MadeCertificate authority{"authority"};
  MadeCertificate certificate{kName, &authority};
};

inline const Identity& OneIdentity() {
  static const Identity kIdentity;
  return kIdentity;
}

/// Settings that the product has as defaults.
inline std::shared_ptr<tls::ServerContext> MakeServer(std::vector<std::string> alpn = {}) {
  tls::ServerSettings settings;
  settings.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  settings.cipher_suites = "TLS_AES_128_GCM_SHA256";
  settings.curves = "X25519:prime256v1";
  settings.alpn = std::move(alpn);
  std::string error;
  std::shared_ptr<tls::ServerContext> made = tls::ServerContext::Make(settings, &error);
  CHECK_EQ(error, "");
  tls::Certificate certificate;
  certificate.chain = OneIdentity().certificate.certificate();
  certificate.key = OneIdentity().certificate.key();
  CHECK_EQ(made->SetCertificates({certificate}), "");
  return made;
}

inline std::shared_ptr<tls::ClientContext> MakeClient(
    const std::string& ca = OneIdentity().authority.certificate()) {
  tls::ClientSettings settings;
  settings.ca = ca;
  settings.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
  settings.cipher_suites = "TLS_AES_128_GCM_SHA256";
  settings.curves = "X25519:prime256v1";
  std::string error;
  std::shared_ptr<tls::ClientContext> made = tls::ClientContext::Make(settings, &error);
  CHECK_EQ(error, "");
  return made;
}

/// Says what it was told to as room comes, and reads what it may.
class Talker {
 public:
  /// Plain.
  explicit Talker(Peer peer) : peer_(std::move(peer)) {}
  /// As a client of TLS.
  Talker(Peer peer, tls::ClientContext* context, const std::vector<std::string>& alpn = {},
         std::string_view name = kName)
      : peer_(std::move(peer)), channel_(context->Connect(peer_.fd(), name, "key", alpn)) {}
  Talker(Peer peer, tls::ServerContext* context)
      : peer_(std::move(peer)), channel_(context->Accept(peer_.fd())) {}
  Talker(Talker&&) = default;

  void Say(std::string_view bytes) { unsaid_ += bytes; }
  /// Once everything is said.
  void Finish() { finishes_ = true; }
  /// Without close_notify.
  void Close() {
    channel_.reset();
    peer_.Close();
  }
  void Reset() {
    channel_.reset();
    peer_.Reset();
  }

  /// One piece each way. @param most reads at most so much
  void Step(size_t most = 64 * 1024) {
    if (!peer_.is_open()) return;
    if (channel_ != nullptr && !channel_->is_established()) {
      const tls::HandshakeStep step = channel_->Handshake();
      has_failed = has_failed || step == tls::HandshakeStep::kFailed;
      if (step != tls::HandshakeStep::kDone) return;
    }
    Write();
    Read(most);
  }
  bool is_established() const { return channel_ != nullptr && channel_->is_established(); }
  bool has_said_all() const { return unsaid_.empty() && (!finishes_ || has_finished_); }
  bool was_cut() const { return channel_ != nullptr && channel_->was_cut(); }
  const tls::Channel& channel() const { return *channel_; }
  int fd() const { return peer_.fd(); }

  std::string heard;
  bool has_ended = false;
  bool has_failed = false;  // the handshake
  int error = 0;

 private:
  void Write() {
    while (!unsaid_.empty()) {
      const IoResult sent = channel_ == nullptr ? Send(peer_.fd(), unsaid_.data(), unsaid_.size())
                                                : channel_->Send(unsaid_.data(), unsaid_.size());
      if (sent.error != 0) {
        if (!sent.would_block()) unsaid_.clear();
        return;
      }
      unsaid_.erase(0, sent.bytes);
    }
    if (channel_ != nullptr && channel_->HasUnsent()) (void)channel_->Flush();
    if (!finishes_ || has_finished_) return;
    if (channel_ != nullptr && channel_->FinishSending().would_block()) return;
    peer_.Finish();
    has_finished_ = true;
  }
  void Read(size_t most) {
    std::vector<char> buffer(most);
    while (!has_ended && error == 0 && most > 0) {
      const IoResult got = channel_ == nullptr ? Receive(peer_.fd(), buffer.data(), most)
                                               : channel_->Receive(buffer.data(), most);
      if (got.would_block()) return;
      error = got.error;
      has_ended = got.error == 0 && got.bytes == 0;
      heard.append(buffer.data(), got.bytes);
      most -= got.bytes;
    }
  }

  Peer peer_;
  std::unique_ptr<tls::Channel> channel_;
  std::string unsaid_;
  bool finishes_ = false;
  bool has_finished_ = false;
};

}  // namespace rig
