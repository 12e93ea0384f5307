// What the front end reports and how: the same numbers as src/engine/front-end-event.ts, which is
// their documentation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "upstream/event.h"

namespace sluice::frontend {

/// Exchanges of front ends have the numbers from here on.
inline constexpr int32_t kFirstExchange = 1 << 16;
inline constexpr int32_t kMaxExchanges = upstream::kMaxExchanges - kFirstExchange;
/// Most connections of one worker.
inline constexpr int32_t kMaxConnections = 1 << 20;

inline constexpr size_t kEventStride = 32;
enum EventField : size_t {
  kType = 0,
  kNumber = 1,
  kListener = 2,
  kFlags = 3,
  kDecision = 4,
  kExchangeTimeoutMs = 5,
  // REQUEST
  kMethod = 6,
  kRoute = 7,
  kTargetOffset = 8,
  kTargetLength = 9,
  kHostOffset = 10,
  kHostLength = 11,
  kPathLength = 12,
  kBodyKind = 13,
  kBodyLow = 14,
  kBodyHigh = 15,
  kMaxForwards = 16,
  kFault = 17,
  kHostTable = 18,
  kGrpcStatus = 18,  // PROGRESS
  kConnection = 19,
  kConnectUs = 19,  // PROGRESS, RESPONSE_ASKED
  // PROGRESS, ATTEMPT_FAILED, RESPONSE_ASKED, CLOSED
  kStatus = 20,
  kElapsedUs = 21,
  kReason = 22,
  kErrno = 23,
  kProfile = 24,  // REQUEST, ATTEMPT_FAILED, RESPONSE_ASKED
  kToClientLow = 24,
  kToClientHigh = 25,
  kFromClientLow = 26,
  kFromClientHigh = 27,
  kRetryAfterOffset = 28,
  kRetryAfterLength = 29,
  kReportOffset = 30,
  kReportLength = 31,
  // OPENED
  kPeer0 = 6,
  kPeerPort = 10,
  kClaimed0 = 11,
  kClaimedPort = 15,
  kTrust = 16,
  // CLOSED with kTlsFailed; also kErrno, and kReportOffset with kReportLength
  kTlsFailure = 17,
  kTlsAlert = 20,
  // CLOSED with kHttp2Error, kHttp2Flood; kErrno: the error code
  kFloodKind = 17,
};

enum class EventType : int32_t {
  kNone = 0,
  kOpened = 1,
  kRequest = 2,
  kProgress = 3,
  kAttemptFailed = 4,
  kFault = 5,
  kClosed = 6,
  kResponseAsked = 7,
};

namespace event_flag {
inline constexpr int32_t kFirstByte = 1;
inline constexpr int32_t kEndpointDone = 2;
inline constexpr int32_t kFinished = 4;
inline constexpr int32_t kProxied = 8;
inline constexpr int32_t kUpgrade = 16;
inline constexpr int32_t kHttp10 = 32;
inline constexpr int32_t kRetryable = 64;
inline constexpr int32_t kHeadSeen = 128;
inline constexpr int32_t kLoop = 256;
inline constexpr int32_t kTunnel = 512;
inline constexpr int32_t kSent = 1024;
inline constexpr int32_t kReused = 2048;
inline constexpr int32_t kAnswered = 4096;
inline constexpr int32_t kHedge = 8192;
inline constexpr int32_t kOngoing = 16384;
inline constexpr int32_t kHedgeWon = 32768;
inline constexpr int32_t kHttp2 = 65536;
inline constexpr int32_t kMisdirected = 131072;
}  // namespace event_flag

/// Decisions.
inline constexpr int32_t kAdmitConnection = 0;
inline constexpr int32_t kRefuseConnection = -1;
inline constexpr int32_t kSettled = -1;
inline constexpr int32_t kLater = -2;
inline constexpr int32_t kPass = -3;

inline constexpr int32_t kNoRoute = -1;
inline constexpr int32_t kUnknownHost = -2;

namespace trust {
inline constexpr int32_t kProxyHeader = 1;
inline constexpr int32_t kForwarded = 2;
}  // namespace trust

/// What HashKey tells.
namespace key_answer {
inline constexpr int32_t kHashed = 1;
inline constexpr int32_t kForwarded = 2;
}  // namespace key_answer

enum class BodyKind : int32_t { kNone = 0, kKnown = 1, kChunked = 2 };

enum class ClientEnd : int32_t {
  kDelivered = 0,
  kGone = 1,
  kStalled = 2,
  kBrokenOff = 3,
  kTunnelIdle = 4,
  kIdle = 5,
  kBadProxyHeader = 6,
  kPrefaceTimeout = 7,
  kTlsFailed = 8,
  kTlsTimeout = 9,
  kTlsLimit = 10,
  kHttp2Error = 16,
  kHttp2Flood = 17,
};

/// Reason of ATTEMPT_FAILED beside upstream::EngineError.
inline constexpr int32_t kNoPool = 100;

/// Smallest arena and event array a front end works with.
inline constexpr size_t kMinArenaBytes = 512 * 1024;
inline constexpr size_t kMinEvents = 16;

}  // namespace sluice::frontend
