// Requests through the front end: what endpoints see, what clients get, what TypeScript is told.
#include <string>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nhost: h\r\naccept: x\r\n\r\n";

bool Holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST(request_goes_to_the_endpoint_and_its_answer_to_the_client) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  const std::string head = rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(head.starts_with("GET /a?b HTTP/1.1\r\n"));
  CHECK(Holds(head, "host: h\r\n"));
  CHECK(Holds(head, "accept: x\r\n"));
  CHECK(Holds(head, "x-forwarded-for: 127.0.0.1\r\n"));
  CHECK(Holds(head, "x-request-id: 0123456789abcdef0123456700000000\r\n"));
  CHECK(Holds(head, "1.1 via-name\r\n"));
  endpoint.Write(loopback::Ok("hello", "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nx: y\r\n"));
  const std::string answer = rig.ReadUntil(client, "hello");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(Holds(answer, "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  CHECK(Holds(answer, "x: y\r\n"));
  CHECK(Holds(answer, "content-length: 5\r\n"));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress) == 1; }));
  const Seen* const request = rig.LastOf(EventType::kRequest);
  CHECK_EQ(request->target, "/a?b");
  CHECK_EQ(request->host, "h");
  CHECK_EQ(request->method, 1);
  const Seen* const progress = rig.LastOf(EventType::kProgress);
  CHECK(progress->has(event_flag::kFirstByte | event_flag::kEndpointDone | event_flag::kFinished));
  CHECK_EQ(progress->status, 200);
  CHECK_EQ(progress->reason, 0);
  CHECK_EQ(progress->to_client, answer.size());
  CHECK_EQ(progress->from_client, kGet.size());
  CHECK_EQ(rig->stats().exchanges, 0);
  CHECK_EQ(rig->stats().idle_connections, 1);
}

TEST(kept_connection_carries_one_request_after_the_other) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  for (int round = 0; round < 3; ++round) {
    if (round > 0) client.Write(kGet);
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write(loopback::Ok("hello"));
    CHECK(rig.ReadUntil(client, "hello").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  CHECK_EQ(rig->stats().accepted, 1);
  CHECK_EQ(rig.client().stats().connects, 1);
  // The Host's table was asked for once and remembered.
  CHECK_EQ(rig.events[1].route, kUnknownHost);
  CHECK_EQ(rig.LastOf(EventType::kRequest)->route, 0);
}

TEST(pipelined_requests_are_answered_in_their_order) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(
      "GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\nGET /3 HTTP/1.1\r\n"
      "host: h\r\n\r\n");
  Peer endpoint = rig.Accepted();
  for (const char* const name : {"1", "2", "3"}) {
    CHECK(Holds(rig.EndpointReads(endpoint, "\r\n\r\n"), std::string("GET /") + name + " "));
    endpoint.Write(loopback::Ok(std::string("body") + name));
  }
  const std::string answers = rig.ReadUntil(client, "body3");
  CHECK(answers.find("body1") < answers.find("body2"));
}

TEST(head_in_single_bytes_is_the_same_request) {
  Rig rig;
  Peer client = rig.Connect();
  for (const char byte : kGet) {
    client.Write({&byte, 1});
    rig.Turns(2);
  }
  Peer endpoint = rig.Accepted();
  CHECK(rig.EndpointReads(endpoint, "\r\n\r\n").starts_with("GET /a?b HTTP/1.1\r\n"));
  CHECK_EQ(rig.LastOf(EventType::kRequest)->target, "/a?b");
}

TEST(body_with_a_length_is_passed_on) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n01234");
  Peer endpoint = rig.Accepted();
  CHECK(Holds(rig.EndpointReads(endpoint, "01234"), "content-length: 10\r\n"));
  client.Write("56789GET /next HTTP/1.1\r\nhost: h\r\n\r\n");
  CHECK_EQ(rig.EndpointReads(endpoint, "56789"), "56789");
  endpoint.Write(loopback::Ok("done"));
  CHECK(rig.ReadUntil(client, "done").starts_with("HTTP/1.1 200"));
  CHECK(Holds(rig.EndpointReads(endpoint, "\r\n\r\n"), "GET /next "));
}

TEST(chunked_body_is_framed_anew) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(
      "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: Chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n");
  Peer endpoint = rig.Accepted();
  const std::string request = rig.EndpointReads(endpoint, "0\r\n\r\n");
  CHECK(Holds(request, "transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"));
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadUntil(client, "ok").starts_with("HTTP/1.1 200"));
  CHECK_EQ(rig->stats().idle_connections, 1);
}

TEST(broken_chunk_is_a_fault_that_typescript_answers) {
  Rig rig;
  rig.on_event = [&](const Seen& seen) {
    if (seen.type == EventType::kFault)
      CHECK(rig->Answer(seen.number, "400 Bad Request", "bad", true));
  };
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n");
  Peer endpoint = rig.Accepted();
  const std::string answer = rig.ReadToEnd(client);
  CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(Holds(answer, "connection: close\r\n"));
  CHECK_EQ(rig.LastOf(EventType::kFault)->fault, 2);
  CHECK_EQ(rig->stats().exchanges, 0);
}

TEST(answer_of_unknown_length_is_chunked_and_closes_for_http_1_0) {
  for (const bool is_old : {false, true}) {
    Rig rig;
    Peer client = rig.Connect();
    client.Write(is_old ? "GET / HTTP/1.0\r\nhost: h\r\n\r\n"
                        : "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
    std::string answer = rig.ReadUntil(client, is_old ? "abc" : "3\r\nabc\r\n");
    CHECK_EQ(Holds(answer, "transfer-encoding: chunked\r\n"), !is_old);
    CHECK_EQ(Holds(answer, "connection: close\r\n"), is_old);
    endpoint.Write("2\r\nde\r\n0\r\n\r\n");
    if (is_old) {
      CHECK_EQ(rig.ReadToEnd(client), "de");
    } else {
      CHECK_EQ(rig.ReadUntil(client, "0\r\n\r\n"), "2\r\nde\r\n0\r\n\r\n");
    }
  }
}

TEST(trailers_are_passed_on_where_the_client_takes_them) {
  for (const bool takes : {false, true}) {
    Rig rig;
    Peer client = rig.Connect();
    client.Write(takes ? "GET / HTTP/1.1\r\nhost: h\r\nconnection: te\r\nte: trailers\r\n\r\n"
                       : "GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    Peer endpoint = rig.Accepted();
    CHECK_EQ(Holds(rig.EndpointReads(endpoint, "\r\n\r\n"), "te: trailers\r\n"), takes);
    endpoint.Write(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n"
        "1\r\na\r\n0\r\nx-sum: 7\r\ncontent-length: 3\r\n\r\n");
    const std::string answer = rig.ReadUntil(client, "\r\n\r\n" + std::string());
    const std::string rest = Holds(answer, "0\r\n") ? answer : rig.ReadUntil(client, "\r\n\r\n");
    CHECK_EQ(Holds(answer + rest, "x-sum: 7\r\n"), takes);
    CHECK(!Holds(answer + rest, "content-length: 3"));
  }
}

TEST(interim_responses_reach_clients_of_http_1_1) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  Peer endpoint = rig.Accepted();
  CHECK(Holds(rig.EndpointReads(endpoint, "\r\n\r\n"), "expect: 100-continue\r\n"));
  endpoint.Write("HTTP/1.1 100 Continue\r\n\r\n");
  CHECK_EQ(rig.ReadUntil(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Write("ab");
  CHECK_EQ(rig.EndpointReads(endpoint, "ab"), "ab");
  endpoint.Write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + loopback::Ok("ok"));
  const std::string answer = rig.ReadUntil(client, "ok");
  CHECK(answer.starts_with("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST(head_request_gets_no_body_and_keeps_its_connection) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
  CHECK(Holds(rig.ReadUntil(client, "\r\n\r\n"), "content-length: 5\r\n"));
  CHECK(rig.Until([&] { return rig->stats().idle_connections == 1; }));
}

TEST(client_that_finishes_sending_still_gets_its_answer) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  client.Finish();
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  rig.Turns(3);
  endpoint.Write(loopback::Ok("hello"));
  CHECK(rig.ReadToEnd(client).ends_with("hello"));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
}

TEST(client_that_resets_ends_its_exchange) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  client.Reset();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kGone));
  CHECK_EQ(rig->stats().connections, 0);
  CHECK_EQ(rig.client().stats().exchanges, 0);
}

TEST(answer_that_is_cut_is_seen_to_be_cut_and_takes_no_other_along) {
  // HTTP/1.0 ends such a body with the connection: only a reset tells that it is broken.
  for (const bool is_old : {false, true}) {
    Rig rig;
    rig.decide = [&](const Seen& seen) {
      if (seen.type == EventType::kRequest) return 0;
      rig->BreakOff(seen.number);
      return kSettled;
    };
    Peer client = rig.Connect();
    client.Write(is_old ? "GET / HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n"
                          "GET / HTTP/1.0\r\nhost: h\r\n\r\n"
                        : "GET / HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n");
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write(loopback::Ok("whole"));
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
    CHECK(
        rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFirstByte) == 2; }));
    endpoint.Close();
    CHECK(rig.Until([&] { return rig.LastOf(EventType::kAttemptFailed) != nullptr; }));
    rig.Turns(3);
    CHECK(rig.LastOf(EventType::kAttemptFailed)->has(event_flag::kHeadSeen));
    bool was_reset = false;
    const std::string answers = rig.ReadToEnd(client, &was_reset);
    CHECK_EQ(was_reset, is_old);
    if (!is_old) CHECK(Holds(answers, "whole"));
    CHECK(!answers.ends_with("0\r\n\r\n"));
  }
}

TEST(failed_attempt_is_made_again_elsewhere) {
  Rig rig;
  CHECK(rig.client().OpenPool(1, {*sluice::Address::Parse(loopback::ClosedPort())},
                              loopback::Patient()));
  rig.decide = [](const Seen& seen) { return seen.type == EventType::kRequest ? 1 : 0; };
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc");
  Peer endpoint = rig.Accepted();
  CHECK(rig.EndpointReads(endpoint, "abc").starts_with("POST / HTTP/1.1\r\n"));
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadUntil(client, "ok").starts_with("HTTP/1.1 200"));
  CHECK_EQ(rig.CountOf(EventType::kAttemptFailed), 1);
}

TEST(slot_without_a_pool_asks_again) {
  Rig rig;
  rig.decide = [](const Seen& seen) { return seen.type == EventType::kRequest ? 9 : 0; };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  CHECK(rig.EndpointReads(endpoint, "\r\n\r\n").starts_with("GET /a?b HTTP/1.1\r\n"));
  CHECK_EQ(rig.LastOf(EventType::kAttemptFailed)->reason, kNoPool);
}

TEST(decision_can_be_put_off) {
  Rig rig;
  rig.decide = [](const Seen&) { return kLater; };
  Peer client = rig.Connect();
  client.Write("GET /later HTTP/1.1\r\nhost: h\r\nx-key: 1\r\nX-Key: 2\r\n\r\n");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kRequest) == 1; }));
  rig.Turns(3);
  const int32_t exchange = rig.LastOf(EventType::kRequest)->number;
  CHECK_EQ(rig->Header(exchange, "x-key").value_or(""), "1, 2");
  CHECK(!rig->Header(exchange, "host").has_value());
  CHECK(rig->SetHeader(exchange, "x-added", "yes"));
  CHECK(rig->SetHeader(exchange, "x-key", std::nullopt));
  CHECK(!rig->SetHeader(exchange, "content-length", "1"));
  CHECK(!rig->SetHeader(exchange, "x-bad", "a\r\nb"));
  CHECK_EQ(rig->Describe(exchange), "GET\n/later\nh\n0123456789abcdef0123456700000000");
  CHECK(rig->Decide(exchange, 0, 0, 0));
  Peer endpoint = rig.Accepted();
  const std::string head = rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(Holds(head, "x-added: yes\r\n"));
  CHECK(!Holds(head, "x-key"));
  CHECK(!Holds(head, "X-Key"));
  CHECK(!rig->Decide(exchange, 0, 0, 0));
}

TEST(own_answer_keeps_the_connection_where_it_may) {
  Rig rig;
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "404 Not Found\r\nx: y", "none", false));
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  const std::string answer = rig.ReadUntil(client, "none");
  CHECK(answer.starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(Holds(answer, "x: y\r\n"));
  CHECK(Holds(answer, "content-length: 4\r\n"));
  CHECK(Holds(answer, "date: "));
  client.Write(kGet);
  CHECK(rig.ReadUntil(client, "none").starts_with("HTTP/1.1 404"));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 2; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress)->status, 404);
}

TEST(upgrade_becomes_a_tunnel) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(
      "GET /ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nearly");
  Peer endpoint = rig.Accepted();
  const std::string head = rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(Holds(head, "upgrade: websocket\r\n"));
  endpoint.Write(
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
      "connection: upgrade\r\nx: y\r\n\r\nfirst");
  const std::string answer = rig.ReadUntil(client, "first");
  CHECK(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  CHECK(Holds(answer, "upgrade: websocket\r\n"));
  CHECK_EQ(rig.EndpointReads(endpoint, "early"), "early");
  client.Write("ping");
  CHECK_EQ(rig.EndpointReads(endpoint, "ping"), "ping");
  endpoint.Write("pong");
  CHECK_EQ(rig.ReadUntil(client, "pong"), "pong");
  CHECK_EQ(rig->stats().tunnels, 1);
  endpoint.Close();
  client.Close();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK(rig.LastOf(EventType::kProgress)->has(event_flag::kFinished));
  CHECK_EQ(rig->stats().tunnels, 0);
  CHECK_EQ(rig->stats().connections, 0);
}
