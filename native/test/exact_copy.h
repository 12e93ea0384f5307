// A copy of bytes with nothing readable behind it.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

namespace check {

/// A copy in a block of exactly its size, so that the address sanitizer sees every read beyond.
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

}  // namespace check
