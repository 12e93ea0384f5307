// Unit tests of the request parser: verdicts, faults and facts over every split.
#include "http1/client_request.h"

#include <string>
#include <string_view>

#include "check.h"
#include "request_cases.h"
#include "request_splits.h"

namespace sluice::http1 {
namespace {

constexpr ClientRequestLimits kNarrow = {.head_bytes = 60, .target_bytes = 20, .headers = 2};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\n";
constexpr std::string_view kGetHost = "GET / HTTP/1.1\r\nHost: a\r\n";
constexpr std::string_view kPostHost = "POST / HTTP/1.1\r\nHost: a\r\n";

/// Checks each case over every split. @param is_whole the cases are heads, not field lines
template <size_t kSize>
void CheckCases(const RequestCase (&cases)[kSize], std::string_view front, bool is_whole) {
  for (const RequestCase& each : cases) {
    const std::string input =
        std::string(front) + std::string(each.input) + (is_whole ? "" : "\r\n");
    const ParsedRequest parsed = ParseRequest(input);
    const ParseStatus wanted =
        each.fault == RequestFault::kNone ? ParseStatus::kDone : ParseStatus::kInvalid;
    if (parsed.status != wanted || parsed.fault != each.fault) {
      check::Fail(__FILE__, __LINE__,
                  check::Describe(input) + " is " + check::Describe(parsed.status) +
                      " with fault " + check::Describe(parsed.fault) + ", not " +
                      check::Describe(each.fault));
    }
  }
}

TEST(JudgesRequestLines) {
  CheckCases(kRequestLineCases, "", true);
}

TEST(JudgesVersions) {
  CheckCases(kVersionCases, "", true);
}

TEST(JudgesTheFourFormsOfATarget) {
  CheckCases(kTargetCases, "", true);
}

TEST(JudgesHosts) {
  CheckCases(kHostCases, kGet, false);
}

TEST(JudgesFraming) {
  CheckCases(kFramingCases, kPostHost, false);
}

TEST(JudgesFieldLines) {
  CheckCases(kFieldCases, kGetHost, false);
}

TEST(RefusesEveryControlAnywhere) {
  const std::string request = "GET /abc HTTP/1.1\r\nHost: abc\r\nX-Field: a value\r\n\r\n";
  for (int value = 0; value < 128; ++value) {
    const char byte = static_cast<char>(value);
    if (value >= 0x20 && value != 0x7f) continue;
    for (size_t at = 0; at < request.size(); ++at) {
      if (request[at] == '\r' || request[at] == '\n') continue;
      std::string spoilt = request;
      spoilt[at] = byte;
      // White space within and around a value is HTAB's only place.
      if (byte == '\t' && (at == 24 || at == 25 || at == 27 || at >= 38)) continue;
      const ParsedRequest parsed = ParseRequestInSteps(spoilt, {}, kRoomyRequestLimits);
      if (parsed.status != ParseStatus::kInvalid)
        check::Fail(__FILE__, __LINE__, "accepted: " + check::Describe(spoilt));
    }
  }
}

TEST(RefusesCodingsOfHttp10) {
  CHECK_EQ(ParseRequest("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").fault,
           RequestFault::kBadFraming);
  CHECK_EQ(ParseRequest("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n").status, ParseStatus::kDone);
  CHECK_EQ(ParseRequest("POST / HTTP/1.0\r\nHost:\r\n\r\n").fault, RequestFault::kBadHost);
  CHECK_EQ(ParseRequest("POST / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").fault,
           RequestFault::kBadHost);
}

TEST(RefusesContentOfConnect) {
  const auto fault_of = [](std::string_view field) {
    return ParseRequest("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n" + std::string(field) + "\r\n")
        .fault;
  };
  CHECK_EQ(fault_of("Content-Length: 5\r\n"), RequestFault::kBadFraming);
  CHECK_EQ(fault_of("Transfer-Encoding: chunked\r\n"), RequestFault::kBadFraming);
  CHECK_EQ(fault_of("Content-Length: 0\r\n"), RequestFault::kNone);
}

TEST(LetsWhatStandsFirstDecide) {
  CHECK_EQ(ParseRequest("GET / HTTP/1.1\r\nContent-Length: x\r\nBad Name: x\r\n\r\n").fault,
           RequestFault::kBadFraming);
  CHECK_EQ(ParseRequest("GET / HTTP/1.1\r\nBad Name: x\r\nContent-Length: x\r\n\r\n").fault,
           RequestFault::kBadRequest);
  CHECK_EQ(ParseRequest("GET * HTTP/1.2\r\nBad Name: x\r\n\r\n").fault, RequestFault::kBadVersion);
}

TEST(NeedsMoreUntilTheHeadHasEnded) {
  const std::string request = "\r\nGET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
  for (size_t size = 0; size < request.size(); ++size)
    CHECK_EQ(ParseRequest(request.substr(0, size)).status, ParseStatus::kNeedMore);
  CHECK_EQ(ParseRequest(request).status, ParseStatus::kDone);
}

TEST(TellsTheFactsOfARequest) {
  const AcceptedRequest request(
      "\r\nPOST /a/b?c=d?e HTTP/1.1\r\nHost: a.test:80\r\nContent-Length: 12\r\nVia: 1.0 x\r\n"
      "Max-Forwards: 7\r\nTE: gzip, Trailers\r\n\r\nbody");
  CHECK_EQ(request->method, Method::kPost);
  CHECK_EQ(request->method_text, "POST");
  CHECK_EQ(request->target, "/a/b?c=d?e");
  CHECK_EQ(request->path_bytes, 4);
  CHECK_EQ(request->host, "a.test:80");
  CHECK_EQ(request->minor_version, 1);
  CHECK_EQ(request->body_bytes, 12);
  CHECK_EQ(request->max_forwards, 7);
  CHECK_EQ(request->headers, 5);
  CHECK(request->keep_alive && request->has_via && request->takes_trailers);
  CHECK(!request->expects_continue && !request->wants_upgrade && !request->has_nominations);
  CHECK(request->lines.starts_with("Host: a.test:80\r\n"));
  CHECK(request->lines.ends_with("Trailers\r\n"));
  CHECK_EQ(request->head_bytes, 2 + 26 + request->lines.size() + 2);
}

TEST(KnowsMethodsByNumber) {
  const auto method_of = [](std::string_view method) {
    const std::string target = method == "CONNECT" ? " a:1" : " /";
    const AcceptedRequest request(std::string(method) + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return request->method;
  };
  CHECK_EQ(method_of("GET"), Method::kGet);
  CHECK_EQ(method_of("HEAD"), Method::kHead);
  CHECK_EQ(method_of("POST"), Method::kPost);
  CHECK_EQ(method_of("PUT"), Method::kPut);
  CHECK_EQ(method_of("DELETE"), Method::kDelete);
  CHECK_EQ(method_of("CONNECT"), Method::kConnect);
  CHECK_EQ(method_of("OPTIONS"), Method::kOptions);
  CHECK_EQ(method_of("TRACE"), Method::kTrace);
  CHECK_EQ(method_of("PATCH"), Method::kPatch);
  for (const std::string_view other : {"get", "GETS", "PUt", "HEAT", "PATCHES", "CONNECd", "X"})
    CHECK_EQ(method_of(other), Method::kOther);
}

TEST(TellsTargetAndHostOfEveryForm) {
  const auto facts_of = [](std::string_view line) {
    const AcceptedRequest request(std::string(line) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return std::string(request->target) + " " + std::to_string(request->path_bytes) + " " +
           std::string(request->host);
  };
  CHECK_EQ(facts_of("GET /"), "/ 1 a");
  CHECK_EQ(facts_of("GET /?"), "/? 1 a");
  CHECK_EQ(facts_of("GET http://b:8/x/y?z=/"), "/x/y?z=/ 4 b:8");
  CHECK_EQ(facts_of("GET hTTps://b"), "/ 1 b");
  CHECK_EQ(facts_of("GET http://b/"), "/ 1 b");
  CHECK_EQ(facts_of("GET http://b?x=/"), "?x=/ 0 b");
  CHECK_EQ(facts_of("OPTIONS *"), "* 1 a");
  CHECK_EQ(facts_of("OPTIONS http://b:1"), "* 1 b:1");
  CHECK_EQ(facts_of("OPTIONS http://b/"), "/ 1 b");
  CHECK_EQ(facts_of("OPTIONS http://b?x"), "?x 0 b");
  CHECK_EQ(facts_of("CONNECT b:443"), "b:443 5 b:443");
}

TEST(TellsBodies) {
  const auto body_of = [](std::string_view fields) {
    return AcceptedRequest(std::string(kPostHost) + std::string(fields) + "\r\n")->body_bytes;
  };
  CHECK_EQ(body_of(""), kNoRequestBody);
  CHECK_EQ(body_of("Content-Length: 0\r\n"), 0);
  CHECK_EQ(body_of("Content-Length: 0012\r\n"), 12);
  CHECK_EQ(body_of("Content-Length: 9223372036854775807\r\n"), INT64_MAX);
  CHECK_EQ(body_of("Transfer-Encoding: Chunked\r\n"), kChunkedRequestBody);
}

TEST(TellsWhetherTheConnectionMayGoOn) {
  const auto keeps = [](std::string_view version, std::string_view connection) {
    std::string input = "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n";
    return AcceptedRequest(input + std::string(connection) + "\r\n")->keep_alive;
  };
  CHECK(keeps("1.1", ""));
  CHECK(!keeps("1.0", ""));
  CHECK(!keeps("1.1", "Connection: close\r\n"));
  CHECK(!keeps("1.1", "Connection: keep-alive, x, CLOSE\r\n"));
  CHECK(!keeps("1.0", "Connection: keep-alive\r\nConnection: close\r\n"));
  CHECK(keeps("1.0", "Connection: Keep-Alive\r\n"));
  CHECK(keeps("1.1", "Connection: closed, \"close\", close;x\r\n"));
  CHECK(!keeps("1.0", "Proxy-Connection: keep-alive\r\n"));
}

TEST(TellsUpgrades) {
  const auto wants = [](std::string_view version, std::string_view fields) {
    std::string input = "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n";
    return AcceptedRequest(input + std::string(fields) + "\r\n")->wants_upgrade;
  };
  CHECK(wants("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  CHECK(wants("1.1", "upgrade: x/1, y\r\nConnection: keep-alive, upgrade\r\n"));
  CHECK(!wants("1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  CHECK(!wants("1.1", "Connection: Upgrade\r\n"));
  CHECK(!wants("1.1", "Connection: Upgrade\r\nUpgrade: \r\n"));
  CHECK(!wants("1.1", "Upgrade: websocket\r\n"));
  CHECK(!wants("1.1",
               "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n"));
  CHECK(!wants("1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: x, H2C\r\n"));
  // Tunnels of these would carry requests as well, and what is no protocol may be read as one.
  for (const std::string_view protocol :
       {"h2", "HTTP/2.0", "http", "TLS/1.2, HTTP/1.1", "h2c;q=1", "\"h2c\"", "websocket h2c",
        "websocket, h2c/", "x//h2c", "/h2c", "websocket/13/h2c"})
    CHECK(!wants("1.1", "Connection: Upgrade\r\nUpgrade: " + std::string(protocol) + "\r\n"));
  CHECK(wants("1.1", "Connection: Upgrade\r\nUpgrade: ,websocket/13 ,, h2cx\r\n"));
}

TEST(TellsExpectationsTrailersAndNominations) {
  const auto facts_of = [](std::string_view version, std::string_view fields) {
    std::string input = "GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n";
    const AcceptedRequest request(input + std::string(fields) + "\r\n");
    return std::string(request->expects_continue ? "E" : "") +
           (request->takes_trailers ? "T" : "") + (request->has_nominations ? "N" : "");
  };
  CHECK_EQ(facts_of("1.1", "Expect: 100-CONTINUE\r\nTE: x;q=1,\ttrailers\r\n"), "ET");
  CHECK_EQ(facts_of("1.0", "Expect: 100-continue\r\nTE: trailers\r\n"), "");
  CHECK_EQ(facts_of("1.1", "TE: trailersx\r\n"), "");
  CHECK_EQ(facts_of("1.1", "Connection: x-hop\r\n"), "N");
  CHECK_EQ(facts_of("1.1", "Connection: close, keep-alive, upgrade, TE, trailer, Keep-Alive\r\n"),
           "");
}

TEST(RefusesAsSoonAsALimitIsPassed) {
  const auto fault_of = [](std::string_view input) { return ParseRequest(input, kNarrow).fault; };
  CHECK_EQ(ParseRequest("GET /45678 HTTP/1.1\r\nHost: a\r\n\r\n", kNarrow).status,
           ParseStatus::kDone);
  CHECK_EQ(fault_of("GET /456789 HTTP/1.1\r\nHost: a\r\n\r\n"), RequestFault::kNone);
  CHECK_EQ(fault_of("GET /4567890 HTTP/1.1\r\nHost: a\r\n\r\n"), RequestFault::kTargetTooLong);
  CHECK_EQ(fault_of("GET /4567890 HTTP/1.1"), RequestFault::kTargetTooLong);
  CHECK_EQ(fault_of("\r\n\r\n\r\nGET /456789 HTTP/1.1\r\nHost: a\r\n\r\n"), RequestFault::kNone);
  CHECK_EQ(fault_of(std::string(21, 'x')), RequestFault::kTargetTooLong);
  CHECK_EQ(fault_of(std::string(20, 'x')), RequestFault::kNone);
  CHECK_EQ(fault_of("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"), RequestFault::kNone);
  CHECK_EQ(fault_of("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nD"), RequestFault::kHeadTooLarge);
  const std::string fitting =
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(28, 'v') + "\r\n\r\n";
  CHECK_EQ(fitting.size(), 60);
  CHECK_EQ(ParseRequest(fitting + "body", kNarrow).status, ParseStatus::kDone);
  CHECK_EQ(fault_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(29, 'v') + "\r\n\r\n"),
           RequestFault::kHeadTooLarge);
  CHECK_EQ(fault_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(32, 'v')),
           RequestFault::kHeadTooLarge);
}

TEST(BoundsConnectionOptionsAndMarkedLines) {
  std::string options = "Connection: x";
  for (size_t index = 1; index < kMaxConnectionOptions; ++index)
    options += ",x";
  CHECK_EQ(ParseRequest(std::string(kGetHost) + options + "\r\n\r\n").status, ParseStatus::kDone);
  CHECK_EQ(ParseRequest(std::string(kGetHost) + options + ",x\r\n\r\n").fault,
           RequestFault::kHeadTooLarge);
  std::string lines(kGetHost);
  for (size_t index = 1; index < kMaxMarkedLines; ++index)
    lines += "Via: x\r\n";
  CHECK_EQ(ParseRequestInSteps(lines + "\r\n", {}, kRoomyRequestLimits).status, ParseStatus::kDone);
  CHECK_EQ(ParseRequest(lines + "Via: x\r\n\r\n").fault, RequestFault::kHeadTooLarge);
}

TEST(SaysTheSameAgainUntilReset) {
  ClientRequestParser parser(kRoomyRequestLimits);
  ClientRequest request;
  CHECK_EQ(parser.Parse("GET / HTTP/9.9\r\n", &request), ParseStatus::kInvalid);
  CHECK_EQ(parser.Parse("GET / HTTP/9.9\r\nHost: a\r\n\r\n", &request), ParseStatus::kInvalid);
  CHECK_EQ(parser.fault(), RequestFault::kBadVersion);
  parser.Reset(kRoomyRequestLimits);
  CHECK_EQ(parser.fault(), RequestFault::kNone);
  CHECK_EQ(parser.Parse("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", &request), ParseStatus::kDone);
  request = ClientRequest();
  CHECK_EQ(parser.Parse("PUT / HTTP/1.1\r\nHost: a\r\n\r\nmore", &request), ParseStatus::kDone);
  CHECK_EQ(request.method, Method::kPut);
}

TEST(FindsFields) {
  const std::string_view lines =
      "Host: a\r\nX-One: \t1 \r\nXX-One: 9\r\nx-one:2\r\nX-One-More: 3\r\n";
  size_t next = 0;
  std::string_view value;
  CHECK(FindField(lines, "x-ONE", &next, &value));
  CHECK_EQ(value, "1");
  CHECK(FindField(lines, "x-one", &next, &value));
  CHECK_EQ(value, "2");
  CHECK(!FindField(lines, "x-one", &next, &value));
  CHECK(!FindField(lines, "x-one", &next, &value));
  next = 0;
  CHECK(!FindField("", "x", &next, &value));
  CHECK(!FindField(lines, "x-on", &next, &value));
}

}  // namespace
}  // namespace sluice::http1
