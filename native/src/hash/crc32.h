// CRC-32, the hash of ketama: of its points and of the keys that are looked up among them.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::hash {

/// CRC-32 of IEEE 802.3 (as in zlib, gzip and nginx) of bytes that may come in pieces. Thread: any.
/// HOT (bench/micro/hash/hash-text.bench.ts).
///
/// @param crc what the call for the bytes before returned; 0 at first
uint32_t Crc32(std::string_view bytes, uint32_t crc = 0);

}  // namespace sluice::hash
