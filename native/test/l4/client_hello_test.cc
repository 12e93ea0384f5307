// Unit tests of the ClientHello parser; inputs are parsed at each of their prefixes.
#include "l4/client_hello.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "hello_splits.h"
#include "preface_text.h"
#include "recorded_hellos.h"

namespace sluice::l4 {
namespace {

using preface::FromHex;
using preface::Random;
using namespace std::string_literals;

struct Recorded {
  std::string_view hex;
  std::string server_name;
  std::string alpn;
};

const std::array kRecorded = {
    Recorded{preface::kNodeTls13, "api.example.com", "\x02h2\x08http/1.1"},
    Recorded{preface::kNodeTls12, "db.internal.example.org", ""},
    Recorded{preface::kNodeWithoutName, "",
             "\x0a"
             "acme-tls/1"},
    Recorded{preface::kOpensslBare, "", ""},
    Recorded{preface::kOpensslManyProtocols, "many.example",
             "\x02h3\x02h2\x08http/1.1\x08http/1.0\x06spdy/3\x04imap\x04pop3\x0apostgresql"},
    Recorded{preface::kGnutls, "localhost", "\x02h2\x08http/1.1"},
    Recorded{preface::kPythonPadded, "mail.python.example", "\x04imap"}};

ParsedHello Tls(std::string server_name = "", std::string alpn = "") {
  return {.status = PrefaceStatus::kDone,
          .is_tls = true,
          .server_name = std::move(server_name),
          .alpn = std::move(alpn)};
}

constexpr ParsedHello (*Parse)(std::string_view, size_t*) = ParseHelloPrefixes;

PrefaceStatus StatusOf(std::string_view input) {
  return Parse(input, nullptr).status;
}

/// What one host name is read as; "(invalid)" for a refused hello.
std::string NameOf(std::string_view name) {
  const ParsedHello parsed = ParseHelloExactly(Hello(ServerName(name)));
  return parsed.status == PrefaceStatus::kDone ? parsed.server_name : "(invalid)";
}

TEST(ReadsWhatRealClientsSend) {
  for (const Recorded& recorded : kRecorded) {
    const std::string hello = FromHex(recorded.hex);
    size_t decided_at = 0;
    CHECK(Parse(hello, &decided_at) == Tls(recorded.server_name, recorded.alpn));
    CHECK_EQ(decided_at, hello.size());
    CHECK(ParseHelloExactly(hello + FromHex("1403030001 01 1703030005 00")) ==
          Tls(recorded.server_name, recorded.alpn));
  }
}

TEST(ReadsAHelloOverSeveralRecords) {
  for (const Recorded& recorded : kRecorded) {
    const std::string hello = FromHex(recorded.hex);
    const ParsedHello wanted = Tls(recorded.server_name, recorded.alpn);
    std::vector<size_t> each_byte;
    for (size_t cut = 1; cut < hello.size() - 5; ++cut) {
      each_byte.push_back(cut);
      CHECK(ParseHelloExactly(InRecords(hello, {cut})) == wanted);
    }
    size_t decided_at = 0;
    const std::string records = InRecords(hello, each_byte);
    CHECK(Parse(records, &decided_at) == wanted);
    CHECK_EQ(decided_at, records.size());
    CHECK(Parse(InRecords(hello, {1, 2, 3, 4, 5, 40, 200 % (hello.size() - 46) + 41}), nullptr) ==
          wanted);
  }
}

TEST(ReadsALargeHelloWithAPostQuantumKeyShare) {
  // X25519MLKEM768: 1216 bytes; then GREASE, an unknown extension, and a PSK with its binder last.
  const std::string key_share = Vector(2, "\x11\xec" + Vector(2, Random(1).Bytes(1216)));
  const std::string psk = Vector(2, Vector(2, Random(2).Bytes(200)) + "\0\0\0\0"s) +
                          Vector(2, Vector(1, std::string(32, 'b')));
  const std::string hello =
      Hello(Extension(0x0a0a, "") + Extension(51, key_share) + ServerName("pq.example") +
            Extension(0xfe0d, "encrypted hello") + Alpn({"\x1a\x1a", "h2"}) +
            Extension(0x7777, "?") + Extension(0xdada, "\0"s) + Extension(41, psk));
  CHECK(hello.size() > 1500);
  const ParsedHello wanted = Tls("pq.example", "\x02\x1a\x1a\x02h2");
  CHECK(Parse(hello, nullptr) == wanted);
  CHECK(ParseHelloExactly(InRecords(hello, {600, 1200})) == wanted);
}

TEST(SaysNoTlsAtTheFirstByteThatSaysSo) {
  size_t decided_at = 0;
  const ParsedHello no_tls = {.status = PrefaceStatus::kDone};
  for (const std::string& input :
       {"GET / HTTP/1.1\r\n"s, "SSH-2.0-x\r\n"s, "\0\0\0\x08\x04\xd2\x16\x2f"s,
        "\x80\x2e\x01\x03\x01"s, "\x15\x03\x01\0\x02"s, "\x17\x03\x03"s, "\r\n\r\n"s,
        "*1\r\n$4\r\nPING\r\n"s}) {
    CHECK(Parse(input, &decided_at) == no_tls);
    CHECK_EQ(decided_at, 1);
  }
  for (const std::string_view input :
       {"\x16\x02\x01", "\x16\x04\x01", "\x16\xfe\xff", "\x16\x16\x16"}) {
    CHECK(Parse(input, &decided_at) == no_tls);
    CHECK_EQ(decided_at, 2);
  }
}

TEST(RefusesRecordsThatAreNoHello) {
  const std::string hello = FromHex(preface::kNodeTls13);
  for (const std::string& input :
       {"\x16\x03\x01\0\0"s, "\x16\x03\x01\x40\x01"s, "\x16\x03\x01\xff\xff"s, Record("\x02"),
        Record("\0"s), Record("\x10\0\0\x01x"s), Record("\x01") + "\x17\x03\x01\0\x01x"s,
        Record("\x01") + "\x16\x02\x01\0\x01x"s, Record("\x01") + "\x16\x03\x01\0\0"s,
        Record("\x01\0\0\0"s), Record("\x01\0\0\x05hello"s),
        InRecords(hello, {100}).substr(0, 105) + "\x14\x03\x01\0\x01\x01"s})
    CHECK_EQ(StatusOf(input), PrefaceStatus::kInvalid);
}

TEST(RefusesWhatStandsBehindTheHelloInItsRecord) {
  const std::string message = Message({});
  CHECK_EQ(StatusOf(Record(message)), PrefaceStatus::kDone);
  CHECK_EQ(StatusOf(Record(message + "x")), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Record(message + message)), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Record(message.substr(0, 10)) + Record(message.substr(10) + "x")),
           PrefaceStatus::kInvalid);
}

TEST(RefusesAHelloThatIsTooLong) {
  const size_t other_bytes = Hello(Extension(21, "")).size();
  const std::string longest =
      Hello(Extension(21, std::string(kMaxClientHelloBytes - other_bytes, '\0')));
  CHECK_EQ(longest.size(), kMaxClientHelloBytes);
  CHECK(ParseHelloExactly(longest) == Tls());
  CHECK(ParseHelloExactly(longest + "data") == Tls());
  CHECK_EQ(ParseHelloExactly(longest.substr(0, longest.size() - 1)).status,
           PrefaceStatus::kNeedMore);
  // The same in two records is longer by a record's head, and its length says so at once.
  CHECK_EQ(ParseHelloExactly(InRecords(longest, {9000})).status, PrefaceStatus::kInvalid);
  CHECK_EQ(ParseHelloExactly(InRecords(longest, {9000}).substr(0, 9009)).status,
           PrefaceStatus::kNeedMore);
  CHECK_EQ(ParseHelloExactly(InRecords(longest, {9000}).substr(0, 9010)).status,
           PrefaceStatus::kInvalid);

  size_t decided_at = 0;
  CHECK_EQ(Parse(Record("\x01\xff\xff\xff....."), &decided_at).status, PrefaceStatus::kInvalid);
  CHECK_EQ(decided_at, 9);
  // Records of one byte each, of a message that would fit.
  std::string crumbs = Record("\x01") + Record("\0"s) + Record("\x20");
  while (crumbs.size() < 2 * kMaxClientHelloBytes)
    crumbs += Record("\0"s);
  CHECK_EQ(ParseHelloExactly(crumbs.substr(0, 8192)).status, PrefaceStatus::kNeedMore);
  CHECK_EQ(ParseHelloExactly(crumbs.substr(0, kMaxClientHelloBytes)).status,
           PrefaceStatus::kInvalid);
  CHECK_EQ(ParseHelloExactly(crumbs).status, PrefaceStatus::kInvalid);
}

TEST(TakesAHelloWithoutExtensions) {
  const std::string message = Message({});
  std::string bare = message.substr(0, message.size() - 2);  // without the list's length
  bare[3] = static_cast<char>(bare[3] - 2);
  CHECK(Parse(Record(bare), nullptr) == Tls());
  CHECK(Parse(Record(Message({.session_id = ""})), nullptr) == Tls());
}

TEST(RefusesFieldsOfWrongLengths) {
  CHECK_EQ(StatusOf(Record(Message({.version = "\x02\x03"}))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Record(Message({.session_id = std::string(33, 's')}))),
           PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Record(Message({.cipher_suites = ""}))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Record(Message({.cipher_suites = "odd"}))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Record(Message({.compression_methods = ""}))), PrefaceStatus::kInvalid);
  for (const std::string& extensions : {"\0"s, "\0\0"s, "\0\0\0"s, "\0\0\0\x01"s, "\0\x0a\0\x02x"s})
    CHECK_EQ(StatusOf(Hello(extensions)), PrefaceStatus::kInvalid);
}

TEST(RefusesAMessageOfAnyOtherLength) {
  // Shorter and longer than what stands in it, with a record that fits.
  for (const Recorded& recorded : kRecorded) {
    const std::string message = FromHex(recorded.hex).substr(5);
    for (size_t size = 4; size < message.size(); ++size) {
      const std::string cut = message[0] + Vector(3, message.substr(4, size - 4));
      const ParsedHello parsed = ParseHelloExactly(Record(cut));
      // One that ends before its extensions is a hello of old.
      const bool is_bare = parsed == Tls();
      CHECK(parsed.status == PrefaceStatus::kInvalid || is_bare);
    }
    CHECK_EQ(ParseHelloExactly(Record(message[0] + Vector(3, message.substr(4) + "x"))).status,
             PrefaceStatus::kInvalid);
  }
}

TEST(RefusesAnExtensionThatComesTwice) {
  CHECK_EQ(StatusOf(Hello(ServerName("a.test") + ServerName("b.test"))), PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Hello(Alpn({"h2"}) + Extension(43, "x") + Alpn({"h2"}))),
           PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Hello(Extension(0xffff, "") + Extension(0xffff, "x"))),
           PrefaceStatus::kInvalid);
  CHECK_EQ(StatusOf(Hello(Extension(0x0a0a, "") + Extension(0x1a1a, ""))), PrefaceStatus::kDone);
}

TEST(RefusesMalformedServerNames) {
  for (const std::string& data :
       {""s, "\0"s, "\0\0"s, "\0\x01\0"s, "\0\x03\0\0\0"s, "\0\x04\0\0\x02x"s, "\0\x04\0\0\x01xy"s,
        "\0\x03\0\0\x01x"s, "\0\x05\0\0\x01x"s, "\0\x08\0\0\x01x\0\0\x01y"s, "\0\x05\0\0\x01x\0"s,
        "\0\x03\x01\0\x09"s})
    CHECK_EQ(StatusOf(Hello(Extension(0, data))), PrefaceStatus::kInvalid);
  // Names of a kind that nobody has defined yet.
  CHECK(Parse(Hello(Extension(0, "\0\x09\x07\0\x02??\0\0\x01x"s)), nullptr) == Tls("x"));
  CHECK(Parse(Hello(Extension(0, "\0\x05\x07\0\x02??"s)), nullptr) == Tls());
}

TEST(ReadsHostNames) {
  const std::string label(63, 'l');
  const std::string longest = label + "." + label + "." + label + "." + label.substr(2);
  CHECK_EQ(longest.size(), 253);
  for (const std::string& name :
       {"a"s, "localhost"s, "xn--nxasmq6b.example"s, "_tls.a-b.test"s, "1"s, "1.2.3"s, "1.2.3.4.5"s,
        "1.2.3.256"s, "-a-.test"s, "db.1"s, longest}) {
    CHECK_EQ(NameOf(name), name);
    CHECK_EQ(NameOf(name + "."), name);
  }
  CHECK_EQ(NameOf("WWW.Example.COM"), "www.example.com");
}

TEST(TakesWhatIsNoHostNameForNone) {
  for (const std::string& name : {"."s,
                                  ".."s,
                                  ".a"s,
                                  "a..b"s,
                                  "a.."s,
                                  "10.0.0.1"s,
                                  "10.0.0.1."s,
                                  "::1"s,
                                  "[::1]"s,
                                  "a b"s,
                                  "a\0b"s,
                                  "a\0"s,
                                  "*.test"s,
                                  "a.test:443"s,
                                  "b\xc3\xbc"
                                  "cher.test"s,
                                  "a/b"s,
                                  "a\r\n"s,
                                  "\x7f"s,
                                  std::string(64, 'l'),
                                  std::string(64, 'l') + ".test",
                                  "a" + std::string(253, '.'),
                                  std::string(300, 'l')})
    CHECK_EQ(NameOf(name), "");
  std::string too_long;
  for (int labels = 0; labels < 127; ++labels)
    too_long += "a.";
  CHECK_EQ(NameOf(too_long), too_long.substr(0, 253));
  CHECK_EQ(NameOf(too_long + "a"), "");
}

TEST(RefusesMalformedProtocolLists) {
  for (const std::string& data :
       {""s, "\0"s, "\0\0"s, "\0\x01\0"s, "\0\x02\0\0"s, "\0\x03\x02h"s, "\0\x03\x02h2"s + "x",
        "\0\x04\x02h2"s, "\0\x04\x02h2\0"s, "\0\x04\x02h2\x01"s, "\0\x02\x01h2"s})
    CHECK_EQ(StatusOf(Hello(Extension(16, data))), PrefaceStatus::kInvalid);
  const std::string longest(255, 'p');
  CHECK(Parse(Hello(Alpn({longest, "\r\n"})), nullptr) == Tls("", '\xff' + longest + "\x02\r\n"));
}

TEST(KeepsItsVerdictWhateverTheBytes) {
  size_t named = 0;
  for (const Recorded& recorded : kRecorded) {
    const std::string good = FromHex(recorded.hex);
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      const ParsedHello parsed = ParseHelloExactly(bad);
      named += parsed.server_name == recorded.server_name ? 1 : 0;
      // What decides before the end decides for every continuation.
      CHECK(parsed.status == PrefaceStatus::kNeedMore || ParseHelloExactly(bad + "x") == parsed);
      const ParsedHello cut = ParseHelloExactly(bad.substr(0, bad.size() - 1));
      CHECK(cut.status == PrefaceStatus::kNeedMore || cut == parsed);
    }
  }
  CHECK(named > 0);
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::string input = InRecords(FromHex(random.Pick(kRecorded).hex), {1 + random.Below(60)});
    for (size_t changes = random.Below(4); changes > 0; --changes)
      input[random.Below(input.size())] = static_cast<char>(random.Below(256));
    Parse(input, nullptr);
  }
}

}  // namespace
}  // namespace sluice::l4
