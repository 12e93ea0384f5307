// Writes the addresses of clients as text.
#include "frontend/client_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice::frontend {

namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

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
  if (is_none || ::inet_ntop(AF_INET6, address.ip.data(), begin, kAddressTextBytes) == nullptr) {
    return "unknown";
  }
  return begin;
}

}  // namespace sluice::frontend
