// What the front end does at edges: ends that come at the wrong moment, signs that epoll gives only
// once, and more to tell than one turn takes.
#include <sys/socket.h>

#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

}  // namespace

TEST(answer_outlives_what_its_client_says_behind_its_last_request) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  client.Write("more");
  client.Finish();
  rig.Turns(3);
  endpoint.Write(loopback::Ok("ok"));
  bool was_reset = true;
  CHECK(rig.ReadToEnd(client, &was_reset).ends_with("ok"));
  CHECK(!was_reset);
}

TEST(kept_unix_connection_has_its_keep_alive_time) {
  ListenerSettings settings = Patient();
  settings.request_head_timeout_ms = 50;
  Rig rig(settings);
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "ok", false));
    return kSettled;
  };
  Peer client = rig.ConnectUnix();
  client.Write(kGet);
  CHECK(rig.ReadUntil(client, "ok").ends_with("ok"));
  const uint64_t until_us = sluice::MonotonicUs() + 200'000;
  CHECK(rig.Until([&] { return sluice::MonotonicUs() > until_us; }));
  CHECK_EQ(rig.CountOf(EventType::kClosed), 0);
  client.Write(kGet);
  CHECK(rig.ReadUntil(client, "ok").ends_with("ok"));
}

TEST(empty_line_behind_a_request_is_no_head_that_takes_too_long) {
  ListenerSettings settings = Patient();
  settings.request_head_timeout_ms = 50;
  Rig rig(settings);
  rig.decide = [&](const Seen& seen) {
    CHECK_EQ(seen.fault, 0);
    CHECK(rig->Answer(seen.number, "200 OK", "ok", false));
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK(rig.ReadUntil(client, "ok").ends_with("ok"));
  client.Write("\r\n");
  CHECK_EQ(rig.ReadToEnd(client), "");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int>(ClientEnd::kIdle));
}

TEST(connection_in_the_midst_of_an_answer_when_draining_begins_ends_with_it) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab");
  CHECK(rig.ReadUntil(client, "ab").ends_with("ab"));
  rig->Drain();
  endpoint.Write("cd");
  CHECK_EQ(rig.ReadToEnd(client), "cd");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int>(ClientEnd::kDelivered));
}

TEST(client_that_resets_right_behind_its_request_is_gone_at_once) {
  Rig rig;
  Peer client = rig.Connect();
  rig.Turns(2);
  client.Write(kGet);
  client.Reset();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  // Not because the endpoint's time is over.
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kGone));
  CHECK_EQ(rig.client().stats().exchanges, 0);
}

TEST(urgent_data_in_a_head_is_not_the_end_of_reading) {
  Rig rig;
  rig.decide = [&](const Seen& seen) {
    CHECK_EQ(seen.fault, 0);
    CHECK(rig->Answer(seen.number, "200 OK", "ok", false));
    return kSettled;
  };
  Peer client = rig.Connect();
  rig.Turns(2);
  client.Write("GET / HTTP/1.1\r\n");
  CHECK_EQ(::send(client.fd(), "!", 1, MSG_OOB), 1);
  client.Write("host: h\r\n\r\n");
  CHECK(rig.ReadUntil(client, "ok").ends_with("ok"));
}

TEST(description_of_a_long_target_keeps_host_and_id) {
  Rig rig;
  std::string described;
  rig.decide = [&](const Seen& seen) {
    described = rig->Describe(seen.number);
    return 0;
  };
  Peer client = rig.Connect();
  client.Write("GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nhost: h\r\n\r\n");
  CHECK(rig.Until([&] { return !described.empty(); }));
  CHECK(described.size() < 1500);
  CHECK(described.ends_with("a\nh\n0123456789abcdef0123456700000000"));
}

TEST(description_has_one_id_however_often_the_head_was_written) {
  Rig rig;
  rig.admit = [](const Seen&, int32_t* words) {
    words[kTrust] = trust::kForwarded;
    return kAdmitConnection;
  };
  rig.decide = [](const Seen& seen) { return seen.type == EventType::kRequest ? 9 : 0; };
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nx-request-id: mine\r\n\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK_EQ(rig->Describe(rig.LastOf(EventType::kRequest)->number), "GET\n/\nh\nmine");
}

TEST(decision_that_was_put_off_may_come_before_its_batch_is_over) {
  // As a promise's does that is resolved already: its reactions run when the batch's function ends.
  Rig rig;
  for (const int32_t slot : {0, 9}) {
    Peer client = rig.Connect();
    rig.decide = [&](const Seen& seen) {
      if (seen.type == EventType::kAttemptFailed) return 0;
      CHECK(rig->Decide(seen.number, slot, 0, 0));
      return kLater;
    };
    client.Write("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
    CHECK(rig.ReadToEnd(client).ends_with("ok"));
  }
}

TEST(client_that_leaves_before_its_faulty_request_is_told_is_not_told_of) {
  // More faulty requests at once than one turn tells in the smallest batches.
  constexpr size_t kClients = 64 * kMinEvents + 60;
  Rig rig(Patient(), kMinEvents);
  std::vector<Peer> clients;
  for (size_t count = 0; count < kClients; ++count)
    clients.push_back(rig.Connect());
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kOpened) == kClients; }));
  rig.Turns(2);
  rig.decide = [&](const Seen& seen) {
    CHECK(seen.fault != 0);
    // While the first ones are told of, all leave.
    for (Peer& client : clients)
      client.Reset();
    clients.clear();
    CHECK(rig->Answer(seen.number, "400 Bad", "", true));
    return kSettled;
  };
  for (Peer& client : clients)
    client.Write("GET /\r\n\r\n");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == kClients; }));
  CHECK_EQ(rig.CountOf(EventType::kRequest), rig.CountOf(EventType::kProgress));
  CHECK_EQ(rig->stats().exchanges, 0);
}

TEST(request_that_came_before_the_drain_is_answered_behind_the_one_before_it) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na");
  (void)rig.ReadUntil(client, "a");
  client.Write(kGet);
  rig.Turns(5);
  rig->Drain();
  endpoint.Write("b");
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("ok"));
  const std::string rest = rig.ReadToEnd(client);
  CHECK(rest.starts_with("bHTTP/1.1 200 OK\r\n"));
  CHECK(rest.find("connection: close\r\n") != std::string::npos);
}

TEST(end_of_the_front_end_takes_no_answer_from_the_kernel) {
  Rig rig;
  Peer client = rig.Connect(4096);
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  const std::string body(256 * 1024, 'x');
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n");
  std::thread writer([&] { endpoint.Write(body); });
  // All of it lies in the socket of a client that reads nothing.
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 1; }));
  writer.join();
  rig->Close();
  bool was_reset = true;
  CHECK(rig.ReadToEnd(client, &was_reset).ends_with("xxx"));
  CHECK(!was_reset);
}
