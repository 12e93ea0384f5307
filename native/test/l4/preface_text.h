// What the tests of prefaces share: bytes from hexadecimal text, and repeatable random numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace preface {

/// Bytes of hexadecimal digits; blanks between them do not count.
inline std::string FromHex(std::string_view digits) {
  std::string bytes;
  int high = -1;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    if (high >= 0) bytes += static_cast<char>(high * 16 + value);
    high = high >= 0 ? -1 : value;
  }
  return bytes;
}

/// xorshift64 (Marsaglia 2003): the same numbers for the same seed.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  /// 0 .. bound - 1
  size_t Below(size_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<size_t>(state_ >> 11) % bound;
  }

  std::string Bytes(size_t size) {
    std::string bytes(size, 0);
    for (char& byte : bytes)
      byte = static_cast<char>(Below(256));
    return bytes;
  }

  template <typename List>
  const auto& Pick(const List& list) {
    return list[Below(std::size(list))];
  }

 private:
  uint64_t state_;
};

}  // namespace preface
