// libFuzzer target: a client's request as the front end reads it over arbitrary splits, and the
// head that goes to the endpoint, which must say the same.
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_input.h"
#include "http1/bytes.h"
#include "http1/client_request.h"
#include "http1/endpoint_head.h"
#include "http1/request_head.h"

namespace sluice::fuzz {
namespace {

using http1::ClientRequest;
using http1::ClientRequestLimits;
using http1::ClientRequestParser;
using http1::EndpointHeadOptions;
using http1::FieldEdit;
using http1::MarkedLine;
using http1::ParseStatus;
using http1::RequestFault;

constexpr std::string_view kViaName = "sluice-fuzz";

struct ParsedRequest {
  ParseStatus status = ParseStatus::kNeedMore;
  RequestFault fault = RequestFault::kNone;
  ClientRequest request = {};
};

bool AreSame(const ParsedRequest& left, const ParsedRequest& right) {
  if (left.status != right.status || left.fault != right.fault) return false;
  if (left.status != ParseStatus::kDone) return true;
  const ClientRequest& one = left.request;
  const ClientRequest& two = right.request;
  for (uint32_t index = 0; index < one.marked_line_count; ++index) {
    const MarkedLine& line = one.marked_lines[index];
    const MarkedLine& other = two.marked_lines[index];
    if (line.begin != other.begin || line.value != other.value || line.end != other.end ||
        line.field != other.field) {
      return false;
    }
  }
  // Views are not compared here: each parse has had memory of its own, which is gone.
  return one.method == two.method && one.path_bytes == two.path_bytes &&
         one.target.size() == two.target.size() && one.host.size() == two.host.size() &&
         one.minor_version == two.minor_version && one.body_bytes == two.body_bytes &&
         one.keep_alive == two.keep_alive && one.expects_continue == two.expects_continue &&
         one.wants_upgrade == two.wants_upgrade && one.takes_trailers == two.takes_trailers &&
         one.max_forwards == two.max_forwards && one.has_nominations == two.has_nominations &&
         one.has_via == two.has_via && one.headers == two.headers &&
         one.lines.size() == two.lines.size() && one.head_bytes == two.head_bytes &&
         one.marked_line_count == two.marked_line_count;
}

/// Parses `input` as it grows by pieces of these sizes.
ParsedRequest ParseInPieces(std::string_view input, const std::vector<size_t>& piece_sizes,
                            ClientRequestLimits limits) {
  ClientRequestParser parser(limits);
  ParsedRequest parsed;
  ForEachPiece(input.size(), piece_sizes, [&](size_t, size_t end) {
    const ExactCopy received(input.substr(0, end));
    parsed.status = parser.Parse(received.view(), &parsed.request);
    parsed.fault = parser.fault();
    return parsed.status == ParseStatus::kNeedMore;
  });
  return parsed;
}

bool HasByteOf(std::string_view text, std::string_view bytes) {
  return text.find_first_of(bytes) != std::string_view::npos;
}

/// What everyone behind the parser relies on.
void CheckFacts(const ClientRequest& request, std::string_view input, ClientRequestLimits limits) {
  REQUIRE(request.head_bytes <= input.size() && request.head_bytes <= limits.head_bytes);
  REQUIRE(input.substr(0, request.head_bytes).ends_with("\r\n\r\n"));
  REQUIRE(request.headers <= limits.headers);
  REQUIRE(!request.target.empty() && request.path_bytes <= request.target.size());
  REQUIRE(!HasByteOf(request.target, std::string_view("\0 \t\r\n#\x7f", 7)));
  REQUIRE(!HasByteOf(request.target.substr(0, request.path_bytes), "?"));
  REQUIRE(!HasByteOf(request.host, std::string_view("\0 \t\r\n#/?@\\\x7f", 11)));
  REQUIRE(!request.host.empty() || request.minor_version == 0);
  REQUIRE(request.body_bytes >= http1::kChunkedRequestBody);
  REQUIRE(request.body_bytes != http1::kChunkedRequestBody || request.minor_version == 1);
  REQUIRE(request.lines.empty() || request.lines.ends_with("\r\n"));
  size_t fields = 0;
  for (const char byte : request.lines)
    fields += byte == '\n' ? 1 : 0;
  REQUIRE(fields == request.headers);
}

/// Number of fields of that name.
size_t CountOf(std::string_view lines, std::string_view name) {
  size_t count = 0;
  std::string_view value;
  for (size_t next = 0; http1::FindField(lines, name, &next, &value);)
    ++count;
  return count;
}

/// The endpoint must read from the written head what was read from the client's.
void CheckEndpointHead(const ClientRequest& request, bool is_trusted, bool has_edits) {
  const FieldEdit edits[] = {{.name = "x-set", .value = "v"},
                             {.name = "cookie", .is_removal = true},
                             {.name = "transfer-encoding", .value = "chunked"}};
  const EndpointHeadOptions options = {.scheme = "http",
                                       .via_name = kViaName,
                                       .client_address = "192.0.2.7",
                                       .request_id = "id",
                                       .is_trusted = is_trusted,
                                       .passes_trailers = true,
                                       .edits = edits,
                                       .edit_count = has_edits ? std::size(edits) : 0};
  ExactCopy room(std::string(http1::EndpointHeadBound(request, options), '?'));
  const size_t size = http1::WriteEndpointHead(request, options, room.data());
  REQUIRE(size <= room.view().size());
  const std::string_view head = room.view().substr(0, size);
  REQUIRE(http1::IsSendableRequestHead(head));

  ClientRequestParser parser({.head_bytes = 1 << 20, .target_bytes = 1 << 20, .headers = 1 << 16});
  ClientRequest written;
  const std::string whole = std::string(head) + "\r\n";
  const ParseStatus status = parser.Parse(whole, &written);
  if (request.host.empty()) {  // an HTTP/1.0 client that said none: sent as an empty one
    REQUIRE(status == ParseStatus::kInvalid && parser.fault() == RequestFault::kBadHost);
    return;
  }
  REQUIRE(status == ParseStatus::kDone);
  REQUIRE(written.method_text == request.method_text && written.minor_version == 1);
  REQUIRE(request.target.starts_with('?') ? written.target.substr(1) == request.target
                                          : written.target == request.target);
  REQUIRE(written.host == request.host);
  // Framing is the upstream client's to write; a second one could be smuggled with.
  REQUIRE(written.body_bytes == http1::kNoRequestBody);
  REQUIRE(written.wants_upgrade == request.wants_upgrade);
  REQUIRE(written.takes_trailers == (request.takes_trailers && !request.wants_upgrade));
  REQUIRE(written.expects_continue == request.expects_continue || request.has_nominations);
  REQUIRE(!written.has_nominations);
  REQUIRE(http1::HasLoop(written, kViaName));
  for (const std::string_view name :
       {"host", "via", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"})
    REQUIRE(CountOf(written.lines, name) == 1);
  if (has_edits) {
    REQUIRE(CountOf(written.lines, "x-set") == 1 && CountOf(written.lines, "cookie") == 0);
  } else if (!request.has_nominations) {
    for (const std::string_view name : {"cookie", "authorization", "x-set", "content-type"})
      REQUIRE(CountOf(written.lines, name) == CountOf(request.lines, name));
  }
  if (!is_trusted)
    REQUIRE(CountOf(written.lines, "forwarded") + CountOf(written.lines, "x-real-ip") == 0);
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: flags (1 trusted peer, 2 edits, 4 narrow limits), number of piece sizes, piece sizes,
/// request.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const uint8_t flags = steering.TakeByte();
  const ClientRequestLimits limits =
      (flags & 4) != 0
          ? ClientRequestLimits{.head_bytes = 100, .target_bytes = 24, .headers = 3}
          : ClientRequestLimits{.head_bytes = 16384, .target_bytes = 8192, .headers = 100};
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  const std::string_view input = steering.rest();

  const ParsedRequest whole = ParseInPieces(input, {input.size() + 1}, limits);
  REQUIRE((whole.status == ParseStatus::kInvalid) == (whole.fault != RequestFault::kNone));
  REQUIRE(AreSame(ParseInPieces(input, piece_sizes, limits), whole));
  if (input.size() <= 256) REQUIRE(AreSame(ParseInPieces(input, {1}, limits), whole));
  if (whole.status != ParseStatus::kDone) return 0;

  const ExactCopy received(input);
  ClientRequestParser parser(limits);
  ClientRequest request;
  REQUIRE(parser.Parse(received.view(), &request) == ParseStatus::kDone);
  CheckFacts(request, received.view(), limits);
  CheckEndpointHead(request, (flags & 1) != 0, (flags & 2) != 0);
  return 0;
}
