// Random traffic through the front end, in batches of 16 events: clients and an endpoint that do a
// little at a time, decisions of every kind, and what must hold whatever happens.
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "frontend/front_end_rig.h"
#include "frontend/traffic_peers.h"

using namespace front_end_rig;
using namespace traffic;

namespace {

constexpr int32_t kGood = 0;
constexpr int32_t kRefusing = 1;
constexpr int32_t kWithoutPool = 2;

/// Nothing here is to happen because a sanitizer is slow.
ListenerSettings WithoutHurry() {
  ListenerSettings settings = Patient();
  settings.request_head_timeout_ms = settings.body_idle_timeout_ms = 60'000;
  settings.keep_alive_timeout_ms = settings.write_stall_timeout_ms = 60'000;
  settings.tunnel_idle_timeout_ms = 60'000;
  return settings;
}

loopback::PoolSettings PoolWithoutHurry() {
  loopback::PoolSettings settings = loopback::Patient();
  settings.connect_timeout_ms = settings.first_byte_timeout_ms = 60'000;
  settings.idle_timeout_ms = settings.keep_alive_idle_ms = 60'000;
  return settings;
}

/// Decides at random, and holds the front end to the order of its events.
class Decider {
 public:
  Decider(Rig* rig, Rng* rng) : rig_(*rig), rng_(*rng) {
    rig_.decide = [this](const Seen& seen) { return Decide(seen); };
    rig_.admit = [this](const Seen& seen, int32_t*) { return Admit(seen); };
    rig_.on_event = [this](const Seen& seen) { Note(seen); };
  }

  size_t open_exchanges() const { return open_.size(); }
  size_t open_connections() const { return connections_.size(); }
  size_t requests() const { return requests_; }
  /// Exchanges that were broken off, perhaps before anything of an answer had gone out.
  size_t broken_off() const { return broken_off_; }

  /// Decides what was put off.
  void DecideLater() {
    if (later_.empty()) return;
    const auto at = std::next(later_.begin(), static_cast<long>(Pick(rng_, later_.size())));
    const int32_t exchange = *at;
    later_.erase(at);
    if (Chance(rng_, 60)) {
      CHECK(rig_->Decide(exchange, SlotFor(), 0, 0));
    } else {
      End(exchange);
    }
  }
  /// Ends any exchange, at a moment that no event has chosen.
  void EndAny() {
    if (open_.empty()) return;
    const auto at = std::next(open_.begin(), static_cast<long>(Pick(rng_, open_.size())));
    const int32_t exchange = at->first;
    later_.erase(exchange);
    End(exchange);
  }

 private:
  int32_t SlotFor() {
    const size_t choice = Pick(rng_, 10);
    return choice < 8 ? kGood : choice == 8 ? kRefusing : kWithoutPool;
  }

  /// By an answer, or where that cannot be any more, by breaking off.
  void End(int32_t exchange, const char* status = "503 Local") {
    const bool is_answered =
        Chance(rng_, 70) && rig_->Answer(exchange, status, "local", Chance(rng_, 30));
    if (!is_answered) rig_->BreakOff(exchange);
  }

  int32_t Admit(const Seen& seen) {
    const bool is_refused = Chance(rng_, 3);
    if (!is_refused) CHECK(connections_.insert(seen.number).second);
    return is_refused ? kRefuseConnection : kAdmitConnection;
  }

  int32_t Decide(const Seen& seen) {
    const int32_t exchange = seen.number;
    if (seen.type == EventType::kRequest) {
      ++requests_;
      CHECK(connections_.count(seen.connection) == 1);
      CHECK(open_.emplace(exchange, seen.connection).second);
    }
    CHECK(open_.count(exchange) == 1);
    const bool has_failed = seen.type == EventType::kAttemptFailed &&
                            (seen.has(event_flag::kHeadSeen) || !seen.has(event_flag::kRetryable));
    if (seen.fault != 0) {
      End(exchange, "400 Local");
      return kSettled;
    }
    const size_t choice = Pick(rng_, 100);
    if (has_failed || choice < 8) {
      End(exchange);
      return kSettled;
    }
    if (choice < 20) {
      later_.insert(exchange);
      return kLater;
    }
    return SlotFor();
  }

  void Note(const Seen& seen) {
    if (seen.type == EventType::kFault) {
      CHECK(open_.count(seen.number) == 1);
      End(seen.number, "400 Local");
    }
    if (seen.type == EventType::kClosed) {
      CHECK_EQ(connections_.erase(seen.number), 1);
      for (const auto& [exchange, connection] : open_)
        CHECK(connection != seen.number);
    }
    if (seen.type != EventType::kProgress) return;
    CHECK(open_.count(seen.number) == 1);
    if (!seen.has(event_flag::kFinished)) return;
    if (seen.reason == static_cast<int32_t>(ClientEnd::kBrokenOff)) ++broken_off_;
    later_.erase(seen.number);
    open_.erase(seen.number);
  }

  Rig& rig_;
  Rng& rng_;
  std::map<int32_t, int32_t> open_;  // exchange to connection
  std::set<int32_t> connections_;
  std::set<int32_t> later_;
  size_t requests_ = 0;
  size_t broken_off_ = 0;
};

struct Traffic {
  explicit Traffic(uint32_t seed) : rng(seed), is_draining(seed % 2 == 0) {}

  void Run(size_t clients_wanted) {
    CHECK(rig.client().OpenPool(kRefusing, {*sluice::Address::Parse(loopback::ClosedPort())},
                                PoolWithoutHurry()));
    rig.client().ClosePool(kGood);
    CHECK(rig.client().OpenPool(kGood, {rig.endpoint.address()}, PoolWithoutHurry()));
    const uint64_t end_us = sluice::MonotonicUs() + 60'000'000;
    size_t made = 0;
    while ((made < clients_wanted || !clients.empty()) && sluice::MonotonicUs() < end_us) {
      if (made < clients_wanted && clients.size() < 60 && Chance(rng, 20)) {
        ++made;
        const bool is_unix = Chance(rng, 20);
        Peer peer = is_unix ? rig.ConnectUnix() : rig.Connect(Chance(rng, 30) ? 4096 : 0);
        clients.emplace_back(std::move(peer), is_unix, &plans, 1 + Pick(rng, 8));
      }
      Step(made < clients_wanted);
      if (made == clients_wanted && is_draining) rig->Drain();
    }
    CHECK_EQ(clients.size(), 0);
    while (rig->stats().connections + decider.open_connections() > 0 &&
           sluice::MonotonicUs() < end_us) {
      Step(false);
    }
  }

  void Step(bool is_rude) {
    while (rig.endpoint.HasPending())
      endpoints.emplace_back(rig.endpoint.Accept(), &plans);
    for (size_t count = 0; count < 20 && !clients.empty(); ++count) {
      const size_t at = Pick(rng, clients.size());
      clients[at].Step(rng, is_rude);
      if (!clients[at].is_over()) continue;
      whole_answers += clients[at].whole_answers();
      forsaken += clients[at].is_forsaken() ? 1 : 0;
      clients.erase(clients.begin() + static_cast<long>(at));
    }
    for (size_t count = 0; count < 20 && !endpoints.empty(); ++count) {
      const size_t at = Pick(rng, endpoints.size());
      endpoints[at].Step(rng);
      if (endpoints[at].is_over()) endpoints.erase(endpoints.begin() + static_cast<long>(at));
    }
    if (Chance(rng, 40)) decider.DecideLater();
    if (is_rude && Chance(rng, 1)) decider.EndAny();
    if (Chance(rng, 50)) rig.Turns(1);
  }

  Rng rng;
  /// Begins to drain when the last client has come.
  const bool is_draining;
  Plans plans;
  Rig rig{WithoutHurry(), kMinEvents};
  Decider decider{&rig, &rng};
  std::vector<TrafficClient> clients;
  std::vector<TrafficEndpoint> endpoints;
  size_t whole_answers = 0;
  size_t forsaken = 0;
};

void RunSeed(uint32_t seed) {
  (void)std::signal(SIGPIPE, SIG_IGN);  // as Node does: a splice has no MSG_NOSIGNAL
  const size_t files = loopback::OpenFiles();
  const int failed_before = check::failed_checks;
  {
    Traffic traffic(seed);
    traffic.Run(300);
    CHECK_EQ(traffic.decider.open_exchanges(), 0);
    CHECK_EQ(traffic.decider.open_connections(), 0);
    const FrontEndStats stats = traffic.rig->stats();
    CHECK_EQ(stats.exchanges, 0);
    CHECK_EQ(stats.connections, 0);
    CHECK_EQ(stats.tunnels, 0);
    CHECK_EQ(stats.held_bytes, 0);
    CHECK_EQ(traffic.rig.client().stats().exchanges, 0);
    CHECK_EQ(traffic.decider.requests(), stats.requests);
    CHECK(traffic.whole_answers > 100);
    CHECK(traffic.is_draining || traffic.forsaken <= traffic.decider.broken_off());
  }
  CHECK_EQ(loopback::OpenFiles(), files);
  if (check::failed_checks > failed_before) std::printf("  with seed %u\n", seed);
}

/// SLUICE_SEED and SLUICE_SEEDS: the first seed, and how many from there on.
TEST(RandomTrafficIsAnsweredRightOrNotAtAll) {
  const char* const chosen = std::getenv("SLUICE_SEED");
  const uint32_t first = chosen != nullptr ? static_cast<uint32_t>(std::atoi(chosen)) : 1;
  const char* const rounds = std::getenv("SLUICE_SEEDS");
  const uint32_t count = rounds != nullptr ? static_cast<uint32_t>(std::atoi(rounds)) : 2;
  for (uint32_t seed = first; seed < first + count; ++seed)
    RunSeed(seed);
}

}  // namespace
