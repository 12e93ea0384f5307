// What an endpoint says of itself: found in heads, told to TypeScript, kept from clients.
#include "frontend/endpoint_facts.h"

#include <string>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;
namespace http1 = sluice::http1;

namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";
constexpr std::string_view kReport = "TEXT cpu_utilization=0.3";
/// A slot whose endpoint reports.
constexpr int32_t kReporting = 3;

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::unique_ptr<EndpointFacts> FactsIn(std::string_view status, std::string_view fields,
                                       bool wants_report) {
  const std::string text =
      "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + "\r\n";
  http1::ResponseHead head;
  http1::ResponseHeadParser parser({16 * 1024, 100});
  CHECK(parser.Parse(text, false, &head) == http1::ParseStatus::kDone);
  return FactsOf(text, head, wants_report);
}

/// What the front end tells of one answer. @param slot kReporting or 0 @param got what the client
/// got
Seen TellsOf(std::string_view answer, int32_t slot, std::string* got,
             std::string_view request = kGet) {
  Rig rig;
  auto settings = loopback::Patient();
  settings.takes_reports = true;
  CHECK(rig.client().OpenPool(kReporting, {rig.endpoint.address()}, settings));
  rig.decide = [slot](const Seen&) { return slot; };
  Peer client = rig.Connect();
  client.Write(request);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(answer);
  *got = rig.ReadUntil(client, "\r\n\r\n");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFirstByte) == 1; }));
  return *rig.LastOf(EventType::kProgress, event_flag::kFirstByte);
}

}  // namespace

TEST(retry_after_is_found_in_429_and_503) {
  CHECK(FactsIn("200 OK", "Retry-After: 5\r\n", false) == nullptr);
  CHECK(FactsIn("500 No", "Retry-After: 5\r\n", false) == nullptr);
  CHECK(FactsIn("503 No", "X: y\r\n", false) == nullptr);
  CHECK(FactsIn("503 No", "", false) == nullptr);
  CHECK(FactsIn("503 No", "Retry-After:  \r\n", false) == nullptr);
  for (const std::string_view status : {"429 No", "503 No", "503"}) {
    const auto facts = FactsIn(status, "A: 1\r\nRETRY-AFTER \t: \t5 \r\nretry-after: 6\r\n", true);
    CHECK_EQ(facts->retry_after, "5");
    CHECK_EQ(facts->report, "");
  }
}

TEST(retry_after_of_any_length_is_no_danger) {
  const std::string longest(kMaxRetryAfterBytes, '1');
  CHECK_EQ(FactsIn("503 No", "retry-after: " + longest + "\r\n", false)->retry_after, longest);
  CHECK(FactsIn("503 No", "retry-after: " + longest + "1\r\n", false) == nullptr);
}

TEST(report_is_found_where_it_is_wanted) {
  const std::string fields = "Endpoint-Load-Metrics: " + std::string(kReport) + "\r\n";
  CHECK(FactsIn("200 OK", fields, false) == nullptr);
  CHECK_EQ(FactsIn("200 OK", fields, true)->report, kReport);
  CHECK(FactsIn("200 OK", "endpoint-load-metrics-bin: x\r\n", true) == nullptr);
  const std::string longest(kMaxReportBytes, 'r');
  CHECK_EQ(FactsIn("200 OK", "endpoint-load-metrics: " + longest + "\r\n", true)->report, longest);
  CHECK(FactsIn("200 OK", "endpoint-load-metrics: " + longest + "r\r\n", true) == nullptr);
}

TEST(retry_after_is_told_and_goes_to_the_client) {
  std::string got;
  const Seen told = TellsOf(
      "HTTP/1.1 503 No\r\nretry-after: 120\r\nendpoint-load-metrics: x\r\ncontent-length: "
      "0\r\n\r\n",
      0, &got);
  CHECK_EQ(told.status, 503);
  CHECK_EQ(told.retry_after, "120");
  CHECK_EQ(told.report, "");
  CHECK(Holds(got, "retry-after: 120\r\n"));
  CHECK(Holds(got, "endpoint-load-metrics: x\r\n"));  // nobody here uses it
}

TEST(report_is_told_and_kept_from_the_client) {
  std::string got;
  const std::string field = "endpoint-load-metrics: " + std::string(kReport) + "\r\n";
  const Seen told =
      TellsOf("HTTP/1.1 429 No\r\nretry-after: 1\r\nx: y\r\n" + field + "content-length: 0\r\n\r\n",
              kReporting, &got);
  CHECK_EQ(told.retry_after, "1");
  CHECK_EQ(told.report, kReport);
  CHECK(Holds(got, "x: y\r\n"));
  CHECK(!Holds(got, "endpoint-load-metrics"));
}

TEST(report_with_a_101_is_told_and_kept_from_the_client) {
  std::string got;
  const Seen told = TellsOf(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n"
      "Endpoint-Load-Metrics: TEXT eps=1\r\n\r\n",
      kReporting, &got, "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  CHECK_EQ(told.report, "TEXT eps=1");
  CHECK(!Holds(got, "oad-"));
}

TEST(answer_without_facts_tells_none) {
  std::string got;
  const Seen told = TellsOf(loopback::Ok("x"), kReporting, &got);
  CHECK_EQ(told.retry_after, "");
  CHECK_EQ(told.report, "");
}

TEST(each_of_many_answers_tells_its_own) {
  Rig rig;
  Peer client = rig.Connect();
  std::vector<std::string> told;
  rig.on_event = [&](const Seen& seen) {
    if (seen.type == EventType::kProgress && seen.has(event_flag::kFirstByte))
      told.push_back(seen.retry_after);
  };
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  for (const char* const seconds : {"7", "", "9"}) {
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    const std::string field =
        *seconds == '\0' ? "" : std::string("retry-after: ") + seconds + "\r\n";
    endpoint.Write("HTTP/1.1 503 No\r\n" + field + "content-length: 0\r\n\r\n");
    (void)rig.ReadUntil(client, "\r\n\r\n");
    if (*seconds != '9') client.Write(kGet);
  }
  CHECK(rig.Until([&] { return told.size() == 3; }));
  CHECK_EQ(told[0] + "|" + told[1] + "|" + told[2], "7||9");
}
