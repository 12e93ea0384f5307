// The lanes and rounds of xxHash64.
#include "hash/xxhash64.h"

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace sluice::hash {

namespace {

// The five primes of the specification.
constexpr uint64_t kPrime1 = 0x9e3779b185ebca87;
constexpr uint64_t kPrime2 = 0xc2b2ae3d27d4eb4f;
constexpr uint64_t kPrime3 = 0x165667b19e3779f9;
constexpr uint64_t kPrime4 = 0x85ebca77c2b2ae63;
constexpr uint64_t kPrime5 = 0x27d4eb2f165667c5;

/// Bytes that the four lanes take at a time.
constexpr size_t kStripeBytes = 32;

/// The next word of the input, which is little-endian by definition.
template <std::unsigned_integral Word>
Word WordAt(const char* at) {
  Word word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, at, sizeof word);
  } else {
    for (size_t byte = sizeof word; byte-- > 0;)
      word = static_cast<Word>(word << 8) | static_cast<uint8_t>(at[byte]);
  }
  return word;
}

uint64_t Round(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

uint64_t MergeLane(uint64_t hash, uint64_t lane) {
  return (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
}

/// Consumes the whole stripes, of which there is at least one.
/// @param at moved to behind the last
uint64_t HashStripes(const char** at, const char* end, uint64_t seed) {
  uint64_t lane1 = seed + kPrime1 + kPrime2;
  uint64_t lane2 = seed + kPrime2;
  uint64_t lane3 = seed;
  uint64_t lane4 = seed - kPrime1;
  const char* next = *at;
  do {
    lane1 = Round(lane1, WordAt<uint64_t>(next));
    lane2 = Round(lane2, WordAt<uint64_t>(next + 8));
    lane3 = Round(lane3, WordAt<uint64_t>(next + 16));
    lane4 = Round(lane4, WordAt<uint64_t>(next + 24));
    next += kStripeBytes;
  } while (static_cast<size_t>(end - next) >= kStripeBytes);
  *at = next;
  uint64_t hash =
      std::rotl(lane1, 1) + std::rotl(lane2, 7) + std::rotl(lane3, 12) + std::rotl(lane4, 18);
  hash = MergeLane(hash, lane1);
  hash = MergeLane(hash, lane2);
  hash = MergeLane(hash, lane3);
  return MergeLane(hash, lane4);
}

/// Mixes in what is left, less than a stripe.
uint64_t HashRest(uint64_t hash, const char* at, const char* end) {
  for (; end - at >= 8; at += 8)
    hash = std::rotl(hash ^ Round(0, WordAt<uint64_t>(at)), 27) * kPrime1 + kPrime4;
  if (end - at >= 4) {
    hash = std::rotl(hash ^ (WordAt<uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
    at += 4;
  }
  for (; at != end; ++at)
    hash = std::rotl(hash ^ (static_cast<uint8_t>(*at) * kPrime5), 11) * kPrime1;
  return hash;
}

/// Makes every bit of the result depend on every bit of the input.
uint64_t Avalanche(uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

}  // namespace

uint64_t XxHash64(std::string_view bytes, uint64_t seed) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  uint64_t hash = seed + kPrime5;
  if (bytes.size() >= kStripeBytes) hash = HashStripes(&at, end, seed);
  return Avalanche(HashRest(hash + bytes.size(), at, end));
}

}  // namespace sluice::hash
