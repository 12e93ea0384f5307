// Collects the bytes before a session's opening and has them parsed.
#include "l4/preface.h"

#include <algorithm>

namespace sluice::l4 {

size_t Preface::free_bytes() const {
  const size_t most = (needs_proxy_header_ ? kMaxProxyHeaderBytes : 0) +
                      (needs_client_hello_ ? kMaxClientHelloBytes : 0);
  return most > bytes_.size() ? most - bytes_.size() : 0;
}

SessionEnd Preface::Add(std::string_view received) {
  bytes_.append(received);
  if (needs_proxy_header_) {
    const SessionEnd end = ReadProxyHeader();
    if (end != SessionEnd::kNone || needs_proxy_header_) return end;
  }
  // Behind a header there may be nothing yet: that says nothing about TLS.
  if (needs_client_hello_ && !bytes_.empty()) return ReadClientHello();
  return SessionEnd::kNone;
}

SessionEnd Preface::ReadProxyHeader() {
  ProxyHeader header;
  const PrefaceStatus status = ParseProxyHeader(bytes_, &header);
  if (status == PrefaceStatus::kNeedMore && bytes_.size() < kMaxProxyHeaderBytes)
    return SessionEnd::kNone;
  if (status != PrefaceStatus::kDone) return SessionEnd::kBadProxyHeader;
  if (header.has_addresses) {
    is_proxied_ = true;
    source_ = header.source;
    destination_ = header.destination;
    authority_ = header.authority;
    alpn_ = header.alpn;
    unique_id_ = header.unique_id;
  }
  bytes_.erase(0, header.header_bytes);
  needs_proxy_header_ = false;
  return SessionEnd::kNone;
}

SessionEnd Preface::ReadClientHello() {
  const PrefaceStatus status = ParseClientHello(bytes_, &hello_);
  if (status == PrefaceStatus::kNeedMore && bytes_.size() < kMaxClientHelloBytes)
    return SessionEnd::kNone;
  if (status != PrefaceStatus::kDone) return SessionEnd::kBadClientHello;
  needs_client_hello_ = false;
  return SessionEnd::kNone;
}

}  // namespace sluice::l4
