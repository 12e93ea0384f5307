// Runs the PROXY parser over every prefix of an input; what it says must not depend on the split.
#pragma once

#include <string>
#include <string_view>

#include "check.h"
#include "exact_copy.h"
#include "l4/proxy_header.h"

namespace sluice::l4 {

/// A verdict with copies of what the header's views show.
struct ParsedProxyHeader {
  PrefaceStatus status = PrefaceStatus::kNeedMore;
  ProxyHeader header = {};
  std::string authority = {};
  std::string alpn = {};
  std::string unique_id = {};

  bool operator==(const ParsedProxyHeader& other) const {
    return status == other.status && header.has_addresses == other.header.has_addresses &&
           header.source == other.header.source && header.destination == other.header.destination &&
           header.header_bytes == other.header.header_bytes && authority == other.authority &&
           alpn == other.alpn && unique_id == other.unique_id;
  }
};

/// Parses bytes that have nothing readable behind them.
inline ParsedProxyHeader ParseExactly(std::string_view input) {
  const check::ExactCopy received(input);
  ParsedProxyHeader parsed;
  parsed.status = ParseProxyHeader(received.view(), &parsed.header);
  parsed.authority = parsed.header.authority;
  parsed.alpn = parsed.header.alpn;
  parsed.unique_id = parsed.header.unique_id;
  const std::string_view whole = received.view();
  for (const std::string_view view :
       {parsed.header.authority, parsed.header.alpn, parsed.header.unique_id}) {
    CHECK(view.empty() || (view.data() >= whole.data() &&
                           view.data() + view.size() <= whole.data() + parsed.header.header_bytes));
  }
  CHECK(parsed.header.header_bytes <= input.size());
  CHECK(parsed.status == PrefaceStatus::kDone ||
        parsed == ParsedProxyHeader{.status = parsed.status});
  return parsed;
}

/// Parses every prefix of `input`: the first verdict is final, and comes no earlier than the header
/// has ended. @returns it @param decided_at how many bytes it took
inline ParsedProxyHeader ParsePrefixes(std::string_view input, size_t* decided_at = nullptr) {
  ParsedProxyHeader verdict;
  size_t taken = 0;
  for (size_t size = 0; size <= input.size(); ++size) {
    const ParsedProxyHeader parsed = ParseExactly(input.substr(0, size));
    if (verdict.status == PrefaceStatus::kNeedMore) {
      verdict = parsed;
      taken = size;
    } else if (!(parsed == verdict)) {
      check::Fail(__FILE__, __LINE__,
                  "other verdict at " + std::to_string(size) + ": " + check::Describe(input));
    }
  }
  if (verdict.status == PrefaceStatus::kDone) CHECK_EQ(taken, verdict.header.header_bytes);
  if (decided_at != nullptr) *decided_at = taken;
  return verdict;
}

inline PrefaceStatus StatusOf(std::string_view input) {
  return ParsePrefixes(input).status;
}

}  // namespace sluice::l4
