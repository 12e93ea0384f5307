// Checks the lines of a request head before it is sent.
#include "http1/request_head.h"

#include <cstring>

#include "http1/bytes.h"

namespace sluice::http1 {
namespace {

constexpr std::string_view kVersion = " HTTP/1.";

/// Reads `method SP target SP HTTP/1.[01] CRLF` at the front of `head`. @returns its end, or null
/// where it is not there
const char* SkipRequestLine(std::string_view head) {
  const char* const begin = head.data();
  const char* const end = begin + head.size();
  const char* const method_end = SkipToken(begin, end);
  if (method_end == begin || method_end == end || *method_end != ' ') return nullptr;
  const char* const target = method_end + 1;
  const char* const target_end = FindByte(begin, target, end, ' ');
  if (target_end == target || static_cast<size_t>(end - target_end) < kVersion.size() + 3)
    return nullptr;
  const char* const minor = target_end + kVersion.size();
  if (std::memcmp(target_end, kVersion.data(), kVersion.size()) != 0 ||
      (minor[0] != '0' && minor[0] != '1') || minor[1] != '\r' || minor[2] != '\n') {
    return nullptr;
  }
  if (FindControl(begin, target, target_end) != target_end) return nullptr;
  return FindByte(begin, target, target_end, '\t') == target_end ? minor + 3 : nullptr;
}

}  // namespace

bool IsSendableRequestHead(std::string_view head) {
  const char* const begin = head.data();
  const char* const end = begin + head.size();
  const char* line = SkipRequestLine(head);
  if (line == nullptr) return false;
  while (line != end) {
    // The end of the line is looked for from its start, not from its colon: so the processor goes
    // on to the next line while it still checks the name of this one.
    const char* const line_end = FindControl(begin, line, end);
    if (end - line_end < 2 || line_end[0] != '\r' || line_end[1] != '\n') return false;
    const char* const name_end = SkipToken(line, end);
    if (name_end == line || *name_end != ':') return false;
    line = line_end + 2;
  }
  return true;
}

}  // namespace sluice::http1
