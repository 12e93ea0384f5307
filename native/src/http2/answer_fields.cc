// Walks over the lines of a head.
#include "http2/answer_fields.h"

#include <cstring>

#include "http1/bytes.h"

namespace sluice::http2 {

namespace {

constexpr std::string_view kStatusName = ":status";
constexpr size_t kStatusOffset = 9;  // `HTTP/1.1 `

uint8_t* Bytes(char* text) {
  return reinterpret_cast<uint8_t*>(text);
}

/// In small letters already.
bool IsOfConnection(std::string_view name) {
  switch (name.size()) {
    case 2:
      return name == "te";
    case 7:
      return name == "upgrade";
    case 10:
      return name == "connection" || name == "keep-alive";
    case 16:
      return name == "proxy-connection";
    case 17:
      return name == "transfer-encoding";
    default:
      return false;
  }
}

}  // namespace

void AnswerFields::Read(char* head, size_t size, int status) {
  fields_.clear();
  if (status == 0) {
    std::memcpy(status_.data(), head + kStatusOffset, kStatusDigits);
  } else {
    for (size_t digit = kStatusDigits; digit-- > 0; status /= 10)
      status_[digit] = static_cast<char>('0' + status % 10);
  }
  // Only read, whatever its type says.
  fields_.push_back({Bytes(const_cast<char*>(kStatusName.data())), Bytes(status_.data()),
                     kStatusName.size(), kStatusDigits, 0});
  auto* const line_end = static_cast<char*>(std::memchr(head, '\n', size));
  if (line_end != nullptr) AddLines(line_end + 1, head + size);
}

void AnswerFields::ReadLines(char* lines, size_t size) {
  fields_.clear();
  AddLines(lines, lines + size);
}

void AnswerFields::AddLines(char* lines, char* end) {
  while (lines < end && *lines != '\r') {
    char* colon = lines;
    for (; colon < end && *colon != ':'; ++colon)
      *colon = http1::ToLowerCase(*colon);
    auto* const line_end =
        static_cast<char*>(std::memchr(colon, '\r', static_cast<size_t>(end - colon)));
    if (colon == end || line_end == nullptr) return;  // never: lines are whole
    const std::string_view name(lines, static_cast<size_t>(colon - lines));
    const std::string_view value =
        http1::TrimBlanks({colon + 1, static_cast<size_t>(line_end - colon - 1)});
    if (!IsOfConnection(name)) {
      fields_.push_back(
          {Bytes(lines), Bytes(const_cast<char*>(value.data())), name.size(), value.size(), 0});
    }
    lines = line_end + 2;
  }
}

void AnswerFields::MarkKept(bool stay) {
  const auto flags = static_cast<uint8_t>(
      stay ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE : NGHTTP2_NV_FLAG_NONE);
  for (nghttp2_nv& field : fields_)
    field.flags = flags;
}

}  // namespace sluice::http2
