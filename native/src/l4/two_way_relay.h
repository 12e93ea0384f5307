// Relays a pair both ways: what one side said, its end, and what is left of it when it broke.
#pragma once

#include <cstdint>
#include <string_view>

#include "l4/relay.h"
#include "l4/relay_pair.h"
#include "l4/session_event.h"

namespace sluice::l4 {

/// What moving both ways has come to.
enum class PairStep : uint8_t {
  kWaiting,   // for bytes, or for room
  kYielding,  // there is more, and others have waited long enough
  kDone,      // both have finished (where ends are not passed on: one has), all was handed over
  kClientBroken,
  kEndpointBroken,  // what it said before has been moved as far as it went
};

struct PairOutcome {
  PairStep step = PairStep::kWaiting;
  int error = 0;  // errno of the side that broke
  /// Bytes have moved, or a side has finished: silence begins anew.
  bool has_moved = false;
  /// A side was found to have finished.
  bool has_found_end = false;
};

/// How a pair is to be relayed.
struct PairRules {
  RelayKind kind = RelayKind::kAdaptive;
  /// The end of one side is told to the other, which may go on sending; false: it ends both.
  bool half_close = true;
};

/// Bytes from the client that no read brings: see Relay::MoveFirst.
struct FirstBytes {
  std::string_view own = {};
  std::string_view kept = {};
};

/// Moves what can be moved and passes on ends; closes nothing. HOT: bench l4-echo.
PairOutcome MoveBothWays(Relay* relay, RelayPair* pair, const PairRules& rules,
                         const FirstBytes& first = {});

/// Reads and drops what has come: a socket that is closed with bytes unread sends a reset, and what
/// it was still to deliver is lost.
void DropInput(const Side& side, char* buffer);

}  // namespace sluice::l4
