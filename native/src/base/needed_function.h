// Functions that the node binary has to export for us; weak, so that a Node without one can say so.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace sluice {

struct NeededFunction {
  const char* name;
  /// nullptr: this Node does not export it; calling it would end the process.
  const void* address;
};

/// @returns names of those that are missing, in their order
inline std::vector<std::string> NamesOfMissing(std::span<const NeededFunction> needed) {
  std::vector<std::string> names;
  for (const NeededFunction& function : needed) {
    if (function.address == nullptr) names.emplace_back(function.name);
  }
  return names;
}

}  // namespace sluice
