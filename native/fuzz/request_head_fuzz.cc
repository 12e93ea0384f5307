// libFuzzer target: the check of a request head against a plain reading of the same rules.
#include <string>

#include "fuzz_input.h"
#include "http1/request_head.h"

namespace sluice::fuzz {
namespace {

constexpr std::string_view kTokenBytes =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool IsToken(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kTokenBytes) == std::string_view::npos;
}

/// No control but, where `is_tab_allowed`, HTAB.
bool IsText(std::string_view text, bool is_tab_allowed) {
  return std::all_of(text.begin(), text.end(), [is_tab_allowed](char byte) {
    const auto value = static_cast<uint8_t>(byte);
    return value == '\t' ? is_tab_allowed : value >= 0x20 && value != 0x7f;
  });
}

bool IsRequestLine(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last <= first + 1) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  return IsToken(line.substr(0, first)) && target.find(' ') == std::string_view::npos &&
         IsText(target, false) && (version == "HTTP/1.0" || version == "HTTP/1.1");
}

bool IsFieldLine(std::string_view line) {
  const size_t colon = line.find(':');
  return colon != std::string_view::npos && IsToken(line.substr(0, colon)) &&
         IsText(line.substr(colon + 1), true);
}

bool IsSendableByReference(std::string_view head) {
  for (bool is_first = true; is_first || !head.empty(); is_first = false) {
    const size_t line_end = head.find("\r\n");
    if (line_end == std::string_view::npos) return false;
    const std::string_view line = head.substr(0, line_end);
    if (!(is_first ? IsRequestLine(line) : IsFieldLine(line))) return false;
    head.remove_prefix(line_end + 2);
  }
  return true;
}

}  // namespace
}  // namespace sluice::fuzz

/// Input: the head.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::fuzz;
  const ExactCopy head(std::string_view(reinterpret_cast<const char*>(data), size));
  REQUIRE(sluice::http1::IsSendableRequestHead(head.view()) == IsSendableByReference(head.view()));
  return 0;
}
