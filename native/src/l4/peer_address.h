// Reads addresses of sockets into the form that PROXY headers have, and writes them into events.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "l4/accepted.h"

namespace sluice::l4 {

/// All zero for anything but IPv4 and IPv6.
PeerAddress PeerAddressFrom(const sockaddr_storage& address);

/// The address that a connected socket has on this machine; all zero for a UNIX socket.
PeerAddress OwnAddressOf(int fd);

/// Words that PutAddress writes.
inline constexpr size_t kAddressWords = 5;

/// Writes an address into the words of an event: four in network order, the first byte of each
/// highest, and the port behind them.
void PutAddress(const PeerAddress& address, int32_t* words);

}  // namespace sluice::l4
