// libFuzzer target: PROXY headers of both versions over growing input, and written back.
#include <arpa/inet.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "fuzz_input.h"
#include "l4/proxy_header.h"

namespace sluice::fuzz {
namespace {

using l4::PrefaceStatus;
using l4::ProxyHeader;

/// A verdict with the bytes that the header's views show.
struct Parsed {
  std::shared_ptr<const ExactCopy> received;
  PrefaceStatus status = PrefaceStatus::kNeedMore;
  ProxyHeader header = {};
};

Parsed Parse(std::string_view input) {
  Parsed parsed = {.received = std::make_shared<const ExactCopy>(input)};
  const std::string_view received = parsed.received->view();
  parsed.status = l4::ParseProxyHeader(received, &parsed.header);
  const ProxyHeader& header = parsed.header;
  REQUIRE(header.header_bytes <= input.size());
  REQUIRE((header.header_bytes > 0) == (parsed.status == PrefaceStatus::kDone));
  for (const std::string_view text : {header.alpn, header.authority, header.unique_id}) {
    REQUIRE(text.empty() || (text.data() >= received.data() &&
                             text.data() + text.size() <= received.data() + header.header_bytes));
  }
  return parsed;
}

bool HaveSameTexts(const ProxyHeader& left, const ProxyHeader& right) {
  return left.alpn == right.alpn && left.authority == right.authority &&
         left.unique_id == right.unique_id;
}

bool AreSame(const Parsed& left, const Parsed& right) {
  return left.status == right.status && HaveSameTexts(left.header, right.header) &&
         left.header.has_addresses == right.header.has_addresses &&
         left.header.source == right.header.source &&
         left.header.destination == right.header.destination &&
         left.header.header_bytes == right.header.header_bytes;
}

/// The first verdict over growing input.
Parsed ParseInPieces(std::string_view input, const std::vector<size_t>& piece_sizes) {
  Parsed parsed = Parse({});
  ForEachPiece(input.size(), piece_sizes, [&](size_t, size_t end) {
    parsed = Parse(input.substr(0, end));
    return parsed.status == PrefaceStatus::kNeedMore;
  });
  return parsed;
}

/// The fields of a line, cut at single spaces, as plain as can be.
std::vector<std::string> Fields(std::string_view line) {
  std::vector<std::string> fields(1);
  for (const char byte : line) {
    if (byte == ' ') {
      fields.emplace_back();
    } else {
      fields.back() += byte;
    }
  }
  return fields;
}

bool IsPort(const std::string& text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string::npos &&
         (text == "0" || text.front() != '0') && std::atoi(text.c_str()) <= 0xffff;
}

/// Whether input that begins with 'P' begins with a line; nothing where it may yet become one.
std::optional<bool> IsLineByReference(std::string_view input) {
  const size_t end = input.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = input.substr(0, end);
  if (line.size() + 2 > 107 || line.find_first_of("\r\n") != std::string_view::npos) return false;
  const std::vector<std::string> fields = Fields(line);
  if (fields.size() < 2 || fields[0] != "PROXY") return false;
  if (fields[1] == "UNKNOWN") return true;
  const int family = fields[1] == "TCP4" ? AF_INET : fields[1] == "TCP6" ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC || fields.size() != 6) return false;
  std::array<uint8_t, 16> ip;
  for (const std::string& text : {fields[2], fields[3]}) {
    if (text.find('\0') != std::string::npos || inet_pton(family, text.c_str(), ip.data()) != 1)
      return false;
  }
  return IsPort(fields[4]) && IsPort(fields[5]);
}

/// What is written reads back as what was read.
void CheckWriting(const ProxyHeader& header) {
  for (const int version : {1, 2}) {
    ExactCopy out(std::string(l4::kMaxWrittenProxyHeaderBytes, '?'));
    const size_t size = l4::WriteProxyHeader(version, header, out.data());
    REQUIRE(size <= l4::kMaxWrittenProxyHeaderBytes);
    const std::string_view written = out.view().substr(0, size);
    const Parsed again = Parse(written);
    REQUIRE(again.status == PrefaceStatus::kDone && again.header.header_bytes == size);
    REQUIRE(Parse(written.substr(0, size - 1)).status == PrefaceStatus::kNeedMore);
    REQUIRE(again.header.has_addresses == header.has_addresses);
    REQUIRE(!header.has_addresses || (again.header.source == header.source &&
                                      again.header.destination == header.destination));
    if (version == 1 || !header.has_addresses) continue;
    const size_t tlv_bytes =
        9 + header.alpn.size() + header.authority.size() + header.unique_id.size();
    REQUIRE(16 + 36 + tlv_bytes > l4::kMaxWrittenProxyHeaderBytes ||
            HaveSameTexts(again.header, header));
  }
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: number of piece sizes, piece sizes, header and what follows it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  Steering steering(data, size);
  const std::vector<size_t> piece_sizes = steering.TakePieceSizes();
  const std::string_view input = steering.rest();

  const Parsed whole = Parse(input);
  REQUIRE(AreSame(ParseInPieces(input, piece_sizes), whole));
  if (input.size() <= 256) REQUIRE(AreSame(ParseInPieces(input, {1}), whole));
  if (input.starts_with('P')) {
    const std::optional<bool> is_line = IsLineByReference(input);
    REQUIRE(is_line.value_or(false) == (whole.status == PrefaceStatus::kDone));
    REQUIRE(!is_line.has_value() || whole.status != PrefaceStatus::kNeedMore);
    REQUIRE(whole.status != PrefaceStatus::kNeedMore || input.size() < 107);
  }
  if (whole.status == PrefaceStatus::kDone) CheckWriting(whole.header);
  return 0;
}
