// Runs the request parser over every split of an input; the verdict must not depend on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "exact_copy.h"
#include "http1/client_request.h"

namespace sluice::http1 {

using check::ExactCopy;

inline constexpr ClientRequestLimits kRoomyRequestLimits = {
    .head_bytes = 16384, .target_bytes = 8192, .headers = 100};

/// What the parser said, and the facts as one text that can be compared and read.
struct ParsedRequest {
  ParseStatus status = ParseStatus::kNeedMore;
  RequestFault fault = RequestFault::kNone;
  std::string facts = {};

  bool operator==(const ParsedRequest&) const = default;
};

inline std::string FactsOf(const ClientRequest& request) {
  std::string facts =
      std::string(request.method_text) + "#" + std::to_string(static_cast<int>(request.method)) +
      " " + std::string(request.target) + "|" + std::to_string(request.path_bytes) +
      " host=" + std::string(request.host) + " minor=" + std::to_string(request.minor_version) +
      " body=" + std::to_string(request.body_bytes);
  if (request.keep_alive) facts += " keep-alive";
  if (request.expects_continue) facts += " expects";
  if (request.wants_upgrade) facts += " upgrade";
  if (request.takes_trailers) facts += " trailers";
  if (request.max_forwards >= 0) facts += " forwards=" + std::to_string(request.max_forwards);
  if (request.has_nominations) facts += " nominations";
  if (request.has_via) facts += " via";
  facts += " headers=" + std::to_string(request.headers) +
           " head=" + std::to_string(request.head_bytes) + " lines=" + std::string(request.lines);
  for (uint32_t index = 0; index < request.marked_line_count; ++index) {
    const MarkedLine& line = request.marked_lines[index];
    facts += "[" + std::to_string(line.begin) + "," + std::to_string(line.value) + "," +
             std::to_string(line.end) + "," + std::to_string(static_cast<int>(line.field)) + "]";
  }
  return facts;
}

/// Parses `input` as it grows to each of the ascending `ends`, then to its whole.
inline ParsedRequest ParseRequestInSteps(std::string_view input, std::vector<size_t> ends,
                                         ClientRequestLimits limits) {
  ClientRequestParser parser(limits);
  ends.push_back(input.size());
  ParsedRequest parsed;
  for (const size_t end : ends) {
    const ExactCopy received(input.substr(0, end));
    ClientRequest request;
    parsed.status = parser.Parse(received.view(), &request);
    parsed.fault = parser.fault();
    if (parsed.status == ParseStatus::kDone) parsed.facts = FactsOf(request);
  }
  return parsed;
}

/// Parses `input` whole, cut in two at each place, and byte by byte, and checks that all agree.
inline ParsedRequest ParseRequest(std::string_view input,
                                  ClientRequestLimits limits = kRoomyRequestLimits) {
  const ParsedRequest whole = ParseRequestInSteps(input, {}, limits);
  std::vector<size_t> each_byte;
  for (size_t cut = 0; cut < input.size(); ++cut) {
    each_byte.push_back(cut);
    if (!(ParseRequestInSteps(input, {cut}, limits) == whole)) {
      check::Fail(__FILE__, __LINE__,
                  "cut at " + std::to_string(cut) + " differs: " + check::Describe(input));
    }
  }
  CHECK(ParseRequestInSteps(input, each_byte, limits) == whole);
  return whole;
}

/// A request that must be accepted, kept together with what its views point into.
class AcceptedRequest {
 public:
  explicit AcceptedRequest(std::string_view input) : bytes_(input) {
    ClientRequestParser parser(kRoomyRequestLimits);
    if (parser.Parse(bytes_.view(), &request_) != ParseStatus::kDone)
      check::Fail(__FILE__, __LINE__, "refused: " + check::Describe(input));
  }

  const ClientRequest& operator*() const { return request_; }
  const ClientRequest* operator->() const { return &request_; }

 private:
  ExactCopy bytes_;
  ClientRequest request_ = {};
};

}  // namespace sluice::http1
