// Makes exchanges, and makes them ready to be used again.
#include "frontend/client_exchange.h"

namespace sluice::frontend {

void ClientExchange::Clear() {
  connection = nullptr;
  stage = Stage::kFree;
  holder = Holder::kNobody;
  attempt_id = id;
  is_sent = leaves_by_finishing = false;
  is_chunked = is_streamed = is_http2 = is_early = wants_tunnel = has_own_id = false;
  is_body_complete = true;
  is_body_broken = is_body_paused = false;
  body_left_bytes = body_bytes = 0;
  out.Clear();
  small_splices = 0;
  is_unsent = is_out_chunked = has_head_gone = ends_with_close = must_close = is_endpoint_paused =
      false;
  bytes_to_client = bytes_from_client = 0;
  progress = status = 0;
  first_byte_us = connect_us = 0;
  grpc_status = kNotGrpc;
  facts.reset();
  has_request_notice = has_failed_notice = has_asked_notice = has_fault_notice = false;
  failure_flags = 0;
  fault = http1::RequestFault::kNone;
  end = ClientEnd::kDelivered;
  is_logged = false;
  text.Clear();
  extras.reset();
  added.reset();
  asked.reset();
  hedge.reset();
}

ClientExchange* ClientExchangeTable::Take() {
  if (!free_.empty()) {
    ClientExchange* const exchange = Find(free_.back());
    free_.pop_back();
    return exchange;
  }
  if (made_ == static_cast<size_t>(kMaxExchanges)) return nullptr;
  if (made_ % kPage == 0) pages_.push_back(std::make_unique<std::array<ClientExchange, kPage>>());
  ClientExchange* const exchange = &(*pages_.back())[made_ % kPage];
  exchange->id = exchange->attempt_id = kFirstExchange + static_cast<int32_t>(made_++);
  return exchange;
}

}  // namespace sluice::frontend
