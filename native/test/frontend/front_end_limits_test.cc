// The front end's limits in time and size, its back-pressure, its admission of connections and its
// end.
#include <string>

#include "check.h"
#include "frontend/front_end_rig.h"

using namespace front_end_rig;

namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

/// Answers every fault with its number as the status' last digit.
void AnswerFaults(Rig& rig) {
  rig.decide = [&rig](const Seen& seen) {
    if (seen.fault == 0) return 0;
    CHECK(rig->Answer(seen.number, "40" + std::to_string(seen.fault) + " Fault", "", true));
    return kSettled;
  };
  rig.on_event = [&rig](const Seen& seen) {
    if (seen.type == EventType::kFault)
      CHECK(rig->Answer(seen.number, "40" + std::to_string(seen.fault) + " Fault", "", true));
  };
}

}  // namespace

TEST(malformed_head_is_a_fault_and_the_last_of_its_connection) {
  Rig rig;
  AnswerFaults(rig);
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost : h\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n");
  const std::string answer = rig.ReadToEnd(client);
  CHECK(answer.starts_with("HTTP/1.1 401 Fault\r\n"));
  CHECK_EQ(rig.CountOf(EventType::kRequest), 1);
  CHECK(!rig.endpoint.HasPending());
}

TEST(malformed_head_request_is_answered_without_a_body) {
  Rig rig;
  rig.decide = [&rig](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "400 Bad Request", "body", true));
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write("HEAD / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n");
  const std::string answer = rig.ReadToEnd(client);
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK(answer.find("content-length: 4\r\n") != std::string::npos);
}

TEST(malformed_head_request_behind_an_empty_line_is_answered_without_a_body) {
  Rig rig;
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "400 Bad Request", "body", true));
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write("\r\nHEAD / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n");
  CHECK(rig.ReadToEnd(client).ends_with("\r\n\r\n"));
}

TEST(request_with_a_long_target_is_told_with_its_id) {
  Rig rig;
  rig.decide = [](const Seen&) { return kLater; };
  Peer client = rig.Connect();
  client.Write("GET /" + std::string(4000, 'p') + " HTTP/1.1\r\nhost: " + std::string(500, 'h') +
               "\r\n\r\n");
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kRequest) == 1; }));
  const std::string told = rig->Describe(rig.LastOf(EventType::kRequest)->number);
  CHECK(told.starts_with("GET\n/ppp"));
  CHECK(told.ends_with("hhh\n0123456789abcdef0123456700000000"));
  CHECK(told.size() < 1024);
}

TEST(client_that_leaves_before_its_tunnel_is_there_is_gone) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  client.Finish();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kGone));
}

TEST(head_that_is_too_large_is_a_fault) {
  Rig rig;
  AnswerFaults(rig);
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\nhost: h\r\nx: " + std::string(17 * 1024, 'a'));
  CHECK(rig.ReadToEnd(client).starts_with("HTTP/1.1 404 Fault\r\n"));
}

TEST(body_above_the_limit_is_a_fault_announced_or_not) {
  ListenerSettings settings = Patient();
  settings.body_bytes = 8;
  for (const char* const request :
       {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n9\r\n123456789\r\n"}) {
    Rig rig(settings);
    AnswerFaults(rig);
    Peer client = rig.Connect();
    client.Write(request);
    CHECK(rig.ReadToEnd(client).starts_with("HTTP/1.1 409 Fault\r\n"));
  }
}

TEST(head_has_its_time_in_total) {
  ListenerSettings settings = Patient();
  settings.request_head_timeout_ms = 60;
  Rig rig(settings);
  AnswerFaults(rig);
  Peer client = rig.Connect();
  client.Write("GET / HTTP/1.1\r\n");
  CHECK(rig.ReadToEnd(client).starts_with("HTTP/1.1 407 Fault\r\n"));
  Peer silent = rig.Connect();
  CHECK_EQ(rig.ReadToEnd(silent), "");
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int>(ClientEnd::kIdle));
}

TEST(idle_connection_is_closed_after_its_time) {
  ListenerSettings settings = Patient();
  settings.keep_alive_timeout_ms = 60;
  Rig rig(settings);
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadToEnd(client).ends_with("ok"));
}

TEST(connection_ends_with_its_last_request) {
  ListenerSettings settings = Patient();
  settings.requests_per_connection = 2;
  Rig rig(settings);
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadUntil(client, "ok").find("connection: close") == std::string::npos);
  client.Write(kGet);
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadToEnd(client).find("connection: close\r\n") != std::string::npos);
}

TEST(silent_body_is_a_fault) {
  ListenerSettings settings = Patient();
  settings.body_idle_timeout_ms = 60;
  Rig rig(settings);
  AnswerFaults(rig);
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n123");
  Peer endpoint = rig.Accepted();
  CHECK(rig.ReadToEnd(client).starts_with("HTTP/1.1 408 Fault\r\n"));
  CHECK_EQ(rig.client().stats().exchanges, 0);
}

TEST(client_that_takes_nothing_is_cut_off) {
  ListenerSettings settings = Patient();
  settings.write_stall_timeout_ms = 100;
  Rig rig(settings);
  Peer client = rig.Connect(4096);
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n");
  const std::string block(64 * 1024, 'x');
  CHECK(rig.Until([&] {
    endpoint.Write(block);
    return rig.CountOf(EventType::kClosed) == 1;
  }));
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kStalled));
}

TEST(slow_client_holds_a_bounded_amount_and_gets_everything) {
  Rig rig;
  Peer client = rig.Connect(16 * 1024);
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  constexpr size_t kBytes = 6 * 1024 * 1024;
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(kBytes) + "\r\n\r\n");
  size_t written = 0;
  size_t most_held = 0;
  std::string got;
  const std::string block(64 * 1024, 'x');
  CHECK(rig.Until([&] {
    if (written < kBytes) {
      const size_t size = std::min(block.size(), kBytes - written);
      written += sluice::Send(endpoint.fd(), block.data(), size).bytes;
    }
    most_held = std::max(most_held, rig->stats().held_bytes);
    got += Rig::ReadNow(client);
    return got.size() > kBytes;
  }));
  // What a read brought, or what a pipe of the kernel holds.
  CHECK(most_held > 0);
  CHECK(most_held <= sluice::l4::PipePool::kPipeBytes);
  CHECK(rig.Until([&] {
    got += Rig::ReadNow(client);
    return got.size() - got.find("\r\n\r\n") - 4 == kBytes;
  }));
}

TEST(slow_endpoint_stops_the_clients_body) {
  Rig rig;
  Peer client = rig.Connect();
  client.Write("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 16777216\r\n\r\n");
  Peer endpoint = rig.Accepted();
  const std::string block(64 * 1024, 'x');
  size_t written = 0;
  for (int quiet = 0; quiet < 50;) {
    const size_t size = std::min(block.size(), size_t{16777216} - written);
    const size_t sent = sluice::Send(client.fd(), block.data(), size).bytes;
    written += sent;
    quiet = sent == 0 ? quiet + 1 : 0;
    rig.Turns(1);
  }
  CHECK(written < 16777216);
  size_t got = 0;
  CHECK(rig.Until([&] {
    const size_t size = std::min(block.size(), size_t{16777216} - written);
    if (size > 0) written += sluice::Send(client.fd(), block.data(), size).bytes;
    got += Rig::ReadNow(endpoint).size();
    return got > 16777216;
  }));
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadUntil(client, "ok").starts_with("HTTP/1.1 200"));
}

TEST(refused_connection_is_reset_and_told_no_more_of) {
  Rig rig;
  rig.admit = [](const Seen&, int32_t*) { return kRefuseConnection; };
  Peer client = rig.Connect();
  client.Write(kGet);
  bool was_reset = false;
  CHECK_EQ(rig.ReadToEnd(client, &was_reset), "");
  CHECK(was_reset);
  rig.Turns(3);
  CHECK_EQ(rig.events.size(), 1);
  CHECK_EQ(rig->stats().connections, 0);
}

TEST(proxy_header_names_the_client_where_it_is_believed) {
  ListenerSettings settings = Patient();
  settings.reads_proxy_header = true;
  for (const bool is_believed : {false, true}) {
    Rig rig(settings);
    rig.admit = [&](const Seen& seen, int32_t* words) {
      CHECK(seen.has(event_flag::kProxied));
      words[kTrust] = is_believed ? trust::kProxyHeader : 0;
      return kAdmitConnection;
    };
    Peer client = rig.Connect();
    client.Write("PROXY TCP4 192.0.2.1 198.51.100.7 51234 80\r\n" + std::string(kGet));
    Peer endpoint = rig.Accepted();
    const std::string head = rig.EndpointReads(endpoint, "\r\n\r\n");
    const char* const wanted =
        is_believed ? "x-forwarded-for: 192.0.2.1\r\n" : "x-forwarded-for: 127.0.0.1\r\n";
    CHECK(head.find(wanted) != std::string::npos);
  }
  Rig rig(settings);
  Peer client = rig.Connect();
  client.Write(kGet);
  CHECK_EQ(rig.ReadToEnd(client), "");
  CHECK(rig.Until([&] { return rig.events.size() == 1; }));
  CHECK_EQ(rig.events[0].reason, static_cast<int>(ClientEnd::kBadProxyHeader));
}

TEST(trusted_peers_forwarded_fields_go_on) {
  Rig rig;
  rig.admit = [](const Seen&, int32_t* words) {
    words[kTrust] = trust::kForwarded;
    return kAdmitConnection;
  };
  Peer client = rig.Connect();
  client.Write(
      "GET / HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 1.2.3.4\r\nx-request-id: mine\r\n\r\n");
  Peer endpoint = rig.Accepted();
  const std::string head = rig.EndpointReads(endpoint, "\r\n\r\n");
  CHECK(head.find("x-forwarded-for: 1.2.3.4, 127.0.0.1\r\n") != std::string::npos);
  CHECK(head.find("x-request-id: mine\r\n") != std::string::npos);
  CHECK_EQ(rig->Describe(rig.LastOf(EventType::kRequest)->number), "GET\n/\nh\nmine");
}

TEST(draining_closes_idle_connections_and_others_with_their_answer) {
  Rig rig;
  Peer idle = rig.Connect();
  Peer busy = rig.Connect();
  busy.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  rig->Drain();
  CHECK_EQ(rig.ReadToEnd(idle), "");
  endpoint.Write(loopback::Ok("ok"));
  CHECK(rig.ReadToEnd(busy).find("connection: close\r\n") != std::string::npos);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 2; }));
}

TEST(many_connections_share_small_batches) {
  Rig rig(Patient(), 16);
  std::vector<Peer> clients;
  for (int count = 0; count < 50; ++count) {
    clients.push_back(rig.Connect());
    clients.back().Write(kGet);
  }
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "ok", false));
    return kSettled;
  };
  for (Peer& client : clients)
    CHECK(rig.ReadUntil(client, "ok").starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 50; }));
  CHECK_EQ(rig->stats().exchanges, 0);
}

TEST(closing_inside_a_batch_ends_everything) {
  const size_t files = loopback::OpenFiles();
  {
    Rig rig;
    Peer one = rig.Connect();
    Peer two = rig.Connect();
    one.Write(kGet);
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    two.Write(kGet);
    bool is_closed = false;
    rig.decide = [&](const Seen&) {
      rig->Close();
      is_closed = true;
      return 0;
    };
    CHECK(rig.Until([&] { return is_closed; }));
    rig.Turns(2);
    CHECK_EQ(rig->stats().connections, 0);
    CHECK_EQ(rig.ReadToEnd(one), "");
    CHECK_EQ(rig.ReadToEnd(two), "");
    CHECK_EQ(rig.client().stats().exchanges, 0);
  }
  CHECK_EQ(loopback::OpenFiles(), files);
}

TEST(large_body_is_whole_whichever_way_it_is_moved) {
  // Pieces of the endpoint that are large enough to splice, and too small for it.
  for (const size_t piece : {size_t{200'000}, size_t{4'000}}) {
    Rig rig;
    Peer client = rig.Connect();
    client.Write(kGet);
    Peer endpoint = rig.Accepted();
    (void)rig.EndpointReads(endpoint, "\r\n\r\n");
    std::string body(2'000'003, ' ');
    for (size_t at = 0; at < body.size(); ++at)
      body[at] = static_cast<char>('a' + at * 7 % 26 + at / 65536 % 3);
    const std::string answer = loopback::Ok(body);
    size_t written = 0;
    std::string got;
    CHECK(rig.Until([&] {
      if (written < answer.size()) {
        const size_t size = std::min(piece, answer.size() - written);
        written += sluice::Send(endpoint.fd(), answer.data() + written, size).bytes;
      }
      got += Rig::ReadNow(client);
      return got.size() >= body.size() && got.ends_with(std::string_view(body).substr(1'900'000));
    }));
    CHECK(got.ends_with(body));
    CHECK(rig.Until([&] { return rig->stats().idle_connections == 1; }));
    CHECK_EQ(rig.client().stats().idle_connections, 1);
    CHECK_EQ(rig->stats().held_bytes, 0);
  }
}

TEST(spliced_body_that_is_cut_ends_the_connection) {
  Rig rig;
  rig.decide = [&](const Seen& seen) {
    if (seen.type == EventType::kRequest) return 0;
    rig->BreakOff(seen.number);
    return kSettled;
  };
  Peer client = rig.Connect();
  client.Write(kGet);
  Peer endpoint = rig.Accepted();
  (void)rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n" + std::string(100'000, 'x'));
  rig.Turns(3);
  endpoint.Write(std::string(100'000, 'y'));
  rig.Turns(3);
  endpoint.Close();
  CHECK(rig.ReadToEnd(client).size() < 1'000'000);
  CHECK_EQ(rig.LastOf(EventType::kProgress)->reason, static_cast<int>(ClientEnd::kBrokenOff));
}
