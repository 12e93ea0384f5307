// What the front end keeps of exchanges whose attempts are more than one after the other: a
// response that TypeScript is asked about, and a second attempt beside the first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "frontend/endpoint_facts.h"
#include "http1/response_head.h"
#include "upstream/response_sink.h"

namespace sluice::frontend {

/// A response of which nothing has gone to the client: its head, and what came along of its body.
/// More of it is not read before it is decided about.
struct AskedResponse {
  AskedResponse(const upstream::ResponsePart& part, bool are_reports_taken)
      : head(*part.head),
        head_input(part.head_input),
        body(part.body_bytes > 0 ? std::string(part.body, part.body_bytes) : std::string()),
        trailers(part.trailers),
        is_last(part.is_last),
        is_request_unfinished(part.is_request_unfinished),
        takes_reports(are_reports_taken),
        elapsed_us(part.elapsed_us),
        connect_us(part.connect_us),
        is_reused(part.is_reused) {}

  /// As it came; valid as long as this object.
  upstream::ResponsePart Part() {
    upstream::ResponsePart part;
    part.head = &head;
    part.head_input = head_input;
    part.body = body.data();
    part.body_bytes = body.size();
    part.trailers = trailers;
    part.is_last = is_last;
    part.is_request_unfinished = is_request_unfinished;
    part.elapsed_us = elapsed_us;
    part.connect_us = connect_us;
    part.is_reused = is_reused;
    return part;
  }

  http1::ResponseHead head;
  std::string head_input;
  std::string body;
  std::string trailers;
  bool is_last;
  bool is_request_unfinished;
  /// Whether reports of load are the proxy's, not the client's.
  bool takes_reports;
  uint64_t elapsed_us;
  uint64_t connect_us;
  bool is_reused;
  /// What RESPONSE_ASKED tells, bits of event_flag and texts; told once.
  int32_t flags = 0;
  std::unique_ptr<EndpointFacts> facts;
};

/// How an attempt ended while the exchange's other one went on: what is to be told.
struct EndedAttempt {
  int32_t flags = 0;
  /// Of a response that was asked about, and dropped; 0: the attempt failed.
  int32_t status = 0;
  int32_t failure = 0;
  int32_t failure_errno = 0;
  uint64_t elapsed_us = 0;
  uint64_t connect_us = 0;
  std::unique_ptr<EndpointFacts> facts;
};

/// The second of two attempts, with the number of the first and upstream::kHedgeOffset more or
/// less.
struct HedgeRecord {
  /// Nothing is decided between the two: the second one runs.
  bool is_running = false;
  /// Only then: the first one has failed, and its request is kept; or it is gone for good.
  bool is_first_held = false;
  bool is_first_over = false;
  /// nullptr: nothing is to be told.
  std::unique_ptr<EndedAttempt> ended;
};

}  // namespace sluice::frontend
