// What the engine makes of what the relay found: progress, ends, broken connections.
#include "l4/session_engine.h"

namespace sluice::l4 {

namespace {

/// Bounds what is read only to be dropped, so that a close is an orderly end.
constexpr int kDroppedReads = 16;

bool IsDone(const Direction& direction) {
  return direction.has_ended && !direction.holds_bytes();
}

/// Reads and drops what has come: a socket that is closed with bytes unread sends a reset, and what
/// it was still to deliver is lost.
void DropInput(const Side& side, char* buffer) {
  if (!side.is_readable()) return;
  for (int reads = 0; reads < kDroppedReads; ++reads) {
    const IoResult got = Receive(side.fd.get(), buffer, Relay::kBufferBytes);
    if (got.error != 0 || got.bytes == 0) return;
  }
}

}  // namespace

void SessionEngine::RelayBothWays(Session* session) {
  // What a side said before it broke goes on its way first.
  const bool begins_with_client = !session->endpoint.is_broken();
  if (!RelayOneWay(session, begins_with_client)) return;
  if (!RelayOneWay(session, !begins_with_client)) return;
  if (EndIfBroken(session, true) || EndIfBroken(session, false)) return;
  PassOnEnds(session);
}

bool SessionEngine::RelayOneWay(Session* session, bool is_from_client) {
  Direction& direction = is_from_client ? session->from_client : session->to_client;
  if (direction.is_delivered) return true;
  Side& source = is_from_client ? session->client : session->endpoint;
  Side& sink = is_from_client ? session->endpoint : session->client;
  const bool had_ended = direction.has_ended;
  const uint64_t moved_before = direction.moved_bytes;
  const RelayOutcome outcome = relay_.Move(&source, &sink, &direction, session->relay);
  if (!OnRelayed(session, is_from_client, moved_before, outcome)) return false;
  if (direction.has_ended && !had_ended) {
    session->moved_at_ms = loop_->now_ms();
    ArmBy(session, SilenceDeadlineMs(session));
  }
  return true;
}

bool SessionEngine::OnRelayed(Session* session, bool is_from_client, uint64_t moved_before,
                              const RelayOutcome& outcome) {
  const Direction& direction = is_from_client ? session->from_client : session->to_client;
  const uint64_t moved_bytes = direction.moved_bytes - moved_before;
  if (moved_bytes > 0) {
    (is_from_client ? bytes_from_clients_ : bytes_to_clients_) += moved_bytes;
    session->moved_at_ms = loop_->now_ms();
  }
  switch (outcome.step) {
    case RelayStep::kWaiting:
    case RelayStep::kEnded:
      return true;
    case RelayStep::kYielding:
      OnSessionReady(session);
      return true;
    case RelayStep::kSourceBroken:
      EndBroken(session, is_from_client, outcome.error);
      return false;
    case RelayStep::kSinkBroken:
      EndBroken(session, !is_from_client, outcome.error);
      return false;
  }
  return true;
}

void SessionEngine::PassOnEnds(Session* session) {
  const bool has_client_ended = IsDone(session->from_client);
  const bool has_endpoint_ended = IsDone(session->to_client);
  if (!has_client_ended && !has_endpoint_ended) return;
  if (has_client_ended && has_endpoint_ended) return End(session, SessionEnd::kClean, 0);
  if (!session->half_close) {
    DropInput(has_client_ended ? session->endpoint : session->client, relay_.buffer());
    return End(session, SessionEnd::kClean, 0);
  }
  Direction& done = has_client_ended ? session->from_client : session->to_client;
  if (done.is_delivered) return;
  done.is_delivered = true;
  FinishSending((has_client_ended ? session->endpoint : session->client).fd.get());
}

bool SessionEngine::EndIfBroken(Session* session, bool is_client) {
  Side& side = is_client ? session->client : session->endpoint;
  if (!side.is_broken()) return false;
  side.signs &= ~uint32_t{EPOLLERR};
  // The error tells a reset from an end even where a read cannot: behind a FIN, a read finds the
  // end only.
  const int error_number = PendingError(side.fd.get());
  if (error_number == 0) return false;
  EndBroken(session, is_client, error_number);
  return true;
}

void SessionEngine::EndBroken(Session* session, bool is_client, int error_number) {
  Direction& said = is_client ? session->from_client : session->to_client;
  if (session->state == SessionState::kRelaying && !said.is_delivered) {
    // A write that failed took the error with it; what lies there to be read was said before.
    Side& source = is_client ? session->client : session->endpoint;
    Side& sink = is_client ? session->endpoint : session->client;
    const uint64_t moved_before = said.moved_bytes;
    (void)relay_.Move(&source, &sink, &said, session->relay);
    (is_client ? bytes_from_clients_ : bytes_to_clients_) += said.moved_bytes - moved_before;
  }
  End(session, is_client ? SessionEnd::kClientReset : SessionEnd::kEndpointReset, error_number);
}

}  // namespace sluice::l4
