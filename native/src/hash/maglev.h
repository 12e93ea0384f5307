// Maglev's table: nearly the same number of entries for each endpoint, found with one look.
#pragma once

#include <cstddef>
#include <span>

#include "hash/table.h"

namespace sluice::hash {

/// Entries, a prime: the paper's smaller table and Envoy's default. More than a hundred for each of
/// 650 endpoints, which keeps their shares within 1 % of one another.
inline constexpr size_t kMaglevEntries = 65'537;

/// With a size that is none, a permutation might not reach every entry, and filling never ends.
bool IsPrime(size_t number);

/// The table of these members: the slot of each entry. Members take turns in the order of their
/// names; each takes the next free entry of its own permutation, which begins at xxHash64(name) mod
/// size and goes on by xxHash64(name, 1) mod (size - 1) + 1. The heaviest takes each turn, one of a
/// third of its weight each third. So a table is that of Envoy for the same names and weights.
/// Thread: any; takes milliseconds.
///
/// Source: Eisenbud et al., Maglev (NSDI 2016), section 3.4; the weights are Envoy's.
///
/// @param size a prime; entries of the table. Where members are more, those with the last names and
///     the lightest have no entry.
/// @returns a table of `size` entries, of none without a member that has a weight
Table BuildMaglev(std::span<const Member> members, size_t size = kMaglevEntries);

}  // namespace sluice::hash
