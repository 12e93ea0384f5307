// Binds TCP sockets.
#include "base/bound_socket.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "base/socket.h"

namespace sluice {

namespace {

void Switch(int fd, int level, int option, int value) {
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

Result<LocalAddress> LocalAddress::Parse(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return SystemError{EINVAL, "getaddrinfo"};
  }
  LocalAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return address;
}

uint16_t LocalAddress::port() const {
  // It stands at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

Result<UniqueFd> BindTcpSocket(const LocalAddress& address, bool is_shared) {
  auto opened = OpenStreamSocket(address.storage.ss_family);
  if (!opened) return opened.error();
  const int fd = opened.value().get();
  if (address.storage.ss_family == AF_INET6) Switch(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // Without it, connections of an earlier run that are in TIME_WAIT would hold the address for a
  // minute.
  Switch(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (is_shared) Switch(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd, address.get(), address.size) != 0) return SystemError{errno, "bind"};
  return opened;
}

SystemError ProveNobodyListens(const LocalAddress& address) {
  if (address.port() == 0) return {};
  auto probe = BindTcpSocket(address, false);
  if (!probe) return probe.error();
  if (::listen(probe.value().get(), 1) != 0) return {errno, "listen"};
  return {};
}

Result<uint16_t> PortOf(int fd) {
  LocalAddress bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    return SystemError{errno, "getsockname"};
  }
  return bound.port();
}

}  // namespace sluice
