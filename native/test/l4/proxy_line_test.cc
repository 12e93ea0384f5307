// Unit tests of PROXY headers of version 1; every input is parsed at each of its prefixes.
#include "l4/proxy_line.h"

#include <arpa/inet.h>

#include <array>
#include <string>
#include <vector>

#include "check.h"
#include "preface_text.h"
#include "proxy_splits.h"

namespace sluice::l4 {
namespace {

using preface::Random;

PeerAddress Ipv6(const char* ip, uint16_t port) {
  PeerAddress address;
  CHECK_EQ(inet_pton(AF_INET6, ip, address.ip.data()), 1);
  address.port = port;
  return address;
}

ProxyHeader HeaderOf(std::string_view input) {
  const ParsedProxyHeader parsed = ParsePrefixes(input);
  if (parsed.status != PrefaceStatus::kDone)
    check::Fail(__FILE__, __LINE__, "no header: " + check::Describe(input));
  return parsed.header;
}

TEST(ReadsAddressesOfBothFamilies) {
  const std::string line = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n";
  const ProxyHeader ipv4 = HeaderOf(line + "GET / HTTP/1.1\r\n");
  CHECK(ipv4.has_addresses);
  CHECK(ipv4.source == Ipv6("::ffff:192.168.0.1", 56324));
  CHECK(ipv4.destination == Ipv6("::ffff:192.168.0.11", 443));
  CHECK_EQ(ipv4.header_bytes, line.size());

  // As HAProxy 2.6 sends it.
  const ProxyHeader ipv6 = HeaderOf("PROXY TCP6 ::1 ::1 57884 28471\r\nhi");
  CHECK(ipv6.has_addresses);
  CHECK(ipv6.source == Ipv6("::1", 57884));
  CHECK(ipv6.destination == Ipv6("::1", 28471));
}

TEST(ReadsTheLongestLines) {
  CHECK_EQ(HeaderOf("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n").header_bytes, 56);
  const std::string ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  CHECK_EQ(HeaderOf("PROXY TCP6 " + ip + " " + ip + " 65535 65535\r\n").header_bytes, 104);
  CHECK_EQ(HeaderOf("PROXY UNKNOWN " + ip + " " + ip + " 65535 65535\r\n").header_bytes, 107);
}

TEST(ReadsUnknownWithAnythingUpToTheLineEnd) {
  for (const std::string_view line :
       {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN \r\n", "PROXY UNKNOWN TCP4 what ever\t\x01\xff\r\n"}) {
    const ProxyHeader header = HeaderOf(line);
    CHECK(!header.has_addresses);
    CHECK_EQ(header.header_bytes, line.size());
  }
  CHECK_EQ(HeaderOf(std::string("PROXY UNKNOWN a\0b\r\n", 19)).header_bytes, 19);
}

TEST(RefusesOtherLinesAtTheFirstWrongByte) {
  // '|' stands behind the byte that decides.
  for (const std::string_view marked : {"G|ET / HTTP/1.1\r\n",
                                        "\x16|\x03\x01",
                                        "p|roxy TCP4",
                                        "PROXy| TCP4",
                                        "PROXY\t|TCP4",
                                        "PROXY  |TCP4",
                                        "PROXY\r|\n",
                                        "PROXY t|cp4",
                                        "PROXY TCP5|",
                                        "PROXY TCP |4",
                                        "PROXY UD|P4",
                                        "PROXY UNI|X ",
                                        "PROXY UNKNOWNS| ",
                                        "PROXY UNKNOWN\n|",
                                        "PROXY UNKNOWN\t|",
                                        "PROXY UNKNOWN a\n|",
                                        "PROXY UNKNOWN a\rb|",
                                        "PROXY UNKNOWN a\r\r|\n",
                                        "PROXY TCP4  |1.2.3.4",
                                        "PROXY TCP4 .|",
                                        "PROXY TCP4 256|.1.1.1",
                                        "PROXY TCP4 00|.1.1.1",
                                        "PROXY TCP4 01|.1.1.1",
                                        "PROXY TCP4 1..|1.1",
                                        "PROXY TCP4 1.1.1 |",
                                        "PROXY TCP4 1.1.1.1.|1",
                                        "PROXY TCP4 1.1.1.1234|",
                                        "PROXY TCP4 1.1.1.x|",
                                        "PROXY TCP4 -|1.1.1.1",
                                        "PROXY TCP4 +|1.1.1.1",
                                        "PROXY TCP4 0x|1.1.1.1",
                                        "PROXY TCP4 :|:1",
                                        "PROXY TCP4 1.1.1.1\t|1.1.1.1",
                                        "PROXY TCP4 1.1.1.1  |1.1.1.1",
                                        "PROXY TCP4 1.1.1.1 :|:",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 x|",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1  |1 1\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 65536| 1\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 99999| 1\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 00| 1\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 08|0 1\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 -|1 1\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 1\r|\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n|",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 |\r\n",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\r|",
                                        "PROXY TCP4 1.1.1.1 1.1.1.1 1 65536|\r\n",
                                        "PROXY TCP4\r|\n",
                                        "PROXY TCP6 1.|1.1.1",
                                        "PROXY TCP6 g|::",
                                        "PROXY TCP6 : |:",
                                        "PROXY TCP6 :::|",
                                        "PROXY TCP6 1:::|",
                                        "PROXY TCP6 ::1::|",
                                        "PROXY TCP6 1: |",
                                        "PROXY TCP6 12345|::",
                                        "PROXY TCP6 1:2:3:4:5:6:7 |",
                                        "PROXY TCP6 1:2:3:4:5:6:7:8:|",
                                        "PROXY TCP6 1:2:3:4:5:6:7::8|",
                                        "PROXY TCP6 ::1:2:3:4:5:6:7:|8",
                                        "PROXY TCP6 fe80::1%|lo ",
                                        "PROXY TCP6 [|::1]",
                                        "PROXY TCP6 ::256.|1.1.1",
                                        "PROXY TCP6 ::01.|1.1.1",
                                        "PROXY TCP6 ::a.|1.1.1",
                                        "PROXY TCP6 1:2:3:4:5:6:7:1.|2.3.4",
                                        "PROXY TCP6 1:2:3:4:5:1.|2.3.4",
                                        "PROXY TCP6 ::1:2:3:4:5:6:1.|2.3.4",
                                        "PROXY TCP6 ::1.2.3.4:|"}) {
    const size_t mark = marked.find('|');
    const std::string input =
        std::string(marked.substr(0, mark)) + std::string(marked.substr(mark + 1));
    size_t decided_at = 0;
    const ParsedProxyHeader parsed = ParsePrefixes(input, &decided_at);
    if (parsed.status != PrefaceStatus::kInvalid || decided_at != mark)
      check::Fail(__FILE__, __LINE__,
                  check::Describe(marked) + " decided at " + std::to_string(decided_at));
  }
}

TEST(RefusesLinesThatAreTooLong) {
  size_t decided_at = 0;
  const std::string unknown = "PROXY UNKNOWN " + std::string(200, 'x');
  CHECK_EQ(ParsePrefixes(unknown + "\r\n", &decided_at).status, PrefaceStatus::kInvalid);
  CHECK_EQ(decided_at, 106);  // behind 105 bytes there is just room for CRLF
  CHECK_EQ(StatusOf(unknown.substr(0, 105) + "\r\n"), PrefaceStatus::kDone);
  CHECK_EQ(StatusOf(unknown.substr(0, 106) + "\r\n"), PrefaceStatus::kInvalid);

  // IPv4 in IPv6 can be longer than the longest line has room for.
  const std::string ip = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
  CHECK_EQ(StatusOf("PROXY TCP6 " + ip + " " + ip.substr(0, 44) + " 0 0\r\n"),
           PrefaceStatus::kDone);
  CHECK_EQ(ParsePrefixes("PROXY TCP6 " + ip + " " + ip + " 0 0\r\n", &decided_at).status,
           PrefaceStatus::kInvalid);
  CHECK_EQ(decided_at, 102);
}

/// A text of these bytes, near to an IPv6 address more often than not.
std::string RandomIpv6Text(Random* random) {
  static constexpr std::array<std::string_view, 16> kParts = {
      "::",    ":",   ":",       ":", "0",  "1",  "ffff", "a0",
      "12345", "255", "1.2.3.4", ".", "00", "7f", "AB",   "256"};
  std::string text;
  for (size_t parts = random->Below(18) + 1; parts > 0; --parts) {
    const bool wants_colon = parts % 2 == 0;
    text += wants_colon && random->Below(8) != 0 ? kParts[random->Below(20) == 0 ? 0 : 1]
                                                 : kParts[random->Below(kParts.size())];
  }
  return text;
}

TEST(AgreesWithInetPton) {
  Random random(1);
  size_t valid = 0;
  for (int round = 0; round < 40'000; ++round) {
    const std::string ip = RandomIpv6Text(&random);
    PeerAddress wanted;
    const bool is_valid = inet_pton(AF_INET6, ip.c_str(), wanted.ip.data()) == 1;
    wanted.port = 7;
    const ParsedProxyHeader parsed = ParseExactly("PROXY TCP6 :: " + ip + " 0 7\r\n");
    CHECK_EQ(parsed.status, is_valid ? PrefaceStatus::kDone : PrefaceStatus::kInvalid);
    if (is_valid) CHECK(parsed.header.destination == wanted);
    valid += is_valid ? 1 : 0;
  }
  CHECK(valid > 1000);
  for (int round = 0; round < 20'000; ++round) {
    std::string ip;
    for (size_t octet = 0; octet < 3 + random.Below(3); ++octet)
      ip += (octet == 0 ? "" : ".") + std::to_string(random.Below(300));
    PeerAddress wanted;
    const bool is_valid = inet_pton(AF_INET, ip.c_str(), wanted.ip.data()) == 1;
    CHECK_EQ(ParseExactly("PROXY TCP4 " + ip + " 1.2.3.4 0 7\r\n").status,
             is_valid ? PrefaceStatus::kDone : PrefaceStatus::kInvalid);
  }
}

TEST(NeverWaitsForALineThatCannotBe) {
  // Whatever is waited for has a way to end: one of these.
  static constexpr std::array<std::string_view, 12> kIpEndings = {
      "", ":", "::", ":0", "0", ".0", ".0.0", ".0.0.0", "0.0", "0.0.0", "0.0.0.0", "::0"};
  const auto can_end = [](const std::string& ip) {
    for (const std::string_view first : kIpEndings) {
      std::string ending = ip + std::string(first);
      for (int groups = 0; groups < 8; ++groups, ending += ":0") {
        PeerAddress address;
        if (inet_pton(AF_INET6, ending.c_str(), address.ip.data()) == 1) return true;
      }
    }
    return false;
  };
  Random random(2);
  size_t waits = 0;
  for (int round = 0; round < 5'000; ++round) {
    const std::string ip = RandomIpv6Text(&random);
    const bool is_waiting = ParseExactly("PROXY TCP6 " + ip).status == PrefaceStatus::kNeedMore;
    CHECK_EQ(is_waiting, can_end(ip));
    waits += is_waiting ? 1 : 0;
  }
  CHECK(waits > 500);
}

TEST(WritesTheLineOfTheSpecification) {
  const auto written = [](const ProxyHeader& header) {
    std::array<char, kMaxWrittenProxyHeaderBytes> out;
    return std::string(out.data(), WriteProxyHeader(1, header, out.data()));
  };
  ProxyHeader header = {.has_addresses = true,
                        .source = Ipv6("::ffff:192.168.0.1", 56324),
                        .destination = Ipv6("::ffff:192.168.0.11", 443),
                        .authority = "a.test"};
  CHECK_EQ(written(header), "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
  header.destination = Ipv6("2001:db8::1", 0);
  CHECK_EQ(written(header), "PROXY TCP6 ::ffff:192.168.0.1 2001:db8::1 56324 0\r\n");
  header.has_addresses = false;
  CHECK_EQ(written(header), "PROXY UNKNOWN\r\n");
}

TEST(ReadsBackWhatItWrites) {
  Random random(3);
  for (int round = 0; round < 2'000; ++round) {
    ProxyHeader header = {.has_addresses = true};
    for (PeerAddress* address : {&header.source, &header.destination}) {
      const std::string ip = random.Bytes(16);
      for (size_t at = 0; at < 16; ++at)
        address->ip[at] = random.Below(3) == 0 ? 0 : static_cast<uint8_t>(ip[at]);
      if (random.Below(2) == 0) {
        address->ip.fill(0);
        address->ip[10] = address->ip[11] = 0xff;
        address->ip[15] = static_cast<uint8_t>(ip[0]);
      }
      address->port = static_cast<uint16_t>(random.Below(0x10000));
    }
    std::array<char, kMaxWrittenProxyHeaderBytes> out;
    const size_t size = WriteProxyHeader(1, header, out.data());
    const ProxyHeader again = HeaderOf(std::string_view(out.data(), size));
    CHECK(again.source == header.source && again.destination == header.destination);
    CHECK_EQ(again.header_bytes, size);
  }
}

}  // namespace
}  // namespace sluice::l4
