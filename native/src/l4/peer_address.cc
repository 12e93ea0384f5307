// Converts socket addresses.
#include "l4/peer_address.h"

#include <netinet/in.h>

#include <cstring>

namespace sluice::l4 {

PeerAddress PeerAddressFrom(const sockaddr_storage& address) {
  PeerAddress result;
  if (address.ss_family == AF_INET) {
    const auto& in4 = reinterpret_cast<const sockaddr_in&>(address);
    result.ip[10] = result.ip[11] = 0xff;
    std::memcpy(result.ip.data() + 12, &in4.sin_addr, 4);
    result.port = ntohs(in4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(result.ip.data(), &in6.sin6_addr, 16);
    result.port = ntohs(in6.sin6_port);
  }
  return result;
}

PeerAddress OwnAddressOf(int fd) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  // Fails only for what is no socket; then nothing is known.
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0) return {};
  return PeerAddressFrom(own);
}

void PutAddress(const PeerAddress& address, int32_t* words) {
  for (size_t word = 0; word + 1 < kAddressWords; ++word) {
    uint32_t bits = 0;
    for (size_t byte = 0; byte < 4; ++byte)
      bits = bits << 8 | address.ip[word * 4 + byte];
    words[word] = static_cast<int32_t>(bits);
  }
  words[kAddressWords - 1] = address.port;
}

}  // namespace sluice::l4
