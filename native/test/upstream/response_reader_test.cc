// Responses in one piece and byte by byte.
#include "upstream/response_reader.h"

#include <string>

#include "check.h"

namespace {

using sluice::upstream::ReadOutcome;
using sluice::upstream::ResponseReader;
using Verdict = ReadOutcome::Verdict;

struct Total {
  Verdict last = Verdict::kNeedMore;
  std::string interims;
  std::string head;
  std::string body;
  int heads = 0;
  bool is_complete = false;
  bool has_surplus = false;
};

/// Reads `text` in pieces of `step` bytes until it is complete or refused.
Total ReadAll(const std::string& text, size_t step, bool is_head_request = false) {
  ResponseReader reader({8192, 100});
  reader.Begin({.is_head_request = is_head_request});
  Total total;
  for (size_t at = 0; at < text.size(); at += step) {
    std::string piece = text.substr(at, step);
    ReadOutcome outcome = reader.Read(piece.data(), piece.size());
    while (outcome.verdict == Verdict::kInterim) {
      total.interims += outcome.head_input;
      outcome = reader.Read(outcome.body, outcome.body_bytes);
    }
    total.last = outcome.verdict;
    if (outcome.verdict == Verdict::kInvalid || outcome.verdict == Verdict::kTooLarge) break;
    if (outcome.verdict == Verdict::kHead) {
      ++total.heads;
      total.head = outcome.head_input;
    }
    total.body.append(outcome.body != nullptr ? outcome.body : "", outcome.body_bytes);
    total.has_surplus |= outcome.has_surplus;
    if (outcome.is_complete) {
      total.is_complete = true;
      break;
    }
  }
  return total;
}

TEST(ReadsTheSameHoweverTheInputIsSplit) {
  const std::string interim =
      "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
  const std::string head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\n";
  const std::string chunked_head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  for (size_t step = 1; step < 120; ++step) {
    const Total known = ReadAll(interim + head + "hello", step);
    CHECK_EQ(known.heads, 1);
    CHECK_EQ(known.interims, interim);
    CHECK_EQ(known.head, head);
    CHECK_EQ(known.body, "hello");
    CHECK(known.is_complete && !known.has_surplus);
    const Total chunked =
        ReadAll(chunked_head + "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nt: v\r\n\r\n", step);
    CHECK_EQ(chunked.head, chunked_head);
    CHECK_EQ(chunked.body, "hello");
    CHECK(chunked.is_complete && !chunked.has_surplus);
  }
}

TEST(EndsAtTheHeadWhereNoBodyFollows) {
  for (const char* text :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"}) {
    CHECK(ReadAll(text, 1000).is_complete);
  }
  CHECK(ReadAll("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", 1000, true).is_complete);
}

TEST(SeesBytesBehindTheEnd) {
  CHECK(ReadAll("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab", 1000).has_surplus);
  CHECK(ReadAll("HTTP/1.1 204 No Content\r\n\r\nx", 1000).has_surplus);
  CHECK(
      ReadAll("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nx", 1000).has_surplus);
}

TEST(GoesOnUntilTheEndpointCloses) {
  ResponseReader reader({8192, 100});
  reader.Begin({});
  std::string text = "HTTP/1.1 200 OK\r\n\r\nsome";
  const ReadOutcome outcome = reader.Read(text.data(), text.size());
  CHECK_EQ(std::string(outcome.body, outcome.body_bytes), "some");
  CHECK(!outcome.is_complete);
  CHECK(reader.ends_with_close());
}

TEST(RefusesAnUpgradeThatNobodyAskedFor) {
  CHECK(ReadAll("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", 1000).last ==
        Verdict::kInvalid);
}

TEST(BoundsInterimResponses) {
  const std::string final_head = "HTTP/1.1 204 No Content\r\n\r\n";
  std::string interims;
  for (unsigned count = 0; count < ResponseReader::kMaxInterims; ++count)
    interims += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(ReadAll(interims + final_head, 7).is_complete);
  CHECK(ReadAll("HTTP/1.1 102 Processing\r\n\r\n" + interims + final_head, 7).last ==
        Verdict::kInvalid);
}

TEST(RefusesAHeadAboveTheLimit) {
  CHECK(ReadAll("HTTP/1.1 200 OK\r\nx: " + std::string(9000, 'y') + "\r\n\r\n", 1000).last ==
        Verdict::kTooLarge);
}

TEST(RefusesMalformedChunks) {
  const Total total = ReadAll("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcX", 1);
  CHECK_EQ(total.heads, 1);
  CHECK(total.last == Verdict::kInvalid);
}

TEST(ReadsOneResponseAfterTheOther) {
  ResponseReader reader({8192, 100});
  for (int round = 0; round < 3; ++round) {
    reader.Begin({});
    for (const char byte : std::string("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r")) {
      std::string piece(1, byte);
      CHECK(reader.Read(piece.data(), 1).verdict == Verdict::kNeedMore);
    }
    std::string rest = "\nx";
    const ReadOutcome outcome = reader.Read(rest.data(), rest.size());
    CHECK(outcome.verdict == Verdict::kHead && outcome.is_complete);
    CHECK_EQ(std::string(outcome.body, outcome.body_bytes), "x");
  }
}

}  // namespace
