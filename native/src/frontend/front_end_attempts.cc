// How attempts end, are asked about, and run beside each other.
#include <utility>

#include "frontend/front_end.h"
#include "upstream/connection_pool.h"

namespace sluice::frontend {

namespace {

using upstream::SinkVerdict;

/// What the upstream client says of an attempt that failed, in the bits of ATTEMPT_FAILED;
/// kHeadSeen is for the front end to say.
int32_t FlagsOf(int32_t failure_flags) {
  const auto bit = [failure_flags](int32_t of_client, int32_t of_front_end) {
    return (failure_flags & of_client) != 0 ? of_front_end : 0;
  };
  return bit(upstream::event_flag::kRetryable, event_flag::kRetryable) |
         bit(upstream::event_flag::kSent, event_flag::kSent) |
         bit(upstream::event_flag::kReused, event_flag::kReused) |
         bit(upstream::event_flag::kAnswered, event_flag::kAnswered);
}

}  // namespace

ClientExchange* FrontEnd::FindAttempting(const upstream::Exchange& from) const {
  ClientExchange* const exchange = FindOpen(from.id & (upstream::kHedgeOffset - 1));
  if (exchange == nullptr || from.id == exchange->attempt_id) return exchange;
  return exchange->is_hedged() ? exchange : nullptr;
}

// --- failures ---

void FrontEnd::ReportFailure(ClientExchange* exchange, int32_t failure, int32_t flags) {
  exchange->stage = Stage::kUndecided;
  exchange->failure = failure;
  exchange->failure_errno = 0;
  exchange->failure_flags = flags | (exchange->is_sent ? event_flag::kSent : 0);
  exchange->failure_us = 0;
  exchange->has_failed_notice = true;
  Notice(exchange);
}

void FrontEnd::ReportEnded(ClientExchange* exchange, std::unique_ptr<EndedAttempt> ended) {
  exchange->hedge->ended = std::move(ended);
  Notice(exchange);
}

void FrontEnd::OnFailed(upstream::Exchange* from) {
  ClientExchange* const exchange = FindAttempting(*from);
  if (exchange == nullptr) return;  // a loser; to be released
  int32_t flags = FlagsOf(from->failure_flags);
  const bool is_held = (flags & event_flag::kRetryable) != 0;
  if ((flags & event_flag::kSent) != 0) exchange->is_sent = true;
  const uint64_t elapsed_us = from->failed_at_us - from->started_us;
  exchange->asked.reset();  // its time was over before it was decided
  bool can_be_sent = is_held;
  if (exchange->is_hedged()) {
    HedgeRecord& hedge = *exchange->hedge;
    const bool is_second = from->id != exchange->attempt_id;
    if (is_second) flags |= event_flag::kHedge;
    const bool is_other_over = is_second && (hedge.is_first_held || hedge.is_first_over);
    if (!is_other_over) {
      auto ended = std::make_unique<EndedAttempt>();
      ended->flags = flags;
      ended->failure = static_cast<int32_t>(from->failure);
      ended->failure_errno = from->failure_errno;
      ended->elapsed_us = elapsed_us;
      // The first one's request is kept, for the second may fail, too.
      if (is_second) {
        hedge.is_running = false;
        losers_.push_back(from->id);
      } else {
        hedge.is_first_held = is_held;
        hedge.is_first_over = !is_held;
      }
      return ReportEnded(exchange, std::move(ended));
    }
    // Both have failed: one that is held is what another attempt begins with.
    hedge.is_running = false;
    can_be_sent = is_held || hedge.is_first_held;
    if (can_be_sent) flags |= event_flag::kRetryable;
    if (hedge.is_first_held) {
      losers_.push_back(from->id);
    } else {
      exchange->attempt_id = from->id;
    }
  }
  if (!can_be_sent) exchange->holder = Holder::kNobody;
  ReportFailure(exchange, static_cast<int32_t>(from->failure),
                flags | (exchange->has_head_gone ? event_flag::kHeadSeen : 0));
  exchange->failure_errno = from->failure_errno;
  exchange->failure_us = elapsed_us;
}

// --- responses that are asked about ---

bool FrontEnd::TakesReports(const upstream::Exchange& from) {
  return from.connection->pool()->settings().takes_reports;
}

SinkVerdict FrontEnd::Ask(ClientExchange* exchange, const upstream::Exchange& from,
                          const upstream::ResponsePart& part) {
  const bool takes_reports = TakesReports(from);
  auto facts = FactsOf(part.head_input, *part.head, takes_reports, true);
  int32_t flags = event_flag::kRetryable | event_flag::kSent | event_flag::kAnswered;
  if (from.is_reused) flags |= event_flag::kReused;
  exchange->is_sent = true;
  if (exchange->is_hedged()) {
    HedgeRecord& hedge = *exchange->hedge;
    const bool is_second = from.id != exchange->attempt_id;
    if (is_second) flags |= event_flag::kHedge;
    if (!is_second || !(hedge.is_first_held || hedge.is_first_over)) {
      // The other one may do better, and what counts then is how that ends.
      auto ended = std::make_unique<EndedAttempt>();
      ended->flags = flags;
      ended->status = part.head->status;
      ended->elapsed_us = part.elapsed_us;
      ended->connect_us = part.connect_us;
      ended->facts = std::move(facts);
      if (is_second) {
        hedge.is_running = false;
      } else {
        hedge.is_first_over = true;
      }
      ReportEnded(exchange, std::move(ended));
      return SinkVerdict::kRelease;
    }
    hedge.is_running = false;
    if (hedge.is_first_held) losers_.push_back(exchange->attempt_id);
    exchange->attempt_id = from.id;
  }
  exchange->asked = std::make_unique<AskedResponse>(part, takes_reports);
  exchange->asked->flags = flags;
  exchange->asked->facts = std::move(facts);
  exchange->stage = Stage::kUndecided;
  exchange->has_asked_notice = true;
  Notice(exchange);
  return SinkVerdict::kHold;
}

void FrontEnd::PassAsked(ClientExchange* exchange) {
  const std::unique_ptr<AskedResponse> asked = std::move(exchange->asked);
  exchange->leaves_by_finishing = false;
  const int32_t attempt_id = exchange->attempt_id;
  // Where all of it is here, nothing is left to the upstream client but the request.
  if (asked->is_last) client_->Release(attempt_id);
  PassOn(exchange, asked->Part(), asked->takes_reports);
  if (asked->is_last || exchange->stage == Stage::kFinished) return;
  exchange->is_endpoint_paused = !exchange->is_taken();
  if (exchange->is_endpoint_paused) client_->Pause(attempt_id);
  client_->Pass(attempt_id);
  if (!exchange->is_body_complete) ExpectBody(exchange);
}

bool FrontEnd::Pass(int32_t id) {
  ClientExchange* const exchange = FindOpen(id);
  const bool is_asked =
      exchange != nullptr && exchange->stage == Stage::kUndecided && exchange->asked != nullptr;
  if (!is_asked) return false;
  loop_->Refresh();
  PassAsked(exchange);
  return true;
}

// --- two attempts at a time ---

bool FrontEnd::Hedge(int32_t id, int32_t slot, int32_t profile, uint64_t timeout_ms) {
  ClientExchange* const exchange = FindOpen(id);
  const bool may_begin = exchange != nullptr && exchange->stage == Stage::kAttempting &&
                         exchange->is_body_complete && !exchange->wants_tunnel &&
                         !exchange->is_hedged();
  if (!may_begin) return false;
  // What became of the last one is not told yet.
  if (exchange->hedge != nullptr && exchange->hedge->ended != nullptr) return false;
  ReleaseLosers();
  upstream::Misuse misuse = upstream::Misuse::kNone;
  const upstream::SendResult result =
      client_->DuplicateFor(static_cast<upstream::ResponseSink*>(this), exchange->attempt_id,
                            exchange->hedge_id(), slot, timeout_ms, &misuse, profile);
  if (misuse != upstream::Misuse::kNone || result != upstream::SendResult::kOk) return false;
  if (exchange->hedge == nullptr) exchange->hedge = std::make_unique<HedgeRecord>();
  exchange->hedge->is_running = true;
  exchange->hedge->is_first_held = exchange->hedge->is_first_over = false;
  return true;
}

void FrontEnd::ReleaseHedge(int32_t id) {
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr || !exchange->is_hedged()) return;
  HedgeRecord& hedge = *exchange->hedge;
  if (hedge.is_first_held || hedge.is_first_over) return;
  hedge.is_running = false;
  client_->Release(exchange->hedge_id());
}

void FrontEnd::Win(ClientExchange* exchange, int32_t attempt_id) {
  HedgeRecord& hedge = *exchange->hedge;
  hedge.is_running = false;
  if (attempt_id == exchange->attempt_id) {
    losers_.push_back(exchange->hedge_id());
    return;
  }
  if (!hedge.is_first_over) losers_.push_back(exchange->attempt_id);
  exchange->attempt_id = attempt_id;
  exchange->progress |= event_flag::kHedgeWon;
}

void FrontEnd::ReleaseAttempts(ClientExchange* exchange) {
  exchange->asked.reset();
  if (exchange->is_hedged()) {
    exchange->hedge->is_running = false;
    client_->Release(exchange->hedge_id());
  }
  if (std::exchange(exchange->holder, Holder::kNobody) == Holder::kClient)
    client_->Release(exchange->attempt_id);
}

void FrontEnd::ReleaseLosers() {
  while (!losers_.empty()) {
    client_->Release(losers_.back());
    losers_.pop_back();
  }
}

}  // namespace sluice::frontend
