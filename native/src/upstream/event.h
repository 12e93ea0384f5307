// What the engine reports and how: the same numbers as src/engine/engine.ts, which is their
// documentation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::upstream {

/// Most exchanges one worker can have open: what Send takes are numbers below.
inline constexpr int32_t kMaxExchanges = 1 << 17;
/// The second attempt of an exchange has its number and this.
inline constexpr int32_t kHedgeOffset = 1 << 17;
/// All numbers that the other calls take are below.
inline constexpr int32_t kMaxNumbers = kHedgeOffset + kMaxExchanges;

/// Words of one event, and their places.
inline constexpr size_t kEventStride = 12;
enum EventField : size_t {
  kType = 0,
  kExchange = 1,
  kStatus = 2,
  kFlags = 3,
  kHeadOffset = 4,
  kHeadLength = 5,
  kBodyOffset = 6,
  kBodyLength = 7,
  kLengthLow = 8,
  kLengthHigh = 9,
  kElapsedUs = 10,
  kErrno = 11,
  kConnectUs = 11,
};

enum class EventType : int32_t { kNone = 0, kHead = 1, kBody = 2, kFailed = 3, kDrained = 4 };

namespace event_flag {
inline constexpr int32_t kLast = 1;
inline constexpr int32_t kBodyless = 2;
inline constexpr int32_t kLengthKnown = 4;
inline constexpr int32_t kReused = 8;
inline constexpr int32_t kRequestUnfinished = 16;
/// With kPlainProfile only where sending it again is harmless: nothing of it was sent, or it is
/// idempotent and its replay's connect failed.
inline constexpr int32_t kRetryable = 32;
inline constexpr int32_t kHeadSeen = 64;
inline constexpr int32_t kSent = 128;
inline constexpr int32_t kAnswered = 256;
inline constexpr int32_t kAsked = 512;
}  // namespace event_flag

enum class EngineError : int32_t {
  kNone = 0,
  kConnectRefused = 1,
  kConnectTimeout = 2,
  kReset = 3,
  kBadResponse = 4,
  kResponseHeadTooLarge = 5,
  kTruncated = 6,
  kFirstByteTimeout = 7,
  kIdleTimeout = 8,
  kExchangeTimeout = 9,
  kPoolTimeout = 10,
  kFileLimit = 11,
  kAttemptTimeout = 12,
  kTls = 13,
  kStreamRefused = 14,
};

namespace send_flag {
inline constexpr int32_t kIdempotent = 1;
inline constexpr int32_t kHeadMethod = 2;
inline constexpr int32_t kFresh = 4;
}  // namespace send_flag

// Those of SendFor only: TypeScript has no such numbers.
namespace send_flag {
/// 101 is taken: see ResponseSink::OnSwitched.
inline constexpr int32_t kUpgrade = 8;
/// Trailers are collected.
inline constexpr int32_t kTrailers = 16;
/// The request is CONNECT: 2xx is taken as 101 is with kUpgrade.
inline constexpr int32_t kConnectMethod = 32;
/// Those that Send knows.
inline constexpr int32_t kOfTypeScript = kIdempotent | kHeadMethod | kFresh;
}  // namespace send_flag

/// Body length given to Send: no body, or a body of unknown length.
inline constexpr int64_t kNoBody = -1;
inline constexpr int64_t kChunkedBody = -2;

enum class SendResult : int32_t {
  kOk = 0,
  kBadHead = 1,
  kHeadTooLarge = 2,
  kNoPool = 3,
  kNotWhole = 4,
};

/// Longest request head that Send takes, framing not counted.
inline constexpr size_t kMaxRequestHeadBytes = 64 * 1024;
/// ... and SendFor: a client's head of kMaxRequestHeadBytes with what the proxy adds.
inline constexpr size_t kMaxEndpointHeadBytes = 72 * 1024;

/// Smallest arena and event array an engine works with.
inline constexpr size_t kMinArenaBytes = 512 * 1024;
inline constexpr size_t kMinEvents = 16;

}  // namespace sluice::upstream
