// Finds the route of a request: remembers which table each Host uses, and looks paths up there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/listener_settings.h"

namespace sluice::frontend {

/// Says whether a path lies below a prefix: as src/l7/router.ts has it, a prefix that does not end
/// in
/// '/' matches whole segments.
bool MatchesPrefix(std::string_view prefix, std::string_view path);

/// The routes of one listener. Which table a Host uses is TypeScript's decision (wildcards, case
/// and ports are its business); the answer is remembered by the bytes of the Host. One thread. HOT.
class HostRoutes {
 public:
  /// Hosts remembered; a flood of invented names must not grow this without bound.
  static constexpr size_t kMemory = 1024;
  /// Longer ones are not: no name has more than 253 bytes, its last dot and a port, and a flood of
  /// heads full of Host would be kept, 64 KiB each.
  static constexpr size_t kMostHostBytes = 260;

  explicit HostRoutes(std::vector<HostTable> tables) : tables_(std::move(tables)) {}

  /// @returns the route, kNoRoute, or kUnknownHost where the Host has not been told of
  int32_t Find(std::string_view host, std::string_view path);
  /// @param host longer than kMostHostBytes: is not remembered @param table index of a table;
  /// others are ignored
  void Remember(std::string_view host, int32_t table);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  int32_t TableOf(std::string_view host);

  std::vector<HostTable> tables_;
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> memory_;
  // The last one asked for: clients come in crowds of the same Host.
  std::string last_host_;
  int32_t last_table_ = -1;
};

}  // namespace sluice::frontend
