// Unit tests of the check that a request head passes before it is sent.
#include "http1/request_head.h"

#include <string>

#include "check.h"
#include "splits.h"

namespace sluice::http1 {
namespace {

bool IsSendable(std::string_view head) {
  return IsSendableRequestHead(ExactCopy(head).view());
}

bool IsSendableWith(std::string_view fields) {
  return IsSendable("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields));
}

TEST(AcceptsRequestLinesAndFields) {
  CHECK(IsSendable("GET / HTTP/1.1\r\n"));
  CHECK(IsSendable("M-SEARCH * HTTP/1.0\r\nA:\r\n"));
  CHECK(IsSendable("GET http://a/?q=\"<>{}|^`\xc3\xa4 HTTP/1.1\r\nHost: a\r\nX: a\tb \xff\r\n"));
  CHECK(IsSendableWith("Very-Long-Field-Name-Of-More-Than-Sixteen_Bytes!#$%&'*+.^`|~: v\r\n"));
}

TEST(RefusesOtherRequestLines) {
  for (const std::string_view head : {"",
                                      "\r\n",
                                      "GET\r\n",
                                      "GET /\r\n",
                                      "GET / \r\n",
                                      "GET  HTTP/1.1\r\n",
                                      "GET HTTP/1.1\r\n",
                                      " GET / HTTP/1.1\r\n",
                                      "GET / a HTTP/1.1\r\n",
                                      "GET  / HTTP/1.1\r\n",
                                      "GET /  HTTP/1.1\r\n",
                                      "GET / HTTP/1.1 \r\n",
                                      "GET / HTTP/1.2\r\n",
                                      "GET / HTTP/2.0\r\n",
                                      "GET / http/1.1\r\n",
                                      "GET\t/ HTTP/1.1\r\n",
                                      "GET /\ta HTTP/1.1\r\n",
                                      "GET /\tHTTP/1.1\r\n",
                                      "GE(T / HTTP/1.1\r\n",
                                      "/ HTTP/1.1\r\n",
                                      "GET /\x01 HTTP/1.1\r\n",
                                      "GET /\x7f HTTP/1.1\r\n",
                                      "GET / HTTP/1.1",
                                      "GET / HTTP/1.1\r",
                                      "GET / HTTP/1.1\n",
                                      "GET /\r\n HTTP/1.1\r\n",
                                      "GET /HTTP/1.1\r\n"}) {
    if (IsSendable(head)) check::Fail(__FILE__, __LINE__, "sendable: " + check::Describe(head));
  }
  CHECK(!IsSendable(std::string_view("GET /\0 HTTP/1.1\r\n", 17)));
}

TEST(RefusesOtherFieldLines) {
  for (const std::string_view fields :
       {"\r\n", "A: b\r\n\r\n", "A: b", "A: b\r", "A: b\n", "A: b\rc\r\n", "A: b\nC: d\r\n",
        "A: b\r\n c\r\n", "A\r\n", ": b\r\n", "A : b\r\n", "A b: c\r\n", "A(: b\r\n", "\x80: b\r\n",
        "A: \x01\r\n", "A: \x7f\r\n", "A"}) {
    if (IsSendableWith(fields))
      check::Fail(__FILE__, __LINE__, "sendable: " + check::Describe(fields));
  }
  CHECK(!IsSendableWith(std::string_view("A: b\0\r\n", 7)));
}

TEST(FindsEveryForbiddenByteAtEveryPlace) {
  const std::string good =
      "GET /path/to/something HTTP/1.1\r\nHost: example.org\r\nAccept: text/html, */*\r\n";
  CHECK(IsSendable(good));
  for (size_t at = 0; at < good.size(); ++at) {
    for (int byte = 0; byte < 0x20; ++byte) {
      if (byte == '\t') continue;
      std::string bad = good;
      if (bad[at] == static_cast<char>(byte)) continue;
      bad[at] = static_cast<char>(byte);
      CHECK(!IsSendable(bad));
    }
    CHECK(!IsSendable(good.substr(0, at)) || good[at - 1] == '\n');
  }
}

}  // namespace
}  // namespace sluice::http1
