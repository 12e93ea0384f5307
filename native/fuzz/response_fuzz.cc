// libFuzzer target: a response as the engine reads it (head, rewritten head, chunked body) over
// arbitrary splits.
#include <set>
#include <string>
#include <string_view>

#include "decode_body.h"
#include "fuzz_input.h"
#include "http1/client_head.h"
#include "http1/field_name.h"
#include "http1/response_head.h"

namespace sluice::fuzz {
namespace {

using http1::BodyKind;
using http1::HeadLimits;
using http1::ParseStatus;
using http1::ResponseHead;
using http1::ResponseHeadParser;

struct ParsedHead {
  ParseStatus status = ParseStatus::kNeedMore;
  ResponseHead head;
};

bool AreSame(const ParsedHead& left, const ParsedHead& right) {
  if (left.status != right.status) return false;
  if (left.status != ParseStatus::kDone) return true;
  const ResponseHead& one = left.head;
  const ResponseHead& two = right.head;
  return one.status == two.status && one.minor_version == two.minor_version &&
         one.body == two.body && one.content_length == two.content_length &&
         one.has_content_length == two.has_content_length && one.keep_alive == two.keep_alive &&
         one.has_nominations == two.has_nominations &&
         one.keep_alive_timeout_s == two.keep_alive_timeout_s && one.head_bytes == two.head_bytes;
}

/// Parses `input` as it grows by pieces of these sizes.
ParsedHead ParseInPieces(std::string_view input, const std::vector<size_t>& piece_sizes,
                         bool is_head_request, HeadLimits limits) {
  ResponseHeadParser parser(limits);
  ParsedHead parsed;
  ForEachPiece(input.size(), piece_sizes, [&](size_t, size_t end) {
    const ExactCopy received(input.substr(0, end));
    parsed.status = parser.Parse(received.view(), is_head_request, &parsed.head);
    return parsed.status == ParseStatus::kNeedMore;
  });
  return parsed;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& byte : lower)
    byte = http1::ToLowerCase(byte);
  return lower;
}

/// What the rewritten head must be, line by line, in plain strings.
std::string ClientHeadByReference(std::string_view head, int status, bool keep_content_length) {
  std::set<std::string> dropped = {"connection", "keep-alive", "proxy-connection",  "te",
                                   "trailer",    "upgrade",    "transfer-encoding", "date"};
  if (!keep_content_length || status < 200 || status == 204) dropped.insert("content-length");
  const auto for_each_line = [head](auto visit) {
    std::string_view rest = head.substr(head.find("\r\n") + 2);
    while (rest.size() > 2) {
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      const size_t colon = line.find(':');
      const size_t name_size = line.find_last_not_of(" \t", colon - 1) + 1;
      visit(line.substr(0, name_size), line.substr(colon));
      rest.remove_prefix(line.size() + 2);
    }
  };
  for_each_line([&dropped](std::string_view name, std::string_view value) {
    if (LowerCase(name) != "connection") return;
    http1::ForEachListElement(value.substr(1), [&dropped](std::string_view option) {
      if (!http1::IsProtectedFieldName(option)) dropped.insert(LowerCase(option));
    });
  });
  std::string result(head.substr(9, head.find("\r\n") - 9));
  for_each_line([&](std::string_view name, std::string_view value) {
    if (!dropped.contains(LowerCase(name)))
      result += "\r\n" + std::string(name) + std::string(value);
  });
  return result;
}

/// The status line's reason may be filled in; everything else is compared with the reference.
void CheckClientHead(std::string_view head, const ResponseHead& parsed, bool keep_content_length) {
  ExactCopy room(std::string(head.size(), '?'));
  const size_t size = http1::WriteClientHead(head, parsed, keep_content_length, room.data());
  REQUIRE(size <= head.size());
  const std::string_view written = room.view().substr(0, size);
  const std::string wanted = ClientHeadByReference(head, parsed.status, keep_content_length);

  const size_t written_line = std::min(written.find('\r'), written.size());
  const size_t wanted_line = std::min(wanted.find('\r'), wanted.size());
  REQUIRE(written.substr(written_line) == std::string_view(wanted).substr(wanted_line));
  REQUIRE(written.size() >= 4 || wanted_line == 3);
  REQUIRE(written.substr(0, 3) == std::string_view(wanted).substr(0, 3));
  const std::string_view reason = std::string_view(wanted).substr(3, wanted_line - 3);
  const bool is_reason_empty = reason.find_first_not_of(" \t") == std::string_view::npos;
  REQUIRE(is_reason_empty || written.substr(3, written_line - 3) == reason);

  // What any recipient of the written head may rely on, told without the reference.
  for (size_t at = 0; at < written.size(); ++at) {
    if (written[at] == '\r') {
      REQUIRE(at + 1 < written.size() && written[at + 1] == '\n');
      ++at;
    } else {
      REQUIRE(!http1::IsControlByte(written[at]));
    }
  }
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: flags (1 HEAD request, 2 keep Content-Length, 4 narrow limits), number of piece sizes,
/// piece sizes, response.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const uint8_t flags = steering.TakeByte();
  const bool is_head_request = (flags & 1) != 0;
  const bool keep_content_length = (flags & 2) != 0;
  const HeadLimits limits = (flags & 4) != 0 ? HeadLimits{.head_bytes = 80, .headers = 3}
                                             : HeadLimits{.head_bytes = 16384, .headers = 100};
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  const std::string_view input = steering.rest();

  const ParsedHead whole = ParseInPieces(input, {input.size() + 1}, is_head_request, limits);
  REQUIRE(AreSame(ParseInPieces(input, piece_sizes, is_head_request, limits), whole));
  if (input.size() <= 256)
    REQUIRE(AreSame(ParseInPieces(input, {1}, is_head_request, limits), whole));
  if (whole.status != ParseStatus::kDone) return 0;

  const ResponseHead& head = whole.head;
  REQUIRE(head.head_bytes <= input.size() && head.head_bytes <= limits.head_bytes);
  REQUIRE(input.substr(0, head.head_bytes).ends_with("\r\n\r\n"));
  REQUIRE(head.status >= 100 && head.status <= 999);
  REQUIRE(head.body != BodyKind::kUntilClose || !head.keep_alive);
  REQUIRE(head.body == BodyKind::kNone || !is_head_request);
  REQUIRE(head.body != BodyKind::kLength || head.has_content_length);
  CheckClientHead(input.substr(0, head.head_bytes), head, keep_content_length);
  if (head.body == BodyKind::kChunked) CheckDecoding(input.substr(head.head_bytes), piece_sizes);
  return 0;
}
