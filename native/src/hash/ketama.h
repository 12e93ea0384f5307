// The ring of ketama: the points of nginx's `hash … consistent`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hash/table.h"

namespace sluice::hash {

/// Points of an endpoint for each 1 of its weight (nginx, Cache::Memcached::Fast).
inline constexpr uint32_t kPointsPerWeight = 160;

/// The first points of an endpoint: each is the CRC-32 of HOST \0 PORT and the point before as four
/// bytes, low byte first; before the first stands 0. HOST and PORT are parted at the last colon of
/// the name; the brackets of an IPv6 address are part of HOST; "unix:" is left out, what follows is
/// HOST, and PORT is empty.
///
/// Source: nginx, ngx_http_upstream_hash_module.c.
std::vector<uint32_t> KetamaPoints(std::string_view name, size_t count);

/// The ring of these members: points in rising order, then their slots. Each has kPointsPerWeight
/// points for each 1 of its weight, and at least one; where these are more than there is room for,
/// all have fewer in the same proportion. A point of two members belongs to the one whose name
/// comes first. Thread: any; takes milliseconds.
///
/// @param most_points room
/// @returns nothing when there is not even room for one point of each
std::optional<Table> BuildKetama(std::span<const Member> members, size_t most_points);

}  // namespace sluice::hash
