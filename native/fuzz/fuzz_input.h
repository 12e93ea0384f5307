// What the fuzz targets share: reading how to split an input from its front, and a failing check.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

/// Ends the process, which is a finding, where an invariant does not hold.
#define REQUIRE(condition)                                                         \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)

namespace sluice::fuzz {

/// A copy in a block of exactly its size, so that the address sanitizer sees every access beyond.
class ExactCopy {
 public:
  explicit ExactCopy(std::string_view text)
      : size_(text.size()), bytes_(std::make_unique<char[]>(text.size())) {
    if (size_ != 0) std::memcpy(bytes_.get(), text.data(), size_);
  }

  char* data() { return bytes_.get(); }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> bytes_;
};

/// Takes the bytes that steer a run from the front of an input.
class Steering {
 public:
  Steering(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  /// The next byte, 0 when there is none.
  uint8_t TakeByte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  /// Sizes of the pieces that the rest comes in, each at least 1, repeated until the rest is used
  /// up: up to eight of them, led by their number.
  std::vector<size_t> TakePieceSizes() {
    std::vector<size_t> sizes(TakeByte() % 8 + 1u);
    for (size_t& size : sizes)
      size = TakeByte() + 1u;
    return sizes;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// Calls `visit(begin, end)` for the pieces of [0, size) until it returns false.
template <typename Visit>
void ForEachPiece(size_t size, const std::vector<size_t>& piece_sizes, Visit visit) {
  size_t begin = 0;
  for (size_t index = 0; begin < size; ++index) {
    const size_t end = std::min(size, begin + piece_sizes[index % piece_sizes.size()]);
    if (!visit(begin, end)) return;
    begin = end;
  }
}

}  // namespace sluice::fuzz
