// The pieces of one write to a client, in the order in which they go out.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace sluice::frontend {

/// At most kMost pieces, which stay where they are until they are sent.
class OutgoingParts {
 public:
  static constexpr size_t kMost = 8;

  void Add(std::string_view bytes) {
    if (bytes.empty()) return;
    parts_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()};
    bytes_ += bytes.size();
  }

  const iovec* data() const { return parts_.data(); }
  size_t count() const { return count_; }
  size_t bytes() const { return bytes_; }
  std::string_view At(size_t index) const {
    return {static_cast<const char*>(parts_[index].iov_base), parts_[index].iov_len};
  }

 private:
  std::array<iovec, kMost> parts_;
  size_t count_ = 0;
  size_t bytes_ = 0;
};

}  // namespace sluice::frontend
