// The making of Maglev's table.
#include "hash/maglev.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>
#include <vector>

#include "hash/xxhash64.h"

namespace sluice::hash {

namespace {

/// Seed of the hash that says by how much a permutation goes on; that of its beginning is 0.
constexpr uint64_t kSkipSeed = 1;

/// A member's way through the table.
struct Permutation {
  size_t entry = 0;
  size_t skip = 0;
};

/// When a member takes its next entry. Rounds count from 1; within a round members go in order.
struct Turn {
  uint64_t round = 0;
  uint32_t member = 0;

  bool operator>(const Turn& other) const {
    return std::tie(round, member) > std::tie(other.round, other.member);
  }
};

using Turns = std::priority_queue<Turn, std::vector<Turn>, std::greater<>>;

/// The first round after `turn` in which a member may take one entry more: as many rounds as its
/// entries are worth, where each entry of the heaviest is worth one.
uint64_t NextRound(const Turn& turn, uint64_t taken, uint64_t weight, uint64_t heaviest) {
  const uint64_t worth = (taken * heaviest + weight - 1) / weight;
  return std::max(turn.round + 1, worth);
}

}  // namespace

bool IsPrime(size_t number) {
  if (number < 2) return false;
  for (size_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

Table BuildMaglev(std::span<const Member> members, size_t size) {
  const std::vector<Member> ordered = InOrder(members);
  if (ordered.empty()) return {};
  std::vector<Permutation> permutations;
  permutations.reserve(ordered.size());
  uint64_t heaviest = 0;
  Turns turns;
  for (uint32_t member = 0; member < ordered.size(); ++member) {
    const auto& [name, slot, weight] = ordered[member];
    permutations.push_back({XxHash64(name) % size, XxHash64(name, kSkipSeed) % (size - 1) + 1});
    heaviest = std::max<uint64_t>(heaviest, weight);
    turns.push({1, member});
  }
  std::vector<uint64_t> taken(ordered.size());
  std::vector<uint16_t> slots(size);
  std::vector<bool> is_taken(size);
  for (size_t filled = 0; filled < size; ++filled) {
    const Turn turn = turns.top();
    turns.pop();
    Permutation& next = permutations[turn.member];
    // Its entries come each once in `size` steps, and one is free: this ends.
    while (is_taken[next.entry])
      next.entry = (next.entry + next.skip) % size;
    is_taken[next.entry] = true;
    slots[next.entry] = ordered[turn.member].slot;
    ++taken[turn.member];
    turns.push(
        {NextRound(turn, taken[turn.member], ordered[turn.member].weight, heaviest), turn.member});
  }
  Table table;
  table.size = size;
  table.words.reserve((size + 1) / 2);
  AppendSlots(slots, &table.words);
  return table;
}

}  // namespace sluice::hash
