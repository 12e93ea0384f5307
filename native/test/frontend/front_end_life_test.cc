// How a front end ends when the garbage collector or the end of a thread decides: before or after
// its upstream client, and after their loop.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "frontend/front_end.h"
#include "upstream/loopback.h"

namespace {

using namespace sluice::frontend;
using loopback::Endpoint;
using loopback::Peer;
using sluice::UniqueFd;

ListenerSettings Patient() {
  ListenerSettings settings;
  settings.scheme = "http";
  settings.head_bytes = settings.target_bytes = 8 * 1024;
  settings.headers = 100;
  settings.request_head_timeout_ms = settings.body_idle_timeout_ms = 3000;
  settings.keep_alive_timeout_ms = settings.write_stall_timeout_ms = 3000;
  settings.tunnel_idle_timeout_ms = settings.preface_timeout_ms = 3000;
  settings.host_tables = {{{"/"}, {0}}};
  return settings;
}

/// The parts as the binding owns them, each to be freed on its own; sends everything to slot 0.
struct Parts final : FrontEndSink, sluice::upstream::BatchSink {
  Parts() : words(64 * sluice::frontend::kEventStride), arena(1024 * 1024) {
    loop = std::move(sluice::EventLoop::Create().value());
    client = std::make_shared<sluice::upstream::UpstreamClient>(
        loop.get(),
        sluice::upstream::BatchMemory{client_words.data(), 64, client_arena.data(),
                                      client_arena.size()},
        static_cast<sluice::upstream::BatchSink*>(this));
    front_end = std::make_unique<FrontEnd>(
        loop.get(), client.get(), FrontEndMemory{words.data(), 64, arena.data(), arena.size()},
        static_cast<FrontEndSink*>(this), sluice::l4::Mailbox::Create().value(),
        FrontEndIdentity{"via", "0123456789abcdef01234567"});
    CHECK_EQ(front_end->start_error(), 0);
    front_end->OpenListener(0, Patient());
    CHECK(client->OpenPool(0, {endpoint.address()}, loopback::Patient()));
  }
  void OnBatch(size_t count) override {
    for (size_t place = 0; front_end != nullptr && place < count; ++place)
      words[place * sluice::frontend::kEventStride + kDecision] = 0;
  }
  void OnShortage(int) override {}

  /// Three connections: an idle one, one with an exchange at the endpoint, one with a tunnel.
  void Open() {
    for (const char* const request :
         {"", "GET / HTTP/1.1\r\nhost: h\r\n\r\n",
          "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"}) {
      auto opened = sluice::OpenStreamSocket(AF_INET);
      const sluice::Address address = entrance.address();
      (void)sluice::Connect(opened.value().get(), address.get(), address.size());
      sluice::l4::Accepted accepted;
      accepted.fd = UniqueFd(::accept4(entrance.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      CHECK_EQ(::fcntl(accepted.fd.get(), F_SETFL, O_NONBLOCK), 0);
      accepted.peer.ip[10] = accepted.peer.ip[11] = 0xff;
      front_end->OnAccepted(&accepted, 1);
      clients.emplace_back(std::move(opened.value()));
      clients.back().Write(request);
      if (*request == '\0') continue;
      Turn([&] { return endpoint.HasPending(); });
      endpoints.push_back(endpoint.Accept());
    }
    std::string head;
    Turn([&] {
      char bytes[4096];
      head.append(bytes, sluice::Receive(endpoints.back().fd(), bytes, sizeof bytes).bytes);
      return std::string_view(head).ends_with("\r\n\r\n");
    });
    endpoints.back().Write(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
    Turn([&] { return front_end->stats().tunnels == 1; });
    CHECK_EQ(front_end->stats().connections, 3);
    CHECK_EQ(front_end->stats().exchanges, 2);
  }
  void Turn(const std::function<bool()>& is_so) {
    const uint64_t end_us = sluice::MonotonicUs() + loopback::kDeadlineUs;
    while (!is_so() && sluice::MonotonicUs() < end_us)
      loop->Turn(5);
    CHECK(is_so());
  }
  /// Each client finds its connection closed; reset where an answer was wanted.
  void CheckClosed() {
    for (size_t index = 0; index < clients.size(); ++index) {
      char bytes[4096];
      auto got = sluice::Receive(clients[index].fd(), bytes, sizeof bytes);
      while (got.bytes > 0)  // the 101
        got = sluice::Receive(clients[index].fd(), bytes, sizeof bytes);
      CHECK_EQ(got.error, index == 0 ? 0 : ECONNRESET);
    }
  }

  Endpoint endpoint;
  Endpoint entrance;
  std::vector<Peer> clients;
  std::vector<Peer> endpoints;
  std::vector<int32_t> words;
  std::vector<char> arena;
  std::vector<int32_t> client_words = std::vector<int32_t>(64 * sluice::upstream::kEventStride);
  std::vector<char> client_arena = std::vector<char>(sluice::upstream::kMinArenaBytes);
  std::unique_ptr<sluice::EventLoop> loop;
  std::shared_ptr<sluice::upstream::UpstreamClient> client;
  std::unique_ptr<FrontEnd> front_end;
};

TEST(ClosesBeforeItsUpstreamClient) {
  Parts parts;
  parts.Open();
  parts.front_end->Close();
  CHECK_EQ(parts.client->stats().exchanges, 0);
  parts.CheckClosed();
  parts.loop->Turn(0);
  parts.client->Close();
  parts.loop.reset();
  parts.front_end.reset();
  parts.client.reset();
}

TEST(ClosesAfterItsUpstreamClient) {
  Parts parts;
  parts.Open();
  parts.client->Close();
  parts.loop->Turn(0);
  parts.front_end->Close();
  parts.front_end->Close();
  parts.CheckClosed();
  parts.loop.reset();
  parts.front_end.reset();
  parts.client.reset();
}

TEST(LosesNothingWhenItIsFreedWhileItIsOpen) {
  Parts parts;
  parts.Open();
  parts.front_end.reset();
  parts.CheckClosed();
  parts.loop->Turn(0);
  CHECK_EQ(parts.client->stats().exchanges, 0);
}

TEST(MayBeAskedAnythingOnceItIsClosed) {
  Parts parts;
  parts.Open();
  parts.front_end->Close();
  parts.client->Close();
  parts.loop.reset();
  FrontEnd& front_end = *parts.front_end;
  for (const int32_t exchange : {kFirstExchange, kFirstExchange + 1, kFirstExchange + 2}) {
    CHECK(!front_end.Decide(exchange, 0, 0, 0));
    CHECK(!front_end.Answer(exchange, "404 Not Found", "", false));
    front_end.BreakOff(exchange);
    CHECK(!front_end.Header(exchange, "x"));
    (void)front_end.SetHeader(exchange, "x", "y");
    CHECK(front_end.AddResponseField(exchange, "x", "y"));
    CHECK_EQ(front_end.Describe(exchange), "");
  }
  front_end.Drain();
  CHECK_EQ(front_end.stats().connections, 0);
  CHECK(!front_end.is_busy());
}

}  // namespace
