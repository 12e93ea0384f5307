// A client's address as text, for the fields that name it to endpoints.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "l4/accepted.h"

namespace sluice::frontend {

/// Longest text of an address: IPv6 with an embedded IPv4 one.
inline constexpr size_t kAddressTextBytes = 46;

/// IPv4 dotted, IPv6 as RFC 5952 section 4 spells it, without dots; "unknown" for a UNIX socket.
/// HOT.
/// @param out holds the text
std::string_view AddressText(const l4::PeerAddress& address,
                             std::array<char, kAddressTextBytes>* out);

}  // namespace sluice::frontend
