// Runs the HTTP/1 parsers over every split of an input; the verdict must not depend on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "exact_copy.h"
#include "http1/chunked_decoder.h"
#include "http1/client_head.h"
#include "http1/response_head.h"

namespace sluice::http1 {

using check::ExactCopy;

struct ParsedHead {
  ParseStatus status = ParseStatus::kNeedMore;
  ResponseHead head;

  bool operator==(const ParsedHead& other) const {
    if (status != other.status) return false;
    return status != ParseStatus::kDone ||
           (head.status == other.head.status && head.minor_version == other.head.minor_version &&
            head.body == other.head.body && head.content_length == other.head.content_length &&
            head.has_content_length == other.head.has_content_length &&
            head.keep_alive == other.head.keep_alive &&
            head.has_nominations == other.head.has_nominations &&
            head.keep_alive_timeout_s == other.head.keep_alive_timeout_s &&
            head.head_bytes == other.head.head_bytes);
  }
};

inline constexpr HeadLimits kRoomyLimits = {.head_bytes = 16384, .headers = 100};

/// Parses `input` as it grows to each of the ascending `ends`, then to its whole.
inline ParsedHead ParseInSteps(std::string_view input, const std::vector<size_t>& ends,
                               bool is_head_request = false, HeadLimits limits = kRoomyLimits) {
  ResponseHeadParser parser(limits);
  ParsedHead parsed;
  for (const size_t end : ends) {
    const ExactCopy received(input.substr(0, end));
    parsed.status = parser.Parse(received.view(), is_head_request, &parsed.head);
    if (parsed.status != ParseStatus::kNeedMore) return parsed;
  }
  const ExactCopy received(input);
  parsed.status = parser.Parse(received.view(), is_head_request, &parsed.head);
  return parsed;
}

/// Parses `input` whole, cut in two at each place, and byte by byte, and checks that all agree.
inline ParsedHead ParseHead(std::string_view input, bool is_head_request = false,
                            HeadLimits limits = kRoomyLimits) {
  const ParsedHead whole = ParseInSteps(input, {}, is_head_request, limits);
  std::vector<size_t> each_byte;
  for (size_t cut = 0; cut < input.size(); ++cut) {
    each_byte.push_back(cut);
    if (!(ParseInSteps(input, {cut}, is_head_request, limits) == whole)) {
      check::Fail(__FILE__, __LINE__,
                  "cut at " + std::to_string(cut) + " differs: " + check::Describe(input));
    }
  }
  CHECK(ParseInSteps(input, each_byte, is_head_request, limits) == whole);
  return whole;
}

struct DecodedBody {
  ChunkStatus status = ChunkStatus::kNeedMore;
  std::string body;
  std::string trailers;
  size_t consumed = 0;

  bool operator==(const DecodedBody&) const = default;
};

/// Decodes `input` in pieces that end at each of the ascending `ends`, then at its end.
inline DecodedBody DecodeInSteps(std::string_view input, std::vector<size_t> ends) {
  ends.push_back(input.size());
  ChunkedDecoder decoder;
  DecodedBody result;
  size_t begin = 0;
  for (const size_t end : ends) {
    ExactCopy piece(input.substr(begin, end - begin));
    size_t decoded = 0;
    size_t consumed = 0;
    result.status =
        decoder.Decode(piece.data(), end - begin, &decoded, &consumed, &result.trailers);
    result.body += piece.view().substr(0, decoded);
    result.consumed += consumed;
    CHECK(decoded <= consumed && consumed <= end - begin);
    // What lies behind the used bytes belongs to someone else.
    CHECK_EQ(piece.view().substr(consumed), input.substr(begin + consumed, end - begin - consumed));
    if (result.status != ChunkStatus::kNeedMore) return result;
    CHECK_EQ(consumed, end - begin);
    begin = end;
  }
  return result;
}

/// Decodes `input` whole, cut in two at each place, and byte by byte, and checks that all agree.
inline DecodedBody DecodeBody(std::string_view input) {
  const DecodedBody whole = DecodeInSteps(input, {});
  std::vector<size_t> each_byte;
  for (size_t cut = 0; cut < input.size(); ++cut) {
    each_byte.push_back(cut);
    if (!(DecodeInSteps(input, {cut}) == whole)) {
      check::Fail(__FILE__, __LINE__,
                  "cut at " + std::to_string(cut) + " differs: " + check::Describe(input));
    }
  }
  CHECK(DecodeInSteps(input, each_byte) == whole);
  return whole;
}

}  // namespace sluice::http1
