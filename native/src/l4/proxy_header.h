// The PROXY protocol, versions 1 and 2: reads and writes the header that names a client to the next
// hop (semantics.md 10).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "l4/accepted.h"

namespace sluice::l4 {

/// What a header says. The views point into what was parsed.
struct ProxyHeader {
  /// false: LOCAL, UNKNOWN, or any other than TCP over IPv4 and IPv6: the connection's own
  /// addresses count.
  bool has_addresses = false;
  PeerAddress source = {};
  PeerAddress destination = {};
  std::string_view authority = {};  // PP2_TYPE_AUTHORITY
  std::string_view alpn = {};       // PP2_TYPE_ALPN: one protocol name
  std::string_view unique_id = {};  // PP2_TYPE_UNIQUE_ID, at most 128 bytes
  size_t header_bytes = 0;          // length of the header in the input
};

enum class PrefaceStatus : uint8_t { kNeedMore, kDone, kInvalid };

/// Longest header of version 2 that is taken: 16 bytes and what follows.
inline constexpr size_t kMaxProxyHeaderBytes = 16 + 4096;
/// Longest that WriteProxyHeader makes.
inline constexpr size_t kMaxWrittenProxyHeaderBytes = 1024;

/// Reads a header from the first bytes of a connection; everything received so far is given each
/// time. The verdict depends on the bytes alone, never on how they were split. No allocation.
///
/// kInvalid as soon as the bytes cannot become a header: it never waits in vain. Version 1 is
/// judged at each byte, a TLV of version 2 when its type and length are there, a CRC32C that is
/// there at the end. Refused, because recipients could disagree: a line end of one byte inside an
/// UNKNOWN line, TLVs whose lengths do not add up, a second authority, ALPN, unique id or CRC32C.
/// Of LOCAL and UNSPEC only the length counts.
///
/// @param header written on kDone only
PrefaceStatus ParseProxyHeader(std::string_view input, ProxyHeader* header);

/// Writes a header of `version` (1 or 2) into `out` (kMaxWrittenProxyHeaderBytes). Version 1 has no
/// room for authority, alpn and unique_id; without addresses it says UNKNOWN, version 2 LOCAL with
/// no addresses (TLVs are kept). Addresses are IPv4 when both are IPv4-mapped. TLVs that would not
/// fit are left out. @returns its length
size_t WriteProxyHeader(int version, const ProxyHeader& header, char* out);

}  // namespace sluice::l4
