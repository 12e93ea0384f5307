// Requests and answers of the front end over TLS: bodies both ways, slow peers, ends, facts.
#include <string>

#include "check.h"
#include "frontend/tls_rig.h"

using namespace tls_rig;

namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

std::string Patterned(size_t size) {
  std::string bytes(size, '\0');
  for (size_t at = 0; at < size; ++at)
    bytes[at] = static_cast<char>('a' + (at * 7 + at / 1000) % 26);
  return bytes;
}

std::string ContentLength(size_t size) {
  return "content-length: " + std::to_string(size) + "\r\n\r\n";
}

/// Sends all of it from the endpoint while the client reads as `read` does.
void SendAll(Rig& rig, Peer& endpoint, std::string_view bytes, const std::function<void()>& read) {
  CHECK(rig.Until([&] {
    bytes.remove_prefix(sluice::Send(endpoint.fd(), bytes.data(), bytes.size()).bytes);
    read();
    return bytes.empty();
  }));
}

}  // namespace

TEST(large_answer_comes_whole) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.Write(rig, kGet);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  const std::string body = Patterned(3 * 1024 * 1024);
  std::string got;
  SendAll(rig, endpoint, "HTTP/1.1 200 OK\r\n" + ContentLength(body.size()) + body,
          [&] { got += client.ReadNow(); });
  CHECK(rig.Until([&] {
    got += client.ReadNow();
    return got.ends_with(std::string_view(body).substr(body.size() - 64)) &&
           got.size() > body.size();
  }));
  CHECK(got.substr(got.find("\r\n\r\n") + 4) == body);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress, event_flag::kFinished)->reason, 0);
}

TEST(slow_client_holds_a_bounded_amount_of_a_large_answer) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context, 128 * 1024);
  client.Write(rig, kGet);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  const std::string body = Patterned(16 * 1024 * 1024);
  const std::string answer = "HTTP/1.1 200 OK\r\n" + ContentLength(body.size()) + body;
  std::string_view left = answer;
  for (int turn = 0; turn < 300; ++turn) {
    left.remove_prefix(sluice::Send(endpoint.fd(), left.data(), left.size()).bytes);
    rig.Turns(1);
  }
  CHECK(left.size() > 1024 * 1024);
  CHECK(rig->stats().held_bytes < 1024 * 1024);
  std::string got;
  CHECK(rig.Until([&] {
    left.remove_prefix(sluice::Send(endpoint.fd(), left.data(), left.size()).bytes);
    got += client.ReadNow();
    const size_t head_end = got.find("\r\n\r\n");
    return head_end != std::string::npos && got.size() == head_end + 4 + body.size();
  }));
  CHECK(got.ends_with(body));
}

TEST(client_that_takes_nothing_is_cut_off) {
  ListenerSettings settings = Encrypted();
  settings.write_stall_timeout_ms = 80;
  Rig rig(settings);
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context, 4096);
  client.Write(rig, kGet);
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  const std::string body = Patterned(16 * 1024 * 1024);
  const std::string answer = "HTTP/1.1 200 OK\r\n" + ContentLength(body.size()) + body;
  std::string_view left = answer;
  CHECK(rig.Until([&] {
    left.remove_prefix(sluice::Send(endpoint.fd(), left.data(), left.size()).bytes);
    return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 1;
  }));
  CHECK_EQ(rig.LastOf(EventType::kProgress, event_flag::kFinished)->reason,
           static_cast<int32_t>(ClientEnd::kStalled));
}

TEST(large_upload_reaches_a_slow_endpoint_whole) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  const std::string body = Patterned(16 * 1024 * 1024);
  const std::string request = "POST / HTTP/1.1\r\nhost: h\r\n" + ContentLength(body.size()) + body;
  std::string_view left = request;
  const auto send = [&] {
    left.remove_prefix(client.channel->Send(left.data(), left.size()).bytes);
    if (client.channel->HasUnsent()) (void)client.channel->Flush();
  };
  CHECK(rig.Until([&] {
    send();
    return rig.endpoint.HasPending();
  }));
  Peer endpoint = rig.endpoint.Accept();
  for (int turn = 0; turn < 200; ++turn) {
    send();
    rig.Turns(1);
  }
  CHECK(!left.empty());
  std::string got;
  CHECK(rig.Until([&] {
    send();
    got += Rig::ReadNow(endpoint);
    return got.size() > body.size() &&
           got.ends_with(std::string_view(body).substr(body.size() - 64));
  }));
  CHECK(got.ends_with(body));
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  CHECK(client.ReadUntil(rig, "\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST(pipelined_requests_in_one_record_are_answered_in_order) {
  Rig rig(Encrypted());
  int answered = 0;
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "answer-" + std::to_string(++answered), false));
    return kSettled;
  };
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.Write(rig, std::string(kGet) + std::string(kGet) + std::string(kGet));
  const std::string answers = client.ReadUntil(rig, "answer-3");
  CHECK(answers.find("answer-1") < answers.find("answer-2"));
  CHECK(answers.ends_with("answer-3"));
}

TEST(requests_in_many_small_records_are_read_without_further_events) {
  Rig rig(Encrypted());
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "fine", false));
    return kSettled;
  };
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  // Each byte is a record; all of them lie in the socket before the front end looks.
  for (int request = 0; request < 3; ++request)
    for (const char& byte : kGet)
      CHECK_EQ(client.channel->Send(&byte, 1).bytes, 1);
  size_t answers = 0;
  std::string text;
  CHECK(rig.Until([&] {
    text += client.ReadNow();
    answers = 0;
    for (size_t at = text.find("fine"); at != std::string::npos; at = text.find("fine", at + 1))
      ++answers;
    return answers == 3;
  }));
}

TEST(answer_that_ends_with_the_connection_ends_with_close_notify) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.Write(rig, "GET / HTTP/1.0\r\n\r\n");
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n");
  std::string got = client.ReadUntil(rig, "body");
  endpoint.Write("0\r\n\r\n");
  int error = 0;
  got += client.ReadToEnd(rig, &error);
  CHECK(got.ends_with("\r\n\r\nbody"));
  CHECK_EQ(error, 0);
  CHECK(!client.channel->was_cut());
}

TEST(answer_before_the_upload_is_read_reaches_its_client) {
  Rig rig(Encrypted());
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "413 Content Too Large", "no", true));
    return kSettled;
  };
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.Write(rig, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000\r\n\r\n");
  client.Write(rig, std::string(300 * 1024, 'x'));
  int error = 0;
  const std::string answer = client.ReadToEnd(rig, &error);
  CHECK(answer.starts_with("HTTP/1.1 413 "));
  CHECK(answer.ends_with("no"));
  CHECK_EQ(error, 0);
  CHECK(!client.channel->was_cut());
  client.channel.reset();
  client.peer.Close();
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
}

TEST(idle_connection_ends_with_close_notify) {
  ListenerSettings settings = Encrypted();
  settings.keep_alive_timeout_ms = settings.request_head_timeout_ms = 60;
  Rig rig(settings);
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  int error = 0;
  CHECK_EQ(client.ReadToEnd(rig, &error), "");
  CHECK_EQ(error, 0);
  CHECK(!client.channel->was_cut());
}

TEST(reset_amid_a_record_ends_the_exchange) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.Write(rig, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nbegin");
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "begin");
  // The head of a record that never comes.
  client.peer.Write(std::string("\x17\x03\x03\x10\x00half", 9));
  rig.Turns(5);
  client.channel.reset();
  client.peer.Reset();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kProgress, event_flag::kFinished)->reason,
           static_cast<int32_t>(ClientEnd::kGone));
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
}

TEST(record_that_was_changed_on_its_way_ends_the_connection) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.peer.Write(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
  CHECK_EQ(rig.CountOf(EventType::kRequest), 0);
}

TEST(clients_end_behind_its_request_leaves_it_its_answer) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  client.Write(rig, kGet);
  CHECK_EQ(client.channel->FinishSending().error, 0);
  client.peer.Finish();
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody");
  CHECK(client.ReadToEnd(rig).ends_with("\r\n\r\nbody"));
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
}

TEST(listener_turns_tls_on_and_off_without_touching_connections) {
  Rig rig(Encrypted());
  rig.decide = [&](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "fine", false));
    return kSettled;
  };
  const auto context = pair::Client();
  TlsClient secret = Connected(rig, *context);
  rig->OpenListener(0, Patient());
  Peer open = rig.Connect();
  open.Write(kGet);
  CHECK(rig.ReadUntil(open, "fine").ends_with("fine"));
  secret.Write(rig, kGet);
  CHECK(secret.ReadUntil(rig, "fine").ends_with("fine"));
  rig->OpenListener(0, Encrypted());
  open.Write(kGet);
  CHECK(rig.ReadUntil(open, "fine").ends_with("fine"));
  TlsClient other = Connected(rig, *context);
  other.Write(rig, kGet);
  CHECK(other.ReadUntil(rig, "fine").ends_with("fine"));
}
