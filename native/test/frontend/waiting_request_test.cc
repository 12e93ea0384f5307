// Decisions that are put off for long: what clients may do meanwhile.
#include <algorithm>
#include <string>
#include <thread>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: h\r\nx-key: k\r\n\r\n";

/// Every decision is put off.
struct WaitingRig : Rig {
  explicit WaitingRig(const ListenerSettings& settings = Patient()) : Rig(settings) {
    decide = [](const Seen&) { return kLater; };
  }
  bool UntilAsked(size_t count = 1) {
    const bool is_asked = Until([&] { return CountOf(EventType::kRequest) == count; });
    Turns(2);
    return is_asked;
  }
  bool UntilFinished() {
    return Until([&] { return CountOf(EventType::kProgress, event_flag::kFinished) == 1; });
  }
  int32_t number() const { return LastOf(EventType::kRequest)->number; }
};

void CheckIsGone(WaitingRig& rig) {
  CHECK(rig.UntilFinished());
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kGone));
  CHECK(!rig->Decide(rig.number(), 0, 0, 0));
  CHECK_EQ(rig->stats().exchanges, 0);
  CHECK_EQ(rig->stats().connections, 0);
}

}  // namespace

TEST(client_that_closes_or_resets_while_its_request_waits_has_left) {
  for (const bool is_reset : {false, true}) {
    WaitingRig rig;
    Peer client = rig.Connect();
    client.Write(kGet);
    CHECK(rig.UntilAsked());
    if (is_reset) client.Reset();
    if (!is_reset) client.Close();
    CheckIsGone(rig);
  }
}

TEST(client_that_had_finished_sending_before_it_had_to_wait_is_served) {
  WaitingRig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  CHECK(rig.UntilAsked());
  rig.Turns(3);
  CHECK(rig->Decide(rig.number(), 0, 0, 0));
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("served"));
  CHECK(rig.ReadToEnd(client).ends_with("served"));
}

TEST(client_that_finishes_sending_behind_the_wait_is_served) {
  WaitingRig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK(rig.UntilAsked());
  CHECK(rig->Decide(rig.number(), 0, 0, 0));
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK_EQ(::shutdown(client.fd(), SHUT_WR), 0);
  rig.Turns(5);
  endpoint.Write(loopback::Ok("served"));
  CHECK(rig.ReadToEnd(client).ends_with("served"));
}

TEST(body_is_not_read_and_no_time_of_the_client_runs_while_its_request_waits) {
  ListenerSettings settings = Patient();
  settings.body_idle_timeout_ms = 400;
  settings.min_body_rate = 1;
  WaitingRig rig(settings);
  Peer client = rig.Connect();
  const std::string body(1024 * 1024, 'b');
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(body.size()) +
               "\r\n\r\n");
  CHECK(rig.UntilAsked());
  std::thread writer([&] { client.Write(body); });
  const uint64_t end_us = sluice::MonotonicUs() + 600'000;
  while (sluice::MonotonicUs() < end_us)
    rig.Turns(1);
  CHECK_EQ(rig.CountOf(EventType::kFault), 0);
  CHECK(rig->stats().held_bytes <= 64 * 1024);
  CHECK_EQ(rig->Header(rig.number(), "host").has_value(), false);
  CHECK(rig->Decide(rig.number(), 0, 0, 0));
  CHECK(!rig->Header(rig.number(), "x-key").has_value());
  Peer endpoint = rig.Accepted();
  size_t got = 0;
  CHECK(rig.Until([&] {
    const std::string bytes = Rig::ReadNow(endpoint);
    got += static_cast<size_t>(std::count(bytes.begin(), bytes.end(), 'b'));
    return got >= body.size();
  }));
  writer.join();
  endpoint.Write(loopback::Ok("done"));
  CHECK(rig.ReadUntil(client, "done").starts_with("HTTP/1.1 200"));
  CHECK_EQ(rig.CountOf(EventType::kFault), 0);
}

TEST(waiting_request_can_be_read_answered_and_outlives_a_drain) {
  WaitingRig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK(rig.UntilAsked());
  CHECK_EQ(rig->Header(rig.number(), "x-key").value_or(""), "k");
  rig->Drain();
  rig.Turns(3);
  CHECK_EQ(rig->Header(rig.number(), "x-key").value_or(""), "k");
  CHECK(rig->Answer(rig.number(), "503 Service Unavailable", "full", false));
  CHECK(rig.ReadToEnd(client).ends_with("full"));
  CHECK_EQ(rig->stats().exchanges, 0);
}

TEST(failed_attempt_can_wait_for_its_next_one) {
  WaitingRig rig;
  CHECK(rig.client().OpenPool(1, {*sluice::Address::Parse(loopback::ClosedPort())},
                              loopback::Patient()));
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  CHECK(rig.UntilAsked());
  CHECK(rig->Decide(rig.number(), 1, 0, 0));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kAttemptFailed) == 1; }));
  client.Write("3\r\ndef\r\n0\r\n\r\n");
  rig.Turns(5);
  CHECK(rig->Decide(rig.number(), 0, 0, 0));
  Peer endpoint = rig.Accepted();
  const std::string request = rig.EndpointReads(endpoint, "0\r\n\r\n");
  const size_t abc = request.find("abc");
  CHECK(abc != std::string::npos && request.find("def") != std::string::npos &&
        abc < request.find("def"));
  endpoint.Write(loopback::Ok("done"));
  CHECK(rig.ReadUntil(client, "done").starts_with("HTTP/1.1 200"));
}

TEST(client_that_leaves_while_a_failed_attempt_waits_ends_its_exchange) {
  WaitingRig rig;
  CHECK(rig.client().OpenPool(1, {*sluice::Address::Parse(loopback::ClosedPort())},
                              loopback::Patient()));
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK(rig.UntilAsked());
  CHECK(rig->Decide(rig.number(), 1, 0, 0));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kAttemptFailed) == 1; }));
  rig.Turns(2);
  client.Close();
  CheckIsGone(rig);
  CHECK_EQ(rig.client().stats().exchanges, 0);
}

TEST(profile_that_is_not_open_breaks_the_exchange_off) {
  Rig rig;
  rig.profile = 99;
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK_EQ(rig.ReadToEnd(client), "");
  CHECK_EQ(rig->stats().exchanges, 0);
}
