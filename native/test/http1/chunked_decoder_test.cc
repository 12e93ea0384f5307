// Unit tests of the chunked decoder; every input is also cut at each place.
#include "http1/chunked_decoder.h"

#include <string>

#include "check.h"
#include "splits.h"

namespace sluice::http1 {
namespace {

void CheckDecodes(std::string_view input, std::string_view body, size_t surplus = 0) {
  const DecodedBody decoded = DecodeBody(input);
  CHECK_EQ(decoded.status, ChunkStatus::kDone);
  CHECK_EQ(decoded.body, body);
  CHECK_EQ(decoded.consumed, input.size() - surplus);
}

/// The last byte of `input` must be the one that is refused.
void CheckRefusedAtItsEnd(std::string_view input) {
  const DecodedBody decoded = DecodeBody(input);
  if (decoded.status != ChunkStatus::kInvalid || decoded.consumed + 1 != input.size()) {
    check::Fail(__FILE__, __LINE__, "not refused at its end: " + check::Describe(input));
  }
}

TEST(DecodesChunks) {
  CheckDecodes("0\r\n\r\n", "");
  CheckDecodes("5\r\nhello\r\n0\r\n\r\n", "hello");
  CheckDecodes("5\r\nhello\r\nB\r\n wide world\r\n00\r\n\r\n", "hello wide world");
  CheckDecodes("0000000000000005\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n");
  CheckDecodes("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", "abcdefghijklmnopqrstuvwxyz");
}

TEST(LeavesSurplusBytesAlone) {
  CheckDecodes("1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", "a", 17);
  CheckDecodes("0\r\n\r\n\r\n", "", 2);
}

TEST(IgnoresExtensions) {
  CheckDecodes("1;a\r\nx\r\n0;b=c;d=\"e;f\"\r\n\r\n", "x");
  CheckDecodes("1 \t ;a = b\xff\r\nx\r\n0;\r\n\r\n", "x");
}

TEST(CollectsTrailersWithoutBlanksBeforeTheirColons) {
  const auto trailers_of = [](std::string_view input) { return DecodeBody(input).trailers; };
  CHECK_EQ(trailers_of("1\r\nx\r\n0\r\n\r\n"), "");
  CHECK_EQ(trailers_of("0;a=b\r\nA: b \r\nContent-Length \t: 5\r\nE:\r\n\r\nF: g"),
           "A: b \r\nContent-Length: 5\r\nE:\r\n");
  CHECK_EQ(trailers_of("0\r\nA:\t b: c\r\n\r\n"), "A:\t b: c\r\n");
}

TEST(DropsTrailersThatNobodyAskedFor) {
  std::string input = "1\r\nx\r\n0\r\nA: b\r\n\r\n";
  ChunkedDecoder decoder;
  size_t decoded = 0;
  size_t consumed = 0;
  CHECK_EQ(decoder.Decode(input.data(), input.size(), &decoded, &consumed), ChunkStatus::kDone);
  CHECK_EQ(decoded, 1);
  CHECK_EQ(consumed, input.size());
}

TEST(ValidatesTrailers) {
  CheckDecodes("1\r\nx\r\n0\r\nA: b\r\nContent-Length : 5\r\nE:\r\n\r\n", "x");
  for (const std::string_view input :
       {"0\r\n ", "0\r\n:", "0\r\nA\r", "0\r\nA(", "0\r\nA b", "0\r\nA:\n", "0\r\nA: b\x01",
        "0\r\nA: b\rx", "0\r\nA: b\r\n\t", "0\r\nA: b\r\n\n", "0\r\n\n", "0\r\n\rx",
        "0\r\nA: b\r\n\rx"}) {
    CheckRefusedAtItsEnd(input);
  }
}

TEST(RefusesMalformedFramingAtItsByte) {
  for (const std::string_view input : {"\r",
                                       "\n",
                                       " ",
                                       "-",
                                       "+",
                                       ";",
                                       "g",
                                       "0x",
                                       "5 \r",
                                       "5\t\n",
                                       "5 5",
                                       "5\n",
                                       "5\rx",
                                       "5;a\n",
                                       "5;a\x01",
                                       "5;a\rx",
                                       "5;\x7f",
                                       "5\r\nhellox",
                                       "5\r\nhello\n",
                                       "5\r\nhello\rx",
                                       "5\r\nhello\r\n\r",
                                       "5\r\nhello\r\n ",
                                       "8000000000000000",
                                       "ffffffffffffffff",
                                       "00000000000000000"}) {
    CheckRefusedAtItsEnd(input);
  }
}

TEST(AcceptsTheLargestChunkSize) {
  const DecodedBody decoded = DecodeBody("7fffffffffffffff\r\nabc");
  CHECK_EQ(decoded.status, ChunkStatus::kNeedMore);
  CHECK_EQ(decoded.body, "abc");
}

TEST(HandsOutWhatCameBeforeAFault) {
  const DecodedBody decoded = DecodeBody("2\r\nab\r\n3\r\ncdeX");
  CHECK_EQ(decoded.status, ChunkStatus::kInvalid);
  CHECK_EQ(decoded.body, "abcde");
}

TEST(NeverEndsATruncatedBody) {
  const std::string_view input = "5;x\r\nhello\r\n0\r\nA: b\r\n\r\n";
  for (size_t size = 0; size < input.size(); ++size) {
    CHECK_EQ(DecodeBody(input.substr(0, size)).status, ChunkStatus::kNeedMore);
  }
}

TEST(BoundsExtensionsOverTheBody) {
  std::string body;
  for (uint32_t byte = 0; byte < kMaxChunkExtensionBytes / 4; ++byte)
    body += "1;aaa\r\nx\r\n";
  CHECK_EQ(DecodeInSteps(body + "0\r\n\r\n", {}).status, ChunkStatus::kDone);
  CHECK_EQ(DecodeInSteps(body + "0;\r\n\r\n", {}).status, ChunkStatus::kInvalid);
  CHECK_EQ(DecodeInSteps("1" + std::string(kMaxChunkExtensionBytes + 1, ' '), {}).status,
           ChunkStatus::kInvalid);
}

TEST(BoundsTrailersInNumberAndBytes) {
  std::string lines;
  for (uint32_t count = 0; count < kMaxTrailers; ++count)
    lines += "A: b\r\n";
  CHECK_EQ(DecodeInSteps("0\r\n" + lines + "\r\n", {}).status, ChunkStatus::kDone);
  CHECK_EQ(DecodeInSteps("0\r\n" + lines + "A", {}).status, ChunkStatus::kInvalid);

  const std::string line = "A:" + std::string(kMaxTrailerBytes - 4, 'b') + "\r\n";
  CHECK_EQ(DecodeInSteps("0\r\n" + line + "\r\n", {}).status, ChunkStatus::kDone);
  CHECK_EQ(DecodeInSteps("0\r\n" + line + "A", {}).status, ChunkStatus::kInvalid);
  CHECK_EQ(DecodeInSteps("0\r\nA" + line, {}).status, ChunkStatus::kInvalid);
}

TEST(KeepsItsVerdictUntilReset) {
  ChunkedDecoder decoder;
  size_t decoded = 9;
  size_t consumed = 9;
  char done[] = "0\r\n\r\nx";
  CHECK_EQ(decoder.Decode(done, 6, &decoded, &consumed), ChunkStatus::kDone);
  CHECK_EQ(consumed, 5);
  CHECK_EQ(decoder.Decode(done, 6, &decoded, &consumed), ChunkStatus::kDone);
  CHECK_EQ(consumed, 0);
  decoder.Reset();
  char bad[] = "x";
  CHECK_EQ(decoder.Decode(bad, 1, &decoded, &consumed), ChunkStatus::kInvalid);
  CHECK_EQ(decoder.Decode(done, 6, &decoded, &consumed), ChunkStatus::kInvalid);
  decoder.Reset();
  CHECK_EQ(decoder.Decode(done, 6, &decoded, &consumed), ChunkStatus::kDone);
  CHECK_EQ(decoded, 0);
}

}  // namespace
}  // namespace sluice::http1
