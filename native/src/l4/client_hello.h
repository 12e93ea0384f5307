// Reads the server name and the ALPN protocols of a TLS ClientHello (RFC 8446, 6066, 7301) without
// taking part in the handshake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "l4/proxy_header.h"

namespace sluice::l4 {

/// Longest ClientHello that is read, record headers included.
inline constexpr size_t kMaxClientHelloBytes = 16 * 1024;

/// What a ClientHello says.
struct ClientHello {
  /// false: the connection does not begin with a TLS handshake record.
  bool is_tls = false;
  /// In lower case; empty: none, or one that is no host name.
  std::string server_name;
  /// As in the extension's list: a length byte before each protocol. Empty: none.
  std::string alpn;
};

/// Reads from the first bytes of a connection; everything received so far is given each time. The
/// hello may be split over any number of segments and over several TLS records.
/// @returns kDone with is_tls false as soon as the bytes cannot be a handshake record; kInvalid for
/// a handshake record that is no well-formed ClientHello or is too long
PrefaceStatus ParseClientHello(std::string_view input, ClientHello* hello);

}  // namespace sluice::l4
