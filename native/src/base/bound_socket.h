// TCP sockets that are bound to an address of this machine: what listening and reserving share.
// Any thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice {

/// An address to bind to; '::' takes IPv4 as well.
struct LocalAddress {
  /// @param host a literal IPv4 or IPv6 address (a %zone may follow)
  /// @param port 0: the kernel chooses a free one
  /// Fails with EINVAL where the host is no address.
  static Result<LocalAddress> Parse(const std::string& host, uint16_t port);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  uint16_t port() const;

  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// Opens a non-blocking TCP socket, closed on exec, and binds it with SO_REUSEADDR.
/// @param is_shared with SO_REUSEPORT, too: every other socket at the address must have it
/// Fails with what socket or bind said (EADDRINUSE, EACCES, EADDRNOTAVAIL …).
Result<UniqueFd> BindTcpSocket(const LocalAddress& address, bool is_shared);

/// Listens at the address for a moment, not shared: that fails with EADDRINUSE where anybody
/// listens, shared or not. Port 0 is always free. @returns errno 0 or what failed
SystemError ProveNobodyListens(const LocalAddress& address);

/// The port a socket is bound to. Fails with getsockname's errno.
Result<uint16_t> PortOf(int fd);

}  // namespace sluice
