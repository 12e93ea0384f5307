// Which bytes of a request are its key, and what the front end tells of them.
#include "frontend/request_key.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "check.h"
#include "front_end_rig.h"
#include "hash/crc32.h"
#include "hash/xxhash64.h"

namespace {

using namespace front_end_rig;
using sluice::http1::ClientRequest;
using sluice::http1::ClientRequestParser;
using sluice::http1::ParseStatus;
using sluice::l4::PeerAddress;

PeerAddress V4(uint8_t last) {
  PeerAddress address;
  address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last};
  return address;
}

/// The key of a head with this request line and these field lines.
std::string KeyIn(const KeySource& source, const std::string& line, const std::string& fields = "",
                  const PeerAddress& client = V4(7)) {
  const std::string input = line + " HTTP/1.1\r\nHost: example.org:80\r\n" + fields + "\r\n";
  ClientRequestParser parser;
  parser.Reset({.head_bytes = 16384, .target_bytes = 8192, .headers = 100});
  ClientRequest request;
  CHECK(parser.Parse(input, &request) == ParseStatus::kDone);
  std::string scratch = "left from before";
  return std::string(FindKey(source, request, client, &scratch));
}

KeySource Of(KeyKind kind, std::string name = "") {
  return {kind, false, std::move(name)};
}

std::string CookieIn(const std::string& fields) {
  return KeyIn(Of(KeyKind::kCookie, "sid"), "GET /", fields);
}

std::string ParameterIn(const std::string& target) {
  return KeyIn(Of(KeyKind::kQuery, "id"), "GET " + target);
}

std::string HeaderIn(const std::string& fields) {
  return KeyIn(Of(KeyKind::kHeader, "x-user"), "GET /", fields);
}

}  // namespace

TEST(client_is_its_address) {
  PeerAddress v6;
  v6.ip = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xab, 0xcd};
  CHECK_EQ(KeyIn(Of(KeyKind::kClientAddress), "GET /"), "192.0.2.7");
  CHECK_EQ(KeyIn(Of(KeyKind::kClientAddress), "GET /", "", v6), "2001:db8::1:0:0:abcd");
  CHECK_EQ(KeyIn(Of(KeyKind::kClientAddress), "GET /", "", PeerAddress{}), "");
}

TEST(network_is_three_octets_of_ipv4_and_all_of_ipv6) {
  PeerAddress v6;
  v6.ip = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  CHECK_EQ(KeyIn(Of(KeyKind::kClientNetwork), "GET /"), "192.0.2");
  CHECK_EQ(KeyIn(Of(KeyKind::kClientNetwork), "GET /", "", v6), "fe80::1");
  CHECK_EQ(KeyIn(Of(KeyKind::kClientNetwork), "GET /", "", PeerAddress{}), "");
}

TEST(header_is_all_its_values) {
  CHECK_EQ(HeaderIn(""), "");
  CHECK_EQ(HeaderIn("X-User:  ada \r\n"), "ada");
  CHECK_EQ(HeaderIn("x-user: a\r\nother: b\r\nX-USER: c\r\n"), "a, c");
  CHECK_EQ(HeaderIn("x-user: a\r\nx-user:\r\nx-user: c\r\n"), "a, , c");
  CHECK_EQ(HeaderIn("x-user: \r\n"), "");
  CHECK_EQ(HeaderIn("x-user2: a\r\nx-use: b\r\n"), "");
  CHECK_EQ(HeaderIn("x-user: \xc3\xa9\r\n"), "\xc3\xa9");
}

TEST(header_can_be_host_but_nothing_of_the_connection) {
  CHECK_EQ(KeyIn(Of(KeyKind::kHeader, "host"), "GET /"), "example.org:80");
  CHECK_EQ(KeyIn(Of(KeyKind::kHeader, "connection"), "GET /", "Connection: close\r\n"), "");
  CHECK_EQ(KeyIn(Of(KeyKind::kHeader, "content-length"), "POST /", "Content-Length: 3\r\n"), "");
}

TEST(cookie_is_the_first_of_its_name) {
  CHECK_EQ(CookieIn(""), "");
  CHECK_EQ(CookieIn("Cookie: sid=1\r\n"), "1");
  CHECK_EQ(CookieIn("Cookie: a=2; sid=1; b=3\r\n"), "1");
  CHECK_EQ(CookieIn("Cookie: a=2;sid=1;sid=4\r\n"), "1");
  CHECK_EQ(CookieIn("Cookie: a=2\r\ncookie: sid=1\r\n"), "1");
  CHECK_EQ(CookieIn("Cookie: sid=a=b==\r\n"), "a=b==");
}

TEST(cookie_has_its_own_name_only) {
  CHECK_EQ(CookieIn("Cookie: xsid=1; sidx=2; SID=3; sid\r\n"), "");
  CHECK_EQ(CookieIn("Cookie: x=sid=1\r\n"), "");
  CHECK_EQ(CookieIn("Cookie: sid; sid=2\r\n"), "2");
}

TEST(cookie_loses_blanks_and_a_pair_of_quotes) {
  CHECK_EQ(CookieIn("Cookie: a=1;\t sid = 7 ;b=1\r\n"), "7");
  CHECK_EQ(CookieIn("Cookie: sid=\"7\"\r\n"), "7");
  CHECK_EQ(CookieIn("Cookie: sid=\"7\r\n"), "\"7");
  CHECK_EQ(CookieIn("Cookie: sid=\"\r\n"), "\"");
  CHECK_EQ(CookieIn("Cookie: sid=\"\"; sid=2\r\n"), "");
  CHECK_EQ(CookieIn("Cookie: sid=; sid=2\r\n"), "");
  CHECK_EQ(CookieIn("Cookie: ;;; sid=2;\r\n"), "2");
}

TEST(parameter_is_the_first_of_its_name_as_it_was_sent) {
  CHECK_EQ(ParameterIn("/"), "");
  CHECK_EQ(ParameterIn("/?"), "");
  CHECK_EQ(ParameterIn("/?id=5"), "5");
  CHECK_EQ(ParameterIn("/a?x=1&id=%41b+c&id=6"), "%41b+c");
  CHECK_EQ(ParameterIn("/a?&&id=a=b&"), "a=b");
  CHECK_EQ(ParameterIn("/a?id&id=6"), "");
  CHECK_EQ(ParameterIn("/a?id=&id=6"), "");
  CHECK_EQ(ParameterIn("/a?xid=1&idx=2&ID=3&%69d=4"), "");
  CHECK_EQ(ParameterIn("/a?b?id=1"), "");
  CHECK_EQ(ParameterIn("/id=1"), "");
}

TEST(path_and_uri_are_as_they_were_sent) {
  CHECK_EQ(KeyIn(Of(KeyKind::kPath), "GET /a%20b/?q=1"), "/a%20b/");
  CHECK_EQ(KeyIn(Of(KeyKind::kUri), "GET /a%20b/?q=1"), "/a%20b/?q=1");
  CHECK_EQ(KeyIn(Of(KeyKind::kPath), "GET http://h/x?q"), "/x");
  CHECK_EQ(KeyIn(Of(KeyKind::kUri), "GET http://h/x?q"), "/x?q");
  CHECK_EQ(KeyIn(Of(KeyKind::kPath), "GET http://h?q"), "/");
  CHECK_EQ(KeyIn(Of(KeyKind::kUri), "GET http://h?q"), "/?q");
  CHECK_EQ(KeyIn(Of(KeyKind::kUri), "GET http://h"), "/");
}

TEST(hash_is_of_the_bytes) {
  CHECK_EQ(HashOfKey({KeyKind::kPath, false, ""}, "/a"), sluice::hash::XxHash64("/a"));
  CHECK_EQ(HashOfKey({KeyKind::kPath, true, ""}, "123456789"), 0xcbf43926u);
}

TEST(front_end_hashes_a_request_while_it_has_its_head) {
  Rig rig;
  rig.decide = [](const Seen&) { return kLater; };
  const int32_t user = rig->OpenKey(Of(KeyKind::kHeader, "x-user"));
  const int32_t absent = rig->OpenKey(Of(KeyKind::kCookie, "sid"));
  const int32_t client_key = rig->OpenKey({KeyKind::kClientAddress, true, ""});
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nx-user: ada\r\nx-forwarded-for: 1.2.3.4\r\n\r\n");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kRequest) == 1; }));
  const int32_t exchange = rig.LastOf(EventType::kRequest)->number;
  uint64_t hash = 0;
  CHECK_EQ(rig->HashKey(exchange, user, &hash), key_answer::kHashed);
  CHECK_EQ(hash, sluice::hash::XxHash64("ada"));
  CHECK_EQ(rig->KeyText(exchange, user).value_or(""), "ada");
  CHECK_EQ(rig->HashKey(exchange, absent, &hash), 0);
  CHECK(!rig->KeyText(exchange, absent).has_value());
  // Nobody has said that this client may speak for another one.
  CHECK_EQ(rig->HashKey(exchange, client_key, &hash), key_answer::kHashed);
  CHECK_EQ(hash, uint64_t{sluice::hash::Crc32("127.0.0.1")});
  CHECK_EQ(rig->HashKey(exchange + 1, user, &hash), 0);
  CHECK(rig->Decide(exchange, 0, 0, 0));
  CHECK_EQ(rig->HashKey(exchange, user, &hash), 0);
}

TEST(front_end_says_that_a_trusted_peer_names_its_client) {
  Rig rig;
  rig.admit = [](const Seen&, int32_t* words) {
    words[kTrust] = trust::kForwarded;
    return kAdmitConnection;
  };
  int32_t plain = -1;
  int32_t forwarded = -1;
  const int32_t address = rig->OpenKey(Of(KeyKind::kClientAddress));
  const int32_t user = rig->OpenKey(Of(KeyKind::kHeader, "x-user"));
  rig.decide = [&](const Seen& seen) {
    uint64_t hash = 0;
    (seen.target == "/plain" ? plain : forwarded) = rig->HashKey(seen.number, address, &hash);
    CHECK_EQ(rig->HashKey(seen.number, user, &hash), key_answer::kHashed);
    return kLater;
  };
  Peer first = rig.Connect();
  first.Write("GET /plain HTTP/1.1\r\nhost: h\r\nx-user: a\r\n\r\n");
  Peer second = rig.ConnectUnix();
  second.Write("GET / HTTP/1.1\r\nhost: h\r\nx-user: a\r\nx-forwarded-for: 1.2.3.4\r\n\r\n");
  CHECK(rig.Until([&] { return plain >= 0 && forwarded >= 0; }));
  CHECK_EQ(plain, key_answer::kHashed);
  CHECK_EQ(forwarded, key_answer::kForwarded);
}
