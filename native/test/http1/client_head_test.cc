// Unit tests of the response head as the client sees it.
#include "http1/client_head.h"

#include <string>
#include <vector>

#include "check.h"
#include "splits.h"

namespace sluice::http1 {
namespace {

/// The rewritten head of `input`, written into exactly the room that is promised.
std::string Rewritten(std::string_view input, bool keep_content_length = false) {
  const ParsedHead parsed = ParseInSteps(input, {});
  if (parsed.status != ParseStatus::kDone) {
    check::Fail(__FILE__, __LINE__, "not a head: " + check::Describe(input));
    return "";
  }
  const ExactCopy head(input);
  ExactCopy out(std::string(parsed.head.head_bytes, '?'));
  const size_t size = WriteClientHead(head.view(), parsed.head, keep_content_length, out.data());
  CHECK(size <= parsed.head.head_bytes);
  return std::string(out.view().substr(0, size));
}

std::string RewrittenFields(std::string_view fields, bool keep_content_length = false) {
  return Rewritten("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n", keep_content_length);
}

TEST(KeepsOrderAndBytesOfOtherFields) {
  CHECK_EQ(
      RewrittenFields("B:  two \r\nA:1\r\nSet-Cookie: a\r\nset-cookie: b\r\nE:\r\nO: \xff\t\"\r\n"),
      "200 OK\r\nB:  two \r\nA:1\r\nSet-Cookie: a\r\nset-cookie: b\r\nE:\r\nO: \xff\t\"");
  CHECK_EQ(RewrittenFields(""), "200 OK");
  CHECK_EQ(Rewritten("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"), "200 OK\r\nA: b");
}

TEST(DropsHopByHopFieldsAndDate) {
  CHECK_EQ(RewrittenFields(
               "Connection: keep-alive\r\nA: 1\r\nKEEP-ALIVE: timeout=5\r\nproxy-connection: "
               "x\r\nTe: x\r\n"
               "Trailer: x\r\nB: 2\r\nTransfer-Encoding: chunked\r\nUpgrade: x\r\nDate: now\r\n"),
           "200 OK\r\nA: 1\r\nB: 2");
  CHECK_EQ(RewrittenFields("Connection: close\r\nDate: x\r\n"), "200 OK");
  CHECK_EQ(RewrittenFields("Dates: x\r\nDat: x\r\nUpgrades: y\r\nConnection2: z\r\n"),
           "200 OK\r\nDates: x\r\nDat: x\r\nUpgrades: y\r\nConnection2: z");
}

TEST(DropsContentLengthUnlessKept) {
  const std::string_view fields = "A: 1\r\nContent-Length: 5\r\nB: 2\r\n";
  CHECK_EQ(RewrittenFields(fields), "200 OK\r\nA: 1\r\nB: 2");
  CHECK_EQ(RewrittenFields(fields, true), "200 OK\r\nA: 1\r\nContent-Length: 5\r\nB: 2");
  CHECK_EQ(Rewritten("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", true),
           "204 No Content");
  CHECK_EQ(Rewritten("HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n", true),
           "103 Early Hints");
}

TEST(StripsBlanksBeforeColons) {
  CHECK_EQ(RewrittenFields("A \t: 1\r\nContent-Length : 5\r\nB : 2\r\nDate\t: x\r\n"),
           "200 OK\r\nA: 1\r\nB: 2");
}

TEST(DropsNominatedFieldsWhereverTheyStand) {
  CHECK_EQ(RewrittenFields("X-Hop: 1\r\nA: 1\r\nConnection: close, x-hop\r\nx-HOP : 2\r\nB: 2\r\n"
                           "Connection: \"b\", A b, c\r\nC: 3\r\n"),
           "200 OK\r\nA: 1\r\nB: 2");
}

TEST(IgnoresNominationsOfProtectedFields) {
  for (const std::string_view name :
       {"Cache-Control", "Set-Cookie", "Content-Type", "Content-Encoding", "ETag", "Vary",
        "Location", "X-Forwarded-For", "Strict-Transport-Security", "Access-Control-Allow-Origin",
        "Sec-WebSocket-Accept", "Host", "Age", "X-Frame-Options", "WWW-Authenticate",
        "Cross-Origin-Opener-Policy", "X-Request-Id"}) {
    const std::string field = std::string(name) + ": v\r\n";
    CHECK_EQ(RewrittenFields("Connection: " + std::string(name) + "\r\n" + field),
             "200 OK\r\n" + std::string(name) + ": v");
  }
  CHECK_EQ(RewrittenFields("Connection: content-length\r\nContent-Length: 5\r\n", true),
           "200 OK\r\nContent-Length: 5");
}

TEST(HonoursAsManyNominationsAsTheParserAccepts) {
  std::string fields = "Connection: ";
  for (size_t index = 0; index < kMaxConnectionOptions; ++index)
    fields += "n" + std::to_string(index) + ",";
  fields += "\r\n";
  for (size_t index = 0; index < kMaxConnectionOptions; ++index)
    fields += "N" + std::to_string(index) + ": v\r\n";
  CHECK_EQ(RewrittenFields(fields + "Kept: v\r\n"), "200 OK\r\nKept: v");
}

TEST(FillsAnEmptyReason) {
  CHECK_EQ(Rewritten("HTTP/1.1 200\r\n\r\n"), "200 OK");
  CHECK_EQ(Rewritten("HTTP/1.1 304 \r\nA: b\r\n\r\n"), "304 Not Modified\r\nA: b");
  CHECK_EQ(Rewritten("HTTP/1.1 599   \t\r\nA: b\r\n\r\n"), "599 Unknown\r\nA: b");
  CHECK_EQ(Rewritten("HTTP/1.1 431\r\nContent-Length: 0\r\nDate: x\r\nA: b\r\n\r\n"),
           "431 Request Header Fields Too Large\r\nA: b");
}

TEST(LeavesAReasonEmptyThatDoesNotFit) {
  CHECK_EQ(Rewritten("HTTP/1.1 431\r\nA: b\r\n\r\n"), "431 \r\nA: b");
  CHECK_EQ(Rewritten("HTTP/1.1 500 \r\n\r\n"), "500 ");
}

TEST(KeepsAReasonAsItIs) {
  CHECK_EQ(Rewritten("HTTP/1.0 200 Fine, thanks\xfc\r\nA: b\r\n\r\n"),
           "200 Fine, thanks\xfc\r\nA: b");
}

}  // namespace
}  // namespace sluice::http1
