// What the engine makes of what the relay found: progress, ends, broken connections.
#include "l4/session_engine.h"

namespace sluice::l4 {

void SessionEngine::RelayBothWays(Session* session, const FirstBytes& first) {
  const uint64_t from_client_before = session->from_client.moved_bytes;
  const uint64_t to_client_before = session->to_client.moved_bytes;
  const PairOutcome outcome =
      MoveBothWays(&relay_, session, {session->relay, session->half_close}, first);
  bytes_from_clients_ += session->from_client.moved_bytes - from_client_before;
  bytes_to_clients_ += session->to_client.moved_bytes - to_client_before;
  if (outcome.has_moved) session->moved_at_ms = loop_->now_ms();
  if (outcome.has_found_end) ArmBy(session, SilenceDeadlineMs(session));
  switch (outcome.step) {
    case PairStep::kWaiting:
      break;
    case PairStep::kYielding:
      OnPairReady(session);
      break;
    case PairStep::kDone:
      End(session, SessionEnd::kClean, 0);
      break;
    case PairStep::kClientBroken:
      End(session, SessionEnd::kClientReset, outcome.error);
      break;
    case PairStep::kEndpointBroken:
      End(session, SessionEnd::kEndpointReset, outcome.error);
      break;
  }
}

bool SessionEngine::EndIfClientBroken(Session* session) {
  const int error_number = session->client.TakeError();
  if (error_number == 0) return false;
  End(session, SessionEnd::kClientReset, error_number);
  return true;
}

}  // namespace sluice::l4
