// The date of answers, written once a second.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::frontend {

/// An IMF-fixdate (RFC 9110 section 5.6.7), e.g. "Sun, 06 Nov 1994 08:49:37 GMT". One thread. HOT.
class HttpDate {
 public:
  /// @param now_ms of the loop's clock; the wall clock is read when the second is over
  std::string_view At(uint64_t now_ms) {
    if (now_ms >= valid_until_ms_) Write(now_ms);
    return {text_.data(), kSize};
  }

  static constexpr size_t kSize = 29;

 private:
  void Write(uint64_t now_ms);

  uint64_t valid_until_ms_ = 0;
  std::array<char, kSize + 1> text_{};
};

}  // namespace sluice::frontend
