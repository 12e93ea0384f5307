// Tunnels over real sockets, with a sink that keeps what it is told.
#pragma once

#include <sys/socket.h>

#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "frontend/tunnels.h"
#include "l4/session_rig.h"

namespace tunnel_rig {

using rig::CountDescriptors;
using rig::kDeadlineUs;
using rig::Listener;
using rig::Peer;
using namespace sluice;
using frontend::TunnelEnd;
using frontend::Tunnels;
using frontend::TunnelSink;
using frontend::TunnelStart;
using l4::Relay;

inline constexpr int32_t kId = 65536;

/// One end as the sink was told of it.
struct Told {
  int32_t id;
  TunnelEnd end;
  uint64_t from_client;
  uint64_t to_client;
};

/// The two ends that the test has of a tunnel.
struct Ends {
  Peer client;
  Peer endpoint;
};

enum class Kind : uint8_t { kTcp, kUnix };
inline constexpr Kind kKinds[] = {Kind::kTcp, Kind::kUnix};

/// Tunnels whose sink keeps what it is told; everything runs on the test's thread.
class TunnelRig : private TunnelSink {
 public:
  TunnelRig() {
    std::signal(SIGPIPE, SIG_IGN);  // as Node does: see Splice
    loop = std::move(EventLoop::Create().value());
    tunnels = std::make_unique<Tunnels>(loop.get(), static_cast<TunnelSink*>(this));
  }

  Ends Open(Kind kind = Kind::kTcp, TunnelStart start = {}, int32_t id = kId) {
    Ends ends = Connect(kind, &start);
    tunnels->Open(id, std::move(start));
    return ends;
  }
  /// Fills in the sockets of a tunnel that is opened later.
  Ends Connect(Kind kind, TunnelStart* start) {
    start->is_client_unix = start->is_endpoint_unix = kind == Kind::kUnix;
    return {MakeSide(kind, &start->client), MakeSide(kind, &start->endpoint)};
  }
  bool Until(const std::function<bool()>& is_so) {
    const uint64_t end_us = MonotonicUs() + kDeadlineUs;
    while (!is_so()) {
      if (MonotonicUs() > end_us) {
        check::Fail(__FILE__, __LINE__, "did not happen in time");
        return false;
      }
      loop->Turn(1);
    }
    return true;
  }
  /// The one tunnel of the test ends so, and nothing is left of it.
  void CheckEnded(TunnelEnd end) {
    if (!Until([&] { return !told.empty(); })) return;
    CHECK_EQ(told.size(), 1);
    CHECK_EQ(told[0].id, kId);
    CHECK_EQ(told[0].end, end);
    CHECK_EQ(tunnels->count(), 0);
    CHECK_EQ(tunnels->held_bytes(), 0);
  }

  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<Tunnels> tunnels;
  std::vector<Told> told;
  std::function<void()> on_told = [] {};

 private:
  void OnTunnelEnded(int32_t id, TunnelEnd end, uint64_t from_client, uint64_t to_client) override {
    told.push_back({id, end, from_client, to_client});
    on_told();
  }
  Peer MakeSide(Kind kind, UniqueFd* side) {
    if (kind == Kind::kTcp) {
      Peer peer(listener_.Connect());
      *side = std::move(listener_.AcceptForEngine(0).fd);
      return peer;
    }
    int fds[2];
    CHECK_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    side->Reset(fds[0]);
    return Peer(UniqueFd(fds[1]));
  }

  Listener listener_;
};

}  // namespace tunnel_rig
