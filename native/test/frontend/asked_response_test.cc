// Responses that TypeScript is asked about: held, passed on, dropped for another attempt, put off.
#include <algorithm>
#include <functional>
#include <string>
#include <thread>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: h\r\n\r\n";
constexpr int32_t kAsking = 7;

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string Busy(std::string_view body = "busy", std::string_view lines = "") {
  return "HTTP/1.1 503 Service Unavailable\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

/// Every attempt asks about 500 and 503; slot 1 leads to `other`.
struct AskingRig : Rig {
  explicit AskingRig(const ListenerSettings& settings = Patient()) : Rig(settings) {
    sluice::upstream::AttemptProfile asking;
    asking.held_body_bytes = 64 * 1024;
    asking.asked_statuses = {500, 503};
    client().OpenProfile(kAsking, asking);
    CHECK(client().OpenPool(1, {other.address()}, loopback::Patient()));
    profile = kAsking;
    decide = [this](const Seen& seen) {
      return seen.type == EventType::kRequest ? 0 : on_asked(seen);
    };
  }
  int32_t number() const { return LastOf(EventType::kRequest)->number; }
  Peer OtherAccepted() {
    Until([&] { return other.HasPending(); });
    return other.Accept();
  }
  bool UntilAsked(size_t count = 1) {
    return Until([&] { return CountOf(EventType::kResponseAsked) == count; });
  }
  bool UntilFinished(size_t count = 1) {
    return Until([&] { return CountOf(EventType::kProgress, event_flag::kFinished) == count; });
  }
  void CheckNothingIsLeft() {
    CHECK_EQ(front_end().stats().exchanges, 0);
    CHECK_EQ(front_end().stats().held_bytes, 0);
    CHECK_EQ(client().stats().exchanges, 0);
  }

  Endpoint other;
  /// The decision for RESPONSE_ASKED and ATTEMPT_FAILED.
  std::function<int32_t(const Seen&)> on_asked = [](const Seen&) { return kPass; };
};

}  // namespace

TEST(asked_response_that_is_passed_on_is_what_it_would_have_been) {
  AskingRig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(rig->AddResponseField(rig.number(), "X-Added", "1"));
  endpoint.Write(Busy("busy", "retry-after: 7\r\nx: y\r\n"));
  const std::string answer = rig.ReadUntil(client, "busy");
  CHECK(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(Holds(answer, "X-Added: 1\r\n"));
  CHECK(Holds(answer, "retry-after: 7\r\n"));
  CHECK(Holds(answer, "date: "));
  CHECK(rig.UntilFinished());
  const Seen* const asked = rig.LastOf(EventType::kResponseAsked);
  CHECK_EQ(asked->status, 503);
  CHECK_EQ(asked->retry_after, "7");
  CHECK(asked->has(event_flag::kRetryable | event_flag::kSent | event_flag::kAnswered));
  CHECK(!asked->has(event_flag::kReused));
  const Seen* const progress = rig.LastOf(EventType::kProgress);
  CHECK(progress->has(event_flag::kFirstByte | event_flag::kEndpointDone | event_flag::kFinished));
  CHECK_EQ(progress->status, 503);
  CHECK_EQ(progress->retry_after, "7");
  CHECK_EQ(progress->to_client, answer.size());
  rig.CheckNothingIsLeft();
  // Both connections serve on.
  client.Write(kGet);
  CHECK(Holds(rig.EndpointReads(endpoint, "\r\n\r\n"), "GET /a "));
  endpoint.Write(loopback::Ok("fine"));
  CHECK(rig.ReadUntil(client, "fine").starts_with("HTTP/1.1 200"));
  CHECK_EQ(rig.CountOf(EventType::kResponseAsked), 1);
}

TEST(asked_response_is_dropped_for_another_attempt) {
  AskingRig rig;
  rig.on_asked = [](const Seen&) { return 1; };
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "abc");
  endpoint.Write(Busy());
  Peer other = rig.OtherAccepted();
  CHECK(rig.EndpointReads(other, "abc").starts_with("POST / HTTP/1.1\r\n"));
  other.Write(loopback::Ok("fine"));
  const std::string answer = rig.ReadUntil(client, "fine");
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(!Holds(answer, "busy"));
  CHECK(rig.UntilFinished());
  CHECK_EQ(rig.client().stats().idle_connections, 2);  // what was complete may serve again
  rig.CheckNothingIsLeft();
}

TEST(asked_response_whose_body_is_still_coming_is_held_back_and_passed_on_whole) {
  AskingRig rig;
  rig.on_asked = [](const Seen&) { return kLater; };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  const std::string body(300 * 1024, 'x');
  endpoint.Write("HTTP/1.1 500 Sick\r\ntransfer-encoding: chunked\r\n\r\n4b000\r\n" +
                 body.substr(0, 1000));
  CHECK(rig.UntilAsked());
  std::thread writer([&] { endpoint.Write(body.substr(1000) + "\r\n0\r\n\r\n"); });
  rig.Turns(20);
  CHECK_EQ(Rig::ReadNow(client), "");
  // No more than one read of it is held.
  CHECK(rig->stats().held_bytes <= 80 * 1024);
  CHECK(rig->Pass(rig.number()));
  CHECK(!rig->Pass(rig.number()));
  const std::string answer = rig.ReadUntil(client, "\r\n0\r\n\r\n");
  writer.join();
  CHECK(answer.starts_with("HTTP/1.1 500 Sick\r\n"));
  CHECK_EQ(std::count(answer.begin(), answer.end(), 'x'), static_cast<long>(body.size()));
  CHECK(rig.UntilFinished());
  CHECK_EQ(rig->stats().idle_connections, 1);
  rig.CheckNothingIsLeft();
}

TEST(asked_response_with_a_long_body_is_passed_on_to_a_slow_client) {
  AskingRig rig;
  Peer client = rig.Connect(4096);
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  const std::string body(2 * 1024 * 1024, 'x');
  std::thread writer([&] { endpoint.Write(Busy(body + "END")); });
  const std::string answer = rig.ReadUntil(client, "END");
  writer.join();
  CHECK_EQ(answer.size() - answer.find("\r\n\r\n") - 4, body.size() + 3);
  CHECK(rig.UntilFinished());
  rig.CheckNothingIsLeft();
}

TEST(asked_response_that_ends_with_its_connection_is_passed_on) {
  for (const bool is_old : {false, true}) {
    AskingRig rig;
    Peer client = rig.Connect();
    client.Write(is_old ? "GET / HTTP/1.0\r\nhost: h\r\n\r\n" : kGet);
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write("HTTP/1.1 503 Busy\r\n\r\npart");
    CHECK(rig.UntilAsked());
    endpoint.Write("rest");
    endpoint.Close();
    const std::string answer = is_old ? rig.ReadToEnd(client) : rig.ReadUntil(client, "0\r\n\r\n");
    CHECK(Holds(answer, "part"));
    CHECK(Holds(answer, "rest"));
    CHECK(rig.UntilFinished());
  }
}

TEST(asked_response_can_be_answered_or_broken_off_instead) {
  for (const bool is_broken_off : {false, true}) {
    for (const bool is_later : {false, true}) {
      AskingRig rig;
      const auto end = [&] {
        if (is_broken_off) rig->BreakOff(rig.number());
        if (!is_broken_off) CHECK(rig->Answer(rig.number(), "502 Bad Gateway", "ours", false));
      };
      rig.on_asked = [&](const Seen&) {
        if (!is_later) end();
        return is_later ? kLater : kSettled;
      };
      Peer client = rig.Connect();
      client.Write(kGet);
      Peer endpoint = rig.Accepted();
      (void)rig.EndpointReads(endpoint, "\r\n\r\n");
      endpoint.Write(Busy());
      CHECK(rig.UntilAsked());
      rig.Turns(3);
      if (is_later) end();
      if (is_broken_off) {
        CHECK_EQ(rig.ReadToEnd(client), "");
      } else {
        CHECK(rig.ReadUntil(client, "ours").starts_with("HTTP/1.1 502"));
      }
      CHECK(rig.UntilFinished());
      CHECK(!rig->Pass(rig.number()));
      rig.CheckNothingIsLeft();
    }
  }
}

TEST(asked_response_outlives_a_slot_without_a_pool) {
  AskingRig rig;
  rig.on_asked = [](const Seen& seen) {
    return seen.type == EventType::kResponseAsked ? 9 : kPass;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(Busy());
  CHECK(rig.ReadUntil(client, "busy").starts_with("HTTP/1.1 503"));
  CHECK_EQ(rig.LastOf(EventType::kAttemptFailed)->reason, kNoPool);
  CHECK(rig.LastOf(EventType::kAttemptFailed)->has(event_flag::kRetryable | event_flag::kSent));
  CHECK(rig.UntilFinished());
  rig.CheckNothingIsLeft();
}

TEST(asked_response_whose_time_is_over_is_a_failure) {
  AskingRig rig;
  rig.timeout_ms = 60;
  rig.on_asked = [&](const Seen& seen) {
    if (seen.type == EventType::kResponseAsked) return kLater;
    CHECK(rig->Answer(seen.number, "504 Gateway Timeout", "late", false));
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\n");
  CHECK(rig.ReadUntil(client, "late").starts_with("HTTP/1.1 504"));
  const Seen* const failed = rig.LastOf(EventType::kAttemptFailed);
  CHECK_EQ(failed->reason, static_cast<int>(sluice::upstream::EngineError::kExchangeTimeout));
  CHECK(!failed->has(event_flag::kRetryable));
  CHECK(!failed->has(event_flag::kHeadSeen));
  CHECK(rig.UntilFinished());
  rig.CheckNothingIsLeft();
}

TEST(body_that_comes_while_a_response_is_asked_about_is_sent_in_order_by_the_next_attempt) {
  AskingRig rig;
  rig.on_asked = [](const Seen&) { return kLater; };
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "abc\r\n");
  endpoint.Write(Busy());
  CHECK(rig.UntilAsked());
  client.Write("3\r\ndef\r\n");
  rig.Turns(5);
  CHECK(rig->Decide(rig.number(), 1, 0, kAsking));
  Peer other = rig.OtherAccepted();
  CHECK(rig.EndpointReads(other, "def\r\n").ends_with("3\r\nabc\r\n3\r\ndef\r\n"));
  client.Write("1\r\ng\r\n0\r\n\r\n");
  CHECK_EQ(rig.EndpointReads(other, "0\r\n\r\n"), "1\r\ng\r\n0\r\n\r\n");
  other.Write(loopback::Ok("fine"));
  CHECK(rig.ReadUntil(client, "fine").starts_with("HTTP/1.1 200"));
  CHECK_EQ(rig->stats().idle_connections, 1);
}

TEST(tunnel_is_never_asked_about) {
  AskingRig rig;
  Peer client = rig.Connect();
  client.Write("GET /ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(Busy());
  CHECK(rig.ReadUntil(client, "busy").starts_with("HTTP/1.1 503"));
  CHECK_EQ(rig.CountOf(EventType::kResponseAsked), 0);
}

TEST(request_that_is_not_held_is_not_asked_about) {
  AskingRig rig;
  Peer client = rig.Connect();
  const std::string body(100 * 1024, 'b');
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(body.size()) +
               "\r\n\r\n");
  Peer endpoint = rig.Accepted();
  std::thread writer([&] { client.Write(body); });
  std::string request;
  CHECK(rig.Until([&] {
    request += Rig::ReadNow(endpoint);
    return request.size() > body.size();
  }));
  writer.join();
  endpoint.Write(Busy());
  CHECK(rig.ReadUntil(client, "busy").starts_with("HTTP/1.1 503"));
  CHECK_EQ(rig.CountOf(EventType::kResponseAsked), 0);
}

TEST(client_that_leaves_while_a_response_is_asked_about_ends_its_exchange) {
  for (const bool is_reset : {false, true}) {
    AskingRig rig;
    rig.on_asked = [](const Seen&) { return kLater; };
    Peer client = rig.Connect();
    client.Write(kGet);
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write(Busy());
    CHECK(rig.UntilAsked());
    rig.Turns(3);
    if (is_reset) client.Reset();
    if (!is_reset) client.Close();
    CHECK(rig.UntilFinished());
    CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kGone));
    CHECK(!rig->Decide(rig.number(), 1, 0, kAsking));
    rig.CheckNothingIsLeft();
  }
}

TEST(front_end_that_closes_lets_go_of_what_is_asked_about) {
  AskingRig rig;
  rig.on_asked = [](const Seen&) { return kLater; };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(Busy());
  CHECK(rig.UntilAsked());
  rig->Close();
  CHECK_EQ(rig.client().stats().exchanges, 0);
}
