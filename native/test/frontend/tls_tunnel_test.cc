// Switched connections (101) of clients over TLS: bytes both ways, from the first on, and all ends.
#include <string>

#include "check.h"
#include "frontend/tls_rig.h"

using namespace tls_rig;

namespace {

constexpr std::string_view kUpgrade =
    "GET /chat HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

/// A tunnel that is open, and the ends that the test has of it.
struct Tunnel {
  explicit Tunnel(const ListenerSettings& settings = Encrypted())
      : rig(settings), client(Connected(rig, *context)) {
    client.Write(rig, kUpgrade);
    endpoint = rig.Accepted();
    rig.EndpointReads(endpoint, "\r\n\r\n");
    endpoint.Write(kSwitched);
    CHECK(client.ReadUntil(rig, "\r\n\r\n").starts_with("HTTP/1.1 101 "));
    CHECK_EQ(rig->stats().tunnels, 1);
  }
  /// The exchange ends so, and nothing is left of it.
  void CheckEnded(ClientEnd end) {
    CHECK(rig.Until([&] { return rig.CountOf(EventType::kProgress, event_flag::kFinished) == 1; }));
    CHECK_EQ(rig.LastOf(EventType::kProgress, event_flag::kFinished)->reason,
             static_cast<int32_t>(end));
    CHECK(rig.Until([&] { return rig->stats().connections == 0; }));
    CHECK_EQ(rig->stats().tunnels, 0);
    CHECK_EQ(rig->stats().held_bytes, 0);
  }

  std::shared_ptr<sluice::tls::ClientContext> context = pair::Client();
  Rig rig;
  TlsClient client;
  Peer endpoint{UniqueFd()};
};

}  // namespace

TEST(tunnel_over_tls_carries_every_piece_both_ways) {
  Tunnel tunnel;
  for (int round = 0; round < 20; ++round) {
    tunnel.client.Write(tunnel.rig, "ping");
    CHECK_EQ(tunnel.rig.ReadUntil(tunnel.endpoint, "ping"), "ping");
    tunnel.endpoint.Write("pong");
    CHECK_EQ(tunnel.client.ReadUntil(tunnel.rig, "pong"), "pong");
  }
  const Seen* const progress = tunnel.rig.LastOf(EventType::kProgress, event_flag::kTunnel);
  CHECK(progress != nullptr);
  CHECK_EQ(progress->status, 101);
}

TEST(tunnel_over_tls_begins_with_what_client_and_endpoint_have_sent_already) {
  Rig rig(Encrypted());
  const auto context = pair::Client();
  TlsClient client = Connected(rig, *context);
  // Behind the request in its record, in records that the same read of the socket brings, and in a
  // record of which only a part has come.
  client.Write(rig, std::string(kUpgrade) + "first, ");
  for (const char& byte : std::string("second, "))
    client.Write(rig, std::string_view(&byte, 1));
  Peer endpoint = rig.Accepted();
  rig.EndpointReads(endpoint, "\r\n\r\n");
  client.Write(rig, "third, ");
  endpoint.Write(std::string(kSwitched) + "hello");
  CHECK(client.ReadUntil(rig, "hello").starts_with("HTTP/1.1 101 "));
  client.Write(rig, "last");
  CHECK_EQ(rig.ReadUntil(endpoint, "last"), "first, second, third, last");
}

TEST(tunnel_over_tls_passes_on_the_end_of_one_side_while_the_other_goes_on) {
  for (const bool is_client_first : {true, false}) {
    Tunnel tunnel;
    if (is_client_first) {
      tunnel.client.Write(tunnel.rig, "last words");
      CHECK_EQ(tunnel.client.channel->FinishSending().error, 0);
      tunnel.client.peer.Finish();
      CHECK_EQ(tunnel.rig.ReadToEnd(tunnel.endpoint), "last words");
      tunnel.endpoint.Write("more");
      CHECK_EQ(tunnel.client.ReadUntil(tunnel.rig, "more"), "more");
      tunnel.endpoint.Close();
      CHECK_EQ(tunnel.client.ReadToEnd(tunnel.rig), "");
    } else {
      tunnel.endpoint.Write("last words");
      tunnel.endpoint.Finish();
      CHECK_EQ(tunnel.client.ReadToEnd(tunnel.rig), "last words");
      tunnel.client.Write(tunnel.rig, "more");
      CHECK_EQ(tunnel.rig.ReadUntil(tunnel.endpoint, "more"), "more");
      CHECK_EQ(tunnel.client.channel->FinishSending().error, 0);
      tunnel.client.peer.Finish();
      CHECK_EQ(tunnel.rig.ReadToEnd(tunnel.endpoint), "");
    }
    CHECK(!tunnel.client.channel->was_cut());
    tunnel.CheckEnded(ClientEnd::kDelivered);
  }
}

TEST(tunnel_over_tls_that_its_client_cuts_is_a_reset_for_its_endpoint) {
  for (const bool has_reset : {true, false}) {
    Tunnel tunnel;
    tunnel.client.Write(tunnel.rig, "said before");
    CHECK_EQ(tunnel.rig.ReadUntil(tunnel.endpoint, "before"), "said before");
    tunnel.client.channel.reset();  // without close_notify
    if (has_reset) {
      tunnel.client.peer.Reset();
    } else {
      tunnel.client.peer.Close();
    }
    bool was_reset = false;
    CHECK_EQ(tunnel.rig.ReadToEnd(tunnel.endpoint, &was_reset), "");
    CHECK(was_reset);
    tunnel.CheckEnded(ClientEnd::kGone);
  }
}

TEST(tunnel_over_tls_that_its_endpoint_resets_is_a_reset_for_its_client) {
  Tunnel tunnel;
  tunnel.endpoint.Write("said before");
  CHECK_EQ(tunnel.client.ReadUntil(tunnel.rig, "before"), "said before");
  tunnel.endpoint.Reset();
  int error = 0;
  CHECK_EQ(tunnel.client.ReadToEnd(tunnel.rig, &error), "");
  CHECK(error != 0 || tunnel.client.channel->was_cut());
  tunnel.CheckEnded(ClientEnd::kBrokenOff);
}

TEST(tunnel_over_tls_in_which_nothing_moves_ends) {
  ListenerSettings settings = Encrypted();
  settings.tunnel_idle_timeout_ms = 50;
  Tunnel tunnel(settings);
  tunnel.CheckEnded(ClientEnd::kTunnelIdle);
}

TEST(tunnel_over_tls_carries_long_streams_past_slow_readers) {
  Tunnel tunnel;
  constexpr size_t kTotalBytes = 3 * 1024 * 1024;
  std::string stream(kTotalBytes, '\0');
  for (size_t at = 0; at < stream.size(); ++at)
    stream[at] = static_cast<char>((at * 0x9e3779b97f4a7c15u) >> 56);
  std::string_view from_client = stream;
  std::string_view from_endpoint = stream;
  std::string at_client;
  std::string at_endpoint;
  CHECK(tunnel.rig.Until([&] {
    Channel& channel = *tunnel.client.channel;
    from_client.remove_prefix(channel.Send(from_client.data(), from_client.size()).bytes);
    if (channel.HasUnsent()) (void)channel.Flush();
    from_endpoint.remove_prefix(
        sluice::Send(tunnel.endpoint.fd(), from_endpoint.data(), from_endpoint.size()).bytes);
    char bytes[20'000];
    at_client.append(bytes, channel.Receive(bytes, sizeof bytes).bytes);
    at_endpoint.append(bytes, sluice::Receive(tunnel.endpoint.fd(), bytes, sizeof bytes).bytes);
    CHECK(tunnel.rig->stats().held_bytes <= 1024 * 1024);
    return at_client.size() == kTotalBytes && at_endpoint.size() == kTotalBytes;
  }));
  CHECK(at_client == stream);
  CHECK(at_endpoint == stream);
}
