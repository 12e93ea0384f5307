// A connection that has been accepted and that no session has taken over yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"

namespace sluice::l4 {

/// An IP address and port. IPv4 as ::ffff:a.b.c.d; all zero for a UNIX socket.
struct PeerAddress {
  std::array<uint8_t, 16> ip{};  // network order
  uint16_t port = 0;             // host order

  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

/// The descriptor is non-blocking and closed on exec; TCP_NODELAY and keep-alive came with the
/// listening socket.
struct Accepted {
  UniqueFd fd;
  int32_t listener = 0;  // index in the plan
  PeerAddress peer;
  uint64_t accepted_at_us = 0;
};

/// Who is told that accepting had to stop.
class ShortageSink {
 public:
  /// accept() fails for want of descriptors or memory (an errno), or works again (0). Told once for
  /// each change.
  virtual void OnShortage(int error_number) = 0;

 protected:
  ~ShortageSink() = default;
};

/// Who takes connections: the distributor in the accepting thread, the session engine in a worker
/// that accepts for itself.
class AcceptedSink : public ShortageSink {
 public:
  /// Takes the connections of one round of accepting; what it leaves in place is closed with them.
  virtual void OnAccepted(Accepted* accepted, size_t count) = 0;
  /// How many connections it may have more. Where there are none left, accepting rests as for want
  /// of descriptors (EMFILE): the kernel's backlog keeps the rest.
  virtual size_t Room() const { return SIZE_MAX; }

 protected:
  ~AcceptedSink() = default;
};

}  // namespace sluice::l4
