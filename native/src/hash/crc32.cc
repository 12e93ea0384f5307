// CRC-32 by tables of eight bytes at a time.
#include "hash/crc32.h"

#include <array>
#include <cstddef>

namespace sluice::hash {

namespace {

constexpr uint32_t kReversedPolynomial = 0xedb88320;

/// kTables[0] is the table of bytes; kTables[n] is what a byte counts with n zero bytes behind it.
/// So eight bytes are eight look-ups that do not wait for one another ("slicing by eight",
/// M. Kounavis and F. Berry, 2005).
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables kTables = [] {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kReversedPolynomial : 0);
    tables[0][byte] = remainder;
  }
  for (size_t zeros = 1; zeros < tables.size(); ++zeros) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[zeros - 1][byte];
      tables[zeros][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}();

uint32_t ByteAt(std::string_view bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]);
}

}  // namespace

uint32_t Crc32(std::string_view bytes, uint32_t crc) {
  uint32_t remainder = ~crc;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    // clang-format off
    remainder = kTables[7][(remainder & 0xff) ^ ByteAt(bytes, 0)] ^
                kTables[6][((remainder >> 8) & 0xff) ^ ByteAt(bytes, 1)] ^
                kTables[5][((remainder >> 16) & 0xff) ^ ByteAt(bytes, 2)] ^
                kTables[4][(remainder >> 24) ^ ByteAt(bytes, 3)] ^
                kTables[3][ByteAt(bytes, 4)] ^ kTables[2][ByteAt(bytes, 5)] ^
                kTables[1][ByteAt(bytes, 6)] ^ kTables[0][ByteAt(bytes, 7)];
    // clang-format on
  }
  for (const char byte : bytes)
    remainder = (remainder >> 8) ^ kTables[0][(remainder ^ static_cast<uint8_t>(byte)) & 0xff];
  return ~remainder;
}

}  // namespace sluice::hash
