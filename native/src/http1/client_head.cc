// Copies a response head for the client as runs of bytes between the lines that are dropped.
#include "http1/client_head.h"

#include <cstring>

#include "http1/bytes.h"
#include "http1/reason.h"
#include "http1/response_lines.h"

namespace sluice::http1 {
namespace {

constexpr size_t kVersionSize = 9;     // `HTTP/1.1 `
constexpr size_t kStatusCodeSize = 3;  // `200`

/// Puts the phrase behind `NNN ` at the front of a head of `size` bytes, where it fits. @returns
/// the new size
size_t InsertReason(std::string_view reason, size_t size, size_t capacity, char* out) {
  if (reason.size() > capacity - size) return size;
  constexpr size_t kBefore = kStatusCodeSize + 1;
  std::memmove(out + kBefore + reason.size(), out + kBefore, size - kBefore);
  std::memcpy(out + kBefore, reason.data(), reason.size());
  return size + reason.size();
}

}  // namespace

size_t WriteClientHead(std::string_view input, const ResponseHead& head, bool keep_content_length,
                       char* out) {
  const char* const end = input.data() + head.head_bytes - kLineEndSize;  // the empty line
  const char* const status = input.data() + kVersionSize;
  const char* const reason = status + kStatusCodeSize;
  const char* const status_line_end = FindByte(status, reason, end, '\r');
  const char* const lines = status_line_end + kLineEndSize;
  const bool is_reason_empty =
      TrimBlanks(std::string_view(reason, static_cast<size_t>(status_line_end - reason))).empty();
  const bool keeps_length = keep_content_length && head.status >= 200 && head.status != 204;

  if (is_reason_empty) {
    std::memcpy(out, status, kStatusCodeSize);
    out[kStatusCodeSize] = ' ';
  }
  RunWriter writer = is_reason_empty ? RunWriter(status_line_end, out + kStatusCodeSize + 1)
                                     : RunWriter(status, out);
  const auto is_dropped = [keeps_length](FieldName name) {
    return name != FieldName::kContentLength || !keeps_length;
  };
  if (head.has_nominations) {
    const ResponseNominations nominations(lines, end);
    CopyFieldLines(lines, end, &nominations, is_dropped, &writer);
  } else {
    CopyFieldLines(lines, end, nullptr, is_dropped, &writer);
  }
  const size_t size = static_cast<size_t>(writer.out() - out) - kLineEndSize;  // of the last line
  return is_reason_empty ? InsertReason(ReasonOf(head.status), size, head.head_bytes, out) : size;
}

}  // namespace sluice::http1
