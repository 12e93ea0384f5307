// What becomes of requests that the client holds: sent again, sent twice, or held no more.
#include <utility>

#include "upstream/upstream_client.h"

namespace sluice::upstream {

void UpstreamClient::OpenProfile(int32_t number, AttemptProfile settings) {
  const auto place = static_cast<size_t>(number);
  if (profiles_.size() <= place) profiles_.resize(place + 1);
  // Where it is: attempts under way point to it.
  if (profiles_[place] == nullptr) profiles_[place] = std::make_unique<AttemptProfile>();
  *profiles_[place] = std::move(settings);
}

const AttemptProfile* UpstreamClient::FindProfile(int32_t number, Misuse* misuse) const {
  const auto place = static_cast<size_t>(number);
  if (number >= 0 && place < profiles_.size() && profiles_[place] != nullptr)
    return profiles_[place].get();
  *misuse = Misuse::kNoProfile;
  return nullptr;
}

SendResult UpstreamClient::Resend(int32_t id, int32_t slot, Misuse* misuse, int32_t profile) {
  Exchange* const exchange = exchanges_.Find(id);
  const bool is_held =
      exchange != nullptr && (exchange->state == ExchangeState::kHeld || exchange->is_asked);
  if (!is_held) {
    // How it ended stands in the batch that is being handled.
    const bool is_told = exchange != nullptr && exchange->state == ExchangeState::kFree &&
                         exchange->batch_serial == batch_.serial();
    if (is_told) return SendResult::kOk;
    *misuse = Misuse::kNotHeld;
    return SendResult::kOk;
  }
  const AttemptProfile* const settings = FindProfile(profile, misuse);
  if (settings == nullptr) return SendResult::kOk;
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return SendResult::kNoPool;
  // Its time was over while the response waited: FAILED is on its way.
  if (exchange->state == ExchangeState::kFailing) return SendResult::kOk;
  if (exchange->state == ExchangeState::kAttached) CloseConnection(exchange->connection);
  exchange->connection = nullptr;
  SetState(exchange, ExchangeState::kHeld);
  loop_->timers().Cancel(exchange);
  loop_->Refresh();
  exchange->profile = settings;
  exchange->started_us = loop_->now_us();
  exchange->attempt_deadline_ms = Exchange::kNever;
  exchange->is_asked = false;
  exchange->has_response_begun = false;
  exchange->is_head_reported = false;
  exchange->is_replayed = false;
  exchange->is_reused = false;
  if (exchange->request.has_reached_endpoint()) exchange->send_flags |= send_flag::kFresh;
  exchange->request.Rewind();
  if (loop_->now_ms() >= exchange->deadline_ms) {
    Fail(exchange, EngineError::kExchangeTimeout, 0);
  } else if (exchange->is_cut_short()) {
    Fail(exchange, EngineError::kReset, 0);
  } else {
    if (exchange->is_request_complete) StartAttemptTime(exchange);
    Begin(exchange, pool);
  }
  return SendResult::kOk;
}

SendResult UpstreamClient::Duplicate(int32_t from, int32_t to, int32_t slot, uint64_t timeout_ms,
                                     Misuse* misuse, int32_t profile) {
  return DuplicateFor(&batch_responses_, from, to, slot, timeout_ms, misuse, profile);
}

SendResult UpstreamClient::DuplicateFor(ResponseSink* sink, int32_t from, int32_t to, int32_t slot,
                                        uint64_t timeout_ms, Misuse* misuse, int32_t profile) {
  Exchange* const second = Claim(to, misuse);
  const AttemptProfile* const settings = FindProfile(profile, misuse);
  if (second == nullptr || settings == nullptr) return SendResult::kOk;
  const Exchange* const first = exchanges_.Find(from);
  const bool is_whole = first != nullptr && first != second &&
                        first->state != ExchangeState::kFree && first->is_request_complete &&
                        !first->is_cut_short() && first->request.is_whole();
  if (!is_whole) return SendResult::kNotWhole;
  ConnectionPool* const pool = FindPool(slot);
  if (pool == nullptr) return SendResult::kNoPool;
  Prepare(sink, second, settings, timeout_ms);
  second->send_flags = first->send_flags;
  second->body_left_bytes = first->body_left_bytes;
  second->body_taken_bytes = first->body_taken_bytes;
  second->is_request_complete = true;
  second->request.AddUnsent(first->request.held());
  StartAttemptTime(second);
  Begin(second, pool);
  return SendResult::kOk;
}

void UpstreamClient::Pass(int32_t id) {
  Exchange* const exchange = exchanges_.Find(id);
  if (exchange == nullptr || !exchange->is_asked) return;
  if (exchange->state == ExchangeState::kHeld) return Free(exchange);
  if (exchange->state != ExchangeState::kAttached) return;  // FAILED is on its way
  exchange->is_asked = false;
  exchange->request.Retain(0);
  loop_->Refresh();
  Connection* const connection = exchange->connection;
  connection->last_progress_ms = loop_->now_ms();
  ArmBusy(connection);
  OnConnectionReady(connection);
}

}  // namespace sluice::upstream
