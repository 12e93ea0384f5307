// Finds the few fields of a response that decisions are made of.
#include "frontend/endpoint_facts.h"

#include "http1/bytes.h"
#include "http1/response_lines.h"

namespace sluice::frontend {

namespace {

constexpr int kTooManyRequests = 429;
constexpr int kServiceUnavailable = 503;

/// The first value of a field without blanks around it; empty also for a longer one.
std::string ValueOf(std::string_view head_input, const http1::ResponseHead& head,
                    std::string_view name, size_t most_bytes) {
  const char* const begin = head_input.data();
  const char* const end = begin + head.head_bytes - http1::kLineEndSize;  // the empty line
  const char* lines = http1::FindByte(begin, begin, end, '\n') + 1;
  while (lines != end) {
    const http1::FieldLine line = http1::ReadFieldLine(begin, lines, end);
    if (http1::EqualsIgnoringCase(line.name, name)) {
      const char* const after_colon = line.colon + 1;
      const std::string_view value =
          http1::TrimBlanks({after_colon, static_cast<size_t>(line.line_end - after_colon)});
      return value.size() > most_bytes ? std::string() : std::string(value);
    }
    lines = line.line_end + http1::kLineEndSize;
  }
  return {};
}

}  // namespace

std::unique_ptr<EndpointFacts> FactsOf(std::string_view head_input, const http1::ResponseHead& head,
                                       bool wants_report, bool is_asked) {
  const bool asks_to_wait =
      is_asked || head.status == kTooManyRequests || head.status == kServiceUnavailable;
  if (!asks_to_wait && !wants_report) return nullptr;
  EndpointFacts facts;
  if (asks_to_wait)
    facts.retry_after = ValueOf(head_input, head, "retry-after", kMaxRetryAfterBytes);
  if (wants_report) facts.report = ValueOf(head_input, head, kReportField, kMaxReportBytes);
  if (facts.retry_after.empty() && facts.report.empty()) return nullptr;
  return std::make_unique<EndpointFacts>(std::move(facts));
}

}  // namespace sluice::frontend
