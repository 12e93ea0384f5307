// What the session engine reports and how: the same numbers as src/engine/session-engine.ts, which
// is their documentation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::l4 {

/// Most sessions one worker can have open.
inline constexpr int32_t kMaxSessions = 1 << 16;

/// Words of one event, and their places.
inline constexpr size_t kSessionEventStride = 32;
enum SessionField : size_t {
  kType = 0,
  kSession = 1,
  kListener = 2,
  kReason = 3,
  kErrno = 4,
  kElapsedUs = 5,
  kDecision = 6,
  kFlags = 7,
  kPeer0 = 8,
  kPeerPort = 12,
  kClaimed0 = 13,
  kClaimedPort = 17,
  kBelieve = 18,
  kTextOffset = 19,
  kSniLength = 20,
  kAlpnLength = 21,
  kFromClientLow = 22,
  kFromClientHigh = 23,
  kToClientLow = 24,
  kToClientHigh = 25,
  kDurationMs = 26,
  kTlsFailure = 27,
  kTlsAlert = 28,
  kTlsTextLength = 29,
};

/// Decision of TypeScript: close with a reset.
inline constexpr int32_t kRefuse = -1;
/// Decision of TypeScript: SessionEngine::DecideLate follows.
inline constexpr int32_t kLater = -2;

enum class SessionEventType : int32_t {
  kNone = 0,
  kOpened = 1,
  kConnected = 2,
  kConnectFailed = 3,
  kEnded = 4,
};

namespace session_flag {
inline constexpr int32_t kProxied = 1;
inline constexpr int32_t kTls = 2;
inline constexpr int32_t kNeverOpened = 4;
inline constexpr int32_t kWasConnected = 8;
/// The endpoint's end had been passed on, with all that it sent.
inline constexpr int32_t kEndpointFinished = 16;
inline constexpr int32_t kDecrypted = 32;
}  // namespace session_flag

enum class ConnectFailure : uint8_t {
  kNone = 0,
  kRefused = 1,
  kTimeout = 2,
  kNoAddress = 3,
  kFileLimit = 4,
  kTls = 5,
};

enum class SessionEnd : uint8_t {
  kNone = 0,
  kClean = 1,
  kRefused = 2,
  kClientReset = 3,
  kEndpointReset = 4,
  kIdleTimeout = 5,
  kLingerTimeout = 6,
  kBadProxyHeader = 7,
  kPrefaceTimeout = 8,
  kClosed = 9,
  kBadClientHello = 10,
  kTlsFailed = 11,
  kTlsTimeout = 12,
  kTlsLimit = 13,
};

enum class RelayKind : uint8_t { kCopy = 0, kSplice = 1, kAdaptive = 2 };

/// Smallest arena and event array a session engine works with.
inline constexpr size_t kMinSessionArenaBytes = 64 * 1024;
inline constexpr size_t kMinSessionEvents = 16;

}  // namespace sluice::l4
