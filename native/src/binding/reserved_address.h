// Reserves a TCP address for this process without listening on it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace sluice::binding {

struct ReservedAddress {
  UniqueFd fd;
  uint16_t port = 0;
};

/// Proves that nobody listens on the address, then binds it with SO_REUSEPORT and holds it: sockets
/// of this user that set SO_REUSEPORT, too, may bind and listen there, nobody else may. '::' takes
/// IPv4 as well, as uWebSockets.js binds it.
///
/// @param host a literal IPv4 or IPv6 address (a %zone may follow)
/// @param port 0: the kernel chooses a free one
/// Fails with EINVAL where the host is no address, else with what socket, bind or listen said.
Result<ReservedAddress> ReserveAddress(const std::string& host, uint16_t port);

}  // namespace sluice::binding
