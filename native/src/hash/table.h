// What tables of hashes are made of: their members, and the words that go to the board.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::hash {

/// Weights are in hundredths: WEIGHT_UNIT of src/board/endpoint-control.ts.
inline constexpr uint32_t kWeightUnit = 100;

/// An endpoint in a table. A table depends on names and weights only: slots are what it gives back.
struct Member {
  /// As configured: "host:port", "[v6]:port" or "unix:path". Not owned.
  std::string_view name;
  /// On the board.
  uint16_t slot = 0;
  /// In hundredths; 0: in no table.
  uint32_t weight = 0;
};

/// A table as src/board/hash-table.ts reads it.
struct Table {
  std::vector<uint32_t> words;
  /// Entries in them.
  size_t size = 0;
};

/// Members with a weight in the order of their names, equal names in that of their slots: the order
/// that every table is built in, so that the same members give the same table however they are
/// listed.
std::vector<Member> InOrder(std::span<const Member> members);

/// Appends slots, two in a word, the first in its lower half.
void AppendSlots(std::span<const uint16_t> slots, std::vector<uint32_t>* words);

}  // namespace sluice::hash
