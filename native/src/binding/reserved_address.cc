// Probes and binds a TCP address.
#include "binding/reserved_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::binding {

namespace {

struct BindTarget {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Result<BindTarget> ParseHost(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return SystemError{EINVAL, "getaddrinfo"};
  }
  BindTarget target;
  std::memcpy(&target.storage, found->ai_addr, found->ai_addrlen);
  target.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return target;
}

SystemError Failed(const char* call) {
  return SystemError{errno, call};
}

void Switch(int fd, int level, int option, int value) {
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

Result<UniqueFd> Bind(const BindTarget& target, bool is_shared) {
  UniqueFd fd(::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return Failed("socket");
  if (target.storage.ss_family == AF_INET6) Switch(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  // Without it, connections of an earlier run that are in TIME_WAIT would hold the address for a
  // minute.
  Switch(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (is_shared) Switch(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd.get(), target.get(), target.size) != 0) return Failed("bind");
  return fd;
}

}  // namespace

Result<ReservedAddress> ReserveAddress(const std::string& host, uint16_t port) {
  auto target = ParseHost(host, port);
  if (!target) return target.error();
  if (port != 0) {
    // Not shared, and listening: whoever listens there already, shared or not, makes one of the two
    // calls fail.
    auto probe = Bind(target.value(), false);
    if (!probe) return probe.error();
    if (::listen(probe.value().get(), 1) != 0) return Failed("listen");
  }
  auto held = Bind(target.value(), true);
  if (!held) return held.error();
  ReservedAddress reserved;
  reserved.fd = std::move(held.value());
  // From here on another process's probe finds a socket that does not let others in (SO_REUSEADDR
  // on both sides would).
  Switch(reserved.fd.get(), SOL_SOCKET, SO_REUSEADDR, 0);
  BindTarget bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(reserved.fd.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) !=
      0) {
    return Failed("getsockname");
  }
  // The port stands at the same place in both families.
  reserved.port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
  return reserved;
}

}  // namespace sluice::binding
