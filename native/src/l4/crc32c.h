// The checksum CRC32C (Castagnoli; RFC 9260 appendix A) over bytes that come in pieces.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::l4 {

namespace crc32c_internal {

inline constexpr uint32_t kReversedPolynomial = 0x82f63b78;

inline constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kReversedPolynomial : 0);
    table[byte] = remainder;
  }
  return table;
}();

}  // namespace crc32c_internal

/// Adds up a checksum; a table of bytes is fast enough for headers of some hundred bytes.
class Crc32c {
 public:
  void Add(std::string_view bytes) {
    for (const char byte : bytes) {
      const auto index = static_cast<uint8_t>(remainder_ ^ static_cast<uint8_t>(byte));
      remainder_ = (remainder_ >> 8) ^ crc32c_internal::kTable[index];
    }
  }

  uint32_t value() const { return ~remainder_; }

 private:
  uint32_t remainder_ = ~0u;
};

}  // namespace sluice::l4
