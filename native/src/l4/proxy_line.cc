// The text line of PROXY protocol version 1, byte by byte.
#include "l4/proxy_line.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sluice::l4 {
namespace {

using IpBytes = std::array<uint8_t, 16>;

constexpr IpBytes kIpv4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr std::string_view kLineStart = "PROXY ";
constexpr size_t kMaxLineBytes = 107;  // CRLF included
// The least that can stand behind a field of the line.
constexpr size_t kLeastPorts = std::string_view(" 0 0\r\n").size();
constexpr size_t kLeastIpv4 = std::string_view(" 0.0.0.0").size();
constexpr size_t kLeastIpv6 = std::string_view(" ::").size();

constexpr bool IsDigit(char byte) {
  return byte >= '0' && byte <= '9';
}

/// The value of a hexadecimal digit, -1 for any other byte.
constexpr int HexValue(char byte) {
  if (IsDigit(byte)) return byte - '0';
  const char lower = static_cast<char>(byte | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Reads the line from left to right. Each Take… says whether what it wants was there; when it was
/// not, status() says whether that may still come.
class LineReader {
 public:
  explicit LineReader(std::string_view input) : line_(input) {}

  PrefaceStatus status() const { return status_; }
  size_t at() const { return at_; }

  /// The least number of bytes behind what is read next: a line that cannot end within its longest
  /// is invalid.
  void SetLeastRest(size_t least_rest) { least_rest_ = least_rest; }

  /// The next byte stays to be taken.
  bool Peek(char* byte) {
    if (at_ + least_rest_ > kMaxLineBytes) return Refuse();
    if (at_ == line_.size()) {
      status_ = PrefaceStatus::kNeedMore;
      return false;
    }
    *byte = line_[at_];
    return true;
  }

  void Skip() { ++at_; }

  bool Take(std::string_view wanted) {
    for (const char wanted_byte : wanted) {
      char byte = 0;
      if (!Peek(&byte)) return false;
      if (byte != wanted_byte) return Refuse();
      Skip();
    }
    return true;
  }

  bool TakePort(uint16_t* port) {
    uint32_t number = 0;
    if (!TakeDecimal(0xffff, &number)) return false;
    *port = static_cast<uint16_t>(number);
    return true;
  }

  /// 'a.b.c.d', as an IPv4-mapped address.
  bool TakeIpv4(IpBytes* ip) {
    *ip = kIpv4Prefix;
    return TakeOctets(0, ip->data() + 12);
  }

  /// What inet_pton takes: groups of hexadecimal digits, at most one '::' for one group or more,
  /// perhaps an IPv4 address as the last two groups.
  bool TakeIpv6(IpBytes* ip) {
    IpBytes bytes{};
    size_t size = 0;  // of what is read, without the gap
    size_t room = bytes.size();
    size_t gap = bytes.size();  // where '::' stands
    bool is_behind_gap = false;
    char byte = 0;
    const auto open_gap = [&] {
      gap = size;
      room = bytes.size() - 2;
      is_behind_gap = true;
    };
    if (!Peek(&byte)) return false;
    if (byte == ':') {
      if (!Take("::")) return false;
      open_gap();
    }
    for (;;) {
      if (!Peek(&byte)) return false;
      if (is_behind_gap && HexValue(byte) < 0) break;
      if (size == room) return Refuse();
      const size_t group = at_;
      uint32_t value = 0;
      if (!TakeGroup(&value) || !Peek(&byte)) return false;
      if (byte == '.') {
        const bool fits = room == bytes.size() ? size + 4 == room : size + 4 <= room;
        if (!fits || !IsOctet(line_.substr(group, at_ - group), &bytes[size])) return Refuse();
        if (!TakeOctets(1, &bytes[size])) return false;
        size += 4;
        break;
      }
      bytes[size++] = static_cast<uint8_t>(value >> 8);
      bytes[size++] = static_cast<uint8_t>(value & 0xff);
      is_behind_gap = false;
      if (byte != ':') break;
      if (size == room) return Refuse();
      Skip();
      if (!Peek(&byte)) return false;
      if (byte == ':' && room == bytes.size()) {
        Skip();
        open_gap();
      }
    }
    if (room == bytes.size() && size != room) return Refuse();
    const size_t front = std::min(gap, size);
    ip->fill(0);
    std::memcpy(ip->data(), bytes.data(), front);
    std::memcpy(ip->data() + ip->size() - (size - front), bytes.data() + front, size - front);
    return true;
  }

  /// Everything up to CRLF, and that. A line end of one byte only is none and belongs to no text.
  bool TakeToLineEnd() {
    char byte = 0;
    SetLeastRest(2);
    while (Peek(&byte) && byte != '\r') {
      if (byte == '\n') return Refuse();
      Skip();
    }
    return status_ == PrefaceStatus::kDone && TakeLineEnd();
  }

  bool TakeLineEnd() {
    SetLeastRest(2);
    if (!Take("\r")) return false;
    SetLeastRest(1);
    return Take("\n");
  }

 private:
  bool Refuse() {
    status_ = PrefaceStatus::kInvalid;
    return false;
  }

  /// A number without leading zeros, at most `max`.
  bool TakeDecimal(uint32_t max, uint32_t* number) {
    char byte = 0;
    if (!Peek(&byte)) return false;
    if (!IsDigit(byte)) return Refuse();
    const size_t first = at_;
    for (*number = 0; IsDigit(byte);) {
      if (at_ > first && *number == 0) return Refuse();
      *number = *number * 10 + static_cast<uint32_t>(byte - '0');
      if (*number > max) return Refuse();
      Skip();
      if (!Peek(&byte)) return false;
    }
    return true;
  }

  /// The octets of an IPv4 address from the one with this index on.
  bool TakeOctets(size_t index, uint8_t* octets) {
    for (; index < 4; ++index) {
      uint32_t octet = 0;
      if (index > 0 && !Take(".")) return false;
      if (!TakeDecimal(0xff, &octet)) return false;
      octets[index] = static_cast<uint8_t>(octet);
    }
    return true;
  }

  /// One to four hexadecimal digits.
  bool TakeGroup(uint32_t* value) {
    char byte = 0;
    for (size_t digits = 0; digits < 4; ++digits) {
      if (!Peek(&byte)) return false;
      const int digit = HexValue(byte);
      if (digit < 0) return digits > 0 || Refuse();
      *value = *value * 16 + static_cast<uint32_t>(digit);
      Skip();
    }
    return true;
  }

  /// Says whether a group that has been read as hexadecimal is an octet in decimal.
  static bool IsOctet(std::string_view text, uint8_t* octet) {
    uint32_t value = 0;
    for (const char byte : text) {
      if (!IsDigit(byte)) return false;
      value = value * 10 + static_cast<uint32_t>(byte - '0');
    }
    *octet = static_cast<uint8_t>(value & 0xff);
    return value <= 0xff && (text.size() == 1 || text.front() != '0');
  }

  const std::string_view line_;
  size_t at_ = 0;
  size_t least_rest_ = 2;
  PrefaceStatus status_ = PrefaceStatus::kDone;  // until something else is found
};

bool TakeAddresses(LineReader* line, bool is_ipv4, ProxyHeader* header) {
  const auto take_ip = [line, is_ipv4](IpBytes* ip) {
    return is_ipv4 ? line->TakeIpv4(ip) : line->TakeIpv6(ip);
  };
  const size_t least_address = is_ipv4 ? kLeastIpv4 : kLeastIpv6;
  header->has_addresses = true;
  line->SetLeastRest(least_address + kLeastPorts);
  if (!take_ip(&header->source.ip) || !line->Take(" ")) return false;
  line->SetLeastRest(kLeastPorts);
  if (!take_ip(&header->destination.ip) || !line->Take(" ")) return false;
  line->SetLeastRest(std::string_view(" 0\r\n").size());
  if (!line->TakePort(&header->source.port) || !line->Take(" ")) return false;
  line->SetLeastRest(std::string_view("\r\n").size());
  return line->TakePort(&header->destination.port) && line->TakeLineEnd();
}

/// @returns whether the line is complete
bool TakeLine(LineReader* line, ProxyHeader* header) {
  char family = 0;
  if (!line->Take(kLineStart) || !line->Peek(&family)) return false;
  if (family == 'U') {
    if (!line->Take("UNKNOWN") || !line->Peek(&family)) return false;
    return (family == '\r' || line->Take(" ")) && line->TakeToLineEnd();
  }
  if (!line->Take("TCP") || !line->Peek(&family)) return false;
  const bool is_ipv4 = family == '4';
  return line->Take(is_ipv4 ? "4 " : "6 ") && TakeAddresses(line, is_ipv4, header);
}

}  // namespace

PrefaceStatus ParseProxyLine(std::string_view input, ProxyHeader* header) {
  LineReader line(input);
  if (!TakeLine(&line, header)) return line.status();
  header->header_bytes = line.at();
  return PrefaceStatus::kDone;
}

}  // namespace sluice::l4
