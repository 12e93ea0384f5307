// Relays of switched connections: how they begin, fall silent and end.
#include "frontend/tunnels.h"

#include <deque>
#include <unordered_map>
#include <utility>

#include "base/intrusive_list.h"
#include "base/socket.h"
#include "l4/relay.h"
#include "l4/relay_pair.h"
#include "l4/two_way_relay.h"

namespace sluice::frontend {

namespace {

constexpr l4::RelayKind kKind = l4::RelayKind::kAdaptive;

struct TunnelReadyTag;
class Tunnel;

/// Who acts for tunnels.
class TunnelOwner : public l4::RelayPairOwner {
 public:
  virtual void OnTunnelTimer(Tunnel* tunnel, uint64_t now_ms) = 0;

 protected:
  ~TunnelOwner() = default;
};

class Tunnel final : public l4::RelayPair, public Timer, public ListHook<TunnelReadyTag> {
 public:
  Tunnel(TunnelOwner* owner, int32_t number, uint64_t timeout_ms)
      : RelayPair(owner), id(number), idle_timeout_ms(timeout_ms) {}

  const int32_t id;
  /// 0: none.
  const uint64_t idle_timeout_ms;
  /// When something last moved.
  uint64_t moved_at_ms = 0;

 private:
  void OnTimer(uint64_t now_ms) override {
    static_cast<TunnelOwner*>(owner())->OnTunnelTimer(this, now_ms);
  }
};

/// A tunnel that is gone and whose end is still to be told.
struct Ended {
  int32_t id;
  TunnelEnd end;
  uint64_t bytes_from_client;
  uint64_t bytes_to_client;
};

/// Both sides were written to before: no first piece can be spared the system call.
void BeginSide(l4::Side* side, UniqueFd fd, std::unique_ptr<tls::Channel> channel, bool is_unix) {
  side->fd = std::move(fd);
  side->tls = std::move(channel);
  if (!is_unix) SetNoDelay(side->fd.get());
  side->Begin(is_unix, true);
}

}  // namespace

class Tunnels::Impl final : private LoopTask, private TunnelOwner {
 public:
  Impl(EventLoop* loop, TunnelSink* sink) : loop_(loop), sink_(sink) { loop_->AddTask(this); }
  ~Impl() { CloseAll(); }

  void Open(int32_t id, TunnelStart&& start) {
    auto made =
        std::make_unique<Tunnel>(static_cast<TunnelOwner*>(this), id, start.idle_timeout_ms);
    Tunnel* const tunnel = made.get();
    tunnels_[id] = std::move(made);
    BeginSide(&tunnel->client, std::move(start.client), std::move(start.client_tls),
              start.is_client_unix);
    BeginSide(&tunnel->endpoint, std::move(start.endpoint), std::move(start.endpoint_tls),
              start.is_endpoint_unix);
    relay_.Start(tunnel, kKind);
    relay_.HoldFirst({}, start.from_client, &tunnel->from_client);
    relay_.HoldFirst(start.head, start.from_endpoint, &tunnel->to_client);
    if (loop_->Watch(tunnel->client.fd.get(), l4::Side::kEvents, &tunnel->client) != 0 ||
        loop_->Watch(tunnel->endpoint.fd.get(), l4::Side::kEvents, &tunnel->endpoint) != 0) {
      return Close(id);
    }
    tunnel->moved_at_ms = loop_->now_ms();
    if (tunnel->idle_timeout_ms > 0) {
      loop_->timers().Arm(tunnel, tunnel->moved_at_ms + tunnel->idle_timeout_ms);
    }
    // What is to be sent first needs no event.
    OnPairReady(tunnel);
  }

  void Close(int32_t id) {
    const auto found = tunnels_.find(id);
    if (found == tunnels_.end()) return;
    // A caller is told in its next turn, not from within its call.
    closed_.push_back(GiveBack(found->second.get(), TunnelEnd::kClosed));
  }

  size_t count() const { return tunnels_.size(); }
  size_t held_bytes() const { return relay_.held_bytes(); }

  void CloseAll() {
    if (is_closed_) return;
    is_closed_ = true;
    while (!tunnels_.empty())
      GiveBack(tunnels_.begin()->second.get(), TunnelEnd::kClosed);
    closed_.clear();
    relay_.pipes().Clear();
    loop_->RemoveTask(this);
  }

 private:
  // LoopTask, TunnelOwner
  bool HasWork() const override { return !ready_.empty() || !closed_.empty(); }
  void OnReady() override {
    for (size_t due = closed_.size(); due > 0 && !closed_.empty(); --due) {
      const Ended ended = closed_.front();
      closed_.pop_front();
      Tell(ended);
    }
    // Each once a turn: who has more to move waits until the others have had theirs.
    IntrusiveList<Tunnel, TunnelReadyTag> turn;
    turn.TakeAll(ready_);
    while (Tunnel* const tunnel = turn.PopFront())
      RelayBothWays(tunnel);
  }
  void OnTurnEnd() override {}
  void OnPairReady(l4::RelayPair* pair) override {
    auto* const tunnel = static_cast<Tunnel*>(pair);
    if (!tunnel->ListHook<TunnelReadyTag>::is_linked()) ready_.PushBack(tunnel);
  }
  void OnTunnelTimer(Tunnel* tunnel, uint64_t now_ms) override {
    // A timer that fires too early is armed again: cheaper than moving it with every byte.
    const uint64_t deadline_ms = tunnel->moved_at_ms + tunnel->idle_timeout_ms;
    if (now_ms < deadline_ms) return loop_->timers().Arm(tunnel, deadline_ms);
    End(tunnel, TunnelEnd::kIdle);
  }

  void RelayBothWays(Tunnel* tunnel) {
    const l4::PairOutcome outcome = l4::MoveBothWays(&relay_, tunnel, {kKind, /*half_close=*/true});
    if (outcome.has_moved) tunnel->moved_at_ms = loop_->now_ms();
    switch (outcome.step) {
      case l4::PairStep::kWaiting:
        break;
      case l4::PairStep::kYielding:
        OnPairReady(tunnel);
        break;
      case l4::PairStep::kDone:
        End(tunnel, TunnelEnd::kClean);
        break;
      case l4::PairStep::kClientBroken:
        End(tunnel, TunnelEnd::kClientReset);
        break;
      case l4::PairStep::kEndpointBroken:
        End(tunnel, TunnelEnd::kEndpointReset);
        break;
    }
  }

  void End(Tunnel* tunnel, TunnelEnd end) { Tell(GiveBack(tunnel, end)); }

  /// Closes and frees it. @returns what is to be told
  Ended GiveBack(Tunnel* tunnel, TunnelEnd end) {
    const Ended ended{tunnel->id, end, tunnel->from_client.moved_bytes,
                      tunnel->to_client.moved_bytes};
    // Whoever broke the connection needs no reset.
    const bool is_clean = end == TunnelEnd::kClean;
    tunnel->client.Close(loop_, !is_clean && end != TunnelEnd::kClientReset);
    tunnel->endpoint.Close(loop_, !is_clean && end != TunnelEnd::kEndpointReset);
    relay_.Release(&tunnel->from_client);
    relay_.Release(&tunnel->to_client);
    tunnels_.erase(ended.id);
    return ended;
  }

  /// The sink may call anything of this object from within.
  void Tell(const Ended& ended) {
    sink_->OnTunnelEnded(ended.id, ended.end, ended.bytes_from_client, ended.bytes_to_client);
  }

  EventLoop* const loop_;
  TunnelSink* const sink_;
  l4::Relay relay_;
  std::unordered_map<int32_t, std::unique_ptr<Tunnel>> tunnels_;
  IntrusiveList<Tunnel, TunnelReadyTag> ready_;
  std::deque<Ended> closed_;
  bool is_closed_ = false;
};

Tunnels::Tunnels(EventLoop* loop, TunnelSink* sink) : impl_(std::make_unique<Impl>(loop, sink)) {}

Tunnels::~Tunnels() = default;

void Tunnels::Open(int32_t id, TunnelStart&& start) {
  impl_->Open(id, std::move(start));
}

void Tunnels::Close(int32_t id) {
  impl_->Close(id);
}

size_t Tunnels::count() const {
  return impl_->count();
}

size_t Tunnels::held_bytes() const {
  return impl_->held_bytes();
}

void Tunnels::CloseAll() {
  impl_->CloseAll();
}

}  // namespace sluice::frontend
