// Unit tests of the head that goes to the endpoint.
#include "http1/endpoint_head.h"

#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "http1/bytes.h"
#include "http1/request_head.h"
#include "request_splits.h"

namespace sluice::http1 {
namespace {

constexpr EndpointHeadOptions kStranger = {.scheme = "http",
                                           .via_name = "sluice-test",
                                           .client_address = "203.0.113.9",
                                           .request_id = "id-1"};
constexpr EndpointHeadOptions kProxy = {.scheme = "http",
                                        .via_name = "sluice-test",
                                        .client_address = "10.0.0.1",
                                        .request_id = "id-1",
                                        .is_trusted = true};

/// The head for the endpoint, written into exactly the room that is promised.
std::string Written(std::string_view input, const EndpointHeadOptions& options = kStranger) {
  const AcceptedRequest request(input);
  ExactCopy room(std::string(EndpointHeadBound(*request, options), '?'));
  const size_t size = WriteEndpointHead(*request, options, room.data());
  CHECK(size <= room.view().size());
  CHECK(IsSendableRequestHead(room.view().substr(0, size)));
  return std::string(room.view().substr(0, size));
}

/// A GET with these field lines, each with its CRLF.
std::string Get(std::string_view fields, std::string_view line = "GET /x?y=1 HTTP/1.1") {
  return std::string(line) + "\r\nHost: a.test\r\n" + std::string(fields) + "\r\n";
}

/// What the proxy writes of its own for Get with kStranger.
constexpr std::string_view kOwn =
    "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\nx-forwarded-for: 203.0.113.9\r\n"
    "x-forwarded-proto: http\r\nx-forwarded-host: a.test\r\nvia: 1.1 sluice-test\r\n"
    "x-request-id: id-1\r\n";

/// The client's fields that went on.
std::string Passed(std::string_view fields, const EndpointHeadOptions& options = kStranger) {
  const std::string written = Written(Get(fields), options);
  if (!written.starts_with(kOwn)) {
    check::Fail(__FILE__, __LINE__, "begins otherwise: " + check::Describe(written));
    return "";
  }
  return written.substr(kOwn.size());
}

/// The lines of that name, joined, as written.
std::string LinesOf(const std::string& written, std::string_view name) {
  std::string lines;
  for (size_t at = 0; at < written.size();) {
    const size_t end = written.find("\r\n", at) + 2;
    if (EqualsIgnoringCase(std::string_view(written).substr(at, name.size() + 1),
                           std::string(name) + ":")) {
      lines += written.substr(at, end - at);
    }
    at = end;
  }
  return lines;
}

TEST(PutsRequestLineHostAndWhatTheProxySaysFirst) {
  CHECK_EQ(Written("GET /x?y=1 HTTP/1.1\r\nAccept: */*\r\nHost: a.test:80\r\nX-B: 1\r\n"
                   "Cookie: a=b; c=d\r\nx-b:2 \r\n\r\n"),
           "GET /x?y=1 HTTP/1.1\r\nhost: a.test:80\r\nx-forwarded-for: 203.0.113.9\r\n"
           "x-forwarded-proto: http\r\nx-forwarded-host: a.test:80\r\nvia: 1.1 sluice-test\r\n"
           "x-request-id: id-1\r\nAccept: */*\r\nX-B: 1\r\nCookie: a=b; c=d\r\nx-b:2 \r\n");
}

TEST(KeepsOrderAndBytesOfOtherFields) {
  const std::string_view fields =
      "Accept: text/html;q=0.9, */*\r\nX-Twice: first\r\nX-Other: a  b\tc\r\nX-Twice: second\r\n"
      "X-Empty:\r\nX-Quote: \"a, b\"\r\nx-twice:  third \r\nX-Obs: \xff\xc3\xa9\r\n"
      "Authorization: Basic dTpw\r\nCookie: a=1; b=\"x y\"; c==\r\n";
  CHECK_EQ(Passed(fields), fields);
  CHECK_EQ(Passed(""), "");
}

TEST(KeepsMethodAndTarget) {
  const auto line_of = [](std::string_view line) {
    const std::string written = Written(Get("", line));
    return written.substr(0, written.find("\r\n"));
  };
  for (const std::string_view line :
       {"HEAD / HTTP/1.1", "propFIND /m HTTP/1.1", "OPTIONS * HTTP/1.1",
        "GET //a/../b/./c/.. HTTP/1.1", "GET /a%20b/%e4%b8%ad?q=%26%3D+x&y HTTP/1.1",
        "GET /q?x=?y HTTP/1.1", "GET /mark-_.!~*'();:@&=+$,/[]|^`{}\"<>\xc3\xa9 HTTP/1.1",
        "CONNECT b:443 HTTP/1.1"})
    CHECK_EQ(line_of(line), line);
  CHECK_EQ(line_of("GET /old HTTP/1.0"), "GET /old HTTP/1.1");
  CHECK_EQ(line_of("GET http://b/x?y HTTP/1.1"), "GET /x?y HTTP/1.1");
  CHECK_EQ(line_of("GET http://b HTTP/1.1"), "GET / HTTP/1.1");
  CHECK_EQ(line_of("GET http://b?x=/ HTTP/1.1"), "GET /?x=/ HTTP/1.1");
  CHECK_EQ(line_of("OPTIONS http://b HTTP/1.1"), "OPTIONS * HTTP/1.1");
}

TEST(SendsTheHostOfTheRequestLineWhereItNamesOne) {
  const std::string written = Written(Get("", "GET http://B.test:8/x HTTP/1.1"));
  CHECK_EQ(LinesOf(written, "host"), "host: B.test:8\r\n");
  CHECK_EQ(LinesOf(written, "x-forwarded-host"), "x-forwarded-host: B.test:8\r\n");
  CHECK_EQ(LinesOf(Written(Get("", "CONNECT b:443 HTTP/1.1")), "host"), "host: b:443\r\n");
}

TEST(SaysAnEmptyHostForAClientThatSaidNone) {
  const std::string written = Written("GET / HTTP/1.0\r\n\r\n");
  CHECK_EQ(LinesOf(written, "host"), "host: \r\n");
  CHECK_EQ(LinesOf(written, "x-forwarded-host"), "");
  CHECK_EQ(LinesOf(written, "via"), "via: 1.0 sluice-test\r\n");
}

TEST(SaysInViaThatTheRequestHasComeOverHttp2) {
  EndpointHeadOptions options = kStranger;
  options.is_http2 = true;
  CHECK_EQ(LinesOf(Written(Get(""), options), "via"), "via: 2.0 sluice-test\r\n");
  CHECK_EQ(LinesOf(Written(Get("Via: 1.1 a\r\n"), options), "via"),
           "via: 1.1 a, 2.0 sluice-test\r\n");
}

TEST(DropsWhatBelongsToOneConnection) {
  CHECK_EQ(Passed("Connection: keep-alive\r\nA: 1\r\nKEEP-ALIVE: timeout=5\r\n"
                  "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\n"
                  "Proxy-Authenticate: x\r\nTE: trailers\r\nTrailer: X-Sum\r\n"
                  "Upgrade: websocket\r\nB: 2\r\n"),
           "A: 1\r\nB: 2\r\n");
  CHECK_EQ(Passed("A: 1\r\ncontent-length: 5\r\n"), "A: 1\r\n");
  CHECK_EQ(Passed("TRANSFER-encoding: chunked\r\nA: 1\r\n"), "A: 1\r\n");
  CHECK_EQ(Passed("Tea: 1\r\nTrailers: 2\r\nHosts: 3\r\nUpgrade-Insecure-Requests: 1\r\n"),
           "Tea: 1\r\nTrailers: 2\r\nHosts: 3\r\nUpgrade-Insecure-Requests: 1\r\n");
}

TEST(DropsWhatConnectionNamesWhereverItStands) {
  CHECK_EQ(Passed("X-Private: 1\r\nConnection: X-One, keep-alive\r\nX-Two: 2\r\nx-ONE: 1\r\n"
                  "Connection:x-private ,  X-Second\r\nX-Second: 3\r\nX-Kept: yes\r\n"),
           "X-Two: 2\r\nX-Kept: yes\r\n");
  CHECK_EQ(Passed("Connection: \"x-a\", x b\r\nX-A: 1\r\n"), "X-A: 1\r\n");
  std::string fields = "Connection: ";
  for (size_t index = 0; index < kMaxConnectionOptions; ++index)
    fields += "n" + std::to_string(index) + ",";
  fields += "\r\n";
  for (size_t index = 0; index < kMaxConnectionOptions; ++index)
    fields += "N" + std::to_string(index) + ": v\r\n";
  CHECK_EQ(Passed(fields + "Kept: v\r\n"), "Kept: v\r\n");
}

TEST(PassesExpectOnButOfHttp10) {
  CHECK_EQ(Passed("Expect: 100-continue\r\n"), "Expect: 100-continue\r\n");
  CHECK_EQ(LinesOf(Written(Get("Expect: 100-continue\r\n", "GET / HTTP/1.0")), "expect"), "");
}

TEST(DoesNotBelieveAStranger) {
  CHECK_EQ(Passed("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
                  "X-Forwarded-Host: evil\r\nx-forwarded-port: 1\r\nX-Forwarded-Prefix: /evil\r\n"
                  "X-Forwarded-: x\r\nForwarded: for=1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\n"
                  "X-Request-Id: evil\r\nX-Forwarder: kept\r\n"),
           "X-Forwarder: kept\r\n");
}

TEST(DropsWhatRecipientsMayTakeForAFieldOfItsOwn) {
  constexpr std::string_view kLookalikes =
      "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nx_real_ip: 6.6.6.6\r\n"
      "X_Request_Id: evil\r\nContent_Length: 9\r\nTransfer_Encoding: chunked\r\n"
      "User_Name: kept\r\n";
  CHECK_EQ(Passed(kLookalikes), "User_Name: kept\r\n");
  CHECK_EQ(Passed(std::string(kLookalikes) + "Connection: x-hop\r\n"), "User_Name: kept\r\n");
  // A proxy that is believed passes on what its own clients send.
  CHECK_EQ(LinesOf(Written(Get(kLookalikes), kProxy), "x_forwarded_for"), "");
}

TEST(BelievesATrustedProxyAndAddsItsAddress) {
  CHECK_EQ(Written(Get("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For:\r\n"
                       "x-forwarded-for: 2.2.2.2, 3.3.3.3 \r\nX-Forwarded-Proto: https\r\n"
                       "X-Forwarded-Host: shop.test\r\nX-Forwarded-Port: 443\r\n"
                       "X-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Request-Id: abc\r\n"),
                   kProxy),
           "GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\n"
           "x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.1\r\nx-forwarded-proto: https\r\n"
           "x-forwarded-host: shop.test\r\nvia: 1.1 sluice-test\r\nx-request-id: abc\r\n"
           "X-Forwarded-Port: 443\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\n");
  const std::string silent = Written(Get("X-Forwarded-Proto:\r\nX-Forwarded-Host: \r\n"), kProxy);
  CHECK_EQ(LinesOf(silent, "x-forwarded-proto"), "x-forwarded-proto: http\r\n");
  CHECK_EQ(LinesOf(silent, "x-forwarded-host"), "x-forwarded-host: a.test\r\n");
  CHECK_EQ(LinesOf(silent, "x-forwarded-for"), "x-forwarded-for: 10.0.0.1\r\n");
}

TEST(MakesItsOwnIdWhereTheOneSentIsUnusable) {
  const auto id_of = [](std::string_view value, bool is_trusted) {
    const AcceptedRequest request(Get("X-Request-Id: " + std::string(value) + "\r\n"));
    return std::string(RequestIdOf(*request, is_trusted, "made"));
  };
  for (const std::string_view value : {"", "a b", "a\tb", "\xc3\xa9"})
    CHECK_EQ(id_of(value, true), "made");
  CHECK_EQ(id_of(std::string(129, 'x'), true), "made");
  CHECK_EQ(id_of(std::string(128, 'x'), true), std::string(128, 'x'));
  CHECK_EQ(id_of("!~", true), "!~");
  CHECK_EQ(id_of("theirs", false), "made");
}

TEST(AddsItselfToViaAndKnowsItselfThere) {
  CHECK_EQ(LinesOf(Written(Get("Via: 1.0 fred\r\nA: 1\r\nvia: 1.1 p.example (x)\r\n")), "via"),
           "via: 1.0 fred, 1.1 p.example (x), 1.1 sluice-test\r\n");
  const auto has_loop = [](std::string_view fields) {
    return HasLoop(*AcceptedRequest(Get(fields)), "sluice-test");
  };
  CHECK(!has_loop(""));
  CHECK(!has_loop("Via: 1.0 fred\r\nX: sluice-test\r\n"));
  CHECK(has_loop("Via: 1.0 fred, 1.1 sluice-test\r\n"));
  CHECK(has_loop("Via: 1.0 fred\r\nVia: 1.1 sluice-test, 1.1 x\r\n"));
}

TEST(CountsMaxForwardsDownForOptions) {
  const auto forwards_of = [](std::string_view method, std::string_view value) {
    return LinesOf(Written(Get("Max-Forwards: " + std::string(value) + "\r\n",
                               std::string(method) + " / HTTP/1.1")),
                   "max-forwards");
  };
  CHECK_EQ(forwards_of("OPTIONS", "5"), "max-forwards: 4\r\n");
  CHECK_EQ(forwards_of("OPTIONS", "0"), "max-forwards: 0\r\n");
  CHECK_EQ(forwards_of("GET", "5"), "max-forwards: 5\r\n");
  CHECK_EQ(forwards_of("OPTIONS", "x"), "");
  CHECK_EQ(forwards_of("GET", "9223372036854775807"), "max-forwards: 9223372036854775807\r\n");
}

TEST(AsksForAnUpgradeAsTheClientDid) {
  const std::string written =
      Written(Get("Upgrade: websocket/1\r\nConnection: keep-alive, Upgrade, X-Hop\r\nX-Hop: 1\r\n"
                  "Sec-WebSocket-Key: k\r\nUpgrade: other\r\n"));
  CHECK_EQ(written.substr(kOwn.size()),
           "connection: upgrade\r\nupgrade: websocket/1, other\r\nSec-WebSocket-Key: k\r\n");
  CHECK_EQ(Passed("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: A\r\n"),
           "");
}

TEST(AsksForTrailersWhereTheyWillBeTaken) {
  EndpointHeadOptions options = kStranger;
  options.passes_trailers = true;
  CHECK_EQ(Passed("TE: trailers\r\nA: 1\r\n", options),
           "connection: te\r\nte: trailers\r\nA: 1\r\n");
  CHECK_EQ(Passed("TE: gzip\r\n", options), "");
  CHECK_EQ(Passed("TE: trailers\r\n"), "");
}

TEST(MakesThePolicysChangesLast) {
  const std::vector<FieldEdit> edits = {{.name = "x-set", .value = "new"},
                                        {.name = "cookie", .value = "", .is_removal = true},
                                        {.name = "x-added", .value = ""},
                                        {.name = "x-set", .value = "newer"}};
  EndpointHeadOptions options = kStranger;
  options.edits = edits.data();
  options.edit_count = edits.size();
  CHECK_EQ(Passed("X-Set: 1\r\nA: 1\r\nCOOKIE: c\r\nx-set: 2\r\nConnection: x-hop\r\nX-Hop: 1\r\n",
                  options),
           "A: 1\r\nx-added: \r\nx-set: newer\r\n");
}

TEST(LetsAPolicyChangeWhatTheProxySays) {
  const std::vector<FieldEdit> edits = {
      {.name = "host", .value = "inner.test"},
      {.name = "x-forwarded-for", .value = "", .is_removal = true},
      {.name = "via", .value = "", .is_removal = true},
      {.name = "x-request-id", .value = "other"}};
  EndpointHeadOptions options = kStranger;
  options.edits = edits.data();
  options.edit_count = edits.size();
  CHECK_EQ(Written(Get("A: 1\r\nVia: 1.1 x\r\n"), options),
           "GET /x?y=1 HTTP/1.1\r\nx-forwarded-proto: http\r\nx-forwarded-host: a.test\r\nA: 1\r\n"
           "host: inner.test\r\nx-request-id: other\r\n");
}

TEST(LetsNoPolicyTouchFramingOrTheConnection) {
  std::vector<FieldEdit> edits = {{.name = "host", .value = "", .is_removal = true}};
  for (const std::string_view name : {"content-length", "transfer-encoding", "connection",
                                      "keep-alive", "proxy-connection", "te", "trailer", "upgrade"})
    edits.push_back({.name = name, .value = "x"});
  EndpointHeadOptions options = kStranger;
  options.edits = edits.data();
  options.edit_count = edits.size();
  CHECK_EQ(Passed("A: 1\r\n", options), "A: 1\r\n");
}

TEST(StaysWithinItsBoundForManyLines) {
  std::string fields = "Connection: upgrade\r\n";
  for (int index = 0; index < 9; ++index)
    fields += "Via:v\r\nX-Forwarded-For:f\r\nUpgrade:u\r\n";
  const std::string written = Written(Get(fields), kProxy);
  CHECK_EQ(LinesOf(written, "upgrade"), "upgrade: u, u, u, u, u, u, u, u, u\r\n");
  CHECK_EQ(LinesOf(written, "x-forwarded-for"),
           "x-forwarded-for: f, f, f, f, f, f, f, f, f, 10.0.0.1\r\n");
}

}  // namespace
}  // namespace sluice::http1
