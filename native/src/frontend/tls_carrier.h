// TLS as what lies between a client's connection and its socket.
#pragma once

#include <memory>
#include <utility>

#include "frontend/carrier.h"
#include "tls/channel.h"

namespace sluice::frontend {

/// The server's side of a connection's TLS.
class TlsCarrier final : public Carrier {
 public:
  explicit TlsCarrier(std::unique_ptr<tls::Channel> channel) : channel_(std::move(channel)) {}

  tls::HandshakeStep Handshake() { return channel_->Handshake(); }
  bool wants_to_write() const { return channel_->wants_to_write(); }
  /// For who goes on with it; nothing of this is called any more but the destructor.
  std::unique_ptr<tls::Channel> TakeChannel() { return std::move(channel_); }

  IoResult Receive(void* into, size_t size) override { return channel_->Receive(into, size); }
  uint32_t Disproved(const IoResult& got, bool drains_by_short_read) const override;
  IoResult Send(const void* bytes, size_t size) override;
  IoResult SendParts(const iovec* parts, size_t count) override;
  bool HasPending() const override { return channel_->HasPending(); }
  bool HasUnsent() const override { return channel_->HasUnsent(); }
  IoResult Flush() override;
  bool FinishSending() override;
  void Close(EventLoop* loop, bool with_reset) override;
  const tls::Channel* channel() const override { return channel_.get(); }

 private:
  std::unique_ptr<tls::Channel> channel_;
  bool is_finishing_ = false;
};

}  // namespace sluice::frontend
