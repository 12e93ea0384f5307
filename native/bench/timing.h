// Times calls for the micro benches of native/bench.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace sluice::bench {

inline constexpr int kBatches = 25;
inline constexpr double kBatchNs = 4e6;

inline double NowNs() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

/// Keeps the compiler from leaving out what nobody reads.
template <typename Value>
void Keep(const Value& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// Ends the program: a bench that times refused input times nothing.
[[noreturn]] inline void Refuse(const char* name) {
  std::fprintf(stderr, "%s: the input is refused\n", name);
  std::exit(1);
}

/// Runs `parse` in batches of some ms, and prints the median time of one call.
template <typename Parse>
void Bench(const char* name, size_t bytes, Parse parse) {
  size_t calls = 16;
  double took_ns = 0;
  const auto run = [&] {
    const double from = NowNs();
    for (size_t call = 0; call < calls; call++) {
      if (!parse()) Refuse(name);
    }
    took_ns = NowNs() - from;
  };
  for (run(); took_ns < kBatchNs; run())
    calls *= 2;
  std::array<double, kBatches> each_ns = {};
  for (double& each : each_ns) {
    run();
    each = took_ns / static_cast<double>(calls);
  }
  std::sort(each_ns.begin(), each_ns.end());
  const double ns = each_ns[kBatches / 2];
  std::printf("{\"name\":\"%s\",\"ns\":%.2f,\"bytes\":%zu}\n", name, ns, bytes);
}

}  // namespace sluice::bench
