// Tests of ketama's ring and of Maglev's table: known ones, and what they promise.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "check.h"
#include "hash/golden.h"
#include "hash/ketama.h"
#include "hash/maglev.h"
#include "hash/xxhash64.h"

namespace sluice::hash {
namespace {

constexpr uint32_t kWholeWeight = kWeightUnit;

uint16_t SlotAt(const Table& table, size_t slots_at, size_t entry) {
  return static_cast<uint16_t>(table.words[slots_at + entry / 2] >> (entry % 2 * 16));
}

std::vector<uint16_t> SlotsOf(const Table& table, size_t slots_at) {
  std::vector<uint16_t> slots;
  for (size_t entry = 0; entry < table.size; ++entry)
    slots.push_back(SlotAt(table, slots_at, entry));
  return slots;
}

uint64_t DigestOf(const Table& table) {
  std::string bytes;
  for (const uint32_t word : table.words) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>(word >> shift);
  }
  return XxHash64(bytes);
}

/// Names that live as long as the members.
struct Fleet {
  explicit Fleet(size_t count) {
    for (size_t index = 0; index < count; ++index)
      names.push_back("10.0." + std::to_string(index / 256) + "." + std::to_string(index % 256) +
                      ":80");
    for (size_t index = 0; index < count; ++index)
      members.push_back({names[index], static_cast<uint16_t>(index), kWholeWeight});
  }

  std::vector<std::string> names;
  std::vector<Member> members;
};

uint16_t SlotOfKey(const Table& ring, uint32_t key) {
  const auto points = std::span(ring.words).first(ring.size);
  const auto found = std::lower_bound(points.begin(), points.end(), key);
  const size_t entry = found == points.end() ? 0 : static_cast<size_t>(found - points.begin());
  return SlotAt(ring, ring.size, entry);
}

/// Shares of a ring's members: lengths of the arcs before their points, in 2^32nds.
std::map<uint16_t, uint64_t> ArcsOf(const Table& ring) {
  std::map<uint16_t, uint64_t> arcs;
  for (size_t entry = 0; entry < ring.size; ++entry) {
    const uint32_t before = ring.words[entry == 0 ? ring.size - 1 : entry - 1];
    arcs[SlotAt(ring, ring.size, entry)] += ring.words[entry] - before;
  }
  return arcs;
}

TEST(KetamaGivesThePointsOfNginx) {
  CHECK(KetamaPoints("127.0.0.1:8081", 4) ==
        (std::vector<uint32_t>{0x50aabcf7, 0xb8dc900a, 0x2a3355ce, 0x839f657f}));
  const auto lines = GoldenLines("points.txt");
  CHECK_EQ(lines.size(), 7u);
  for (const auto& line : lines) {
    const auto points = KetamaPoints(line[0], 160);
    CHECK_EQ(line.size(), 161u);
    for (size_t index = 0; index < points.size(); ++index)
      CHECK_EQ(points[index], Hex(line[index + 1]));
  }
}

TEST(TablesAreThoseOfTheReference) {
  const auto lines = GoldenLines("tables.txt");
  std::vector<Member> members;
  Table table;
  bool is_ring = false;
  size_t room = 0;
  size_t tables = 0;
  for (const auto& line : lines) {
    if (line[0] == "ketama" || line[0] == "maglev") {
      is_ring = line[0] == "ketama";
      room = Decimal(line[1]);
      members.clear();
    } else if (line[0] == "member") {
      members.push_back({line[1], static_cast<uint16_t>(Decimal(line[2])),
                         static_cast<uint32_t>(Decimal(line[3]))});
    } else if (line[0] == "built") {
      ++tables;
      // Listed the other way round: the order must not count.
      std::reverse(members.begin(), members.end());
      table = is_ring ? BuildKetama(members, room).value_or(Table{}) : BuildMaglev(members, room);
      CHECK_EQ(table.size, Decimal(line[1]));
      CHECK_EQ(table.words.size(), Decimal(line[2]));
      CHECK(DigestOf(table) == Hex(line[3]));
    } else {
      CHECK_EQ(line[0], "slots");
      const auto slots = SlotsOf(table, is_ring ? table.size : 0);
      CHECK_EQ(slots.size() + 1, line.size());
      for (size_t entry = 0; entry < slots.size(); ++entry)
        CHECK_EQ(slots[entry], Decimal(line[entry + 1]));
    }
  }
  CHECK_EQ(tables, 18u);
}

TEST(KetamaKeepsWithinItsRoomAndLeavesNobodyOut) {
  Fleet fleet(40);
  fleet.members[3].weight = 65'535 * kWholeWeight;
  for (const size_t room : {40u, 41u, 79u, 400u, 4096u}) {
    const auto ring = BuildKetama(fleet.members, room);
    CHECK(ring && ring->size <= room && ring->size + 3 >= room);
    if (ring) CHECK_EQ(ArcsOf(*ring).size(), 40u);
  }
  CHECK(!BuildKetama(fleet.members, 39));
}

TEST(MembersWithoutWeightHaveNoEntry) {
  Fleet fleet(3);
  for (Member& member : fleet.members)
    member.weight = 0;
  CHECK_EQ(BuildKetama(fleet.members, 100).value_or(Table{{}, 1}).size, 0u);
  CHECK_EQ(BuildMaglev(fleet.members).size, 0u);
  fleet.members[2].weight = 1;
  const auto slots = SlotsOf(BuildMaglev(fleet.members, 7), 0);
  CHECK(slots == std::vector<uint16_t>(7, 2));
}

// With fewer endpoints than five the share of one may be above that by itself: 160 points leave a
// standard deviation of some 7 %.
TEST(KetamaMovesTheKeysOfTheRemovedEndpointOnly) {
  for (const size_t count : {5u, 10u, 50u}) {
    const Fleet fleet(count);
    const auto before = BuildKetama(fleet.members, size_t{1} << 18);
    for (const size_t gone : {size_t{0}, count / 2, count - 1}) {
      auto fewer = fleet.members;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(gone));
      const auto after = BuildKetama(fewer, size_t{1} << 18);
      size_t moved = 0;
      for (uint32_t key = 0; key < 20'000; ++key) {
        const uint32_t at = key * 2'654'435'761u;
        const uint16_t was = SlotOfKey(*before, at);
        const uint16_t is = SlotOfKey(*after, at);
        CHECK(was == is || was == gone);
        moved += was != is ? 1 : 0;
      }
      const double share = static_cast<double>(moved) / 20'000;
      CHECK(share <= 1.0 / static_cast<double>(count) + 0.02);
    }
  }
}

TEST(PrimesAreToldFromOtherNumbers) {
  for (const size_t prime : {2u, 3u, 5u, 7u, 251u, 65'537u, 5'000'011u})
    CHECK(IsPrime(prime));
  for (const size_t other : {0u, 1u, 4u, 9u, 25u, 65'536u, 65'535u, 251u * 251u})
    CHECK(!IsPrime(other));
}

TEST(MaglevMovesAPercentOfTheOthersKeysAtMost) {
  for (const size_t count : {3u, 10u, 100u}) {
    const Fleet fleet(count);
    const auto before = SlotsOf(BuildMaglev(fleet.members), 0);
    for (const size_t gone : {size_t{0}, count / 2, count - 1}) {
      auto fewer = fleet.members;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(gone));
      const auto after = SlotsOf(BuildMaglev(fewer), 0);
      size_t moved = 0;
      for (size_t entry = 0; entry < before.size(); ++entry)
        moved += before[entry] != after[entry] && before[entry] != gone ? 1 : 0;
      CHECK(moved * 100 <= before.size());
    }
  }
}

TEST(MaglevIsEvenWithinAPercentAndRespectsWeights) {
  for (const size_t count : {2u, 10u, 100u, 650u}) {
    const Fleet fleet(count);
    std::map<uint16_t, size_t> entries;
    for (const uint16_t slot : SlotsOf(BuildMaglev(fleet.members), 0))
      ++entries[slot];
    const auto fair = static_cast<double>(kMaglevEntries) / static_cast<double>(count);
    for (const auto& [slot, taken] : entries)
      CHECK(std::abs(static_cast<double>(taken) / fair - 1) <= 0.01);
    CHECK_EQ(entries.size(), count);
  }
  Fleet fleet(3);
  for (uint32_t index = 0; index < 3; ++index)
    fleet.members[index].weight = (index + 1) * kWholeWeight;
  std::map<uint16_t, size_t> entries;
  for (const uint16_t slot : SlotsOf(BuildMaglev(fleet.members), 0))
    ++entries[slot];
  for (const auto& [slot, taken] : entries) {
    const double share = static_cast<double>(taken) / static_cast<double>(kMaglevEntries);
    CHECK(std::abs(share - (slot + 1) / 6.0) < 0.001);
  }
}

}  // namespace
}  // namespace sluice::hash
