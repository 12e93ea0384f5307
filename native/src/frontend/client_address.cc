// Writes the addresses of clients as text.
#include "frontend/client_address.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice::frontend {

namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr size_t kGroups = 8;

/// Zero groups that "::" stands for: the longest run of two and more, the first of equals.
struct ZeroRun {
  size_t begin = kGroups;
  size_t groups = 0;
};

ZeroRun LongestZeroRun(const std::array<unsigned, kGroups>& groups) {
  ZeroRun longest{kGroups, 1};
  size_t run = 0;
  for (size_t group = 0; group < kGroups; ++group) {
    run = groups[group] == 0 ? run + 1 : 0;
    if (run > longest.groups) longest = {group + 1 - run, run};
  }
  return longest;
}

/// As RFC 5952 section 4 has it, hexadecimal throughout: inet_ntop writes the last 32 bits of some
/// addresses as IPv4 does, and keys of requests must be the same with every front end.
std::string_view WriteV6(const std::array<uint8_t, 16>& ip, char* begin) {
  std::array<unsigned, kGroups> groups;
  for (size_t group = 0; group < kGroups; ++group)
    groups[group] = static_cast<unsigned>(ip[2 * group]) << 8 | ip[2 * group + 1];
  const ZeroRun zeros = LongestZeroRun(groups);
  char* at = begin;
  for (size_t group = 0; group < kGroups; ++group) {
    if (group == zeros.begin) {
      *at++ = ':';
      *at++ = ':';
      group += zeros.groups - 1;
      continue;
    }
    if (group > 0 && at[-1] != ':') *at++ = ':';
    at = std::to_chars(at, at + 4, groups[group], 16).ptr;
  }
  return {begin, static_cast<size_t>(at - begin)};
}

}  // namespace

std::string_view AddressText(const l4::PeerAddress& address,
                             std::array<char, kAddressTextBytes>* out) {
  char* const begin = out->data();
  if (std::memcmp(address.ip.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0) {
    char* at = begin;
    for (size_t byte = 12; byte < 16; ++byte) {
      if (byte > 12) *at++ = '.';
      at = std::to_chars(at, at + 3, address.ip[byte]).ptr;
    }
    return {begin, static_cast<size_t>(at - begin)};
  }
  const bool is_none =
      std::all_of(address.ip.begin(), address.ip.end(), [](uint8_t byte) { return byte == 0; });
  return is_none ? "unknown" : WriteV6(address.ip, begin);
}

}  // namespace sluice::frontend
