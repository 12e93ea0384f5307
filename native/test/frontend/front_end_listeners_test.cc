// Listeners that change or go while they have connections: what is under way ends as it began, and
// what comes next goes by what is new.
#include <string>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nhost: h\r\n\r\n";
constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
constexpr std::string_view kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

/// One route, which has this number.
ListenerSettings LeadingTo(int32_t route) {
  ListenerSettings settings = Patient();
  settings.host_tables = {{{"/"}, {route}}};
  return settings;
}

/// Sends a request to the endpoint over a connection that is there, or a new one.
void Forward(Rig& rig, Peer& client, Peer& endpoint, std::string_view request = kGet) {
  client.Write(request);
  CHECK(rig.EndpointReads(endpoint, "\r\n\r\n").ends_with("\r\n\r\n"));
}

std::string Answered(Rig& rig, Peer& client, Peer& endpoint) {
  endpoint.Write(kAnswer);
  return rig.ReadUntil(client, "\r\n\r\nok");
}

}  // namespace

TEST(connection_takes_the_new_routes_with_its_next_request) {
  Rig rig(LeadingTo(1));
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  Answered(rig, client, endpoint);
  Forward(rig, client, endpoint);
  CHECK_EQ(rig.LastOf(EventType::kRequest)->route, 1);
  rig->OpenListener(0, LeadingTo(2));
  const std::string answer = Answered(rig, client, endpoint);
  CHECK(answer.find("connection: close") == std::string::npos);
  // The Host is asked about anew, since it may have another table.
  Forward(rig, client, endpoint);
  CHECK_EQ(rig.LastOf(EventType::kRequest)->route, kUnknownHost);
  Answered(rig, client, endpoint);
  Forward(rig, client, endpoint);
  CHECK_EQ(rig.LastOf(EventType::kRequest)->route, 2);
}

TEST(request_that_was_read_before_the_routes_changed_is_routed_anew) {
  Rig rig(LeadingTo(1));
  rig->OpenListener(0, LeadingTo(1));
  Peer first = rig.Connect();
  Peer second = rig.Connect();
  CHECK(rig.Until([&] { return rig->stats().idle_connections == 2; }));
  first.Write(kGet);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kRequest) == 1; }));
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  Answered(rig, first, endpoint);
  // Both are read in one turn, and told in one batch; with the first one the routes change.
  size_t changes = 0;
  rig.on_event = [&](const Seen& seen) {
    if (seen.type == EventType::kRequest && changes++ == 0) rig->OpenListener(0, LeadingTo(7));
  };
  first.Write(kGet);
  second.Write(kGet);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kRequest) == 3; }));
  CHECK_EQ(rig.events[rig.events.size() - 2].route, 1);
  CHECK_EQ(rig.LastOf(EventType::kRequest)->route, kUnknownHost);
}

TEST(table_that_was_named_before_the_routes_changed_is_not_remembered) {
  Rig rig(LeadingTo(1));
  rig.on_event = [&](const Seen& seen) {
    if (seen.type == EventType::kRequest) rig->OpenListener(0, LeadingTo(7));
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  Answered(rig, client, endpoint);
  rig.on_event = [](const Seen&) {};
  Forward(rig, client, endpoint);
  CHECK_EQ(rig.LastOf(EventType::kRequest)->route, kUnknownHost);
}

TEST(body_under_way_is_bound_by_the_limits_that_it_began_with) {
  Rig rig;
  rig.on_event = [&](const Seen& seen) {
    if (seen.type == EventType::kFault) CHECK(rig->Answer(seen.number, "413 Fault", "", true));
  };
  Peer client = rig.Connect();
  constexpr std::string_view kHead =
      "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
  client.Write(kHead);
  Peer endpoint = rig.Accepted();
  ListenerSettings narrow = Patient();
  narrow.body_bytes = 4;
  rig->OpenListener(0, narrow);
  CHECK_EQ(rig->former_editions(), 1);
  client.Write("8\r\n12345678\r\n0\r\n\r\n");
  rig.EndpointReads(endpoint, "0\r\n\r\n");
  CHECK(Answered(rig, client, endpoint).starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(rig.Until([&] { return rig->stats().exchanges == 0; }));
  CHECK_EQ(rig->former_editions(), 0);
  client.Write(kHead);
  client.Write("8\r\n12345678\r\n0\r\n\r\n");
  CHECK(rig.ReadToEnd(client).starts_with("HTTP/1.1 413 Fault\r\n"));
}

TEST(head_that_came_in_pieces_keeps_the_limits_of_its_first) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nx-one: 1\r\n");
  CHECK(rig.Until([&] { return rig->stats().held_bytes > 0; }));
  ListenerSettings narrow = Patient();
  narrow.headers = 1;
  narrow.head_bytes = narrow.target_bytes = 32;
  rig->OpenListener(0, narrow);
  client.Write("x-two: 2\r\n\r\n");
  Peer endpoint = rig.Accepted();
  const std::string request = rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(request.find("x-one: 1\r\n") != std::string::npos);
  CHECK(request.find("x-two: 2\r\n") != std::string::npos);
}

TEST(request_that_waits_is_sent_whatever_the_limits_are_by_then) {
  Rig rig;
  ListenerSettings narrow = Patient();
  narrow.headers = 1;
  narrow.head_bytes = narrow.target_bytes = 32;
  rig.decide = [&](const Seen&) {
    rig->OpenListener(0, narrow);
    return kLater;
  };
  Peer client = rig.Connect();
  client.Write("GET /waits HTTP/1.1\r\nhost: h\r\nx-one: 1\r\nx-two: 2\r\n\r\n");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kRequest) == 1; }));
  rig.Turns(2);
  CHECK(rig->Decide(rig.LastOf(EventType::kRequest)->number, 0, 0, 0));
  Peer endpoint = rig.Accepted();
  const std::string request = rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(request.starts_with("GET /waits HTTP/1.1\r\n"));
  CHECK(request.find("x-two: 2\r\n") != std::string::npos);
}

TEST(thousand_changes_keep_one_edition_for_each_that_has_a_request) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  for (int change = 0; change < 1000; ++change)
    rig->OpenListener(0, LeadingTo(change));
  CHECK_EQ(rig->former_editions(), 1);
  Answered(rig, client, endpoint);
  CHECK(rig.Until([&] { return rig->stats().exchanges == 0; }));
  CHECK_EQ(rig->former_editions(), 0);
}

TEST(listener_that_closes_ends_its_connections_in_order) {
  Rig rig;
  Peer idle = rig.Connect();
  idle.Write(kGet);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  Answered(rig, idle, endpoint);
  Peer busy = rig.Connect();
  busy.Write(kGet);
  rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(rig.Until([&] { return rig->stats().idle_connections == 1; }));
  rig->CloseListener(0);
  rig->CloseListener(0);
  bool was_reset = true;
  CHECK_EQ(rig.ReadToEnd(idle, &was_reset), "");
  CHECK(!was_reset);
  endpoint.Write(kAnswer);
  const std::string answer = rig.ReadToEnd(busy, &was_reset);
  CHECK(!was_reset);
  CHECK(answer.find("connection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("ok"));
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
}

TEST(listener_that_closes_answers_the_first_request_of_who_has_just_come) {
  Rig rig;
  Peer fresh = rig.Connect();
  Peer silent = rig.Connect();
  CHECK(rig.Until([&] { return rig->stats().idle_connections == 2; }));
  rig->CloseListener(0);
  fresh.Write(kGet);
  Peer endpoint = rig.Accepted();
  endpoint.Write(kAnswer);
  bool was_reset = true;
  const std::string answer = rig.ReadToEnd(fresh, &was_reset);
  CHECK(!was_reset);
  CHECK(answer.find("connection: close\r\n") != std::string::npos);
  CHECK(answer.ends_with("ok"));
  rig->CutListener(0);
  CHECK_EQ(rig.ReadToEnd(silent), "");
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
}

TEST(listener_that_closes_leaves_the_others_alone) {
  Rig rig;
  rig->OpenListener(3, Patient());
  Peer client = rig.Connect();
  CHECK(rig.Until([&] { return rig->stats().idle_connections == 1; }));
  rig->CloseListener(3);
  rig->CutListener(3);
  rig->CloseListener(4);
  rig->CutListener(65535);
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  CHECK(Answered(rig, client, endpoint).find("connection: close") == std::string::npos);
}

TEST(listener_that_is_opened_again_keeps_connections_as_before) {
  Rig rig;
  rig->CloseListener(0);
  rig->OpenListener(0, Patient());
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  CHECK(Answered(rig, client, endpoint).find("connection: close") == std::string::npos);
}

TEST(tunnel_stays_with_a_listener_that_closes_until_it_is_cut) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write(kUpgrade);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(kSwitching);
  rig.ReadUntil(client, "\r\n\r\n");
  rig->OpenListener(0, LeadingTo(2));
  CHECK_EQ(rig->former_editions(), 0);
  rig->CloseListener(0);
  client.Write("to");
  CHECK_EQ(rig.EndpointReads(endpoint, "to"), "to");
  endpoint.Write("fro");
  CHECK_EQ(rig.ReadUntil(client, "fro"), "fro");
  rig->CutListener(0);
  rig->CutListener(0);
  rig.ReadToEnd(client);
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
  CHECK_EQ(rig->stats().tunnels, 0);
}

TEST(cut_ends_whatever_a_listener_has) {
  Rig rig;
  Peer reading = rig.Connect();
  reading.Write("GET / HTTP/1.1\r\n");
  Peer busy = rig.Connect();
  busy.Write(kGet);
  Peer endpoint = rig.Accepted();
  CHECK(rig.Until([&] { return rig->stats().held_bytes > 0; }));
  rig->CloseListener(0);
  rig->CutListener(0);
  rig.ReadToEnd(reading);
  CHECK_EQ(rig.ReadToEnd(busy), "");
  CHECK(rig.Until([&] { return rig->stats().exchanges == 0; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kBrokenOff));
}
