// Keeps the lines of added fields ready to be written.
#include "frontend/added_fields.h"

#include <algorithm>

#include "http1/bytes.h"
#include "http1/field_name.h"

namespace sluice::frontend {

namespace {

constexpr std::string_view kColon = ": ";
constexpr std::string_view kLineEnd = "\r\n";

/// Visible ASCII, blank or tab: what RFC 9110 section 5.5 wants new fields to keep to.
bool IsValueByte(char byte) {
  return (byte >= ' ' && byte <= '~') || byte == '\t';
}

/// Where the line of a field begins, or the end.
size_t FindLine(std::string_view lines, std::string_view name) {
  size_t at = 0;
  while (at < lines.size()) {
    const std::string_view line = lines.substr(at, lines.find(kLineEnd, at) - at);
    if (http1::EqualsIgnoringCase(line.substr(0, line.find(':')), name)) break;
    at += line.size() + kLineEnd.size();
  }
  return at;
}

}  // namespace

bool AddedFields::IsAllowed(std::string_view name, std::string_view value) {
  return !name.empty() && std::all_of(name.begin(), name.end(), http1::IsTokenByte) &&
         http1::ClassifyFieldName(name) == http1::FieldName::kOther &&
         std::all_of(value.begin(), value.end(), IsValueByte);
}

bool AddedFields::Set(std::string_view name, std::optional<std::string_view> value) {
  const size_t begin = FindLine(lines_, name);
  const size_t old_bytes =
      begin == lines_.size() ? 0 : lines_.find(kLineEnd, begin) + kLineEnd.size() - begin;
  std::string line;
  if (value) {
    const size_t line_bytes = name.size() + kColon.size() + value->size() + kLineEnd.size();
    if (lines_.size() - old_bytes + line_bytes > kMostBytes) return false;
    line.reserve(line_bytes);
    line.append(name).append(kColon).append(*value).append(kLineEnd);
  }
  lines_.replace(begin, old_bytes, line);
  return true;
}

}  // namespace sluice::frontend
