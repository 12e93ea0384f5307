// Timers of the wheel against a list that is searched from end to end.
#include "base/timer_wheel.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "check.h"

namespace {

using sluice::Timer;
using sluice::TimerWheel;

struct Probe final : Timer {
  std::function<void(uint64_t)> on_fire = [](uint64_t) {};
  int fired = 0;
  uint64_t fired_at_ms = 0;

  void OnTimer(uint64_t now_ms) override {
    ++fired;
    fired_at_ms = now_ms;
    on_fire(now_ms);
  }
};

TEST(FiresAtItsMillisecondAndNotBefore) {
  for (const uint64_t delay_ms : std::to_array<uint64_t>(
           {1, 2, 63, 64, 65, 4095, 4096, 4097, 262'144, 300'000, 20'000'000})) {
    for (const uint64_t start_ms :
         {uint64_t{0}, uint64_t{1}, uint64_t{63}, uint64_t{123'456'789}}) {
      TimerWheel wheel(start_ms);
      Probe probe;
      wheel.Arm(&probe, start_ms + delay_ms);
      wheel.Advance(start_ms + delay_ms - 1);
      CHECK_EQ(probe.fired, 0);
      CHECK(probe.is_armed());
      wheel.Advance(start_ms + delay_ms);
      CHECK_EQ(probe.fired, 1);
      CHECK(!probe.is_armed());
    }
  }
}

TEST(NeverSleepsPastATimer) {
  TimerWheel wheel(1000);
  Probe probe;
  wheel.Arm(&probe, 1000 + 5'000'000);
  int wakes = 0;
  while (probe.fired == 0) {
    const auto next = wheel.NextAt();
    CHECK(next.has_value());
    if (!next || *next > 1000 + 5'000'000) break;
    wheel.Advance(*next);
    ++wakes;
  }
  CHECK_EQ(probe.fired, 1);
  CHECK(wakes <= 5);  // once per level
  CHECK(!wheel.NextAt().has_value());
}

TEST(FiresAPastPointWithTheNextMillisecond) {
  TimerWheel wheel(5000);
  Probe probe;
  wheel.Arm(&probe, 10);
  CHECK_EQ(wheel.NextAt().value_or(0), 5001);
  wheel.Advance(5001);
  CHECK_EQ(probe.fired, 1);
}

TEST(ForgetsACancelledTimer) {
  TimerWheel wheel(0);
  Probe probe;
  wheel.Arm(&probe, 100);
  wheel.Cancel(&probe);
  wheel.Cancel(&probe);
  CHECK(!wheel.NextAt().has_value());
  wheel.Advance(1000);
  CHECK_EQ(probe.fired, 0);
}

TEST(ForgetsATimerThatIsGone) {
  TimerWheel wheel(0);
  {
    Probe probe;
    wheel.Arm(&probe, 100);
  }
  wheel.Advance(1000);
  CHECK(!wheel.NextAt().has_value());
}

TEST(MovesATimerThatIsArmedAgain) {
  TimerWheel wheel(0);
  Probe probe;
  wheel.Arm(&probe, 100);
  wheel.Arm(&probe, 50);
  wheel.Advance(60);
  CHECK_EQ(probe.fired, 1);
  wheel.Advance(200);
  CHECK_EQ(probe.fired, 1);
}

TEST(LetsATimerCancelAnotherOfTheSameMillisecond) {
  TimerWheel wheel(0);
  Probe first;
  Probe second;
  first.on_fire = [&](uint64_t) { wheel.Cancel(&second); };
  wheel.Arm(&first, 10);
  wheel.Arm(&second, 10);
  wheel.Advance(10);
  CHECK_EQ(first.fired, 1);
  CHECK_EQ(second.fired, 0);
}

TEST(LetsATimerArmItselfAgain) {
  TimerWheel wheel(0);
  Probe probe;
  probe.on_fire = [&](uint64_t) {
    if (probe.fired < 3) wheel.Arm(&probe, probe.expires_at_ms() + 10);
  };
  wheel.Arm(&probe, 10);
  wheel.Advance(1000);
  CHECK_EQ(probe.fired, 3);
}

TEST(KeepsATimerBeyondItsSpan) {
  TimerWheel wheel(0);
  Probe probe;
  const uint64_t far_ms = uint64_t{40} * 24 * 3600 * 1000;  // 40 days
  wheel.Arm(&probe, far_ms);
  while (const auto next = wheel.NextAt()) {
    if (*next > far_ms) break;
    wheel.Advance(*next);
  }
  CHECK_EQ(probe.fired, 1);
  CHECK_EQ(probe.fired_at_ms, far_ms);
}

TEST(AgreesWithANaiveReference) {
  std::mt19937_64 rng(42);
  for (int round = 0; round < 200; ++round) {
    uint64_t now_ms = rng() % 1'000'000;
    TimerWheel wheel(now_ms);
    std::vector<std::unique_ptr<Probe>> probes;
    std::vector<uint64_t> wanted(40, 0);  // 0: not armed
    for (size_t index = 0; index < wanted.size(); ++index)
      probes.push_back(std::make_unique<Probe>());
    for (int step = 0; step < 200; ++step) {
      const size_t index = rng() % wanted.size();
      switch (rng() % 4) {
        case 0:
        case 1:
          wanted[index] = now_ms + 1 + (rng() % (uint64_t{1} << (rng() % 24)));
          wheel.Arm(probes[index].get(), wanted[index]);
          break;
        case 2:
          wanted[index] = 0;
          wheel.Cancel(probes[index].get());
          break;
        default: {
          now_ms += rng() % (uint64_t{1} << (rng() % 18));
          const auto next = wheel.NextAt();
          uint64_t earliest = UINT64_MAX;
          for (const uint64_t at : wanted) {
            if (at != 0) earliest = std::min(earliest, at);
          }
          CHECK_EQ(next.has_value(), earliest != UINT64_MAX);
          if (next) CHECK(*next <= earliest);
          wheel.Advance(now_ms);
          for (uint64_t& at : wanted) {
            if (at != 0 && at <= now_ms) at = 0;
          }
        }
      }
      for (size_t at = 0; at < wanted.size(); ++at)
        CHECK_EQ(probes[at]->is_armed(), wanted[at] != 0);
      if (check::failed_checks > 0) return;
    }
  }
}

}  // namespace
