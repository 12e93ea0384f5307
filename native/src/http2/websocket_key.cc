// SHA-1 and base64, for short texts.
#include "http2/websocket_key.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::http2 {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr size_t kKeyBytes = 16;
constexpr size_t kBlockBytes = 64;
constexpr size_t kLengthBytes = 8;
constexpr size_t kRounds = 80;

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t index = 0; index < 3; ++index) {
      const size_t place = at + index;
      group = group << 8 | (place < bytes.size() ? static_cast<uint8_t>(bytes[place]) : 0);
    }
    for (size_t digit = 0; digit < 4; ++digit) {
      const bool is_padding = at + digit > bytes.size();
      text += is_padding ? '=' : kDigits[group >> (18 - 6 * digit) & 63];
    }
  }
  return text;
}

/// The round function and constant of FIPS 180-4 sections 4.1.1 and 4.2.1.
uint32_t Mix(size_t round, uint32_t b, uint32_t c, uint32_t d) {
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999u;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1u;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
  return (b ^ c ^ d) + 0xca62c1d6u;
}

std::string Sha1(std::string text) {
  const uint64_t bits = uint64_t{text.size()} * 8;
  text += '\x80';
  while (text.size() % kBlockBytes != kBlockBytes - kLengthBytes)
    text += '\0';
  for (size_t byte = kLengthBytes; byte-- > 0;)
    text += static_cast<char>(bits >> (8 * byte) & 0xff);
  std::array<uint32_t, 5> state = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  for (size_t block = 0; block < text.size(); block += kBlockBytes) {
    std::array<uint32_t, kRounds> words{};
    for (size_t byte = 0; byte < kBlockBytes; ++byte)
      words[byte / 4] = words[byte / 4] << 8 | static_cast<uint8_t>(text[block + byte]);
    for (size_t word = kBlockBytes / 4; word < kRounds; ++word) {
      words[word] =
          std::rotl(words[word - 3] ^ words[word - 8] ^ words[word - 14] ^ words[word - 16], 1);
    }
    auto [a, b, c, d, e] = state;
    for (size_t round = 0; round < kRounds; ++round) {
      const uint32_t next = std::rotl(a, 5) + Mix(round, b, c, d) + e + words[round];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    const std::array<uint32_t, 5> added = {a, b, c, d, e};
    for (size_t word = 0; word < state.size(); ++word)
      state[word] += added[word];
  }
  std::string digest;
  for (const uint32_t word : state) {
    for (int shift = 24; shift >= 0; shift -= 8)
      digest += static_cast<char>(word >> shift & 0xff);
  }
  return digest;
}

}  // namespace

std::string MakeWebSocketKey() {
  std::array<char, kKeyBytes> bytes{};
  // So few bytes come at once and whole (getrandom(2)).
  (void)!getrandom(bytes.data(), bytes.size(), 0);
  return Base64({bytes.data(), bytes.size()});
}

std::string WebSocketAccept(std::string_view key) {
  return Base64(Sha1(std::string(key).append(kGuid)));
}

}  // namespace sluice::http2
