// One address of an endpoint: IPv4, IPv6 or a UNIX socket.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

/// A socket address, ready for connect().
class Address {
 public:
  /// Reads 'a.b.c.d:port', '[v6]:port' (a %zone may stand behind the v6 address) or 'unix:/path';
  /// 'unix:@name' is an abstract socket. Port 1..65535. Nothing when it is none of them.
  static std::optional<Address> Parse(std::string_view text);

  int family() const { return storage_.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  /// 0 for a UNIX socket.
  uint16_t port() const;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

  friend bool operator==(const Address& left, const Address& right);

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace sluice
