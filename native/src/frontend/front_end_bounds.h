// How much the front end reads at once, holds, and does in a turn; and how long it waits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::frontend {

/// A request's head is read in pieces of this size; what comes behind it in one is kept.
inline constexpr size_t kHeadWindowBytes = 16 * 1024;
/// One read of a body at most.
inline constexpr size_t kBodyWindowBytes = 64 * 1024;
/// Above this many bytes held for the endpoint the client's body is not read.
inline constexpr size_t kBodyHighWaterBytes = 64 * 1024;
/// How long bytes are dropped behind the last answer of a connection, or behind that of a stream of
/// HTTP/2, and how long their silence may be (nginx has 30 s and 5 s).
inline constexpr uint64_t kLingerMs = 5'000;
/// The rate of a body counts from here on.
inline constexpr uint64_t kRateGraceMs = 5'000;
inline constexpr uint64_t kRateLookMs = 1'000;
/// Bounds a turn.
inline constexpr int kBatchesPerTurn = 64;
inline constexpr size_t kSplicedPerTurnBytes = 1024 * 1024;
// Of a request's description, which fits into the memory that a buffer keeps.
inline constexpr size_t kMethodTextBytes = 32;
inline constexpr size_t kTargetTextBytes = 640;
inline constexpr size_t kHostTextBytes = 256;

}  // namespace sluice::frontend
