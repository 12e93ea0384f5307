// What an endpoint says of itself in the head of a response, for TypeScript.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http1/response_head.h"

namespace sluice::frontend {

/// Longest Retry-After that is told; a date has 29 characters.
inline constexpr size_t kMaxRetryAfterBytes = 64;
/// Longest report that is told: REPORT_CHARACTERS in src/balancing/load-report.ts.
inline constexpr size_t kMaxReportBytes = 4 * 1024;

/// Name of the field with reports of load (ORCA).
inline constexpr std::string_view kReportField = "endpoint-load-metrics";

/// Values of fields; empty: there was none, or it was longer than is told.
struct EndpointFacts {
  std::string retry_after;
  std::string report;
};

/// Reads what TypeScript has to know of a response: Retry-After of a 429 or 503, and the report of
/// load where one is wanted; of several fields of a name the first. HOT for other responses, which
/// are not looked at.
/// @param is_asked  the response is asked about: Retry-After counts whatever its status
/// @param head_input starts with the head that was accepted as `head`
/// @returns nullptr: there is nothing to tell
std::unique_ptr<EndpointFacts> FactsOf(std::string_view head_input, const http1::ResponseHead& head,
                                       bool wants_report, bool is_asked = false);

}  // namespace sluice::frontend
