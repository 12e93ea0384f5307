// xxHash64, the hash of request keys and of the names in a Maglev table.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::hash {

/// xxHash64 (XXH64) of the bytes: the same number on machines of any byte order. Good spread and
/// fast, but no protection against clients that choose keys which collide on purpose. Thread: any.
/// HOT (bench/micro/hash/hash-text.bench.ts).
///
/// Source: the xxHash fast digest algorithm, version 0.1.1, "XXH64".
uint64_t XxHash64(std::string_view bytes, uint64_t seed = 0);

}  // namespace sluice::hash
