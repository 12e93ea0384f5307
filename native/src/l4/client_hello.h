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
  /// In lower case, without a dot at its end, at most 253 bytes. Empty: none, or one that is no
  /// host name (an IP address, other bytes than letters, digits, '-', '_' and '.', a label that is
  /// empty or longer than 63). Such a hello is not refused: no route can name it, and whether it
  /// may pass is the endpoint's business. With ECH it is the outer, public name.
  std::string server_name = {};
  /// As in the extension's list: a length byte before each protocol. Empty: none.
  std::string alpn = {};
};

/// A server name as routes compare it; empty where it is no host name (see ClientHello).
std::string HostName(std::string_view name);

/// Reads from the first bytes of a connection; everything received so far is given each time. The
/// hello may be split over any number of segments and over several TLS records. Nothing is
/// allocated before it is complete. The verdict depends on the bytes alone, never on how they were
/// split.
///
/// Checked: every length of the hello and of its two extensions that are read, that no extension
/// comes twice, that there is one host name at most, that nothing stands behind the hello in its
/// record. Not looked at: versions below the major one, cipher suites, other extensions.
///
/// @param hello written on kDone only
/// @returns kDone with is_tls false as soon as the bytes cannot be a handshake record; kInvalid for
/// a handshake record that is no well-formed ClientHello or is too long
PrefaceStatus ParseClientHello(std::string_view input, ClientHello* hello);

}  // namespace sluice::l4
