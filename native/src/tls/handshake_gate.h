// Which handshakes with clients may begin in a worker, and how those of a listener have ended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "l4/accepted.h"
#include "tls/channel.h"

namespace sluice::tls {

/// Most that may be in progress at a time; 0: any number.
struct HandshakeLimits {
  uint32_t handshakes = 0;             // of the worker
  uint32_t handshakes_per_client = 0;  // of one client address in the worker
};

/// One for each front end and session engine. One thread.
class HandshakeGate {
 public:
  /// Counts one in. UNIX sockets have no address: only the limit of the worker is theirs.
  /// @returns false: as many are in progress as may be
  bool Enter(const l4::PeerAddress& client, const HandshakeLimits& limits);
  /// Counts out what was counted in for that address.
  void Leave(const l4::PeerAddress& client);
  size_t in_progress() const { return in_progress_; }
  void Clear();

 private:
  size_t in_progress_ = 0;
  /// By IP address, those with any.
  std::map<std::array<uint8_t, 16>, uint32_t> by_client_;
};

/// How handshakes of a listener have ended; HANDSHAKE_ENDS of src/engine/tls.ts in this order.
enum class HandshakeEnd : uint8_t {
  kTls12,
  kTls12Resumed,
  kTls13,
  kTls13Resumed,
  // Failures: those of TlsFailure from kPeerLeft on, then our own.
  kPeerLeft,
  kNotTls,
  kVersion,
  kCipher,
  kNoCertificate,
  kBadCertificate,
  kAlert,
  kAlpn,
  kOther,
  kTimeout,
  kLimit,
};
inline constexpr size_t kHandshakeEnds = static_cast<size_t>(HandshakeEnd::kLimit) + 1;

/// Since start, by HandshakeEnd.
struct HandshakeCounts {
  std::array<uint64_t, kHandshakeEnds> ends{};

  void Add(HandshakeEnd end) { ++ends[static_cast<size_t>(end)]; }
};

/// Of one that is done.
HandshakeEnd EndOf(const Channel& channel);
/// @param failure not kNone
HandshakeEnd EndOf(TlsFailure failure);

}  // namespace sluice::tls
