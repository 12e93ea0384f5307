// Unit tests of response heads as the client gets them.
#include "http1/answer_head.h"

#include <string>
#include <string_view>

#include "check.h"
#include "splits.h"

namespace sluice::http1 {
namespace {

constexpr std::string_view kDate = "Mon, 23 Nov 2026 02:15:03 GMT";
constexpr std::string_view kDateLine = "date: Mon, 23 Nov 2026 02:15:03 GMT\r\n";
constexpr std::string_view kAddedLines = "set-cookie: a=b; Path=/\r\nx: y\r\n";
constexpr AnswerOptions kNoBody = {.date = kDate};
constexpr AnswerOptions kFiveBytes = {
    .framing = AnswerFraming::kLength, .content_length = 5, .date = kDate};

/// The head of `input`, written by `write(input, head, out)` into exactly the room that is
/// promised.
template <typename Write>
std::string WrittenBy(std::string_view input, Write write, std::string_view added = "") {
  const ParsedHead parsed = ParseInSteps(input, {});
  if (parsed.status != ParseStatus::kDone) {
    check::Fail(__FILE__, __LINE__, "not a head: " + check::Describe(input));
    return "";
  }
  const ExactCopy head(input);
  ExactCopy out(std::string(parsed.head.head_bytes + kAnswerExtraBytes + added.size(), '?'));
  const size_t size = write(head.view(), parsed.head, out.data());
  CHECK(size <= out.view().size());
  return std::string(out.view().substr(0, size));
}

std::string Answered(std::string_view input, const AnswerOptions& options) {
  return WrittenBy(
      input,
      [&](std::string_view bytes, const ResponseHead& head, char* out) {
        return WriteAnswerHead(bytes, head, options, out);
      },
      options.added_lines);
}

std::string Answer(std::string_view fields, const AnswerOptions& options = kFiveBytes) {
  return Answered("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n", options);
}

TEST(KeepsOrderAndBytesOfOtherFields) {
  CHECK_EQ(Answer("B:  two \r\nA:1\r\nSet-Cookie: a\r\nset-cookie: b\r\nE:\r\nO: \xff\t\"\r\n"),
           "HTTP/1.1 200 OK\r\nB:  two \r\nA:1\r\nSet-Cookie: a\r\nset-cookie: b\r\nE:\r\n"
           "O: \xff\t\"\r\n" +
               std::string(kDateLine) + "content-length: 5\r\n\r\n");
  CHECK_EQ(Answered("HTTP/1.0 200 Fine\xfc\r\n\r\n", {}), "HTTP/1.1 200 Fine\xfc\r\n\r\n");
}

TEST(KeepsTheFirstDateAndAddsOneWhereThereIsNone) {
  CHECK_EQ(Answer("Date: then\r\nA: 1\r\ndate: later\r\n"),
           "HTTP/1.1 200 OK\r\nDate: then\r\nA: 1\r\ncontent-length: 5\r\n\r\n");
  CHECK_EQ(Answer("A: 1\r\n"),
           "HTTP/1.1 200 OK\r\nA: 1\r\n" + std::string(kDateLine) + "content-length: 5\r\n\r\n");
  CHECK_EQ(Answer("Connection: date\r\nDate: then\r\n"),
           "HTTP/1.1 200 OK\r\nDate: then\r\ncontent-length: 5\r\n\r\n");
}

TEST(DropsWhatBelongsToOneConnection) {
  CHECK_EQ(Answer("Date: x\r\nConnection: keep-alive, X-Hop\r\nKEEP-ALIVE: timeout=5\r\n"
                  "Proxy-Connection: x\r\nTe: x\r\nTrailer: x\r\nx-hop: 1\r\n"
                  "Transfer-Encoding: chunked\r\nUpgrade: x\r\nB \t: 2\r\n"),
           "HTTP/1.1 200 OK\r\nDate: x\r\nB: 2\r\ncontent-length: 5\r\n\r\n");
}

TEST(FramesAnew) {
  const std::string_view fields = "Date: x\r\nContent-Length: 0007\r\nA: 1\r\n";
  const std::string front = "HTTP/1.1 200 OK\r\nDate: x\r\nA: 1\r\n";
  CHECK_EQ(Answer(fields, {.framing = AnswerFraming::kLength, .content_length = UINT64_MAX}),
           front + "content-length: 18446744073709551615\r\n\r\n");
  CHECK_EQ(Answer(fields, {.framing = AnswerFraming::kChunked}),
           front + "transfer-encoding: chunked\r\n\r\n");
  CHECK_EQ(Answer(fields, {.framing = AnswerFraming::kUntilClose, .closes = true}),
           front + "connection: close\r\n\r\n");
  CHECK_EQ(Answer(fields, {}), front + "\r\n");
  CHECK_EQ(Answer(fields, {.framing = AnswerFraming::kChunked, .is_head_request = true}),
           front + "transfer-encoding: chunked\r\n\r\n");
}

TEST(KeepsTheLengthOfABodyThatIsNotSent) {
  AnswerOptions to_head = kNoBody;
  to_head.is_head_request = true;
  CHECK_EQ(Answer("Date: x\r\nContent-Length: 7\r\nA: 1\r\n", to_head),
           "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 7\r\nA: 1\r\n\r\n");
  CHECK_EQ(Answered("HTTP/1.1 304 Not Modified\r\nDate: x\r\nContent-Length: 7\r\n\r\n", kNoBody),
           "HTTP/1.1 304 Not Modified\r\nDate: x\r\nContent-Length: 7\r\n\r\n");
  CHECK_EQ(Answered("HTTP/1.1 204 No Content\r\nDate: x\r\nContent-Length: 0\r\n\r\n", to_head),
           "HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n");
  CHECK_EQ(Answer("Date: x\r\nTransfer-Encoding: chunked\r\n", to_head),
           "HTTP/1.1 200 OK\r\nDate: x\r\n\r\n");
}

TEST(SaysWhatBecomesOfTheConnection) {
  const std::string front = "HTTP/1.1 200 OK\r\nDate: x\r\n";
  const std::string_view fields = "Date: x\r\nConnection: keep-alive\r\n";
  CHECK_EQ(Answer(fields, {.closes = true}), front + "connection: close\r\n\r\n");
  CHECK_EQ(Answer(fields, {.says_keep_alive = true}), front + "connection: keep-alive\r\n\r\n");
  CHECK_EQ(Answer(fields, {.closes = true, .says_keep_alive = true}),
           front + "connection: close\r\n\r\n");
  CHECK_EQ(Answer(fields, {}), front + "\r\n");
}

TEST(PassesTrailerOnWhereTrailersGoOn) {
  CHECK_EQ(Answer("Date: x\r\nTrailer: X-Sum\r\n",
                  {.framing = AnswerFraming::kChunked, .passes_trailer_field = true}),
           "HTTP/1.1 200 OK\r\nDate: x\r\nTrailer: X-Sum\r\ntransfer-encoding: chunked\r\n\r\n");
}

TEST(FillsAnEmptyReason) {
  CHECK_EQ(Answered("HTTP/1.1 200\r\n\r\n", {}), "HTTP/1.1 200 OK\r\n\r\n");
  CHECK_EQ(Answered("HTTP/1.1 511 \t\r\nA: b\r\n\r\n", {}),
           "HTTP/1.1 511 Network Authentication Required\r\nA: b\r\n\r\n");
  CHECK_EQ(Answered("HTTP/1.1 599 \r\n\r\n", kFiveBytes),
           "HTTP/1.1 599 Unknown\r\n" + std::string(kDateLine) + "content-length: 5\r\n\r\n");
}

TEST(StaysWithinItsRoomAtTheLongest) {
  CHECK_EQ(Answered("HTTP/1.1 431\r\n\r\n", {.framing = AnswerFraming::kLength,
                                             .content_length = UINT64_MAX,
                                             .says_keep_alive = true,
                                             .date = kDate}),
           "HTTP/1.1 431 Request Header Fields Too Large\r\n" + std::string(kDateLine) +
               "content-length: 18446744073709551615\r\nconnection: keep-alive\r\n\r\n");
}

TEST(WritesInterimHeads) {
  const auto interim = [](std::string_view input) {
    return WrittenBy(input, [](std::string_view bytes, const ResponseHead& head, char* out) {
      return WriteInterimHead(bytes, head, out);
    });
  };
  CHECK_EQ(interim("HTTP/1.1 100 Continue\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK_EQ(interim("HTTP/1.1 100\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK_EQ(interim("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nDate: x\r\n"
                   "Connection: close, x-hop\r\nX-Hop: 1\r\nContent-Length: 0\r\nLink: b\r\n\r\n"),
           "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nDate: x\r\nLink: b\r\n\r\n");
}

constexpr std::string_view kHstsLine = "strict-transport-security: max-age=60; preload\r\n";

TEST(WritesSwitchingHeads) {
  const auto switching = [](std::string_view input, std::string_view added = "") {
    return WrittenBy(
        input,
        [added](std::string_view bytes, const ResponseHead& head, char* out) {
          AnswerOptions options;
          options.dropped_field = "x-own";
          options.hsts_line = kHstsLine;
          options.added_lines = added;
          return WriteSwitchingHead(bytes, head, options, out);
        },
        added);
  };
  CHECK_EQ(
      switching("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade, X-Hop\r\nX-Hop: 1\r\nSec-WebSocket-Accept: k\r\n\r\nrest"),
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n" +
          std::string(kHstsLine) + "connection: upgrade\r\n\r\n");
  CHECK_EQ(switching("HTTP/1.1 101\r\nUpgrade: x\r\nDate: y\r\nContent-Length: 0\r\n\r\n"),
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nDate: y\r\n" +
               std::string(kHstsLine) + "connection: upgrade\r\n\r\n");
  CHECK_EQ(switching("HTTP/1.1 101\r\nX-Own: 1\r\nUpgrade: x\r\n\r\n", kAddedLines),
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n" + std::string(kHstsLine) +
               std::string(kAddedLines) + "connection: upgrade\r\n\r\n");
}

TEST(DropsAFieldThatIsNotForTheClient) {
  AnswerOptions options = kFiveBytes;
  options.dropped_field = "x-own";
  CHECK_EQ(Answer("Date: x\r\nX-Own: 1\r\nx-own2: 2\r\nX-Own \t: 3\r\n", options),
           "HTTP/1.1 200 OK\r\nDate: x\r\nx-own2: 2\r\ncontent-length: 5\r\n\r\n");
  CHECK_EQ(Answer("Date: x\r\nConnection: x-hop\r\nX-Own: 1\r\nX-Hop: 2\r\n", options),
           "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 5\r\n\r\n");
}

TEST(SaysStrictTransportSecurityInPlaceOfTheEndpoint) {
  AnswerOptions options = kFiveBytes;
  options.hsts_line = kHstsLine;
  CHECK_EQ(Answer("Strict-Transport-Security: max-age=1\r\nDate: x\r\nX-Own: 1\r\n"
                  "strict-transport-security: max-age=2\r\n",
                  options),
           "HTTP/1.1 200 OK\r\nDate: x\r\nX-Own: 1\r\n" + std::string(kHstsLine) +
               "content-length: 5\r\n\r\n");
  options.dropped_field = "x-own";
  CHECK_EQ(Answer("Date: x\r\nX-Own: 1\r\nStrict-Transport-Security: max-age=1\r\n", options),
           "HTTP/1.1 200 OK\r\nDate: x\r\n" + std::string(kHstsLine) + "content-length: 5\r\n\r\n");
}

TEST(AddsLinesOfTheProxy) {
  AnswerOptions options = kFiveBytes;
  options.added_lines = kAddedLines;
  CHECK_EQ(Answer("set-cookie: own\r\n", options),
           "HTTP/1.1 200 OK\r\nset-cookie: own\r\n" + std::string(kDateLine) +
               std::string(kAddedLines) + "content-length: 5\r\n\r\n");
}

TEST(WritesHeadsOfItsOwn) {
  const auto own = [](std::string_view head, const AnswerOptions& options) {
    ExactCopy out(std::string(head.size() + kAnswerExtraBytes + options.added_lines.size(), '?'));
    const size_t size = WriteOwnHead(head, options, out.data());
    CHECK(size <= out.view().size());
    return std::string(out.view().substr(0, size));
  };
  CHECK_EQ(own("503 Service Unavailable\r\nretry-after: 1", kFiveBytes),
           "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n" + std::string(kDateLine) +
               "content-length: 5\r\n\r\n");
  AnswerOptions closing = kFiveBytes;
  closing.closes = true;
  CHECK_EQ(own("400 Bad Request", closing), "HTTP/1.1 400 Bad Request\r\n" +
                                                std::string(kDateLine) +
                                                "content-length: 5\r\nconnection: close\r\n\r\n");
  AnswerOptions adding = kNoBody;
  adding.added_lines = kAddedLines;
  CHECK_EQ(own("404 Not Found", adding), "HTTP/1.1 404 Not Found\r\n" + std::string(kDateLine) +
                                             std::string(kAddedLines) + "\r\n");
}

}  // namespace
}  // namespace sluice::http1
