// One exchange as the engine sees it, and the table of all.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/intrusive_list.h"
#include "base/timer_wheel.h"
#include "upstream/attempt_profile.h"
#include "upstream/event.h"
#include "upstream/outgoing_request.h"

namespace sluice::upstream {

class Connection;
class ConnectionPool;
class Exchange;
class ResponseSink;

struct WaitingTag;
struct NoticeTag;

/// Told about an exchange that waited too long: for a connection, or for what becomes of an asked
/// response.
class ExchangeOwner {
 public:
  virtual void OnExchangeTimer(Exchange* exchange, uint64_t now_ms) = 0;

 protected:
  ~ExchangeOwner() = default;
};

/// Who has the exchange's number. TypeScript may use a number for a new exchange when it has seen
/// LAST or FAILED of the last one, or has released it.
enum class ExchangeState : uint8_t {
  kFree,      // nobody: writes, pauses and releases of it are ignored
  kWaiting,   // in its pool's queue for a connection
  kAttached,  // has a connection, which may still be connecting
  kFailing,   // failed; its sink has not been told yet
  kHeld,      // FAILED with RETRYABLE was reported, or a complete response that is asked about: its
              // request is kept for `resend` until `release`, `pass` or a new `send`
};

/// An exchange: the request on its way, and what TypeScript was told. Reused from exchange to
/// exchange.
class Exchange final : public Timer, public ListHook<WaitingTag>, public ListHook<NoticeTag> {
 public:
  static constexpr uint64_t kNever = UINT64_MAX;

  int32_t id = 0;
  ExchangeState state = ExchangeState::kFree;
  int32_t send_flags = 0;
  /// Of the attempt; never nullptr but with kFree.
  const AttemptProfile* profile = nullptr;
  Connection* connection = nullptr;  // kAttached
  ConnectionPool* pool = nullptr;    // kWaiting
  ExchangeOwner* owner = nullptr;
  /// Who takes its response; nullptr: kFree.
  ResponseSink* sink = nullptr;

  OutgoingRequest request;
  /// Of a known length: bytes that `write` still has to deliver. kChunkedBody, kNoBody: as given to
  /// `send`.
  int64_t body_left_bytes = kNoBody;
  /// ... and that it has delivered.
  int64_t body_taken_bytes = 0;
  /// All of the request was handed over by TypeScript.
  bool is_request_complete = false;
  bool is_paused = false;
  /// The sink holds a response of it that is asked about: nothing more is read until that is
  /// decided.
  bool is_asked = false;
  /// A byte of the response has come (an interim response counts).
  bool has_response_begun = false;
  bool is_head_reported = false;
  bool is_reused = false;
  bool is_replayed = false;
  /// TypeScript was told that bytes are held, and waits for DRAINED.
  bool is_drain_awaited = false;

  uint64_t started_us = 0;
  /// How long the connection took that it runs on; 0: it is reused, or not there yet.
  uint64_t connect_us = 0;
  /// When the last of a body was handed over; 0: not yet, or there is none.
  uint64_t body_ended_us = 0;
  uint64_t deadline_ms = kNever;
  /// Until when the head of the response must have come.
  uint64_t attempt_deadline_ms = kNever;

  // The notice: what is to be reported with the next turn.
  bool has_drained_notice = false;
  EngineError failure = EngineError::kNone;
  int32_t failure_errno = 0;
  int32_t failure_flags = 0;
  uint64_t failed_at_us = 0;

  /// The batch that has events of this exchange; 0: none has.
  uint32_t batch_serial = 0;

  uint64_t due_ms() const { return std::min(deadline_ms, attempt_deadline_ms); }
  bool takes_response() const { return !is_paused && !is_asked; }
  /// Its profile wants it to be kept when it is sent, and it is not too long for that.
  bool is_kept() const {
    return profile->holds() &&
           body_taken_bytes + std::max<int64_t>(body_left_bytes, 0) <= profile->held_body_bytes;
  }
  bool is_idempotent() const { return (send_flags & send_flag::kIdempotent) != 0; }
  /// The caller has ended the body before the length it had announced.
  bool is_cut_short() const { return is_request_complete && body_left_bytes > 0; }
  /// Nothing of the request is missing on the endpoint's side.
  bool is_request_sent() const { return is_request_complete && request.unsent_bytes() == 0; }

 private:
  void OnTimer(uint64_t now_ms) override { owner->OnExchangeTimer(this, now_ms); }
};

/// All exchanges by number (second attempts of theirs behind them), made in pages when a number is
/// first used: 256 at a time, never given back.
class ExchangeTable {
 public:
  explicit ExchangeTable(ExchangeOwner* owner) : owner_(owner) {}

  /// @param id 0..kMaxNumbers-1
  Exchange& At(int32_t id) {
    auto& page = pages_[static_cast<size_t>(id) / kPageExchanges];
    if (page == nullptr) MakePage(static_cast<size_t>(id) / kPageExchanges);
    return page->exchanges[static_cast<size_t>(id) % kPageExchanges];
  }
  /// The exchange if its number was ever used, or nullptr.
  Exchange* Find(int32_t id) {
    auto& page = pages_[static_cast<size_t>(id) / kPageExchanges];
    return page == nullptr ? nullptr : &page->exchanges[static_cast<size_t>(id) % kPageExchanges];
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (auto& page : pages_) {
      if (page == nullptr) continue;
      for (Exchange& exchange : page->exchanges)
        visit(exchange);
    }
  }

 private:
  static constexpr size_t kPageExchanges = 256;
  struct Page {
    std::array<Exchange, kPageExchanges> exchanges;
  };
  void MakePage(size_t index);

  ExchangeOwner* owner_;
  std::array<std::unique_ptr<Page>, static_cast<size_t>(kMaxNumbers) / kPageExchanges> pages_;
};

}  // namespace sluice::upstream
