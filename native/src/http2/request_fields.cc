// Reads heads of HTTP/1.1 requests for HTTP/2.
#include "http2/request_fields.h"

#include <charconv>

#include "http1/bytes.h"

namespace sluice::http2 {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
/// :method, :scheme, :authority, :path.
constexpr size_t kAuthorityPlace = 2;

nghttp2_nv FieldOf(std::string_view name, std::string_view value) {
  nghttp2_nv field{};
  // nghttp2 copies both, and writes to neither.
  field.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
  field.namelen = name.size();
  field.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
  field.valuelen = value.size();
  field.flags = NGHTTP2_NV_FLAG_NONE;
  return field;
}

/// Fields of one connection, which end here. @param name in lower case
bool IsOfConnection(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "upgrade" || name == "http2-settings";
}

}  // namespace

void RequestFields::Add(std::string_view name, std::string_view value) {
  fields_.push_back(FieldOf(name, value));
}

bool RequestFields::Read(std::string_view head, std::string_view scheme,
                         std::string_view authority) {
  fields_.clear();
  framing_ = RequestFraming::kNone;
  body_bytes_ = 0;
  authority_ = {};
  head_.assign(head);
  const std::string_view text = head_;
  const size_t line_end = text.find(kLineEnd);
  const size_t method_end = text.find(' ');
  if (line_end == std::string_view::npos || method_end >= line_end) return false;
  const size_t target_end = text.find(' ', method_end + 1);
  if (target_end >= line_end) return false;
  const std::string_view method = text.substr(0, method_end);
  is_head_request_ = method == "HEAD";
  Add(":method", method);
  Add(":scheme", scheme);
  Add(":authority", authority);
  Add(":path", text.substr(method_end + 1, target_end - method_end - 1));
  for (size_t at = line_end + kLineEnd.size();;) {
    const size_t end = text.find(kLineEnd, at);
    if (end == std::string_view::npos) return false;
    if (end == at) break;
    if (!ReadLine(text.substr(at, end - at))) return false;
    at = end + kLineEnd.size();
  }
  if (!authority_.empty()) fields_[kAuthorityPlace] = FieldOf(":authority", authority_);
  return true;
}

bool RequestFields::ReadLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  char* const name_start = head_.data() + (line.data() - head_.data());
  for (size_t index = 0; index < colon; ++index)
    name_start[index] = http1::ToLowerCase(name_start[index]);
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = http1::TrimBlanks(line.substr(colon + 1));
  if (name == "host") {
    authority_ = value;
    return true;
  }
  if (name == "transfer-encoding") {
    framing_ = RequestFraming::kChunked;
    return true;
  }
  if (IsOfConnection(name)) return true;
  if (name == "te" && !http1::EqualsLowerCase(value, "trailers")) return true;
  if (name == "content-length") {
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), body_bytes_);
    if (error != std::errc() || end != value.data() + value.size()) return false;
    if (body_bytes_ > 0) framing_ = RequestFraming::kLength;
  }
  Add(name, value);
  return true;
}

}  // namespace sluice::http2
