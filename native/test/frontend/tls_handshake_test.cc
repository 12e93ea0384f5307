// How TLS begins with clients of the front end: handshakes whole and in pieces, limits, times, and
// what clients get that do something else.
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "frontend/tls_rig.h"

using namespace tls_rig;

namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nhost: h\r\n\r\n";

/// Answers every request itself.
void AnswerAll(Rig& rig) {
  rig.decide = [&rig](const Seen& seen) {
    CHECK(rig->Answer(seen.number, "200 OK", "fine", false));
    return kSettled;
  };
}

/// A client whose bytes the test moves: the channel writes to one socket pair, the rig reads from
/// another connection.
struct WiredClient {
  explicit WiredClient(Rig& rig, sluice::tls::ClientContext& context) : peer(rig.Connect()) {
    channel = context.Connect(sockets.client.get(), "a.test", "a.test", {});
    CHECK(channel != nullptr);
  }

  /// What the channel has sent and nobody has moved on.
  std::string Sent() {
    std::string bytes(64 * 1024, '\0');
    bytes.resize(sluice::Receive(sockets.server.get(), bytes.data(), bytes.size()).bytes);
    return bytes;
  }
  /// Gives the channel what the front end has sent.
  void TakeAnswers() {
    const std::string bytes = Rig::ReadNow(peer);
    (void)sluice::Send(sockets.server.get(), bytes.data(), bytes.size());
  }

  pair::Sockets sockets;
  Peer peer;
  std::unique_ptr<Channel> channel;
};

}  // namespace

TEST(request_over_tls_goes_to_the_endpoint_as_https) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  CHECK_EQ(rig.CountOf(EventType::kOpened), 1);
  client.Write(rig, kGet);
  Peer endpoint = rig.Accepted();
  CHECK_EQ(CountOf(rig, HandshakeEnd::kTls13), 1);
  for (int request = 0; request < 3; ++request) {
    if (request > 0) client.Write(rig, kGet);
    const std::string head = rig.EndpointReads(endpoint, "\r\n\r\n");
    CHECK(head.find("x-forwarded-proto: https\r\n") != std::string::npos);
    endpoint.Write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody");
    CHECK(client.ReadUntil(rig, "\r\n\r\nbody").starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST(handshake_with_request_behind_it_in_single_bytes) {
  Rig rig(Encrypted());
  AnswerAll(rig);
  const auto context = pair::Client();
  WiredClient client(rig, *context);
  bool has_asked = false;
  std::string answer;
  const auto is_answered = rig.Until([&] {
    if (client.channel->Handshake() == HandshakeStep::kDone && !has_asked) {
      has_asked = true;
      CHECK_EQ(pair::Say(*client.channel, kGet).bytes, kGet.size());
    }
    for (const char byte : client.Sent()) {
      client.peer.Write({&byte, 1});
      rig.Turns(1);
    }
    client.TakeAnswers();
    if (has_asked) answer += pair::ReadAll(*client.channel);
    return answer.ends_with("fine");
  });
  CHECK(is_answered);
  CHECK_EQ(CountOf(rig, HandshakeEnd::kTls13), 1);
}

/// A client of whose bytes so many go on, handshake and request, and what is left then.
/// @returns how many went on
size_t LeaveAfter(Rig& rig, sluice::tls::ClientContext& context, size_t most, bool is_reset) {
  WiredClient client(rig, context);
  size_t moved = 0;
  bool has_asked = false;
  std::string answer;
  const bool is_moved = rig.Until([&] {
    client.TakeAnswers();
    if (client.channel->Handshake() == HandshakeStep::kDone) {
      if (!std::exchange(has_asked, true)) (void)pair::Say(*client.channel, kGet);
      answer += pair::ReadAll(*client.channel);
    }
    const std::string bytes = client.Sent();
    client.peer.Write(std::string_view(bytes).substr(0, most - moved));
    moved += std::min(bytes.size(), most - moved);
    return moved == most || answer.ends_with("fine");
  });
  CHECK(is_moved);
  CHECK(moved < most || answer.empty());
  is_reset ? client.peer.Reset() : client.peer.Close();
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
  return moved;
}

TEST(client_that_leaves_after_any_byte_leaves_nothing_behind) {
  Rig rig(Encrypted());
  AnswerAll(rig);
  const auto context = pair::Client({.resumes = false});
  const size_t whole = LeaveAfter(rig, *context, SIZE_MAX, false);
  const size_t descriptors = loopback::OpenFiles();
  for (const bool is_reset : {false, true}) {
    // The last bytes are the request's: its record is cut, too.
    for (size_t most = 1; most < whole; ++most)
      (void)LeaveAfter(rig, *context, most, is_reset);
  }
  CHECK_EQ(loopback::OpenFiles(), descriptors);
  CHECK_EQ(rig->stats().handshakes, 0);
  CHECK_EQ(rig->stats().exchanges, 0);
  CHECK_EQ(rig->stats().held_bytes, 0);
  CHECK_EQ(rig.CountOf(EventType::kRequest), 1);
  CHECK(CountOf(rig, HandshakeEnd::kPeerLeft) > whole);
  CHECK(rig.Until(
      [&] { return rig.CountOf(EventType::kOpened) == rig.CountOf(EventType::kClosed); }));
}

TEST(plain_http_is_told_so) {
  Rig rig(Encrypted());
  Peer client = rig.Connect();
  client.Write(kGet);
  const std::string answer = rig.ReadToEnd(client);
  CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(answer.find("HTTPS") != std::string::npos);
  client.Close();
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int32_t>(ClientEnd::kTlsFailed));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->fault, static_cast<int32_t>(TlsFailure::kNotTls));
  CHECK_EQ(CountOf(rig, HandshakeEnd::kNotTls), 1);
  CHECK_EQ(rig.CountOf(EventType::kRequest), 0);
}

TEST(what_is_neither_tls_nor_http_is_closed_without_an_answer) {
  Rig rig(Encrypted());
  Peer client = rig.Connect();
  client.Write("\x01\x02\x03");
  CHECK_EQ(rig.ReadToEnd(client), "");
  CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
  CHECK_EQ(CountOf(rig, HandshakeEnd::kNotTls), 1);
}

TEST(what_looks_like_tls_and_is_not_gets_an_alert) {
  Rig rig(Encrypted());
  Peer client = rig.Connect();
  client.Write(std::string("\x16\x03\x01\x00\x05hello", 10));
  const std::string alert = rig.ReadToEnd(client);
  CHECK(alert.starts_with("\x15\x03"));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int32_t>(ClientEnd::kTlsFailed));
}

TEST(handshake_has_its_time_from_accept_on) {
  ListenerSettings settings = Encrypted();
  settings.tls.handshake_timeout_ms = 60;
  Rig rig(settings);
  Peer silent = rig.Connect();
  Peer slow = rig.Connect();
  slow.Write("\x16\x03\x01");
  bool was_reset = false;
  CHECK_EQ(rig.ReadToEnd(slow, &was_reset), "");
  CHECK(was_reset);
  CHECK_EQ(rig.ReadToEnd(silent, &was_reset), "");
  CHECK(was_reset);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 2; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int32_t>(ClientEnd::kTlsTimeout));
  CHECK_EQ(CountOf(rig, HandshakeEnd::kTimeout), 2);
}

TEST(established_connection_outlives_the_time_of_its_handshake) {
  ListenerSettings settings = Encrypted();
  settings.tls.handshake_timeout_ms = 150;
  Rig rig(settings);
  AnswerAll(rig);
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  const uint64_t end_us = sluice::MonotonicUs() + 200'000;
  rig.Until([&] { return sluice::MonotonicUs() > end_us; });
  client.Write(rig, kGet);
  CHECK(client.ReadUntil(rig, "fine").ends_with("fine"));
}

TEST(handshakes_in_progress_are_limited_for_the_worker) {
  ListenerSettings settings = Encrypted();
  settings.tls.limits.handshakes = 2;
  Rig rig(settings);
  AnswerAll(rig);
  const auto context = pair::Client();
  // Who has said nothing is in no handshake.
  Peer silent = rig.Connect();
  Peer first = rig.Connect();
  Peer second = rig.Connect();
  first.Write("\x16\x03\x01");
  second.Write("\x16\x03\x01");
  CHECK(rig.Until([&] { return rig->stats().handshakes == 2; }));
  Peer third = rig.Connect();
  third.Write("\x16\x03\x01");
  bool was_reset = false;
  CHECK_EQ(rig.ReadToEnd(third, &was_reset), "");
  CHECK(was_reset);
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(rig.LastOf(EventType::kClosed)->reason, static_cast<int32_t>(ClientEnd::kTlsLimit));
  CHECK_EQ(CountOf(rig, HandshakeEnd::kLimit), 1);
  first.Close();
  CHECK(rig.Until([&] { return rig->stats().connections == 2; }));
  TlsClient fourth = Connected(rig, *context);
  // What is done counts no more.
  TlsClient fifth = Connected(rig, *context);
  fifth.Write(rig, kGet);
  CHECK(fifth.ReadUntil(rig, "fine").ends_with("fine"));
}

TEST(handshakes_in_progress_are_limited_for_each_client) {
  ListenerSettings settings = Encrypted();
  settings.tls.limits.handshakes_per_client = 1;
  Rig rig(settings);
  Peer first = rig.Connect();
  first.Write("\x16\x03\x01");
  CHECK(rig.Until([&] { return rig->stats().handshakes == 1; }));
  Peer second = rig.Connect();
  second.Write("\x16\x03\x01");
  bool was_reset = false;
  CHECK_EQ(rig.ReadToEnd(second, &was_reset), "");
  CHECK(was_reset);
  Peer local = rig.ConnectUnix();
  local.Write("\x16\x03\x01");
  CHECK(rig.Until([&] { return rig->stats().handshakes == 2; }));
  CHECK_EQ(rig->stats().connections, 2);
}

TEST(proxy_header_and_client_hello_may_come_in_one_piece) {
  ListenerSettings settings = Encrypted();
  settings.reads_proxy_header = true;
  Rig rig(settings);
  AnswerAll(rig);
  const auto context = pair::Client();
  WiredClient client(rig, *context);
  CHECK(client.channel->Handshake() == HandshakeStep::kWaiting);
  client.peer.Write("PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n" + client.Sent());
  std::string answer;
  bool has_asked = false;
  CHECK(rig.Until([&] {
    client.TakeAnswers();
    if (client.channel->Handshake() == HandshakeStep::kDone && !has_asked) {
      has_asked = true;
      (void)pair::Say(*client.channel, kGet);
    }
    client.peer.Write(client.Sent());
    if (has_asked) answer += pair::ReadAll(*client.channel);
    return answer.ends_with("fine");
  }));
}

TEST(client_without_a_common_version_is_told) {
  sluice::tls::ServerSettings strict;
  strict.requires_tls13 = true;
  Rig rig(Encrypted(pair::Server(strict)));
  Peer client = rig.Connect();
  // A ClientHello of TLS 1.2 without extensions.
  std::string hello = "\x03\x03" + std::string(32, 'r') + std::string(1, '\0') +
                      std::string("\x00\x02\xc0\x2f\x01\x00", 6);
  std::string record = std::string("\x01\x00\x00", 3) + static_cast<char>(hello.size()) + hello;
  client.Write(std::string("\x16\x03\x01\x00", 4) + static_cast<char>(record.size()) + record);
  CHECK(rig.ReadToEnd(client).starts_with("\x15\x03"));
  CHECK(rig.Until([&] { return rig.CountOf(EventType::kClosed) == 1; }));
  CHECK_EQ(CountOf(rig, HandshakeEnd::kVersion), 1);
}

TEST(front_end_closes_amid_handshakes) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  Peer silent = rig.Connect();
  TlsClient half = Begin(rig, *context);
  (void)half.channel->Handshake();
  TlsClient whole = Connected(rig, *context);
  rig->Close();
  rig.Destroy();
}
