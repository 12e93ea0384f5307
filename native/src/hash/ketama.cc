// The making of ketama's ring.
#include "hash/ketama.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

#include "hash/crc32.h"

namespace sluice::hash {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

struct Point {
  uint32_t at = 0;
  uint32_t member = 0;  // index in the order of names
};

/// CRC-32 of what all points of a name begin with.
uint32_t CrcOfName(std::string_view name) {
  constexpr std::string_view kNul("\0", 1);
  if (name.starts_with(kUnixPrefix)) return Crc32(kNul, Crc32(name.substr(kUnixPrefix.size())));
  const size_t colon = name.rfind(':');
  if (colon == std::string_view::npos) return Crc32(kNul, Crc32(name));
  return Crc32(name.substr(colon + 1), Crc32(kNul, Crc32(name.substr(0, colon))));
}

/// Calls `take` with each of the first points of a name.
template <typename Take>
void EachPoint(std::string_view name, uint64_t count, Take take) {
  const uint32_t begun = CrcOfName(name);
  uint32_t point = 0;
  for (uint64_t index = 0; index < count; ++index) {
    const std::array<char, 4> before = {static_cast<char>(point), static_cast<char>(point >> 8),
                                        static_cast<char>(point >> 16),
                                        static_cast<char>(point >> 24)};
    point = Crc32(std::string_view(before.data(), before.size()), begun);
    take(point);
  }
}

/// How many points each member has: their sum is at most `room`, which is at least their number.
std::vector<uint64_t> PointCounts(std::span<const Member> members, uint64_t room) {
  std::vector<uint64_t> counts;
  counts.reserve(members.size());
  for (const Member& member : members) {
    const uint64_t wanted =
        (uint64_t{member.weight} * kPointsPerWeight + kWeightUnit / 2) / kWeightUnit;
    counts.push_back(std::max<uint64_t>(wanted, 1));
  }
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (total <= room) return counts;
  // One for each first, so that rounding down can never take the last point of a light one.
  const uint64_t spare = room - members.size();
  for (uint64_t& count : counts)
    count = 1 + (count - 1) * spare / (total - members.size());
  return counts;
}

}  // namespace

std::vector<uint32_t> KetamaPoints(std::string_view name, size_t count) {
  std::vector<uint32_t> points;
  points.reserve(count);
  EachPoint(name, count, [&points](uint32_t point) { points.push_back(point); });
  return points;
}

std::optional<Table> BuildKetama(std::span<const Member> members, size_t most_points) {
  const std::vector<Member> ordered = InOrder(members);
  if (ordered.size() > most_points) return std::nullopt;
  const std::vector<uint64_t> counts = PointCounts(ordered, most_points);
  std::vector<Point> ring;
  ring.reserve(std::accumulate(counts.begin(), counts.end(), size_t{0}));
  for (uint32_t member = 0; member < ordered.size(); ++member) {
    EachPoint(ordered[member].name, counts[member], [&ring, member](uint32_t point) {
      ring.push_back({point, member});
    });
  }
  std::sort(ring.begin(), ring.end(), [](const Point& left, const Point& right) {
    return std::tie(left.at, left.member) < std::tie(right.at, right.member);
  });
  ring.erase(std::unique(ring.begin(), ring.end(),
                         [](const Point& left, const Point& right) { return left.at == right.at; }),
             ring.end());

  Table table;
  table.size = ring.size();
  table.words.reserve(ring.size() + (ring.size() + 1) / 2);
  std::vector<uint16_t> slots;
  slots.reserve(ring.size());
  for (const Point& point : ring) {
    table.words.push_back(point.at);
    slots.push_back(ordered[point.member].slot);
  }
  AppendSlots(slots, &table.words);
  return table;
}

}  // namespace sluice::hash
