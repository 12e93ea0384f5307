// Unit tests of PROXY headers of version 2; every input is parsed at each of its prefixes.
#include "l4/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "check.h"
#include "l4/crc32c.h"
#include "preface_text.h"
#include "proxy_splits.h"

namespace sluice::l4 {
namespace {

using preface::FromHex;
using preface::Random;

constexpr std::string_view kSignature = "0d0a0d0a000d0a515549540a";
constexpr std::string_view kIpv4Addresses = "c0000201 c6336407 c822 01bb";
// docs/semantics.md, section 10: 192.0.2.1:51234 -> 198.51.100.7:443.
constexpr std::string_view kVector =
    "0d0a0d0a000d0a515549540a 21 11 000c c0000201 c6336407 c822 01bb";
// As HAProxy 2.6 sends it, with CRC32C and unique id.
constexpr std::string_view kFromHaproxy =
    "0d0a0d0a000d0a515549540a2111002a7f0000017f000001dd5c6f37030004e1748b77050014"
    "636f6e6e2d3132372e302e302e312d3536363638";

PeerAddress Address(const char* ip, uint16_t port) {
  PeerAddress address;
  CHECK_EQ(inet_pton(AF_INET6, ip, address.ip.data()), 1);
  address.port = port;
  return address;
}

std::string Word(size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

/// A block with the right length behind signature, command and family.
std::string Block(uint8_t command, uint8_t family, const std::string& payload) {
  return FromHex(kSignature) + static_cast<char>(command) + static_cast<char>(family) +
         Word(payload.size()) + payload;
}

std::string Tlv(uint8_t type, const std::string& value) {
  return static_cast<char>(type) + Word(value.size()) + value;
}

std::string Tcp4(const std::string& tlvs) {
  return Block(0x21, 0x11, FromHex(kIpv4Addresses) + tlvs);
}

/// Puts the right checksum in place of the zeros of the TLV at the block's end.
std::string WithChecksum(std::string block) {
  Crc32c sum;
  sum.Add(block);
  const uint32_t value = sum.value();
  block.replace(block.size() - 4, 4, Word(value >> 16) + Word(value & 0xffff));
  return block;
}

std::string Written(int version, const ProxyHeader& header) {
  std::array<char, kMaxWrittenProxyHeaderBytes> out;
  const size_t size = WriteProxyHeader(version, header, out.data());
  CHECK(size <= out.size());
  return {out.data(), size};
}

TEST(ReadsTheTestVector) {
  const ParsedProxyHeader parsed = ParsePrefixes(FromHex(kVector) + "data");
  CHECK_EQ(parsed.status, PrefaceStatus::kDone);
  CHECK(parsed.header.has_addresses);
  CHECK(parsed.header.source == Address("::ffff:192.0.2.1", 51234));
  CHECK(parsed.header.destination == Address("::ffff:198.51.100.7", 443));
  CHECK_EQ(parsed.header.header_bytes, 28);
}

TEST(WritesTheTestVector) {
  const ProxyHeader header = {.has_addresses = true,
                              .source = Address("::ffff:192.0.2.1", 51234),
                              .destination = Address("::ffff:198.51.100.7", 443)};
  CHECK(Written(2, header) == FromHex(kVector));
}

TEST(ReadsWhatHaproxySends) {
  const ParsedProxyHeader parsed = ParsePrefixes(FromHex(kFromHaproxy));
  CHECK_EQ(parsed.status, PrefaceStatus::kDone);
  CHECK(parsed.header.source == Address("::ffff:127.0.0.1", 56668));
  CHECK(parsed.header.destination == Address("::ffff:127.0.0.1", 28471));
  CHECK_EQ(parsed.unique_id, "conn-127.0.0.1-56668");
}

TEST(RefusesAHeaderWithAnyBitOfItTurned) {
  const std::string good = FromHex(kFromHaproxy);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const ParsedProxyHeader parsed = ParsePrefixes(bad);
    // LOCAL and UNSPEC are not looked into, the length may only wait for more, and without its TLV
    // there is no checksum.
    const bool is_unchecked =
        bit == 12 * 8 || (bit / 8 == 13 && parsed.status == PrefaceStatus::kDone);
    const bool is_length = bit / 8 == 14 || bit / 8 == 15;
    const bool is_crc_type = bit / 8 == 28;
    CHECK(parsed.status == PrefaceStatus::kInvalid || is_unchecked || is_length || is_crc_type);
    if (is_unchecked) CHECK(!parsed.header.has_addresses);
  }
}

TEST(ReadsIpv6AndAllTlvs) {
  const std::string block =
      Block(0x21, 0x21,
            FromHex("20010db8000000000000000000000001 20010db8000000000000000000000002 0001 ffff") +
                Tlv(0x01, "h2") + Tlv(0x02, "a.test") + Tlv(0x04, "") + Tlv(0x04, "padding") +
                Tlv(0x05, std::string(128, 'u')) + Tlv(0x20, "ssl") + Tlv(0x30, "netns") +
                Tlv(0xea, "aws") + Tlv(0xea, "again"));
  const ParsedProxyHeader parsed = ParsePrefixes(block);
  CHECK_EQ(parsed.status, PrefaceStatus::kDone);
  CHECK(parsed.header.source == Address("2001:db8::1", 1));
  CHECK(parsed.header.destination == Address("2001:db8::2", 0xffff));
  CHECK_EQ(parsed.alpn, "h2");
  CHECK_EQ(parsed.authority, "a.test");
  CHECK_EQ(parsed.unique_id, std::string(128, 'u'));
}

TEST(TakesLocalWithoutLookingInside) {
  for (const std::string& block :
       {Block(0x20, 0x00, ""), Block(0x20, 0x11, FromHex(kIpv4Addresses) + Tlv(2, "a.test")),
        Block(0x20, 0xff, "\xff\xff no TLVs"), Block(0x20, 0x11, "short")}) {
    const ParsedProxyHeader parsed = ParsePrefixes(block);
    CHECK_EQ(parsed.status, PrefaceStatus::kDone);
    CHECK(!parsed.header.has_addresses);
    CHECK_EQ(parsed.authority, "");
    CHECK_EQ(parsed.header.header_bytes, block.size());
  }
}

TEST(TakesUnspecifiedFamiliesWithoutLookingInside) {
  for (const uint8_t family : std::array<uint8_t, 6>{0x00, 0x01, 0x02, 0x10, 0x20, 0x30}) {
    const ParsedProxyHeader parsed = ParsePrefixes(Block(0x21, family, "\xff\xff anything"));
    CHECK_EQ(parsed.status, PrefaceStatus::kDone);
    CHECK(!parsed.header.has_addresses);
  }
}

TEST(TakesOnlyTlvsOfOtherFamilies) {
  for (const auto& [family, address_bytes] :
       {std::pair<uint8_t, size_t>{0x12, 12}, {0x22, 36}, {0x31, 216}, {0x32, 216}}) {
    const std::string addresses(address_bytes, 'a');
    const ParsedProxyHeader parsed =
        ParsePrefixes(Block(0x21, family, addresses + Tlv(0x02, "a.test")));
    CHECK_EQ(parsed.status, PrefaceStatus::kDone);
    CHECK(!parsed.header.has_addresses);
    CHECK_EQ(parsed.authority, "a.test");
    CHECK_EQ(StatusOf(Block(0x21, family, addresses.substr(1))), PrefaceStatus::kInvalid);
    CHECK_EQ(StatusOf(Block(0x21, family, addresses + "x")), PrefaceStatus::kInvalid);
  }
}

TEST(RefusesOtherBlocksAtTheFirstWrongByte) {
  size_t decided_at = 0;
  const std::string good = FromHex(kVector);
  for (size_t at = 0; at < 12; ++at) {
    std::string bad = good;
    bad[at] = 'x';
    CHECK_EQ(ParsePrefixes(bad, &decided_at).status, PrefaceStatus::kInvalid);
    CHECK_EQ(decided_at, at + 1);
  }
  for (int byte = 0; byte < 256; ++byte) {
    std::string other_command = good;
    other_command[12] = static_cast<char>(byte);
    const bool is_command = byte == 0x20 || byte == 0x21;
    CHECK_EQ(ParsePrefixes(other_command, &decided_at).status,
             is_command ? PrefaceStatus::kDone : PrefaceStatus::kInvalid);
    if (!is_command) CHECK_EQ(decided_at, 13);

    std::string other_family = good.substr(0, 14);
    other_family[13] = static_cast<char>(byte);
    const bool is_family = byte >> 4 <= 3 && (byte & 0xf) <= 2;
    CHECK_EQ(StatusOf(other_family),
             is_family ? PrefaceStatus::kNeedMore : PrefaceStatus::kInvalid);
  }
}

TEST(RefusesLengthsThatDoNotAddUp) {
  CHECK_EQ(StatusOf(Block(0x21, 0x11, FromHex(kIpv4Addresses).substr(1))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Block(0x21, 0x11, "")), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Block(0x21, 0x21, FromHex(kIpv4Addresses))), PrefaceStatus::kInvalid);
  for (const std::string_view tlvs :
       {"04", "0400", "040001", "0400ff 00", "04ffff 00", "040000 04", "040000 0400",
        "040000 040001", "040001 00 04", "030003 000000", "030005 0000000000", "030000", "020001",
        "010001"})
    CHECK_EQ(StatusOf(Tcp4(FromHex(tlvs))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Tcp4(Tlv(0x05, std::string(129, 'u')))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Tcp4(FromHex("040000 040000"))), PrefaceStatus::kDone);

  // A wrong length is found when it is there, not when what it promises has come.
  size_t decided_at = 0;
  CHECK_EQ(ParsePrefixes(Tcp4(FromHex("040010") + "too short"), &decided_at).status,
           PrefaceStatus::kInvalid);
  CHECK_EQ(decided_at, 28 + 3);
}

TEST(RefusesBlocksThatAreTooLong) {
  const size_t most = kMaxProxyHeaderBytes - 16;
  CHECK_EQ(ParseExactly(Tcp4(Tlv(0x04, std::string(most - 12 - 3, 'n')))).status,
           PrefaceStatus::kDone);
  for (const uint8_t command : std::array<uint8_t, 2>{0x20, 0x21}) {
    const std::string block = Block(command, 0x11, std::string(most + 1, 'n'));
    CHECK_EQ(ParseExactly(block.substr(0, 15)).status, PrefaceStatus::kNeedMore);
    CHECK_EQ(ParseExactly(block.substr(0, 16)).status, PrefaceStatus::kInvalid);
  }
}

TEST(RefusesASecondTlvOfWhatIsInterpreted) {
  for (const uint8_t type : std::array<uint8_t, 3>{0x01, 0x02, 0x05})
    CHECK_EQ(StatusOf(Tcp4(Tlv(type, "a") + Tlv(0x04, "") + Tlv(type, "a"))),
             PrefaceStatus::kInvalid);
  const std::string zeros(4, '\0');
  CHECK_EQ(StatusOf(Tcp4(Tlv(0x03, zeros) + Tlv(0x03, zeros))), PrefaceStatus::kInvalid);
}

TEST(ChecksTheChecksum) {
  Crc32c sum;
  sum.Add("12345");
  sum.Add("6789");
  CHECK_EQ(sum.value(), 0xe3069283u);  // the check value of the CRC catalogue

  const std::string block = Tcp4(Tlv(0x02, "a.test") + Tlv(0x03, std::string(4, '\0')));
  CHECK_EQ(StatusOf(block), PrefaceStatus::kInvalid);
  const std::string good = WithChecksum(block);
  CHECK_EQ(StatusOf(good + "data"), PrefaceStatus::kDone);
  for (size_t at = 16; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    CHECK_EQ(StatusOf(bad), PrefaceStatus::kInvalid);
  }
}

TEST(WritesLocalWithoutAddresses) {
  CHECK(Written(2, {}) == Block(0x20, 0x00, ""));
  CHECK(Written(2, {.authority = "a.test"}) == Block(0x20, 0x00, Tlv(0x02, "a.test")));
}

TEST(LeavesOutWhatDoesNotFit) {
  ProxyHeader header = {.has_addresses = true,
                        .source = Address("::ffff:192.0.2.1", 51234),
                        .destination = Address("::ffff:198.51.100.7", 443)};
  const std::string room(kMaxWrittenProxyHeaderBytes - 28 - 3, 'a');
  header.authority = room;
  CHECK_EQ(Written(2, header).size(), kMaxWrittenProxyHeaderBytes);
  header.unique_id = "u";
  CHECK_EQ(Written(2, header).size(), kMaxWrittenProxyHeaderBytes);
  const std::string too_long = room + "a";
  header.authority = too_long;
  CHECK(Written(2, header) == Tcp4(Tlv(0x05, "u")));
  const std::string long_id(129, 'u');
  header.unique_id = long_id;
  CHECK(Written(2, header) == FromHex(kVector));
}

TEST(ReadsBackWhatItWrites) {
  Random random(1);
  for (int round = 0; round < 1'000; ++round) {
    const std::string ips = random.Bytes(32);
    const std::string alpn = random.Bytes(random.Below(40));
    const std::string authority = random.Bytes(random.Below(254));
    const std::string unique_id = random.Bytes(random.Below(129));
    ProxyHeader header = {
        .has_addresses = true, .authority = authority, .alpn = alpn, .unique_id = unique_id};
    const bool is_ipv4 = random.Below(2) == 0;
    for (size_t at = 0; at < 16; ++at) {
      header.source.ip[at] = static_cast<uint8_t>(ips[at]);
      header.destination.ip[at] = static_cast<uint8_t>(ips[16 + at]);
    }
    for (PeerAddress* address : {&header.source, &header.destination}) {
      if (is_ipv4) std::fill_n(address->ip.begin(), 10, uint8_t{0});
      if (is_ipv4) address->ip[10] = address->ip[11] = 0xff;
      address->port = static_cast<uint16_t>(random.Below(0x10000));
    }
    const std::string written = Written(2, header);
    const ParsedProxyHeader again = ParsePrefixes(written + "data");
    CHECK_EQ(again.status, PrefaceStatus::kDone);
    CHECK_EQ(int{written[13]}, is_ipv4 ? 0x11 : 0x21);
    CHECK(again.header.source == header.source && again.header.destination == header.destination);
    CHECK(again.alpn == alpn && again.authority == authority && again.unique_id == unique_id);
    CHECK_EQ(again.header.header_bytes, written.size());
  }
}

TEST(KeepsItsVerdictWhateverTheBytes) {
  Random random(2);
  const std::array<std::string, 4> seeds = {FromHex(kFromHaproxy), FromHex(kVector),
                                            "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
                                            "PROXY TCP6 ::1 1::2:3.4.5.6 1 2\r\n"};
  for (int round = 0; round < 5'000; ++round) {
    std::string input = random.Pick(seeds);
    for (size_t changes = random.Below(4); changes > 0; --changes)
      input[random.Below(input.size())] = static_cast<char>(random.Below(256));
    ParsePrefixes(input + random.Bytes(random.Below(20)));
  }
}

}  // namespace
}  // namespace sluice::l4
