// Moves both ways, and finds out how a side has ended.
#include "l4/two_way_relay.h"

namespace sluice::l4 {

namespace {

/// Bounds what is read only to be dropped, so that a close is an orderly end.
constexpr int kDroppedReads = 16;

/// One call of MoveBothWays.
class PairTurn {
 public:
  PairTurn(Relay* relay, RelayPair* pair, const PairRules& rules)
      : relay_(relay), pair_(pair), rules_(rules) {}

  PairOutcome Run(const FirstBytes& first) {
    if (!first.own.empty() || !first.kept.empty()) {
      const Mark before = MarkOf(true);
      const RelayOutcome moved =
          relay_->MoveFirst(first.own, first.kept, &pair_->client, &pair_->endpoint,
                            &pair_->from_client, rules_.kind);
      if (!Note(true, before, moved)) return outcome_;
    }
    // What a side said before it broke goes on its way first.
    const bool begins_with_client = !pair_->endpoint.is_broken();
    if (MoveOneWay(begins_with_client) && MoveOneWay(!begins_with_client) && IsWhole(true) &&
        IsWhole(false)) {
      PassOnEnds();
    }
    return outcome_;
  }

 private:
  /// How far a direction had got.
  struct Mark {
    uint64_t moved_bytes;
    bool has_ended;
  };

  Side& SideOf(bool is_client) { return is_client ? pair_->client : pair_->endpoint; }
  Direction& DirectionFrom(bool is_client) {
    return is_client ? pair_->from_client : pair_->to_client;
  }
  Mark MarkOf(bool is_from_client) {
    const Direction& direction = DirectionFrom(is_from_client);
    return {direction.moved_bytes, direction.has_ended};
  }

  // These return false where a side is broken: the outcome is complete then.

  bool MoveOneWay(bool is_from_client) {
    Direction& direction = DirectionFrom(is_from_client);
    if (direction.is_delivered) return true;
    const Mark before = MarkOf(is_from_client);
    const RelayOutcome moved =
        relay_->Move(&SideOf(is_from_client), &SideOf(!is_from_client), &direction, rules_.kind);
    return Note(is_from_client, before, moved);
  }

  bool Note(bool is_from_client, const Mark& before, const RelayOutcome& moved) {
    const Mark now = MarkOf(is_from_client);
    if (now.has_ended != before.has_ended) outcome_.has_moved = outcome_.has_found_end = true;
    if (now.moved_bytes != before.moved_bytes) outcome_.has_moved = true;
    switch (moved.step) {
      case RelayStep::kWaiting:
      case RelayStep::kEnded:
        return true;
      case RelayStep::kYielding:
        outcome_.step = PairStep::kYielding;
        return true;
      case RelayStep::kSourceBroken:
        return Break(is_from_client, moved.error);
      case RelayStep::kSinkBroken:
        return Break(!is_from_client, moved.error);
    }
    return true;
  }

  bool IsWhole(bool is_client) {
    const int error = SideOf(is_client).TakeError();
    return error == 0 || Break(is_client, error);
  }

  bool Break(bool is_client, int error) {
    Direction& said = DirectionFrom(is_client);
    if (!said.is_delivered) {
      // A write that failed took the error with it; what lies there to be read was said before.
      (void)relay_->Move(&SideOf(is_client), &SideOf(!is_client), &said, rules_.kind);
    }
    outcome_.step = is_client ? PairStep::kClientBroken : PairStep::kEndpointBroken;
    outcome_.error = error;
    return false;
  }

  bool IsDone(bool is_from_client) {
    return DirectionFrom(is_from_client).is_done() && !SideOf(!is_from_client).has_unsent();
  }

  void PassOnEnds() {
    const bool has_client_ended = IsDone(true);
    const bool has_endpoint_ended = IsDone(false);
    if (!has_client_ended && !has_endpoint_ended) return;
    if (pair_->has_tls() && !HasWholeEnds()) return;
    if (has_client_ended && has_endpoint_ended) {
      Complete();
    } else if (!rules_.half_close) {
      Complete();
      if (outcome_.step == PairStep::kDone) DropInput(SideOf(!has_client_ended), relay_->buffer());
    } else if (!DirectionFrom(has_client_ended).is_delivered) {
      DirectionFrom(has_client_ended).is_delivered = SideOf(!has_client_ended).Finish();
    }
  }

  /// An end that came without close_notify may have been made by anybody on the way: it is passed
  /// on as a reset. Not so where the other side had finished: many who are told of an end answer
  /// it by closing (RFC 8446 section 6.1 lets them lose nothing by that).
  bool HasWholeEnds() {
    for (const bool is_client : {true, false}) {
      if (!IsDone(is_client) || !SideOf(is_client).was_cut()) continue;
      if (DirectionFrom(!is_client).is_delivered) continue;
      return Break(is_client, ECONNRESET);
    }
    return true;
  }

  /// Closing tells plain sides the end, but not channels.
  void Complete() {
    const bool is_told = pair_->client.FinishChannel();
    if (pair_->endpoint.FinishChannel() && is_told) outcome_.step = PairStep::kDone;
  }

  Relay* const relay_;
  RelayPair* const pair_;
  const PairRules rules_;
  PairOutcome outcome_;
};

}  // namespace

void DropInput(const Side& side, char* buffer) {
  if (!side.is_readable()) return;
  for (int reads = 0; reads < kDroppedReads; ++reads) {
    const IoResult got = Receive(side.fd.get(), buffer, Relay::kBufferBytes);
    if (got.error != 0 || got.bytes == 0) return;
  }
}

PairOutcome MoveBothWays(Relay* relay, RelayPair* pair, const PairRules& rules,
                         const FirstBytes& first) {
  return PairTurn(relay, pair, rules).Run(first);
}

}  // namespace sluice::l4
