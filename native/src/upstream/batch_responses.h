// Takes responses for TypeScript: writes them into the batch as events.
#pragma once

#include <string_view>

#include "upstream/event_batch.h"
#include "upstream/response_sink.h"

namespace sluice::upstream {

/// The sink of exchanges that TypeScript began. What it is handed was read to the free part of the
/// batch's arena, where it stays. The batch must not be full, and behind what was read the arena
/// must have room for the head once more. HOT.
class BatchResponses final : public ResponseSink {
 public:
  explicit BatchResponses(EventBatch* batch) : batch_(batch) {}

  SinkVerdict OnInterim(Exchange* exchange, const http1::ResponseHead& head,
                        std::string_view head_input) override;
  SinkVerdict OnResponse(Exchange* exchange, const ResponsePart& part) override;
  void OnSwitched(Exchange* exchange, const http1::ResponseHead& head, std::string_view head_input,
                  SwitchedConnection connection, std::string_view received,
                  uint64_t elapsed_us) override;
  void OnFailed(Exchange* exchange) override;
  void OnDrained(Exchange* exchange) override;

 private:
  void AddHead(const Exchange& exchange, const ResponsePart& part, Event* event);
  void Add(Exchange* exchange, Event* event);

  EventBatch* batch_;
};

}  // namespace sluice::upstream
