// Two attempts of one exchange at a time: which one counts, what becomes of the other, and what is
// told of both.
#include <functional>
#include <string>
#include <thread>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: h\r\n\r\n";
constexpr int32_t kHolding = 7;

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\nretry-after: 3\r\n\r\nbusy";

/// Attempts hold their request, and ask about 503; slot 1 leads to `other`, slot 2 to nobody.
struct HedgingRig : Rig {
  HedgingRig() {
    sluice::upstream::AttemptProfile holding;
    holding.held_body_bytes = 64 * 1024;
    holding.asked_statuses = {503};
    client().OpenProfile(kHolding, holding);
    CHECK(client().OpenPool(1, {other.address()}, loopback::Patient()));
    CHECK(client().OpenPool(2, {*sluice::Address::Parse(loopback::ClosedPort())},
                            loopback::Patient()));
    profile = kHolding;
    decide = [this](const Seen& seen) {
      return seen.type == EventType::kRequest ? 0 : on_asked(seen);
    };
  }
  /// Sends a request, and lets both endpoints read it.
  void Begin(std::string_view request = kGet, std::string_view end = "\r\n\r\n") {
    peer.Write(request);
    first = Accepted();
    const std::string sent = EndpointReads(first, end);
    CHECK(front_end().Hedge(number(), 1, kHolding, 0));
    CHECK(!front_end().Hedge(number(), 1, kHolding, 0));
    Until([&] { return other.HasPending(); });
    second = other.Accept();
    CHECK_EQ(EndpointReads(second, end), sent);
  }
  int32_t number() const { return LastOf(EventType::kRequest)->number; }
  bool UntilFinished(size_t count = 1) {
    return Until([&] { return CountOf(EventType::kProgress, event_flag::kFinished) == count; });
  }
  bool UntilFailed(size_t count = 1) {
    return Until([&] { return CountOf(EventType::kAttemptFailed) == count; });
  }
  /// The endpoint's connection has been closed.
  bool IsReleased(Peer& from) {
    char byte = 0;
    return Until([&] {
      const auto got = sluice::Receive(from.fd(), &byte, 1);
      return !got.would_block() && got.bytes == 0;
    });
  }
  void CheckNothingIsLeft() {
    CHECK_EQ(front_end().stats().exchanges, 0);
    CHECK_EQ(client().stats().exchanges, 0);
  }

  Endpoint other;
  Peer peer = Connect();
  Peer first{UniqueFd()};
  Peer second{UniqueFd()};
  /// The decision for RESPONSE_ASKED and ATTEMPT_FAILED.
  std::function<int32_t(const Seen&)> on_asked = [this](const Seen& seen) {
    CHECK(front_end().Answer(seen.number, "502 Bad Gateway", "ours", false));
    return kSettled;
  };
};

}  // namespace

TEST(head_of_the_second_attempt_wins_where_it_comes_first) {
  HedgingRig rig;
  rig.Begin();
  rig.second.Write(loopback::Ok("second"));
  CHECK(rig.ReadUntil(rig.peer, "second").starts_with("HTTP/1.1 200"));
  CHECK(rig.UntilFinished());
  CHECK(rig.LastOf(EventType::kProgress, event_flag::kFirstByte)->has(event_flag::kHedgeWon));
  CHECK(rig.IsReleased(rig.first));
  rig.CheckNothingIsLeft();
  // The next request of the connection is like any other.
  rig.peer.Write(kGet);
  rig.first = rig.Accepted();
  (void)rig.EndpointReads(rig.first, "\r\n\r\n");
  rig.first.Write(loopback::Ok("next"));
  CHECK(rig.ReadUntil(rig.peer, "next").starts_with("HTTP/1.1 200"));
  CHECK(!rig.LastOf(EventType::kProgress, event_flag::kFirstByte)->has(event_flag::kHedgeWon));
}

TEST(head_of_the_first_attempt_releases_the_second) {
  HedgingRig rig;
  rig.Begin("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc", "abc");
  rig.first.Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst");
  CHECK(rig.ReadUntil(rig.peer, "first").starts_with("HTTP/1.1 200"));
  CHECK(rig.IsReleased(rig.second));
  CHECK(!rig->Hedge(rig.number(), 1, kHolding, 0));
  rig.first.Write("LAST");
  CHECK_EQ(rig.ReadUntil(rig.peer, "LAST"), "LAST");
  CHECK(rig.UntilFinished());
  CHECK(!rig.LastOf(EventType::kProgress, event_flag::kFirstByte)->has(event_flag::kHedgeWon));
  CHECK_EQ(rig.CountOf(EventType::kAttemptFailed), 0);
  rig.CheckNothingIsLeft();
}

TEST(two_heads_of_one_turn_give_one_answer) {
  for (int round = 0; round < 20; ++round) {
    HedgingRig rig;
    rig.Begin();
    rig.first.Write(loopback::Ok("1"));
    rig.second.Write(loopback::Ok("2"));
    const std::string answer = rig.ReadUntil(rig.peer, "\r\n\r\n1");
    CHECK(rig.UntilFinished());
    rig.Turns(3);
    CHECK_EQ(Rig::ReadNow(rig.peer), "");
    CHECK(answer.starts_with("HTTP/1.1 200"));
    rig.CheckNothingIsLeft();
  }
}

TEST(long_answer_of_the_second_attempt_reaches_a_slow_client) {
  HedgingRig rig;
  rig.peer = rig.Connect(4096);
  rig.Begin();
  const std::string body(1024 * 1024, 'x');
  std::thread writer([&] { rig.second.Write(loopback::Ok(body + "END")); });
  CHECK_EQ(rig.ReadUntil(rig.peer, "END").size() > body.size(), true);
  writer.join();
  CHECK(rig.UntilFinished());
  rig.CheckNothingIsLeft();
}

TEST(second_attempt_that_fails_leaves_the_first_alone) {
  HedgingRig rig;
  rig.Begin();
  rig.second.Close();
  CHECK(rig.UntilFailed());
  const Seen* const failed = rig.LastOf(EventType::kAttemptFailed);
  CHECK(failed->has(event_flag::kHedge | event_flag::kOngoing | event_flag::kSent));
  // Another one may be begun.
  CHECK(rig->Hedge(rig.number(), 1, kHolding, 0));
  rig.first.Write(loopback::Ok("first"));
  CHECK(rig.ReadUntil(rig.peer, "first").starts_with("HTTP/1.1 200"));
  CHECK(rig.UntilFinished());
  rig.CheckNothingIsLeft();
}

TEST(first_attempt_that_fails_leaves_the_second_alone) {
  HedgingRig rig;
  rig.Begin();
  rig.first.Close();
  CHECK(rig.UntilFailed());
  CHECK(rig.LastOf(EventType::kAttemptFailed)->has(event_flag::kOngoing));
  CHECK(!rig.LastOf(EventType::kAttemptFailed)->has(event_flag::kHedge));
  rig->ReleaseHedge(rig.number());  // it is the only one: nothing happens
  rig.second.Write(loopback::Ok("second"));
  CHECK(rig.ReadUntil(rig.peer, "second").starts_with("HTTP/1.1 200"));
  CHECK(rig.UntilFinished());
  CHECK(rig.LastOf(EventType::kProgress, event_flag::kFirstByte)->has(event_flag::kHedgeWon));
  rig.CheckNothingIsLeft();
}

TEST(another_attempt_is_made_when_both_have_failed) {
  for (const bool is_first_answered : {false, true}) {
    HedgingRig rig;
    rig.on_asked = [](const Seen&) { return 0; };
    rig.Begin();
    // What has been answered with something else than HTTP is held by its profile, too.
    if (is_first_answered) rig.first.Write("What?\r\n\r\n");
    rig.first.Close();
    CHECK(rig.UntilFailed());
    rig.second.Close();
    CHECK(rig.UntilFailed(2));
    const Seen* const failed = rig.LastOf(EventType::kAttemptFailed);
    CHECK(failed->has(event_flag::kHedge | event_flag::kRetryable | event_flag::kSent));
    CHECK(!failed->has(event_flag::kOngoing));
    Peer third = rig.Accepted();
    CHECK(rig.EndpointReads(third, "\r\n\r\n").starts_with("GET /a "));
    third.Write(loopback::Ok("third"));
    CHECK(rig.ReadUntil(rig.peer, "third").starts_with("HTTP/1.1 200"));
    CHECK(rig.UntilFinished());
    CHECK(!rig.LastOf(EventType::kProgress, event_flag::kFirstByte)->has(event_flag::kHedgeWon));
    rig.CheckNothingIsLeft();
  }
}

TEST(request_that_was_sent_by_one_attempt_is_not_unsent_by_the_other) {
  HedgingRig rig;
  rig.peer.Write(kGet);
  rig.first = rig.Accepted();
  (void)rig.EndpointReads(rig.first, "\r\n\r\n");
  CHECK(rig->Hedge(rig.number(), 2, kHolding, 0));
  rig.first.Close();
  CHECK(rig.UntilFailed(2));
  CHECK(rig.UntilFinished());
  CHECK(rig.LastOf(EventType::kAttemptFailed)->has(event_flag::kSent));
  CHECK_EQ(rig.CountOf(EventType::kAttemptFailed, event_flag::kOngoing), 1);
  rig.CheckNothingIsLeft();
}

TEST(asked_response_of_one_attempt_is_dropped_while_the_other_runs) {
  for (const bool is_second : {false, true}) {
    HedgingRig rig;
    rig.Begin();
    Peer& busy = is_second ? rig.second : rig.first;
    Peer& good = is_second ? rig.first : rig.second;
    busy.Write(kBusy);
    CHECK(rig.Until([&] { return rig.CountOf(EventType::kResponseAsked) == 1; }));
    const Seen* const asked = rig.LastOf(EventType::kResponseAsked);
    CHECK(asked->has(event_flag::kOngoing));
    CHECK_EQ(asked->has(event_flag::kHedge), is_second);
    CHECK_EQ(asked->status, 503);
    CHECK_EQ(asked->retry_after, "3");
    good.Write(loopback::Ok("good"));
    CHECK(rig.ReadUntil(rig.peer, "good").starts_with("HTTP/1.1 200"));
    CHECK(rig.UntilFinished());
    rig.CheckNothingIsLeft();
  }
}

TEST(last_of_two_asked_responses_is_asked_about) {
  for (const bool is_passed : {false, true}) {
    HedgingRig rig;
    rig.on_asked = [&](const Seen&) { return is_passed ? kPass : 0; };
    rig.Begin();
    rig.first.Write(kBusy);
    CHECK(rig.Until([&] { return rig.CountOf(EventType::kResponseAsked) == 1; }));
    rig.second.Write(kBusy);
    CHECK(rig.Until([&] { return rig.CountOf(EventType::kResponseAsked) == 2; }));
    CHECK(!rig.LastOf(EventType::kResponseAsked)->has(event_flag::kOngoing));
    CHECK(rig.LastOf(EventType::kResponseAsked)->has(event_flag::kHedge));
    if (!is_passed) {
      Peer third = rig.Accepted();
      (void)rig.EndpointReads(third, "\r\n\r\n");
      third.Write(loopback::Ok("busy no more"));
    }
    const std::string answer = rig.ReadUntil(rig.peer, is_passed ? "busy" : "no more");
    CHECK(answer.starts_with(is_passed ? "HTTP/1.1 503" : "HTTP/1.1 200"));
    CHECK(rig.UntilFinished());
    rig.CheckNothingIsLeft();
  }
}

TEST(interim_responses_of_two_attempts_are_dropped_those_of_the_winner_pass) {
  HedgingRig rig;
  rig.Begin();
  rig.first.Write("HTTP/1.1 103 Early Hints\r\nlink: 1\r\n\r\n");
  rig.second.Write("HTTP/1.1 103 Early Hints\r\nlink: 2\r\n\r\n");
  rig.Turns(10);
  rig->ReleaseHedge(rig.number());
  CHECK(rig.IsReleased(rig.second));
  rig.first.Write("HTTP/1.1 103 Early Hints\r\nlink: 3\r\n\r\n");
  CHECK(Holds(rig.ReadUntil(rig.peer, "\r\n\r\n"), "link: 3\r\n"));
  rig.first.Write(loopback::Ok("first"));
  CHECK(rig.ReadUntil(rig.peer, "first").starts_with("HTTP/1.1 200"));
  CHECK(rig.UntilFinished());
  rig.CheckNothingIsLeft();
}

TEST(end_of_the_exchange_ends_both_attempts) {
  for (const int how : {0, 1, 2, 3}) {
    HedgingRig rig;
    rig.Begin();
    if (how == 0) CHECK(rig->Answer(rig.number(), "504 Gateway Timeout", "ours", false));
    if (how == 1) rig->BreakOff(rig.number());
    if (how == 2) rig.peer.Reset();
    if (how == 3) rig->Close();
    if (how < 3) CHECK(rig.UntilFinished());
    CHECK(rig.IsReleased(rig.first));
    CHECK(rig.IsReleased(rig.second));
    CHECK_EQ(rig.client().stats().exchanges, 0);
  }
}

TEST(nothing_is_hedged_that_cannot_be) {
  HedgingRig rig;
  CHECK(!rig->Hedge(kFirstExchange, 1, kHolding, 0));  // no exchange
  rig.peer.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc");
  rig.first = rig.Accepted();
  (void)rig.EndpointReads(rig.first, "abc");
  CHECK(!rig->Hedge(rig.number(), 1, kHolding, 0));  // more of its body is to come
  rig.peer.Write("defghi");
  (void)rig.EndpointReads(rig.first, "defghi");
  CHECK(!rig->Hedge(rig.number(), 9, kHolding, 0));  // no pool
  CHECK(!rig->Hedge(rig.number(), 1, 99, 0));        // no profile
  rig->BreakOff(rig.number());
  CHECK(rig.UntilFinished());
  rig.profile = sluice::upstream::kPlainProfile;
  Peer plain = rig.Connect();
  plain.Write(kGet);
  rig.first = rig.Accepted();
  (void)rig.EndpointReads(rig.first, "\r\n\r\n");
  CHECK(!rig->Hedge(rig.number(), 1, kHolding, 0));  // sent, and not held
  rig.profile = kHolding;
  Peer tunnel = rig.Connect();
  tunnel.Write("GET /ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
  Peer third = rig.Accepted();
  (void)rig.EndpointReads(third, "\r\n\r\n");
  CHECK(!rig->Hedge(rig.number(), 1, kHolding, 0));
  CHECK_EQ(rig.other.HasPending(), false);
}
