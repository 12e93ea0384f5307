// Makes events of responses.
#include "upstream/batch_responses.h"

#include "http1/client_head.h"

namespace sluice::upstream {

namespace {

constexpr int kNotModified = 304;

}  // namespace

SinkVerdict BatchResponses::OnInterim(Exchange*, const http1::ResponseHead&, std::string_view) {
  return SinkVerdict::kMore;  // TypeScript is not told
}

SinkVerdict BatchResponses::OnResponse(Exchange* exchange, const ResponsePart& part) {
  Event event;
  if (part.body != nullptr) {
    const char* const start = batch_->arena() + batch_->used_bytes();
    batch_->Use(static_cast<size_t>(part.body + part.body_bytes - start));
  }
  event.type = EventType::kBody;
  if (part.head != nullptr) AddHead(*exchange, part, &event);
  event.body_bytes = part.body_bytes;
  if (part.body_bytes > 0) event.body_offset = static_cast<size_t>(part.body - batch_->arena());
  event.elapsed_us = part.elapsed_us;
  if (part.is_last) event.flags |= event_flag::kLast;
  if (part.is_request_unfinished) event.flags |= event_flag::kRequestUnfinished;
  if (part.is_asked) event.flags |= event_flag::kAsked;
  Add(exchange, &event);
  return part.is_asked ? SinkVerdict::kHold : SinkVerdict::kMore;
}

void BatchResponses::AddHead(const Exchange& exchange, const ResponsePart& part, Event* event) {
  const http1::ResponseHead& head = *part.head;
  const bool is_length_kept =
      (exchange.send_flags & send_flag::kHeadMethod) != 0 || head.status == kNotModified;
  event->type = EventType::kHead;
  event->connect_us = part.connect_us;
  event->status = head.status;
  event->head_offset = batch_->used_bytes();
  event->head_bytes = http1::WriteClientHead(part.head_input, head, is_length_kept,
                                             batch_->arena() + batch_->used_bytes());
  batch_->Use(event->head_bytes);
  if (head.body == http1::BodyKind::kNone) event->flags |= event_flag::kBodyless;
  if (head.body == http1::BodyKind::kLength) {
    event->flags |= event_flag::kLengthKnown;
    event->content_length = head.content_length;
  }
}

void BatchResponses::OnSwitched(Exchange*, const http1::ResponseHead&, std::string_view,
                                SwitchedConnection, std::string_view, uint64_t) {
  // Send takes no flag that would lead here; the connection would be closed.
}

void BatchResponses::OnFailed(Exchange* exchange) {
  Event failed;
  failed.type = EventType::kFailed;
  failed.status = static_cast<int32_t>(exchange->failure);
  failed.flags = exchange->failure_flags;
  failed.error_number = exchange->failure_errno;
  failed.elapsed_us = exchange->failed_at_us - exchange->started_us;
  Add(exchange, &failed);
}

void BatchResponses::OnDrained(Exchange* exchange) {
  Event drained;
  drained.type = EventType::kDrained;
  Add(exchange, &drained);
}

void BatchResponses::Add(Exchange* exchange, Event* event) {
  event->exchange = exchange->id;
  if (exchange->is_reused) event->flags |= event_flag::kReused;
  exchange->batch_serial = batch_->serial();
  batch_->Add(*event);
}

}  // namespace sluice::upstream
