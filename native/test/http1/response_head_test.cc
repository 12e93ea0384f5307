// Unit tests of the response head parser; every input is also cut at each place.
#include "http1/response_head.h"

#include <string>

#include "check.h"
#include "splits.h"

namespace sluice::http1 {
namespace {

ParseStatus StatusOf(std::string_view input) {
  return ParseHead(input).status;
}

/// A complete 200 response head with these field lines, each ended by CRLF.
std::string With(std::string_view fields) {
  return "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n";
}

ResponseHead HeadOf(std::string_view input, bool is_head_request = false) {
  const ParsedHead parsed = ParseHead(input, is_head_request);
  if (parsed.status != ParseStatus::kDone) {
    check::Fail(__FILE__, __LINE__, "not a head: " + check::Describe(input));
  }
  return parsed.head;
}

TEST(ReadsStatusLineAndLength) {
  const std::string head = With("Server: x\r\nContent-Length: 43\r\nContent-Type: text/plain\r\n");
  const ResponseHead parsed = HeadOf(head + "body bytes");
  CHECK_EQ(parsed.status, 200);
  CHECK_EQ(parsed.minor_version, 1);
  CHECK_EQ(parsed.body, BodyKind::kLength);
  CHECK_EQ(parsed.content_length, 43);
  CHECK(parsed.has_content_length);
  CHECK(parsed.keep_alive);
  CHECK(!parsed.has_nominations);
  CHECK_EQ(parsed.keep_alive_timeout_s, 0);
  CHECK_EQ(parsed.head_bytes, head.size());
}

TEST(AcceptsStatusLinesOfAnyReason) {
  CHECK_EQ(HeadOf("HTTP/1.1 100\r\n\r\n").status, 100);
  CHECK_EQ(HeadOf("HTTP/1.1 999 \r\n\r\n").status, 999);
  CHECK_EQ(HeadOf("HTTP/1.0 404 Not\tFound \xe4\xff\r\n\r\n").status, 404);
  CHECK_EQ(HeadOf("HTTP/1.0 404 x\r\n\r\n").minor_version, 0);
}

TEST(RefusesOtherStatusLinesAtTheFirstWrongByte) {
  for (const std::string_view input :
       {"h", "HTTX", "HTTP/2", "HTTP/1.2", "HTTP/1.11", "HTTP/1.1\t", "HTTP/1.1  ", "HTTP/1.1 0",
        "HTTP/1.1 099", "HTTP/1.1 20x", "HTTP/1.1 2000", "HTTP/1.1 200\t", "HTTP/1.1 200\n",
        "HTTP/1.1 200 O\x01", "HTTP/1.1 200 O\n", "HTTP/1.1 200 OK\rX", "\r", "\n", " HTTP/1.1"}) {
    CHECK_EQ(StatusOf(input), ParseStatus::kInvalid);
  }
  CHECK_EQ(StatusOf(std::string_view("HTTP/1.1 200 \0", 14)), ParseStatus::kInvalid);
}

TEST(WaitsForMoreWhileAHeadIsUnfinished) {
  const std::string head = With("A: b\r\nContent-Length: 5\r\n");
  for (size_t size = 0; size < head.size(); ++size) {
    CHECK_EQ(StatusOf(std::string_view(head).substr(0, size)), ParseStatus::kNeedMore);
  }
}

TEST(RefusesAHeadThatCannotBecomeValidBeforeItsEnd) {
  for (const std::string_view field :
       {":",         " folded",    "\tfolded",   "N\x01",       "N\x7f",   "N(",       "N\x80",
        "Name x",    "Name \r",    "Name\r",     "A: b\n",      "A: b\rc", "A: b\x7f", "A: \x1f",
        "A: b\r\n ", "A: b\r\n\t", "A: b\r\n\n", "A: b\r\n\rx", "\n",      "\rA"}) {
    CHECK_EQ(StatusOf("HTTP/1.1 200 OK\r\n" + std::string(field)), ParseStatus::kInvalid);
  }
  CHECK_EQ(StatusOf(std::string("HTTP/1.1 200 OK\r\nA: b\0", 22)), ParseStatus::kInvalid);
}

TEST(AcceptsEveryTokenByteInNamesAndEveryTextByteInValues) {
  std::string name;
  std::string value;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte >= 0x80 || byte == '\t' || (byte >= 0x20 && byte != 0x7f))
      value += static_cast<char>(byte);
    if (byte < 0x80 &&
        std::string_view("()<>@,;:\\\"/[]?={} \t\x7f").find(static_cast<char>(byte)) ==
            std::string_view::npos &&
        byte > 0x20) {
      name += static_cast<char>(byte);
    }
  }
  CHECK_EQ(name.size(), 77);
  CHECK_EQ(StatusOf(With(name + ":" + value + "\r\n")), ParseStatus::kDone);
}

TEST(StripsBlanksBeforeAColon) {
  CHECK_EQ(HeadOf(With("Content-Length \t : 7\r\n")).content_length, 7);
}

TEST(ReadsContentLengthAsOneNumberBelowTwoToThe63) {
  CHECK_EQ(HeadOf(With("content-length:0\r\n")).content_length, 0);
  CHECK_EQ(HeadOf(With("CONTENT-LENGTH:   0012  \r\n")).content_length, 12);
  CHECK_EQ(HeadOf(With("Content-Length: 9223372036854775807\r\n")).content_length,
           9223372036854775807u);
  for (const std::string_view value :
       {"", " ", "-1", "+1", "1 2", "1,1", "1, 1", "0x10", "1.0", "1e3", "9223372036854775808",
        "18446744073709551616", "99999999999999999999999", "\"1\"", "1;", "\xb2", "\t1", "1\t"}) {
    CHECK_EQ(StatusOf(With("Content-Length: " + std::string(value) + "\r\n")),
             ParseStatus::kInvalid);
  }
}

TEST(RefusesAmbiguousFraming) {
  for (const std::string_view fields :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked;a=b\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding: \r\n",
        "Transfer-Encoding: \"chunked\"\r\n", "Transfer-Encoding: chunked \x0b\r\n",
        "Transfer-Encoding: chunked\t\r\n", "Transfer-Encoding:\tchunked\r\n"}) {
    CHECK_EQ(StatusOf(With(fields)), ParseStatus::kInvalid);
  }
  CHECK_EQ(StatusOf("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
           ParseStatus::kInvalid);
  CHECK_EQ(StatusOf("HTTP/1.1 103 x\r\nTransfer-Encoding: chunked\r\n\r\n"), ParseStatus::kInvalid);
  CHECK_EQ(StatusOf("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"), ParseStatus::kInvalid);
}

TEST(DerivesTheBodyFromStatusMethodAndFields) {
  CHECK_EQ(HeadOf(With("Transfer-Encoding:  ChunKed \r\n")).body, BodyKind::kChunked);
  CHECK_EQ(HeadOf(With("")).body, BodyKind::kUntilClose);
  CHECK_EQ(HeadOf(With("Content-Length: 0\r\n")).body, BodyKind::kLength);
  CHECK_EQ(HeadOf("HTTP/1.1 100 Continue\r\n\r\n").body, BodyKind::kNone);
  CHECK_EQ(HeadOf("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n").body, BodyKind::kNone);

  const ResponseHead not_modified = HeadOf("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n");
  CHECK_EQ(not_modified.body, BodyKind::kNone);
  CHECK(not_modified.has_content_length);
  CHECK_EQ(not_modified.content_length, 9);
  CHECK(not_modified.keep_alive);

  CHECK_EQ(HeadOf("HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n").body, BodyKind::kNone);
  CHECK_EQ(HeadOf(With("Transfer-Encoding: chunked\r\n"), true).body, BodyKind::kNone);
  CHECK_EQ(HeadOf(With("Content-Length: 5\r\n"), true).body, BodyKind::kNone);
  CHECK_EQ(HeadOf(With("Content-Length: 5\r\n"), true).content_length, 5);
  CHECK(HeadOf(With(""), true).keep_alive);
}

TEST(DerivesReuseFromVersionAndConnection) {
  const auto keeps = [](std::string_view start, std::string_view fields) {
    return HeadOf(std::string(start) + "\r\nContent-Length: 0\r\n" + std::string(fields) + "\r\n")
        .keep_alive;
  };
  CHECK(keeps("HTTP/1.1 200", ""));
  CHECK(keeps("HTTP/1.1 200", "Connection: Keep-Alive\r\n"));
  CHECK(keeps("HTTP/1.1 200", "Connection: closed\r\n"));
  CHECK(!keeps("HTTP/1.1 200", "Connection: CLOSE\r\n"));
  CHECK(!keeps("HTTP/1.1 200", "Connection: a, ,\tclose ,b\r\n"));
  CHECK(!keeps("HTTP/1.1 200", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK(!keeps("HTTP/1.1 200", "Proxy-Connection: x, close\r\n"));
  CHECK(!keeps("HTTP/1.0 200", "Proxy-Connection: keep-alive\r\n"));
  CHECK(!keeps("HTTP/1.0 200", ""));
  CHECK(keeps("HTTP/1.0 200", "connection: keep-alive\r\n"));
  CHECK(!keeps("HTTP/1.0 200", "connection: keep-alive, close\r\n"));
  CHECK(!keeps("HTTP/1.1 101", "Connection: upgrade\r\n"));
  CHECK(!HeadOf(With("Connection: keep-alive\r\n")).keep_alive);  // ends with the connection
}

TEST(SaysWhetherFieldsAreNominated) {
  CHECK(!HeadOf(With("Connection: keep-alive, close,\r\n")).has_nominations);
  CHECK(HeadOf(With("Connection: keep-alive, x\r\n")).has_nominations);
}

TEST(ReadsTheAnnouncedIdleTime) {
  const auto timeout = [](std::string_view value) {
    return HeadOf(With("Content-Length: 0\r\nKeep-Alive: " + std::string(value) + "\r\n"))
        .keep_alive_timeout_s;
  };
  CHECK_EQ(timeout("timeout=5, max=100"), 5);
  CHECK_EQ(timeout("max=100,TIMEOUT = 07"), 7);
  CHECK_EQ(timeout("timeout=9, timeout=4, timeout=6"), 4);
  CHECK_EQ(timeout("timeout=99999999999"), kMaxKeepAliveTimeoutS);
  for (const std::string_view value :
       {"", "5", "timeout", "timeout=", "timeout=-1", "timeout=5s", "xtimeout=5", "timeout=\"5\"",
        "timeout=99999999999999999999"}) {
    CHECK_EQ(timeout(value), 0);
  }
  const ResponseHead none = HeadOf(With("Content-Length: 0\r\nKeep-Alive: timeout=0\r\n"));
  CHECK_EQ(none.keep_alive_timeout_s, 0);
  CHECK(!none.keep_alive);
}

TEST(BoundsTheBytesOfAHead) {
  const std::string head = With("A: b\r\n");
  const auto size = static_cast<uint32_t>(head.size());
  CHECK_EQ(ParseHead(head + "body", false, {size, 100}).status, ParseStatus::kDone);
  CHECK_EQ(ParseHead(head + "body", false, {size - 1, 100}).status, ParseStatus::kTooLarge);
  for (uint32_t limit = 0; limit < size; ++limit) {
    CHECK_EQ(ParseHead(head, false, {limit, 100}).status, ParseStatus::kTooLarge);
    CHECK_EQ(ParseHead(head.substr(0, limit), false, {limit, 100}).status, ParseStatus::kTooLarge);
  }
  // A fault beyond the limit is not looked at; one before it counts.
  CHECK_EQ(ParseHead(With("A: b\x01\r\n"), false, {20, 100}).status, ParseStatus::kTooLarge);
  CHECK_EQ(ParseHead(With("A(: bb\r\n"), false, {20, 100}).status, ParseStatus::kInvalid);
}

TEST(BoundsTheNumberOfFieldLines) {
  CHECK_EQ(ParseHead(With("A: 1\r\nB: 2\r\n"), false, {1000, 2}).status, ParseStatus::kDone);
  CHECK_EQ(ParseHead("HTTP/1.1 200\r\nA: 1\r\nB: 2\r\nC", false, {1000, 2}).status,
           ParseStatus::kTooLarge);
  CHECK_EQ(ParseHead("HTTP/1.1 200\r\nA: 1\r\nB: 2\r\n C", false, {1000, 2}).status,
           ParseStatus::kInvalid);
  CHECK_EQ(ParseHead(With(""), false, {1000, 0}).status, ParseStatus::kDone);
}

TEST(BoundsTheConnectionOptionsOverAllLines) {
  std::string options;
  for (size_t count = 0; count < kMaxConnectionOptions - 1; ++count)
    options += "o,";
  CHECK_EQ(StatusOf(With("Connection: " + options + "\r\nConnection: o\r\n")), ParseStatus::kDone);
  CHECK_EQ(StatusOf(With("Connection: " + options + "\r\nConnection: o,o\r\n")),
           ParseStatus::kTooLarge);
  CHECK_EQ(StatusOf(With("Connection: " + std::string(500, ',') + "\r\n")), ParseStatus::kDone);
}

TEST(KeepsItsVerdictUntilReset) {
  ResponseHeadParser parser(kRoomyLimits);
  ResponseHead head;
  const std::string good = With("Content-Length: 3\r\nConnection: close\r\n");
  CHECK_EQ(parser.Parse("x", false, &head), ParseStatus::kInvalid);
  CHECK_EQ(parser.Parse(good, false, &head), ParseStatus::kInvalid);
  parser.Reset();
  CHECK_EQ(parser.Parse(good, false, &head), ParseStatus::kDone);
  CHECK_EQ(parser.Parse(good + "abc", false, &head), ParseStatus::kDone);
  CHECK_EQ(head.head_bytes, good.size());
  parser.Reset();
  CHECK_EQ(parser.Parse(With("Content-Length: 4\r\n"), false, &head), ParseStatus::kDone);
  CHECK(head.keep_alive);
  CHECK_EQ(head.content_length, 4);
}

TEST(ReadsNamesAndValuesLongerThanAScanBlock) {
  for (size_t size = 1; size < 70; ++size) {
    const std::string name(size, 'n');
    const std::string value(size, 'v');
    CHECK_EQ(StatusOf(With(name + ": " + value + "\r\n")), ParseStatus::kDone);
    CHECK_EQ(StatusOf(With(name + "@: " + value + "\r\n")), ParseStatus::kInvalid);
    CHECK_EQ(StatusOf(With(name + ": " + value + "\x7f\r\n")), ParseStatus::kInvalid);
  }
}

}  // namespace
}  // namespace sluice::http1
