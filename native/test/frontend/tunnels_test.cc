// Tunnels over real sockets: both ways, ends of every kind, and the bytes they begin with.
#include "frontend/tunnels.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "frontend/tunnel_rig.h"
#include "l4/relay.h"

namespace {

using namespace tunnel_rig;

/// A stream whose every byte depends on its place.
class Stream {
 public:
  Stream(Peer* from, Peer* to, uint32_t seed, size_t total_bytes)
      : from_(from), to_(to), seed_(seed), total_bytes_(total_bytes) {}

  /// Sends as much as fits, reads a little.
  void Step() {
    std::array<char, 128 * 1024> block;
    if (said_bytes_ < total_bytes_) {
      const size_t size = std::min(block.size(), total_bytes_ - said_bytes_);
      for (size_t at = 0; at < size; ++at)
        block[at] = ByteAt(said_bytes_ + at);
      said_bytes_ += Send(from_->fd(), block.data(), size).bytes;
      if (said_bytes_ == total_bytes_) from_->Finish();
    }
    const IoResult got = Receive(to_->fd(), block.data(), kSlowBytes);
    for (size_t at = 0; at < got.bytes; ++at)
      is_exact_ &= block[at] == ByteAt(heard_bytes_ + at);
    heard_bytes_ += got.bytes;
    has_ended_ |= got.error == 0 && got.bytes == 0;
  }
  bool has_ended() const { return has_ended_; }
  bool is_whole() const { return is_exact_ && heard_bytes_ == total_bytes_; }

 private:
  static constexpr size_t kSlowBytes = 20'000;
  char ByteAt(size_t place) const {
    const uint64_t mixed = (place + seed_) * 0x9e3779b97f4a7c15u;
    return static_cast<char>(mixed >> 56);
  }

  Peer* from_;
  Peer* to_;
  uint32_t seed_;
  size_t total_bytes_;
  size_t said_bytes_ = 0;
  size_t heard_bytes_ = 0;
  bool is_exact_ = true;
  bool has_ended_ = false;
};

TEST(CarriesEveryPieceBothWays) {
  for (const Kind kind : kKinds) {
    TunnelRig rig;
    Ends ends = rig.Open(kind);
    std::string from_client;
    std::string to_client;
    for (int round = 0; round < 50; ++round) {
      ends.client.Say("ping" + std::to_string(round));
      from_client += "ping" + std::to_string(round);
      CHECK(rig.Until([&] { return ends.endpoint.HasHeard(from_client); }));
      ends.endpoint.Say("pong");
      to_client += "pong";
      CHECK(rig.Until([&] { return ends.client.HasHeard(to_client); }));
    }
    CHECK_EQ(rig.tunnels->count(), 1);
    ends.client.Close();
    ends.endpoint.Close();
    rig.CheckEnded(TunnelEnd::kClean);
    CHECK_EQ(rig.told[0].from_client, from_client.size());
    CHECK_EQ(rig.told[0].to_client, to_client.size());
  }
}

TEST(CarriesLongStreamsPastSlowReadersWithinItsBound) {
  constexpr size_t kTotalBytes = 8 * 1024 * 1024;
  for (const Kind kind : kKinds) {
    TunnelRig rig;
    Ends ends = rig.Open(kind);
    Stream from_client(&ends.client, &ends.endpoint, 1, kTotalBytes);
    Stream to_client(&ends.endpoint, &ends.client, 7, kTotalBytes);
    const uint64_t end_us = MonotonicUs() + 60'000'000;
    while (!(from_client.has_ended() && to_client.has_ended()) && MonotonicUs() < end_us) {
      from_client.Step();
      to_client.Step();
      rig.loop->Turn(0);
      CHECK(rig.tunnels->held_bytes() <= 2 * Relay::kBufferBytes);
    }
    CHECK(from_client.is_whole());
    CHECK(to_client.is_whole());
    rig.CheckEnded(TunnelEnd::kClean);
    CHECK_EQ(rig.told[0].from_client, kTotalBytes);
    CHECK_EQ(rig.told[0].to_client, kTotalBytes);
  }
}

TEST(PassesOnTheEndOfOneSideWhileTheOtherGoesOn) {
  for (const Kind kind : kKinds) {
    for (const bool is_client_first : {true, false}) {
      TunnelRig rig;
      Ends ends = rig.Open(kind);
      Peer& first = is_client_first ? ends.client : ends.endpoint;
      Peer& second = is_client_first ? ends.endpoint : ends.client;
      first.Say("last words");
      first.Finish();
      CHECK(rig.Until([&] { return second.HasEnded(); }));
      CHECK_EQ(second.heard, "last words");
      for (int round = 1; round <= 3; ++round) {
        second.Say("more");
        CHECK(rig.Until([&] {
          first.Read();
          return first.heard.size() == static_cast<size_t>(round) * 4;
        }));
      }
      CHECK(rig.told.empty());
      second.Close();
      CHECK(rig.Until([&] { return first.HasEnded(); }));
      rig.CheckEnded(TunnelEnd::kClean);
      CHECK_EQ(rig.told[0].from_client, is_client_first ? 10 : 12);
      CHECK_EQ(rig.told[0].to_client, is_client_first ? 12 : 10);
    }
  }
}

TEST(PassesOnAReset) {
  for (const bool is_client_first : {true, false}) {
    TunnelRig rig;
    Ends ends = rig.Open();
    Peer& first = is_client_first ? ends.client : ends.endpoint;
    Peer& second = is_client_first ? ends.endpoint : ends.client;
    first.Say("said before");
    CHECK(rig.Until([&] { return second.HasHeard("said before"); }));
    first.Reset();
    CHECK(rig.Until([&] { return second.IsReset(); }));
    rig.CheckEnded(is_client_first ? TunnelEnd::kClientReset : TunnelEnd::kEndpointReset);
    CHECK_EQ(is_client_first ? rig.told[0].from_client : rig.told[0].to_client, 11);
  }
}

TEST(PassesOnAResetBehindAnEnd) {
  for (const bool is_client_first : {true, false}) {
    TunnelRig rig;
    Ends ends = rig.Open();
    Peer& first = is_client_first ? ends.client : ends.endpoint;
    Peer& second = is_client_first ? ends.endpoint : ends.client;
    first.Finish();
    CHECK(rig.Until([&] { return second.HasEnded(); }));
    first.Reset();
    CHECK(rig.Until([&] { return !rig.told.empty(); }));
    rig.CheckEnded(is_client_first ? TunnelEnd::kClientReset : TunnelEnd::kEndpointReset);
    CHECK_EQ(Send(second.fd(), "x", 1).error, EPIPE);  // a reset behind the end, says Linux
  }
}

TEST(BeginsWithWhatWasReadBefore) {
  for (const Kind kind : kKinds) {
    TunnelRig rig;
    TunnelStart start;
    start.from_client = "client first";
    start.head = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    start.from_endpoint = "endpoint first";
    const std::string wanted = std::string(start.head) + "endpoint first, then this";
    Ends ends = rig.Connect(kind, &start);
    ends.client.Say(", then that");
    ends.endpoint.Say(", then this");
    rig.tunnels->Open(kId, std::move(start));
    CHECK(rig.Until([&] { return ends.client.HasHeard(wanted); }));
    CHECK(rig.Until([&] { return ends.endpoint.HasHeard("client first, then that"); }));
    ends.client.Close();
    ends.endpoint.Close();
    rig.CheckEnded(TunnelEnd::kClean);
    CHECK_EQ(rig.told[0].from_client, 23);
    CHECK_EQ(rig.told[0].to_client, 25);  // the head is ours
  }
}

TEST(KeepsWhatItBeginsWithForAClientThatDoesNotRead) {
  TunnelRig rig;
  const std::string head(20'000, 'h');
  const std::string said(6'000'000, 'e');
  TunnelStart start;
  start.head = head;
  start.from_endpoint = said;
  Ends ends = rig.Open(Kind::kTcp, std::move(start));
  for (int round = 0; round < 50; ++round)
    rig.loop->Turn(0);
  CHECK(rig.tunnels->held_bytes() > 0);
  ends.endpoint.Say("behind");
  ends.endpoint.Finish();
  CHECK(rig.Until([&] { return ends.client.HasEnded(); }));
  CHECK(ends.client.heard == head + said + "behind");
  ends.client.Close();
  rig.CheckEnded(TunnelEnd::kClean);
  CHECK_EQ(rig.told[0].to_client, said.size() + 6);
}

TEST(FindsWhatHappenedBeforeItBegan) {
  for (const Kind kind : kKinds) {
    TunnelRig rig;
    TunnelStart start;
    start.head = "head,";
    Ends ends = rig.Connect(kind, &start);
    ends.endpoint.Say("answer");
    ends.endpoint.Close();
    ends.client.Finish();
    rig.tunnels->Open(kId, std::move(start));
    CHECK(rig.Until([&] { return ends.client.HasEnded(); }));
    CHECK_EQ(ends.client.heard, "head,answer");
    rig.CheckEnded(TunnelEnd::kClean);
  }
}

TEST(EndsWhenNothingMoves) {
  constexpr uint64_t kIdleMs = 50;
  TunnelRig rig;
  TunnelStart start;
  start.idle_timeout_ms = kIdleMs;
  Ends ends = rig.Open(Kind::kTcp, std::move(start));
  const uint64_t began_ms = rig.loop->now_ms();
  while (rig.loop->now_ms() < began_ms + 4 * kIdleMs) {
    ends.endpoint.Say("x");  // moved within the same turn, before the timer is asked
    rig.loop->Turn(1);
  }
  CHECK(rig.told.empty());
  ends.client.Read();
  CHECK(!ends.client.heard.empty());
  const uint64_t silent_ms = rig.loop->now_ms();
  rig.CheckEnded(TunnelEnd::kIdle);
  CHECK(rig.loop->now_ms() >= silent_ms + kIdleMs - 1);
  CHECK(rig.Until([&] { return ends.client.IsReset() && ends.endpoint.IsReset(); }));
}

TEST(CountsAHalfClosedTunnelsSilence) {
  TunnelRig rig;
  TunnelStart start;
  start.idle_timeout_ms = 30;
  Ends ends = rig.Open(Kind::kTcp, std::move(start));
  ends.client.Finish();
  rig.CheckEnded(TunnelEnd::kIdle);
  CHECK(ends.endpoint.HasEnded());
}

TEST(ArmsNoTimerWithoutAnIdleTimeout) {
  TunnelRig rig;
  const Ends ends = rig.Open();
  rig.loop->Turn(0);
  CHECK(!rig.loop->timers().NextAt());
}

TEST(ClosesWithAResetAndTellsInATurn) {
  TunnelRig rig;
  Ends ends = rig.Open();
  ends.client.Say("abc");
  CHECK(rig.Until([&] { return ends.endpoint.HasHeard("abc"); }));
  rig.tunnels->Close(kId + 1);
  rig.tunnels->Close(kId);
  rig.tunnels->Close(kId);
  CHECK(rig.told.empty());
  CHECK_EQ(rig.tunnels->count(), 0);
  CHECK(ends.client.IsReset());
  CHECK(ends.endpoint.IsReset());
  rig.CheckEnded(TunnelEnd::kClosed);
  CHECK_EQ(rig.told[0].from_client, 3);
  rig.loop->Turn(0);
  CHECK_EQ(rig.told.size(), 1);
}

TEST(EndsATunnelWhoseSocketsCannotBeWatched) {
  TunnelRig rig;
  TunnelStart start;
  Ends ends = rig.Connect(Kind::kTcp, &start);
  start.endpoint.Reset(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  rig.tunnels->Open(kId, std::move(start));
  CHECK(rig.told.empty());
  rig.CheckEnded(TunnelEnd::kClosed);
  CHECK(ends.client.IsReset());
}

TEST(LetsTheSinkOpenAndCloseFromWithinItsCall) {
  TunnelRig rig;
  Ends first = rig.Open();
  Ends second = rig.Open(Kind::kTcp, {}, kId + 1);
  Ends third;
  rig.on_told = [&] {
    if (rig.told.size() != 1) return;
    rig.tunnels->Close(kId + 1);
    third = rig.Open(Kind::kTcp, {}, kId);  // the number is free again
  };
  first.client.Reset();
  CHECK(rig.Until([&] { return rig.told.size() == 2; }));
  CHECK_EQ(rig.told[1].id, kId + 1);
  CHECK_EQ(rig.told[1].end, TunnelEnd::kClosed);
  third.client.Say("again");
  CHECK(rig.Until([&] { return third.endpoint.HasHeard("again"); }));
}

TEST(ClosesEverythingWithoutTelling) {
  const size_t descriptors = CountDescriptors();
  {
    TunnelRig rig;
    std::vector<Ends> opened;
    for (int32_t number = 0; number < 8; ++number)
      opened.push_back(rig.Open(Kind::kTcp, {}, kId + number));
    rig.on_told = [&] { rig.tunnels->CloseAll(); };
    for (Ends& ends : opened)
      ends.endpoint.Reset();  // all in one turn: the first that is told closes the rest
    rig.tunnels->Close(kId);
    CHECK(rig.Until([&] { return !rig.told.empty(); }));
    CHECK_EQ(rig.told.size(), 1);
    CHECK_EQ(rig.tunnels->count(), 0);
    rig.tunnels->CloseAll();
    rig.loop->Turn(0);
    CHECK_EQ(rig.told.size(), 1);
    for (Ends& ends : opened)
      CHECK(ends.client.IsReset());
    rig.loop.reset();  // closed tunnels have no use for it
  }
  CHECK_EQ(CountDescriptors(), descriptors);
}

}  // namespace
