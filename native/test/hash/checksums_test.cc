// Tests of the hashes of keys against published values, and what must hold for input of any length.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "hash/crc32.h"
#include "hash/golden.h"
#include "hash/xxhash64.h"

namespace sluice::hash {
namespace {

// Published: the specification's own check of the empty input, and values that its
// implementations in other languages quote in their documentation.
TEST(XxHash64GivesThePublishedValues) {
  CHECK(XxHash64("") == 0xef46db3751d8e999);
  CHECK(XxHash64("a") == 0xd24ec4f1a98c6e5b);
  CHECK(XxHash64("abc") == 0x44bc2cf5ad770999);
  CHECK(XxHash64("Nobody inspects the spammish repetition") == 0xfbcea83c8a378bf1);
}

TEST(XxHash64DiffersForEveryLengthAndSeed) {
  const std::string bytes = MadeBytes(256);
  std::set<uint64_t> hashes;
  for (size_t length = 0; length <= bytes.size(); ++length) {
    for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}})
      hashes.insert(XxHash64(std::string_view(bytes).substr(0, length), seed));
  }
  CHECK_EQ(hashes.size(), 257u * 3);
}

TEST(XxHash64ReadsNothingBehindItsBytesAndNeedsNoAlignment) {
  for (size_t length = 0; length <= 100; ++length) {
    // On the heap and of exactly this length, so that the address sanitizer sees every byte behind.
    const std::string whole = MadeBytes(length);
    const auto wanted = XxHash64(whole);
    for (size_t shift = 1; shift < 8; ++shift) {
      std::vector<char> shifted(shift + length);
      whole.copy(shifted.data() + shift, length);
      CHECK(XxHash64(std::string_view(shifted.data() + shift, length)) == wanted);
    }
  }
}

TEST(XxHash64ChangesHalfOfItsBitsWhenOneBitChanges) {
  for (const size_t length : {1u, 7u, 16u, 31u, 32u, 65u}) {
    std::string bytes = MadeBytes(length);
    const uint64_t before = XxHash64(bytes);
    int changed = 0;
    for (size_t bit = 0; bit < length * 8; ++bit) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      changed += std::popcount(before ^ XxHash64(bytes));
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
    const double mean = static_cast<double>(changed) / static_cast<double>(length * 8);
    CHECK(mean > 26 && mean < 38);
  }
}

// The check value of the catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC.
TEST(Crc32GivesThePublishedValues) {
  CHECK_EQ(Crc32("123456789"), 0xcbf43926u);
  CHECK_EQ(Crc32(""), 0u);
  CHECK_EQ(Crc32("a"), 0xe8b7be43u);
  CHECK_EQ(Crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339u);
}

TEST(BothGiveWhatTheReferenceGives) {
  const auto lines = GoldenLines("xxhash64.txt");
  CHECK_EQ(lines.size(), 1040u);
  for (const auto& line : lines)
    CHECK(XxHash64(MadeBytes(Decimal(line[0])), Hex(line[1])) == Hex(line[2]));
  const auto crc_lines = GoldenLines("crc32.txt");
  CHECK_EQ(crc_lines.size(), 260u);
  for (const auto& line : crc_lines)
    CHECK_EQ(Crc32(MadeBytes(Decimal(line[0]))), Hex(line[1]));
}

TEST(Crc32IsTheSameOverAnyTwoPieces) {
  const std::string bytes = MadeBytes(70);
  const std::string_view all = bytes;
  const uint32_t wanted = Crc32(all);
  for (size_t cut = 0; cut <= all.size(); ++cut)
    CHECK_EQ(Crc32(all.substr(cut), Crc32(all.substr(0, cut))), wanted);
}

}  // namespace
}  // namespace sluice::hash
