// Strict reading and writing of PROXY headers: a line of text (version 1) or a counted block
// (version 2).
#include "l4/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "l4/crc32c.h"
#include "l4/proxy_line.h"

namespace sluice::l4 {
namespace {

using IpBytes = std::array<uint8_t, 16>;

constexpr IpBytes kIpv4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsIpv4(const IpBytes& ip) {
  return std::equal(ip.begin(), ip.begin() + 12, kIpv4Prefix.begin());
}

// --- version 2: a block ---

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kBlockHeadBytes = 16;  // signature, version and command, family, length
constexpr uint8_t kLocal = 0x20;        // version 2 in the upper four bits
constexpr uint8_t kProxy = 0x21;
constexpr uint8_t kTcp4 = 0x11;  // family in the upper four bits, transport in the lower
constexpr uint8_t kTcp6 = 0x21;
constexpr size_t kPortsBytes = 4;

enum TlvType : uint8_t { kAlpn = 1, kAuthority = 2, kCrc32c = 3, kUniqueId = 5 };
constexpr size_t kTlvHeadBytes = 3;
constexpr size_t kCrc32cBytes = 4;
constexpr size_t kMaxUniqueIdBytes = 128;

constexpr uint8_t ByteAt(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]);
}

constexpr uint16_t WordAt(std::string_view text, size_t at) {
  return static_cast<uint16_t>(ByteAt(text, at) << 8 | ByteAt(text, at + 1));
}

/// Is this family and transport one of the specification's? UNSPEC may stand for either.
constexpr bool IsKnownFamily(uint8_t family) {
  return family >> 4 <= 3 && (family & 0xf) <= 2;
}

/// Bytes of the addresses of a known family, 0 where that is not said (UNSPEC).
constexpr size_t AddressBytes(uint8_t family) {
  constexpr std::array<size_t, 4> kSizes = {0, 2 * 4 + kPortsBytes, 2 * 16 + kPortsBytes, 2 * 108};
  return (family & 0xf) == 0 ? 0 : kSizes[family >> 4];
}

void ReadAddresses(std::string_view addresses, ProxyHeader* header) {
  const size_t ip_bytes = (addresses.size() - kPortsBytes) / 2;
  const auto ip_at = [&](size_t at) {
    IpBytes ip = kIpv4Prefix;
    std::memcpy(ip.data() + ip.size() - ip_bytes, addresses.data() + at, ip_bytes);
    return ip;
  };
  header->has_addresses = true;
  header->source = {ip_at(0), WordAt(addresses, 2 * ip_bytes)};
  header->destination = {ip_at(ip_bytes), WordAt(addresses, 2 * ip_bytes + 2)};
}

/// Reads TLVs (type, length, value) and where in them the checksum lies.
class TlvReader {
 public:
  /// @param tlvs those that have come @param announced_bytes how many there will be
  PrefaceStatus Read(std::string_view tlvs, size_t announced_bytes, ProxyHeader* header) {
    size_t at = 0;
    while (at < announced_bytes) {
      if (announced_bytes - at < kTlvHeadBytes) return PrefaceStatus::kInvalid;
      if (tlvs.size() < at + kTlvHeadBytes) return PrefaceStatus::kNeedMore;
      const uint8_t type = ByteAt(tlvs, at);
      const size_t length = WordAt(tlvs, at + 1);
      at += kTlvHeadBytes;
      if (announced_bytes - at < length || !IsAcceptable(type, length))
        return PrefaceStatus::kInvalid;
      if (tlvs.size() < at + length) return PrefaceStatus::kNeedMore;
      const std::string_view value = tlvs.substr(at, length);
      if (type == kAlpn) header->alpn = value;
      if (type == kAuthority) header->authority = value;
      if (type == kUniqueId) header->unique_id = value;
      if (type == kCrc32c) checksum_ = value;
      at += length;
    }
    return PrefaceStatus::kDone;
  }

  /// The checksum is over the whole header, with zeros in its own place.
  bool HasRightChecksum(std::string_view whole_header) const {
    if (checksum_.empty()) return true;
    const auto before = static_cast<size_t>(checksum_.data() - whole_header.data());
    Crc32c sum;
    sum.Add(whole_header.substr(0, before));
    sum.Add(std::string_view("\0\0\0\0", kCrc32cBytes));
    sum.Add(whole_header.substr(before + kCrc32cBytes));
    return sum.value() == (uint32_t{WordAt(checksum_, 0)} << 16 | WordAt(checksum_, 2));
  }

 private:
  /// Of what we interpret there is one: two proxies could believe different ones of several. Other
  /// types may repeat; nothing of ours depends on them.
  bool IsAcceptable(uint8_t type, size_t length) {
    if (type == kCrc32c && length != kCrc32cBytes) return false;
    if (type == kUniqueId && length > kMaxUniqueIdBytes) return false;
    if (type != kAlpn && type != kAuthority && type != kCrc32c && type != kUniqueId) return true;
    const bool is_first = !seen_[type];
    seen_[type] = true;
    return is_first;
  }

  std::array<bool, 8> seen_{};
  std::string_view checksum_;
};

PrefaceStatus ParseBlock(std::string_view input, ProxyHeader* header) {
  const std::string_view signature = input.substr(0, kSignature.size());
  if (signature != kSignature.substr(0, signature.size())) return PrefaceStatus::kInvalid;
  if (input.size() <= 12) return PrefaceStatus::kNeedMore;
  const uint8_t command = ByteAt(input, 12);
  if (command != kLocal && command != kProxy) return PrefaceStatus::kInvalid;
  if (input.size() <= 13) return PrefaceStatus::kNeedMore;
  const uint8_t family = ByteAt(input, 13);
  if (command == kProxy && !IsKnownFamily(family)) return PrefaceStatus::kInvalid;
  if (input.size() < kBlockHeadBytes) return PrefaceStatus::kNeedMore;
  const size_t block_bytes = WordAt(input, 14);
  header->header_bytes = kBlockHeadBytes + block_bytes;
  if (header->header_bytes > kMaxProxyHeaderBytes) return PrefaceStatus::kInvalid;

  // LOCAL must not be interpreted. The layout behind UNSPEC is not specified, so neither is where
  // its TLVs would begin.
  const size_t address_bytes = command == kProxy ? AddressBytes(family) : 0;
  if (address_bytes == 0)
    return input.size() < header->header_bytes ? PrefaceStatus::kNeedMore : PrefaceStatus::kDone;

  if (block_bytes < address_bytes) return PrefaceStatus::kInvalid;
  const std::string_view block = input.substr(kBlockHeadBytes, block_bytes);
  TlvReader tlvs;
  const PrefaceStatus status = tlvs.Read(block.substr(std::min(address_bytes, block.size())),
                                         block_bytes - address_bytes, header);
  if (status == PrefaceStatus::kInvalid) return status;
  if (block.size() < block_bytes) return PrefaceStatus::kNeedMore;
  if (!tlvs.HasRightChecksum(input.substr(0, header->header_bytes))) return PrefaceStatus::kInvalid;
  // Datagrams do not come over a stream, and UNIX sockets have no IP address: such a family counts
  // as UNSPEC, which the specification has for receivers that do not support it.
  if (family == kTcp4 || family == kTcp6) ReadAddresses(block.substr(0, address_bytes), header);
  return PrefaceStatus::kDone;
}

// --- writing ---

/// Puts bytes one after the other; the caller has seen to the room.
class Writer {
 public:
  explicit Writer(char* out) : begin_(out), end_(out) {}

  size_t size() const { return static_cast<size_t>(end_ - begin_); }

  void Put(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  void PutByte(uint8_t byte) { *end_++ = static_cast<char>(byte); }

  void PutWord(size_t word) {
    PutByte(static_cast<uint8_t>(word >> 8 & 0xff));
    PutByte(static_cast<uint8_t>(word & 0xff));
  }

  void PutDecimal(uint32_t number) {
    if (number >= 10) PutDecimal(number / 10);
    PutByte(static_cast<uint8_t>('0' + number % 10));
  }

 private:
  char* const begin_;
  char* end_;
};

bool AreBothIpv4(const ProxyHeader& header) {
  return IsIpv4(header.source.ip) && IsIpv4(header.destination.ip);
}

size_t WriteLine(const ProxyHeader& header, char* out) {
  Writer line(out);
  line.Put("PROXY ");
  if (!header.has_addresses) {
    line.Put("UNKNOWN\r\n");
    return line.size();
  }
  const bool is_ipv4 = AreBothIpv4(header);
  line.Put(is_ipv4 ? "TCP4 " : "TCP6 ");
  for (const PeerAddress* address : {&header.source, &header.destination}) {
    std::array<char, INET6_ADDRSTRLEN> text;
    inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address->ip.data() + (is_ipv4 ? 12 : 0), text.data(),
              text.size());
    line.Put(text.data());
    line.Put(" ");
  }
  line.PutDecimal(header.source.port);
  line.Put(" ");
  line.PutDecimal(header.destination.port);
  line.Put("\r\n");
  return line.size();
}

size_t WriteBlock(const ProxyHeader& header, char* out) {
  const bool is_ipv4 = AreBothIpv4(header);
  Writer block(out + kBlockHeadBytes);
  if (header.has_addresses) {
    const size_t skipped = is_ipv4 ? 12 : 0;
    for (const PeerAddress* address : {&header.source, &header.destination})
      block.Put(
          std::string_view(reinterpret_cast<const char*>(address->ip.data()), 16).substr(skipped));
    block.PutWord(header.source.port);
    block.PutWord(header.destination.port);
  }
  const auto put_tlv = [&block](TlvType type, std::string_view value) {
    const size_t free_bytes = kMaxWrittenProxyHeaderBytes - kBlockHeadBytes - block.size();
    if (value.empty() || kTlvHeadBytes + value.size() > free_bytes) return;
    block.PutByte(type);
    block.PutWord(value.size());
    block.Put(value);
  };
  put_tlv(kAlpn, header.alpn);
  put_tlv(kAuthority, header.authority);
  if (header.unique_id.size() <= kMaxUniqueIdBytes) put_tlv(kUniqueId, header.unique_id);

  Writer head(out);
  head.Put(kSignature);
  head.PutByte(header.has_addresses ? kProxy : kLocal);
  head.PutByte(!header.has_addresses ? 0 : is_ipv4 ? kTcp4 : kTcp6);
  head.PutWord(block.size());
  return head.size() + block.size();
}

}  // namespace

PrefaceStatus ParseProxyHeader(std::string_view input, ProxyHeader* header) {
  if (input.empty()) return PrefaceStatus::kNeedMore;
  ProxyHeader parsed;
  const PrefaceStatus status = input.front() == kSignature.front() ? ParseBlock(input, &parsed)
                                                                   : ParseProxyLine(input, &parsed);
  if (status == PrefaceStatus::kDone) *header = parsed;
  return status;
}

size_t WriteProxyHeader(int version, const ProxyHeader& header, char* out) {
  return version == 1 ? WriteLine(header, out) : WriteBlock(header, out);
}

}  // namespace sluice::l4
