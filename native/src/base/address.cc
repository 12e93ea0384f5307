// Reads addresses of endpoints.
#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace sluice {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

template <typename Number>
std::optional<Number> ReadNumber(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Address> Address::Parse(std::string_view text) {
  Address address;
  if (text.starts_with(kUnixPrefix)) {
    const std::string_view path = text.substr(kUnixPrefix.size());
    auto& un = reinterpret_cast<sockaddr_un&>(address.storage_);
    if (path.empty() || path.size() >= sizeof un.sun_path || path.find('\0') != path.npos)
      return std::nullopt;
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path.data(), path.size());
    const size_t header_bytes = offsetof(sockaddr_un, sun_path);
    if (path.front() == '@') {
      if (path.size() == 1) return std::nullopt;
      un.sun_path[0] = '\0';  // unix(7): an abstract name begins with NUL and has no end mark
      address.size_ = static_cast<socklen_t>(header_bytes + path.size());
    } else {
      address.size_ = static_cast<socklen_t>(header_bytes + path.size() + 1);
    }
    return address;
  }

  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  const auto port = ReadNumber<uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);

  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    auto& in6 = reinterpret_cast<sockaddr_in6&>(address.storage_);
    const size_t percent = host.find('%');
    if (percent != host.npos) {
      const std::string zone(host.substr(percent + 1));
      in6.sin6_scope_id = if_nametoindex(zone.c_str());
      if (in6.sin6_scope_id == 0) in6.sin6_scope_id = ReadNumber<uint32_t>(zone).value_or(0);
      if (in6.sin6_scope_id == 0) return std::nullopt;
      host = host.substr(0, percent);
    }
    if (inet_pton(AF_INET6, std::string(host).c_str(), &in6.sin6_addr) != 1) return std::nullopt;
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(*port);
    address.size_ = sizeof in6;
    return address;
  }

  auto& in4 = reinterpret_cast<sockaddr_in&>(address.storage_);
  if (inet_pton(AF_INET, std::string(host).c_str(), &in4.sin_addr) != 1) return std::nullopt;
  in4.sin_family = AF_INET;
  in4.sin_port = htons(*port);
  address.size_ = sizeof in4;
  return address;
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  return 0;
}

bool operator==(const Address& left, const Address& right) {
  return left.size_ == right.size_ && std::memcmp(&left.storage_, &right.storage_, left.size_) == 0;
}

}  // namespace sluice
