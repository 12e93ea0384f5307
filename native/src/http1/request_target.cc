// Judges hosts and authorities byte by byte over tables.
#include "http1/request_target.h"

#include <array>
#include <cstdint>

#include "http1/bytes.h"

namespace sluice::http1 {
namespace {

constexpr size_t kMaxPortDigits = 5;

constexpr std::array<bool, 256> TableOf(std::string_view others, bool has_all_letters) {
  std::array<bool, 256> table{};
  const int last = has_all_letters ? 'z' - 'a' : 'f' - 'a';
  for (int letter = 0; letter <= last; ++letter)
    table[static_cast<size_t>('a' + letter)] = table[static_cast<size_t>('A' + letter)] = true;
  for (size_t digit = '0'; digit <= '9'; ++digit)
    table[digit] = true;
  for (const char byte : others)
    table[static_cast<uint8_t>(byte)] = true;
  return table;
}

constexpr std::array<bool, 256> kNameBytes = TableOf("_~!$&'()*+,;=%.-", true);
constexpr std::array<bool, 256> kIpv6Bytes = TableOf(":.", false);

/// Size of the host at the front of `text`; 0 where there is none.
size_t HostSize(std::string_view text) {
  const bool is_ipv6 = !text.empty() && text[0] == '[';
  const std::array<bool, 256>& table = is_ipv6 ? kIpv6Bytes : kNameBytes;
  size_t size = is_ipv6 ? 1 : 0;
  while (size < text.size() && table[static_cast<uint8_t>(text[size])])
    ++size;
  if (!is_ipv6) return size;
  return size > 1 && size < text.size() && text[size] == ']' ? size + 1 : 0;
}

bool IsPort(std::string_view text) {
  if (text.size() > kMaxPortDigits) return false;
  for (const char byte : text) {
    if (!IsDigit(byte)) return false;
  }
  return true;
}

}  // namespace

bool IsHostField(std::string_view text) {
  const size_t size = HostSize(text);
  if (size == 0) return false;
  return size == text.size() || (text[size] == ':' && IsPort(text.substr(size + 1)));
}

bool IsAuthorityWithPort(std::string_view text) {
  const size_t size = HostSize(text);
  if (!IsHostField(text) || size == text.size()) return false;
  uint32_t port = 0;
  for (const char digit : text.substr(size + 1))
    port = port * 10 + static_cast<uint32_t>(digit - '0');
  return port >= 1 && port <= 65'535;
}

size_t HttpSchemeSize(std::string_view target) {
  for (const std::string_view scheme :
       {std::string_view("http://"), std::string_view("https://")}) {
    if (EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

}  // namespace sluice::http1
