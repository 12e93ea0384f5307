// The order of a table's members and the packing of its slots.
#include "hash/table.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace sluice::hash {

namespace {

constexpr int kSlotBits = 16;

}  // namespace

std::vector<Member> InOrder(std::span<const Member> members) {
  std::vector<Member> ordered;
  ordered.reserve(members.size());
  std::copy_if(members.begin(), members.end(), std::back_inserter(ordered),
               [](const Member& member) { return member.weight > 0; });
  std::sort(ordered.begin(), ordered.end(), [](const Member& left, const Member& right) {
    return std::tie(left.name, left.slot) < std::tie(right.name, right.slot);
  });
  return ordered;
}

void AppendSlots(std::span<const uint16_t> slots, std::vector<uint32_t>* words) {
  for (size_t at = 0; at < slots.size(); at += 2) {
    const uint32_t second = at + 1 < slots.size() ? slots[at + 1] : 0;
    words->push_back(slots[at] | second << kSlotBits);
  }
}

}  // namespace sluice::hash
