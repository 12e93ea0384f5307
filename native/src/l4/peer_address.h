// Reads addresses of sockets into the form that events and PROXY headers have.
#pragma once

#include <sys/socket.h>

#include "l4/accepted.h"

namespace sluice::l4 {

/// All zero for anything but IPv4 and IPv6.
PeerAddress PeerAddressFrom(const sockaddr_storage& address);

/// The address that a connected socket has on this machine; all zero for a UNIX socket.
PeerAddress OwnAddressOf(int fd);

}  // namespace sluice::l4
