// Reads the golden files of test/golden/hash, which the TypeScript reference wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"

namespace sluice::hash {

/// Lines of words, without comments; a file that is not there has none. From the repository's top
/// folder, where scripts/native-tests.mjs starts the programs.
inline std::vector<std::vector<std::string>> GoldenLines(const std::string& name) {
  std::ifstream file("test/golden/hash/" + name);
  std::vector<std::vector<std::string>> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::vector<std::string>& into = lines.emplace_back();
    for (std::string word; words >> word;)
      into.push_back(word);
  }
  return lines;
}

inline uint64_t Hex(const std::string& text) {
  return std::stoull(text, nullptr, 16);
}
inline uint64_t Decimal(const std::string& text) {
  return std::stoull(text);
}

/// Bytes without a pattern: the high byte of each state of a linear congruential generator that
/// begins at 1; those of the golden files.
inline std::string MadeBytes(size_t length) {
  std::string bytes;
  uint32_t state = 1;
  for (size_t at = 0; at < length; ++at) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace sluice::hash
